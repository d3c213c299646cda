"""Commands that look after the project's state."""

from __future__ import annotations

import contextlib
import shlex
import shutil
import stat
import time
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import Literal

from experiments.cli.envelope import Answer, Shown
from experiments.cli.flags import Flag
from experiments.cli.terminal import agrees, say
from experiments.project.files import locked
from experiments.project.look import counted
from experiments.project.provenance import file_names
from experiments.project.snapshots import checkouts, remove_unneeded, unneeded, written_into
from experiments.project.workspace import Workspace
from experiments.runs.offline.places import WANDB_FOLDERS

_WAIT_S = 10.0
_FOLDED_AFTER_S = 30 * 86_400.0


class FoundOut(Shown):
    """What one check found.

    Attributes:
        name: What was checked.
        level: `ok`; `off`, not set up, which is no error; `warn`, works in part; `fail`, something will not work.
        mend: Command that mends it.
    """

    name: str
    level: Literal["ok", "off", "warn", "fail"]
    text: str
    mend: str


class Health(Shown):
    """What `doctor` found."""

    findings: tuple[FoundOut, ...]


class Mended(Shown):
    """What `doctor --mend` and `--rebuild` did.

    Attributes:
        done: Each thing that was mended, in words.
        jobs: How many jobs the ledger holds after a rebuild.
        waiting: Run names of jobs that had not started.
        kept_as: Where the old file is now.
    """

    done: tuple[str, ...] = ()
    jobs: int | None = None
    waiting: tuple[str, ...] = ()
    kept_as: str | None = None


def doctor(*, rebuild: Flag = False, mend: Flag = False) -> Answer[Health] | Answer[Mended]:
    """Say what is installed, reachable and writable, and the command that mends what is not.

    Args:
        rebuild: Make the ledger again from what the runs' folders say; the old file is kept.
        mend: Mend the rows of the ledger that cannot be read; what stood there is kept as an event.
    """
    from experiments.cli.doctor import all_checks, examine, report

    if rebuild:
        return _rebuild(Workspace.find(Path.cwd()))
    if mend:
        return _mend(Workspace.find(Path.cwd()))
    findings = examine(all_checks(Path.cwd()))
    found = Health(findings=tuple(FoundOut(**vars(finding)) for finding in findings))
    failed = any(finding.level == "fail" for finding in findings)
    return Answer(found, lambda _: say("\n".join(report(findings))), code=1 if failed else 0)


class Spare(Shown):
    """A folder that can go without losing anything, and why."""

    path: str
    size: int
    why: str


class Cleared(Shown):
    """What the state folder could do without.

    Attributes:
        spare: What can go; sizes are bytes.
        kept: Sentences on what stays because somebody wrote into it.
        folded: Steps of jobs that ended long ago which the ledger has in one row each now; none is lost.
        deleted: Bytes that were deleted; 0 where nobody said yes.
    """

    spare: tuple[Spare, ...]
    kept: tuple[str, ...]
    folded: int = 0
    deleted: int = 0


def gc(*, yes: Flag = False) -> Answer[Cleared]:
    """Show what the state folder could do without, and delete it if you say so.

    That is the cache, and the checkouts and made environments that no job runs from, which are made again when they are
    wanted, and the W&B files of runs that were uploaded whole. Snapshots themselves and recorded package sets stay: old
    runs are reproduced from them. What the ledger knows stays, too: of jobs that ended more than a month ago it takes
    one row for all steps on their way.

    Args:
        yes: Do not ask.
    """
    workspace = Workspace.find(Path.cwd())
    spared = _protected(workspace)
    found = [(path, what, size) for path, what in disposable(workspace.state, spared) if (size := size_of(path))]
    idle = unneeded(workspace.state, _in_use(workspace.state))
    unused = _unused_environments(workspace.state)
    shown = [
        *found,
        *((one.folder, "code that no job runs; made again when it is wanted", one.size_bytes) for one in idle),
        *((one, "packages that no job runs with; made again when they are wanted", size_of(one)) for one in unused),
    ]
    kept = tuple(_kept_for_their_files(workspace))
    spare = tuple(Spare(path=workspace.shown(path), size=size, why=what) for path, what, size in shown)
    for line in kept:
        say(line)
    if folded := _fold(workspace.state):
        say(f"{counted(folded, 'step')} of jobs that ended more than a month ago folded in the ledger; none is lost.")
    if not shown:
        return Answer(Cleared(spare=(), kept=kept, folded=folded), lambda _: say("Nothing can go."))
    for path, what, size in shown:
        say(f"{size / 1e6:10.1f} MB  {workspace.shown(path)}  ({what})")
    total = sum(size for _, _, size in shown)
    if not yes and not agrees(f"Delete these {total / 1e6:.1f} MB?"):
        return Answer(Cleared(spare=spare, kept=kept, folded=folded), lambda _: say("Nothing was deleted."))
    for path, _, _ in found:
        shutil.rmtree(path, ignore_errors=True)
    freed = sum(size for _, _, size in found) + _remove_idle(workspace.state, unused)
    return Answer(
        Cleared(spare=spare, kept=kept, folded=folded, deleted=freed), lambda _: say(f"{freed / 1e6:.1f} MB deleted")
    )


