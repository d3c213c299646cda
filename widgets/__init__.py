"""Browser widgets; they import nothing of `experiments`."""
