"""Reproducible reinforcement-learning experiments as reactive marimo notebooks."""
