"""Commands that look after the project's state."""

from __future__ import annotations

import contextlib
import json
import shutil
from pathlib import Path

from experiments.cli.flags import Flag, JsonFlag
from experiments.cli.terminal import agrees, say
from experiments.project.workspace import Workspace
from experiments.runs.offline.places import WANDB_FOLDERS


def doctor(
    *,
    rebuild: Flag = False,
    mend: Flag = False,
    json_: JsonFlag = False,
) -> int:
    """Say what is installed, reachable and writable, and the command that mends what is not.

    Args:
        rebuild: Make the ledger again from what the runs' folders say; the old file is kept.
        mend: Mend the rows of the ledger that cannot be read; what stood there is kept as an event.
        json_: Print a JSON list instead of text.
    """
    from experiments.cli.doctor import all_checks, as_json, examine, report

    if rebuild:
        return _rebuild(Workspace.find(Path.cwd()))
    if mend:
        return _mend(Workspace.find(Path.cwd()))
    findings = examine(all_checks(Path.cwd()))
    say(json.dumps(as_json(findings), indent=2) if json_ else "\n".join(report(findings)))
    return 1 if any(finding.level == "fail" for finding in findings) else 0


def gc(*, yes: Flag = False) -> int:
    """Show what the state folder could do without, and delete it if you say so.

    That is the cache, which is made again when it is wanted, and the W&B files of runs that were uploaded whole.

    Args:
        yes: Do not ask.
    """
    workspace = Workspace.find(Path.cwd())
    found = [(path, what, size) for path, what in disposable(workspace.state) if (size := size_of(path))]
    if not found:
        say("Nothing can go.")
        return 0
    for path, what, size in found:
        say(f"{size / 1e6:10.1f} MB  {workspace.shown(path)}  ({what})")
    total = sum(size for _, _, size in found)
    if not yes and not agrees(f"Delete these {total / 1e6:.1f} MB?"):
        say("Nothing was deleted.")
        return 0
    for path, _, _ in found:
        shutil.rmtree(path, ignore_errors=True)
    say(f"{total / 1e6:.1f} MB deleted")
    return 0


def disposable(state: Path) -> list[tuple[Path, str]]:
    """Return the folders that can go without losing anything, each with the reason."""
    found = [(path, "made again when it is wanted") for path in sorted((state / "cache").glob("*")) if path.is_dir()]
    # wandb marks a file that it uploaded to its end.
    uploaded = sorted(mark for name in WANDB_FOLDERS for mark in state.glob(f"runs/*/{name}/*run-*/*.wandb.synced"))
    return [*found, *((marker.parent, "uploaded to W&B") for marker in uploaded)]


def size_of(folder: Path) -> int:
    """Return the bytes of all files in a folder; files that vanish meanwhile count nothing."""
    total = 0
    for path in folder.rglob("*"):
        with contextlib.suppress(OSError):
            total += path.lstat().st_size if path.is_file() and not path.is_symlink() else 0
    return total


def _mend(workspace: Workspace) -> int:
    from experiments.jobs.ledger.mending import mend

    found = mend(workspace)
    for sentence in [*found.done, *found.left]:
        say(sentence)
    if not found.done and not found.left:
        say("All of the ledger can be read; nothing was changed.")
    return 1 if found.left else 0


def _rebuild(workspace: Workspace) -> int:
    from experiments.jobs.ledger.mending import rebuild

    found = rebuild(workspace.state)
    say(f"rebuilt: {found.jobs} jobs")
    if found.kept_as is not None:
        say(f"the old file is {workspace.shown(found.kept_as)}")
    if found.waiting:
        say(f"not started yet: {', '.join(found.waiting)}. Run their recipe again to start them.")
    for problem in found.problems:
        say(f"could not be read: {problem}")
    return 1 if found.problems else 0
