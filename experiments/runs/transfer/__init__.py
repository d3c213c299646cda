"""Runs carried from one place to another: from a cluster's folder to this machine, from here to W&B's server."""