def _fold(state: Path) -> int:
    from experiments.jobs.ledger import Ledger
    from experiments.jobs.ledger.schema import FILE

    if not (state / FILE).exists():
        return 0
    with Ledger.open(state) as ledger:
        return ledger.fold(time.time() - _FOLDED_AFTER_S)


def _remove_idle(state: Path, unused: Iterable[Path]) -> int:
    """Remove the checkouts and those environments that no job needs by now; return the bytes.

    While jobs are started nothing is removed, and none is started meanwhile: it looks at its checkout before it runs.
    """
    from experiments.jobs.ledger.schema import STARTING

    with locked(state / STARTING, wait_s=_WAIT_S) as held:
        if not held:
            say("Jobs are being started, so code and packages stay. Run this again: experiments gc", to_stderr=True)
            return 0
        # Asked again: a job may have been launched while the question stood.
        freed = remove_unneeded(state, _in_use(state))
        for path in set(unused) & set(_unused_environments(state)):
            freed += size_of(path)
            shutil.rmtree(path, ignore_errors=True)
    return freed


def disposable(state: Path, protected: Collection[str] = ()) -> list[tuple[Path, str]]:
    """Return the folders that can go without losing anything, each with the reason; checkouts are not among them.

    Args:
        protected: Runs of which all stays.
    """
    found = [(path, "made again when it is wanted") for path in sorted((state / "cache").glob("*")) if path.is_dir()]
    found += [
        (path, "unpacked from a bundle, and again when it is wanted") for path in sorted((state / "bundles").glob("*"))
    ]
    # wandb marks a file that it uploaded to its end.
    uploaded = sorted(mark for name in WANDB_FOLDERS for mark in state.glob(f"runs/*/{name}/*run-*/*.wandb.synced"))
    return [
        *found,
        *(
            (marker.parent, "uploaded to W&B")
            for marker in uploaded
            if marker.relative_to(state / "runs").parts[0] not in protected
        ),
    ]


def _protected(workspace: Workspace) -> set[str]:
    from experiments.jobs.ledger.schema import FILE
    from experiments.jobs.shelf import protected_runs

    return protected_runs(workspace) if (workspace.state / FILE).exists() else set()


def _kept_for_their_files(workspace: Workspace) -> Iterator[str]:
    """Yield in words which checkouts stay because a trainer wrote into a package of its own."""
    in_use = _in_use(workspace.state)
    for one in checkouts(workspace.state):
        if one.snapshot not in in_use and (files := written_into(one)):
            place = workspace.shown(one.folder)
            yield (
                f"kept: {place} has {counted(len(files), 'file')} that a program wrote beside its source: "
                f"{file_names(files)}. Take what you need, then remove it: rm -r {shlex.quote(place)}"
            )


def _in_use(state: Path) -> set[str]:
    from experiments.jobs.ledger import Ledger

    with Ledger.open(state, read_only=True) as ledger:
        return ledger.snapshots_in_use()


def _unused_environments(state: Path) -> list[Path]:
    from experiments.jobs.ledger import Ledger
    from experiments.project.environment.restoring import unused

    with Ledger.open(state, read_only=True) as ledger:
        return unused(state, ledger.programs_in_use())


def size_of(folder: Path) -> int:
    """Return the bytes of all files in a folder, one of several names once; what vanishes meanwhile counts nothing."""
    sizes: dict[tuple[int, int], int] = {}
    for path in folder.rglob("*"):
        with contextlib.suppress(OSError):
            found = path.lstat()
            if stat.S_ISREG(found.st_mode):
                sizes[found.st_dev, found.st_ino] = found.st_size
    return sum(sizes.values())


def _mend(workspace: Workspace) -> Answer[Mended]:
    from experiments.jobs.ledger.mending import mend

    found = mend(workspace)
    for sentence in found.done:
        say(sentence)
    if not found.done and not found.left:
        say("All of the ledger can be read; nothing was changed.")
    return Answer(Mended(done=tuple(found.done)), code=1 if found.left else 0, notes=found.left)


def _rebuild(workspace: Workspace) -> Answer[Mended]:
    from experiments.jobs.ledger.mending import rebuild

    found = rebuild(workspace.state)
    say(f"rebuilt: {found.jobs} jobs")
    kept_as = workspace.shown(found.kept_as) if found.kept_as is not None else None
    if kept_as is not None:
        say(f"the old file is {kept_as}")
    if found.waiting:
        say(f"not started yet: {', '.join(found.waiting)}. Run their recipe again to start them.")
    rebuilt = Mended(jobs=found.jobs, waiting=tuple(found.waiting), kept_as=kept_as)
    problems = [f"could not be read: {problem}" for problem in found.problems]
    return Answer(rebuilt, code=1 if problems else 0, notes=problems)
