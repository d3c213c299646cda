"""Notebooks of version 0.1: which of today's cells shows what which of theirs showed.

They head the file with a hash of each cell as it was written (`header`), so an edit is known. Their cells call helpers
of this package, which stay where those notebooks import them.
"""

from __future__ import annotations

SHOWN_BY = {
    "study": ("opened", "heading", "tracked", "code"),
    "verdict": ("hypothesis", "log_data", "verdict", "log_note", "log_lines_shown"),
    "curves": ("analysis_inputs", "learning_curves", "clicked_run"),
    "scores": ("scores", "comparison"),
    "monitor": ("monitor_heading", "monitor_table"),
    "job_log": ("log_inputs", "job_log", "triage"),
    "replay": ("replay_other", "replay_runs", "replay_step", "replay"),
    "runs": ("run_summary", "run_files"),
    "details": ("more_inputs", "more_charts", "grouped_runs", "diff_choice", "run_differences", "for_a_paper"),
    "launch": ("plan_form", "planned", "launch_controls", "launched", "outcome"),
    "export": ("export_command", "export_controls", "exported"),
    "scratch": ("scratch",),
}
"""By today's cell: it comes in where one of these is there."""
