"""What a job's interpreter had installed and what its machine computed with: recorded, compared, made again.

What it promises. What is recorded was asked of the very interpreter that runs the trainer, in the trainer's own
environment; what is not known is absent. A package set is known by its hash and stored once, in
`.experiments/packages/`. No path of this machine and no login stands in a record.

`probe` asks, by its path with any interpreter, `probing` has it asked and keeps the answer, and `wandb_config` tells
W&B: standard library only, for a supervisor. `records` reads what was recorded, `differences` weighs it. `restoring`
makes a package set again with `uv`, from `requirements` and `own_packages`; `kernels` asks for a recorded kernel.
"""
