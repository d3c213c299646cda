"""Kill a process at every line of the code that launches, recover, and say what became of the jobs.

`python tests/fakes/crash.py CASE FOLDER [FIRST [STEP]]` prints one JSON object for each point: where the process was
killed, and what is there after recovery. The code under test is the real one: lines are counted from outside with
`sys.settrace`, and the process is killed with SIGKILL, so no `finally` runs.

Cases: `cluster` and `local` kill `submit` of a plan of 5 jobs, `twice` also the recovery from that, `background` the
launch that puts them into the outbox (the recovery hands over what is there), `outbox` who hands them over. `starter`,
`supervisor`, `both`, `trainer` and `all` kill the processes that claim and run one job: the one that the launcher
starts, the supervisor that it forks, the trainer that this forks (before it becomes another program), or several.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import traceback
from collections.abc import Callable, Iterable
from importlib import import_module
from pathlib import Path

from experiments.jobs.ledger import open_ledger

sys.path.insert(0, str(Path(__file__).parents[2]))

from experiments.jobs import handover, isolation, leases, outbox, specs, submission
from experiments.jobs.launchers.local import launcher as local
from experiments.jobs.launchers.local import slots, supervisor
from experiments.jobs.ledger import handing, ledger
from experiments.jobs.ledger import outbox as ledger_outbox
from experiments.jobs.ledger import reading as ledger_reading
from experiments.jobs.ledger import schema as ledger_schema
from experiments.launch import allow_launch, reconcile, submit
from experiments.project import files as processes
from tests.fakes import launching
from tests.fakes.launching import FileCluster, plan_in, starts, wait_for_end, words_of, workspace_at

LAUNCHING = (
    *(submission, handover, isolation, outbox, specs),
    *(import_module(f"experiments.project.snapshots.{name}") for name in ("taking", "store", "checkouts")),
    *(ledger, handing, ledger_outbox, ledger_reading, ledger_schema, leases, processes, launching, slots, local),
)
RUNNING = (supervisor, processes, local)
DEPTHS = {"starter": {0}, "supervisor": {1}, "both": {0, 1}, "trainer": {2}, "all": {0, 1, 2}}


class Killer:
    """Counts the lines that a process runs in some modules, and kills it at the n-th.

    Attributes:
        at: Which line; 0 to count only.
        depths: Kill only processes so many forks away.
    """

    def __init__(self, modules, at: int, report: int, depths: Iterable[int] = (0,)) -> None:
        self._files = {module.__file__ for module in modules}
        self._at, self._report, self._depths = at, report, set(depths)
        self._count = self._depth = 0
        os.register_at_fork(after_in_child=self._deeper)

    def __enter__(self) -> None:
        sys.settrace(self._on_call)

    def __exit__(self, *_: object) -> None:
        sys.settrace(None)

    def _deeper(self) -> None:
        self._depth += 1

    def _on_call(self, frame, event, argument):
        return self._on_line if frame.f_code.co_filename in self._files else None

    def _on_line(self, frame, event, argument):
        if event == "line":
            self._count += 1
            if self._count == self._at and self._depth in self._depths:
                where = f"{Path(frame.f_code.co_filename).name}:{frame.f_lineno} {frame.f_code.co_name};"
                os.write(self._report, where.encode())
                os.kill(os.getpid(), signal.SIGKILL)
        return self._on_line


class Report:
    """Where a process says at which line it kills itself."""

    def __init__(self) -> None:
        self._read, self.write = os.pipe()

    def wait(self) -> str:
        """Return what was said once a process was killed or all have ended; empty where none was killed."""
        os.close(self.write)
        where = os.read(self._read, 4096).decode()
        os.close(self._read)
        return where


def in_child(work: Callable[[], None]) -> int:
    """Run `work` in a forked process and return how it ended, negative for a signal."""
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            work()
            code = 0
        except BaseException:  # noqa: BLE001 - printed, and told by the exit code
            traceback.print_exc()
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def cluster_point(folder: Path, at: int, report: Report, *, again: int = 0) -> dict:
    workspace = workspace_at(folder)
    cluster = FileCluster(folder)
    handover.LAUNCHERS["skypilot"] = lambda _: cluster
    plan = plan_in(workspace, launcher="skypilot")

    def launch(killer_at: int) -> None:
        with Killer(LAUNCHING, killer_at, report.write), allow_launch() as permit:
            submit(plan, permit, workspace)

    ended = in_child(lambda: launch(at))
    before = len(cluster.jobs())
    if again:
        in_child(lambda: launch(again))
    where = report.wait()
    recovered = in_child(lambda: launch(0))
    with open_ledger(workspace) as opened:
        jobs = opened.jobs()
    ids = {job["name"]: job["id"] for job in cluster.jobs()}
    return {
        # Past the last line of the first launch only the second is killed, for ever: there is nothing new any more.
        "where": where if ended else "",
        "before": before,
        "started": sorted(job["name"] for job in cluster.jobs()),
        "wanted": sorted(job.run_name for job in plan.jobs),
        "told truly": recovered == 0 and all(j.state == "submitted" and ids[j.run_name] == j.launcher_id for j in jobs),
    }


def outbox_point(folder: Path, at: int, report: Report, case: str) -> dict:
    workspace = workspace_at(folder)
    cluster = FileCluster(folder)
    handover.LAUNCHERS["skypilot"] = lambda _: cluster
    outbox.start = lambda _: None
    plan = plan_in(workspace, launcher="skypilot")

    def launch(killer_at: int) -> None:
        with Killer(LAUNCHING, killer_at, report.write), allow_launch() as permit:
            submit(plan, permit, workspace, in_background=True)

    def hand_over(killer_at: int) -> None:
        with Killer(LAUNCHING, killer_at, report.write):
            outbox.hand_over_all(workspace)

    in_child(lambda: launch(at if case == "background" else 0))
    if case == "outbox":
        in_child(lambda: hand_over(at))
    where = report.wait()
    before = len(cluster.jobs())
    recovered = in_child(lambda: hand_over(0))
    launched = in_child(lambda: launch(0)) or in_child(lambda: hand_over(0)) if case == "background" else 0
    with open_ledger(workspace) as opened:
        jobs, left = opened.jobs(), opened.outbox()
    ids = {job["name"]: job["id"] for job in cluster.jobs()}
    told = all(job.state == "submitted" and ids[job.run_name] == job.launcher_id for job in jobs)
    return {
        "where": where,
        "before": before,
        "started": sorted(job["name"] for job in cluster.jobs()),
        "wanted": sorted(job.run_name for job in plan.jobs),
        "told truly": recovered == launched == 0 and told and not left,
    }


def local_point(folder: Path, at: int, report: Report) -> dict:
    workspace = workspace_at(folder, max_parallel=5)
    plan = plan_in(workspace)
    names = [job.run_name for job in plan.jobs]

    def launch(killer_at: int) -> None:
        with Killer(LAUNCHING, killer_at, report.write), allow_launch() as permit:
            submit(plan, permit, workspace)

    in_child(lambda: launch(at))
    where = report.wait()
    before = len(starts(workspace))
    recovered = in_child(lambda: launch(0))
    wait_for_end(workspace, names)
    return {
        "where": where,
        "before": before,
        "started": starts(workspace),
        "wanted": sorted(names),
        "told truly": recovered == 0 and set(words_of(workspace, names).values()) == {"SUCCEEDED"},
    }


def supervisor_point(folder: Path, at: int, report: Report, role: str) -> dict:
    workspace = workspace_at(folder, max_parallel=1)
    plan = plan_in(workspace, seeds=[0])
    [name] = [job.run_name for job in plan.jobs]
    run_dir = workspace.runs / name

    def queue() -> None:
        slots_start, slots.start_next = slots.start_next, lambda _: []
        with allow_launch() as permit:
            submit(plan, permit, workspace)
        slots.start_next = slots_start
        with open_ledger(workspace) as opened:
            processes.write_json(run_dir / supervisor.SPEC, slots._spec(opened, name))

    def claim() -> None:
        os.setsid()
        with Killer(RUNNING, at, report.write, DEPTHS[role]):
            supervisor.main([str(run_dir)])

    def recover() -> None:
        with open_ledger(workspace) as opened:
            reconcile(opened, workspace)
            slots.start_next(opened)

    assert in_child(queue) == 0
    in_child(claim)
    # The process that was started ends as soon as the supervisor has claimed the job: wait for that one's fate.
    where = report.wait()
    before = len(starts(workspace))
    recovered = in_child(recover)
    # A process that is being killed may hold the job's lock for another moment; whoever looks next then starts it.
    wait_for_end(workspace, [name], meanwhile=lambda: in_child(recover))
    word = words_of(workspace, [name])[name]
    return {
        "where": where,
        "before": before,
        "started": starts(workspace),
        "wanted": [name],
        "word": word,
        # LOST is the truth where the supervisor died between the trainer's start and the record of its end, KILLED
        # where the trainer did.
        "told truly": recovered == 0 and word in {"SUCCEEDED", "LOST", "KILLED"},
    }


# A forked process's lines come after those before its fork, which are counted too: so many may pass without a kill.
MOST_LINES_BEFORE = 600


def main() -> None:
    case, folder = sys.argv[1], Path(sys.argv[2])
    at, step = (int(word) for word in (*sys.argv[3:], "1", "1")[:2])
    begun = False
    while True:
        place = folder / f"{case}-{at}"
        place.mkdir(parents=True)
        if case == "cluster":
            result = cluster_point(place, at, Report())
        elif case == "twice":
            result = cluster_point(place, at, Report(), again=1 + at * 617 % 1000)
        elif case in {"background", "outbox"}:
            result = outbox_point(place, at, Report(), case)
        elif case == "local":
            result = local_point(place, at, Report())
        else:
            result = supervisor_point(place, at, Report(), case)
        print(json.dumps({"case": case, "at": at, **result}), flush=True)
        begun = begun or bool(result["where"])
        if not result["where"] and (begun or at > MOST_LINES_BEFORE):
            return
        at += step


if __name__ == "__main__":
    main()
