"""What a page is about: its project, the jobs in it, and what the address asks for, so that it can be sent."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import marimo as mo

from experiments.jobs.watch.snapshots import read_status
from experiments.notebooks.context import NotebookContext
from experiments.project.standing import standing
from experiments.project.workspace import Workspace
from experiments.results.context import Launched
from experiments.types import BaseExperimentConfig, JobRef

Known = tuple[str, JobRef]
"""The name of an experiment, and one of its jobs."""

_LONGEST = 2_000


def project() -> Workspace:
    """Return the project of the working folder."""
    return Workspace.find(Path.cwd())


def experiment_of(workspace: Workspace, name: str) -> NotebookContext:
    """Return an experiment as the notebook's helpers know one."""
    return NotebookContext(name=name, path=workspace.root, workspace=workspace, config=BaseExperimentConfig())


def known_jobs(workspace: Workspace, launched: Launched) -> tuple[list[Known], list[Known]]:
    """Return every job with its experiment: those of the ledger, oldest first, and those that were only seen."""
    own = [(job.experiment, job.ref()) for job in launched.jobs]
    names = {job.run for _, job in own}
    seen = [
        (
            status.experiment,
            JobRef(
                run=status.run_name,
                arm=status.arm,
                seed=status.seed,
                launcher=status.launcher,
                **standing(status),
            ),
        )
        for status in read_status(workspace.state / "live").jobs
        if status.run_name not in names
    ]
    return own, seen


def asked(*names: str) -> dict[str, str]:
    """Return what the page's address says of each name; empty where it says nothing.

    Values are text that anybody may have written: compare them with what is known, never use them as a path or code.
    """
    found = mo.query_params().to_dict()
    return {name: _one(found.get(name, "")) for name in names}


def keep(**values: str | Sequence[str]) -> None:
    """Write what is looked at into the page's address; an empty value is left out."""
    query = mo.query_params()
    for name, value in values.items():
        text = value if isinstance(value, str) else ",".join(value)
        if text:
            query.set(name, text)
        else:
            query.remove(name)


def several(text: str, known: Sequence[str]) -> list[str]:
    """Return the names in a list from an address that are known, each once."""
    return [name for name in dict.fromkeys(text.split(",")) if name in set(known)]


def search_input(text: str, placeholder: str) -> mo.ui.text:
    """Return where words are typed to search by; `text` stands there at first, and the address keeps what does."""
    return mo.ui.text(
        value=text,
        placeholder=placeholder,
        label="Search",
        full_width=True,
        debounce=250,
        on_change=lambda words: keep(search=words),
    )


def has_words(text: str, words: str) -> bool:
    """Say whether every one of some words occurs in a text."""
    folded = text.casefold()
    return all(word in folded for word in words.casefold().split())


def _one(value: str | list[str]) -> str:
    text = value[-1] if isinstance(value, list) and value else value
    return text[:_LONGEST] if isinstance(text, str) else ""
