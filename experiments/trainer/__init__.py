"""The reference trainer: PPO in numpy on MettaGrid.

What this room promises. A run can be killed at any moment and goes on from its newest checkpoint, to the same end. What
it logs, it logs as W&B has it, offline or to a server.

What one may import: `checkpoint`, `config`, `evaluation`. Everything else talks to it by its command line, as to any
other trainer.

What it may import: `project`, `types`, and of `runs` what a trainer notes for its reader.
"""
