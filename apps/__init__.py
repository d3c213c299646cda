"""Read-only web pages over the same helpers as the notebooks."""
