"""The tables of a notebook: runs, groups of runs, and what differs between two."""
