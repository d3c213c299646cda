"""Runs on a W&B server: any number of them, with all their new rows, in one request a poll."""
