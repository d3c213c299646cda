"""Where jobs run: this machine, SkyPilot, or nowhere (dry run)."""
