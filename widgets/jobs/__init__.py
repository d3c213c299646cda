"""A job table that updates in place and keeps its selection."""
