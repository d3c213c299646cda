"""Runs of this machine: W&B's own files under the state folder, read live, all starts and writers of a run as one."""
