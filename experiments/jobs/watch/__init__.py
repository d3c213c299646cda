"""How jobs are: one process polls for all (`monitor`, `poller`), all others read what it published (`snapshots`)."""
