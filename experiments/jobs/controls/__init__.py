"""Kept controls: an arm made once, with its seeds, that stands for the baseline of every candidate after it.

`pooled` says which controls an experiment was launched beside.
"""
