"""One `.wandb` file, as it is being written: bytes, records, history as columns, facts; without W&B's own code."""
