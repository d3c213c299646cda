"""Whether a run came back: an original and its reproduction, compared by checkpoints, rows and final metrics.

What it promises. *Identical* is said only of what was read whole on both sides; whatever is missing or damaged is
named, and makes the answer *not known* where nothing else differs. *Within noise* names the spread and the method.
"""
