"""Jobs on Slurm, Kubernetes and clouds, as SkyPilot's managed jobs; only `bridge`, a process of its own, imports it."""
