"""The reference trainer: PPO in numpy on MettaGrid."""
