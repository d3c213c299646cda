"""Recipes for trainers that know nothing of Experiments; what each of them trains with lies in `scripts`."""
