"""What runs came to: scores, the verdict on a hypothesis, rows of tables, what differs between runs, what came back.

What this room promises. One score a seed, and no seed lost: a run without one keeps its reason (`scores`); what is no
seed is none. A verdict follows the rule that was written before the launch (`verdict`), and pools different code only
where that says so. Every value says how it came about.

What one may import: any of its modules.

What it may import: the rooms below it: `statistics`, `runs`, `jobs`, and `wandb_utils`, `monitoring`.
"""
