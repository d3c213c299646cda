"""What `experiments status` costs where a lab has worked for a year, and a Monitor where nothing happens any more."""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from experiments.jobs.leases import tenure
from experiments.jobs.ledger import open_ledger
from experiments.monitoring import monitor_for
from tests.benchmarks import Bar
from tests.benchmarks.many_jobs import project_of
from tests.benchmarks.measuring import tell
from tests.fakes.launching import plan_in, workspace_at

MANY, ENDED, UNWATCHED = 100_000, 2_000, 10_000
_TRIES = 3
_LAUNCHED = 100
_REST_S, _WATCHED_S = 10.0, 30.0
ROOT = Path(__file__).parents[2]


def run() -> list[Bar]:
    """Return the CPU of the command and of a Monitor over those of a project without jobs, and the command's memory."""
    with tempfile.TemporaryDirectory() as folder:
        none = project_of(Path(folder) / "none", 0).root
        ended = project_of(Path(folder) / "ended", ENDED, with_files=ENDED).root
        old = project_of(Path(folder) / "old", UNWATCHED, with_files=UNWATCHED).root
        many = project_of(Path(folder) / "many", MANY, further=7).root
        tell("the projects are made")
        first = _first_poll_s(ended)
        nothing, _ = _command(none, "status")
        few, _ = _command(ended, "status")
        failed, _ = _command(ended, "failures", "exp")
        failed_of_old, _ = _command(old, "failures", "exp")
        scored, _ = _command(ended, "scores", "exp", "--json")
        all_of_them, megabytes = _command(many, "status")
        idle = _idle_s(ended)
        unknown, of_unknown = _command(many, "show", "nobody")
        started = _launch_s(many) / _launch_s(none)
        looked = _looked_through_mb(many)
    return [
        Bar(f"first poll of {ENDED:,} ended runs, CPU", first, 1.0, "s"),
        Bar(f"status of {ENDED:,} jobs over none", few / nothing, 2.5, note=f"CPU {few:.2f} s; {nothing:.2f} s"),
        Bar(f"failures of {ENDED:,} ended runs over status of none", failed / nothing, 2.5, note=f"CPU {failed:.2f} s"),
        Bar(
            f"failures of {UNWATCHED:,} ended runs, most too old to be watched, over status of none",
            failed_of_old / nothing,
            5,
            note=f"CPU {failed_of_old:.2f} s",
        ),
        Bar(f"scores of {ENDED:,} ended runs over status of none", scored / nothing, 6, note=f"CPU {scored:.2f} s"),
        Bar(f"status of {MANY:,} jobs over none", all_of_them / nothing, 2.5, note=f"CPU {all_of_them:.2f} s"),
        *_memory(MANY, 200, megabytes, of_unknown),
        Bar(f"show of an unknown run, {MANY:,} jobs and a million events, over status of none", unknown / nothing, 2.5),
        Bar(f"recording a launch of {_LAUNCHED} jobs beside {MANY:,} over beside none", started, 2.5),
        Bar(f"memory of looking through the ledger's rows, as doctor does, {MANY:,} jobs", looked, 300, "MB"),
        Bar(f"a Monitor with {ENDED:,} ended jobs, CPU a minute", 60 * idle / _WATCHED_S, 0.3, "s"),
    ]


def gates() -> list[Bar]:
    """Return the memory of two commands, given once beside a quarter of the jobs."""
    few = MANY // 4
    with tempfile.TemporaryDirectory() as folder:
        root = project_of(Path(folder) / "many", few, further=7).root
        return _memory(few, 100, *(_command(root, *words, tries=1)[1] for words in (("status",), ("show", "nobody"))))


def _memory(jobs: int, limit: float, of_status: float, of_unknown: float) -> list[Bar]:
    return [
        Bar(f"memory of status, {jobs:,} jobs", of_status, limit, "MB", gate=True),
        Bar(f"memory of show of an unknown run, {jobs:,} jobs", of_unknown, limit, "MB", gate=True),
    ]


def _command(root: Path, *words: str, tries: int = _TRIES) -> tuple[float, float]:
    """Return the least CPU seconds of a command and the most memory that it had, in MB."""
    told = [_child(root, f"from experiments.cli.__main__ import run; run({list(words)!r})") for _ in range(tries)]
    return min(cpu for cpu, _ in told), max(megabytes for _, megabytes in told)


def _first_poll_s(root: Path) -> float:
    """Return the least CPU seconds of a poll by a process that knows nothing yet, without what it imports."""
    polls = "from experiments.monitoring import poll_once; from pathlib import Path; state = Path('.experiments'); "
    nothing = "import experiments.jobs.launchers.local.launcher, experiments.runs.offline.store"
    imported = min(_child(root, polls + nothing)[0] for _ in range(_TRIES))
    return min(_child(root, f"{polls}{nothing}; poll_once(state)")[0] for _ in range(_TRIES)) - imported


def _looked_through_mb(root: Path) -> float:
    work = "from experiments.jobs.ledger import Ledger; from pathlib import Path; "
    work += "ledger = Ledger.open(Path('.experiments'), read_only=True); ledger.unreadable(); ledger.damaged_texts()"
    return _child(root, work)[1]


def _child(root: Path, work: str) -> tuple[float, float]:
    # Not `ru_maxrss`: Linux counts the memory of who started the process, too, until it has become a program.
    code = (
        f"import resource, sys; {work}; used = resource.getrusage(resource.RUSAGE_SELF); "
        "told = dict(line.split(':', 1) for line in open('/proc/self/status')); "
        "print(used.ru_utime + used.ru_stime, int(told['VmHWM'].split()[0]) / 1000, file=sys.stderr)"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=root, env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=True)
    cpu, megabytes = map(float, done.stderr.split()[-2:])
    return cpu, megabytes


def _launch_s(root: Path) -> float:
    """Return the CPU seconds of recording a plan, handing its jobs over and noting how they ended."""
    workspace = workspace_at(root)
    plan = plan_in(workspace, seeds=range(MANY, MANY + _LAUNCHED))
    names = [job.run_name for job in plan.jobs]
    with open_ledger(workspace) as ledger, tenure() as owner:
        before = _cpu_s()
        ledger.record_plan(plan, tracker="offline", provenance={})
        taken = ledger.intend({name: {} for name in names}, "here", owner)
        ledger.conclude(owner, accepted={name: name for name in taken})
        ledger.settle({name: {"word": "SUCCEEDED"} for name in names})
        return _cpu_s() - before


def _idle_s(root: Path) -> float:
    """Return the CPU seconds that a Monitor takes while nothing happens, after its first poll."""
    subscription = monitor_for(root / ".experiments").subscribe(lambda _: None)
    try:
        time.sleep(_REST_S)
        before = _cpu_s()
        time.sleep(_WATCHED_S)
        return _cpu_s() - before
    finally:
        subscription.close()


def _cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime
