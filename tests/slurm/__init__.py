"""End to end on a real SkyPilot with a real Slurm, where a rig that brings them up lies beside the checkout."""
