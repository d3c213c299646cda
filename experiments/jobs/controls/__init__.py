"""Kept controls: an arm made once, with its seeds, that stands for the baseline of every candidate after it.

`files` is what is kept of one in the project; `checking` makes a plan that launches only the candidates, and says what
of a control is not as it would be now; `pooled` says which controls an experiment was launched beside, and `marks`
which code their runs ran.
"""
