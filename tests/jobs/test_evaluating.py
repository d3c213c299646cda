"""Checkpoints played by jobs: once for each content, maps and code, whoever asks and whatever the trainer does."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from experiments.jobs import handover
from experiments.jobs.evaluating import evaluating_trainer, evaluation_plan, wanted_evaluations
from experiments.jobs.ledger import open_ledger
from experiments.jobs.plan import RecordedJob
from experiments.jobs.preparation import launch_plan, prepare_plan
from experiments.launch import allow_launch
from experiments.project.errors import UsageError
from experiments.project.provenance import capture
from experiments.project.values import replaced
from experiments.runs.evaluations import EVALUATIONS, KEPT, ROWS, read_evaluations
from experiments.types import Checkpoints, Trainer, TrainingJobConfig
from tests.fakes.evaluated import EVALUATE, TRAINER, played, trained, workspace_of_own
from tests.fakes.launching import FileCluster, wait_for_end


@pytest.fixture
def workspace(tmp_path):
    return workspace_of_own(tmp_path / "p")


def wanted(workspace, job, *, last=1, maps=2, **more):
    return wanted_evaluations(workspace, job, last=last, maps=maps, code=capture(workspace.root), **more)


def launched(workspace, found):
    """Launch evaluations and return the run names of the jobs that play them."""
    plans = [evaluation_plan(workspace, one, capture(workspace.root)) for one in found]
    with allow_launch() as permit:
        return [job.run_name for plan in plans if plan for job in launch_plan(plan, permit, workspace)]


def evaluated(workspace, job, **asked):
    runs = launched(workspace, wanted(workspace, job, **asked))
    wait_for_end(workspace, runs)
    return runs


def test_a_checkpoint_is_played_once_however_often_it_is_asked_for(workspace):
    [job] = trained(workspace)
    first = evaluated(workspace, job, last=2)
    assert len(first) == 2
    assert evaluated(workspace, job, last=2) == []
    assert len(evaluated(workspace, job, last=3)) == 1, "only the one that was not played before"
    assert len(evaluated(workspace, job, last=1, maps=3)) == 1, "other maps are another evaluation"
    assert len(played(workspace)) == len(set(played(workspace))) == 4
    found = read_evaluations(workspace.runs / job.run_name).held
    assert [(one.request.step, one.request.maps, one.metrics["return"]) for one in found] == [
        (10, 2, (10.0, 11.0)),
        (20, 2, (20.0, 21.0)),
        (30, 2, (30.0, 31.0)),
        (30, 3, (30.0, 31.0, 32.0)),
    ]
    assert found[-1].metrics["won"] == (0.0, 0.0, 1.0)


def test_an_evaluation_is_a_job_that_says_what_it_plays_and_counts_nowhere(workspace):
    [job] = trained(workspace)
    [run] = evaluated(workspace, job)
    with open_ledger(workspace, read_only=True) as ledger:
        [row] = ledger.jobs(run_names=[run])
    assert (row.role, row.parent, row.counts, row.experiment) == ("evaluation", job.run_name, False, "exp")
    assert ".s0-evaluation." in run
    with open_ledger(workspace, read_only=True) as ledger:
        assert [each.run_name for each in ledger.jobs(experiment="exp")] == [job.run_name], "the experiment's runs"
        assert [each.run_name for each in ledger.jobs()] == [job.run_name, run]


def test_two_who_ask_at_once_get_one_job(workspace):
    [job] = trained(workspace)
    found = wanted(workspace, job, last=3)

    def ask(_):
        return [evaluation_plan(workspace, one, capture(workspace.root)) for one in found]

    with ThreadPoolExecutor(4) as pool:
        plans = list(pool.map(ask, range(4)))
    assert all([plan.plan for plan in one] == [plan.plan for plan in plans[0]] for one in plans)
    with allow_launch() as permit:
        runs = {job.run_name for one in plans for plan in one for job in launch_plan(plan, permit, workspace)}
    wait_for_end(workspace, sorted(runs))
    assert len(runs) == len(played(workspace)) == 3


def test_what_was_asked_for_is_played_also_where_its_asker_was_killed_before_the_launch(workspace):
    [job] = trained(workspace)
    [found] = wanted(workspace, job)
    assert evaluation_plan(workspace, found, capture(workspace.root)) is not None  # killed here
    assert len(evaluated(workspace, job)) == 1
    assert len(played(workspace)) == 1


def test_one_that_found_nothing_is_played_again_and_one_whose_result_is_none_is_looked_at_first(workspace):
    [job] = trained(workspace)
    first = evaluated(workspace, job)
    rows = next((workspace.runs / job.run_name / EVALUATIONS).glob(f"*/{ROWS}"))
    rows.unlink()
    second = evaluated(workspace, job)
    assert second != first
    assert rows.exists()
    rows.write_text("[]")
    with pytest.raises(UsageError, match=r"wrote no result: .*rows\.json' is no list of rows.* delete the file"):
        evaluated(workspace, job)


def test_what_is_played_is_the_checkpoint_as_it_was_also_where_its_trainer_drops_it(workspace):
    [job] = trained(workspace)
    found = wanted(workspace, job)
    plan = evaluation_plan(workspace, found[0], capture(workspace.root))
    found[0].saved.path.unlink()
    with allow_launch() as permit:
        wait_for_end(workspace, [each.run_name for each in launch_plan(plan, permit, workspace)])
    assert found[0].is_done
    [copy] = (workspace.runs / job.run_name / EVALUATIONS / KEPT).glob("*/*")
    assert (copy.name, copy.read_text()) == ("step_30.pt", "30 0")


def test_a_checkpoint_of_the_same_name_with_other_content_is_another(workspace):
    [job] = trained(workspace)
    evaluated(workspace, job)
    wanted(workspace, job)[0].saved.path.write_text("30 500")
    assert len(evaluated(workspace, job)) == 1
    assert [one.metrics["return"][0] for one in read_evaluations(workspace.runs / job.run_name).held] == [30.0, 530.0]


def test_one_that_changes_while_it_is_read_is_refused(workspace):
    [job] = trained(workspace)
    [found] = wanted(workspace, job)
    found.saved.path.write_text("30 1")
    with pytest.raises(UsageError, match=r"its trainer is writing it\. Run the command again"):
        evaluation_plan(workspace, found, capture(workspace.root))
    assert not list((workspace.runs / job.run_name / EVALUATIONS / KEPT).iterdir())


def test_the_runs_own_code_plays_and_the_code_of_now_only_where_it_is_asked_for(workspace):
    [job] = trained(workspace)
    (workspace.root / "evaluate.py").write_text(EVALUATE.replace("int(step)", "1000"))
    evaluated(workspace, job)
    evaluated(workspace, job, code_of="now")
    found = read_evaluations(workspace.runs / job.run_name).held
    assert [(one.request.is_own_code, one.metrics["return"][0]) for one in found] == [(True, 30.0), (False, 1000.0)]
    assert evaluated(workspace, job, code_of="now") == []


def test_a_command_that_was_named_after_the_run_is_the_one_that_the_project_names_now(workspace):
    [job] = trained(workspace, trainer=replaced(TRAINER, evaluate=()))
    with pytest.raises(UsageError, match=r"nobody said how that evaluates a checkpoint. Say it: evaluate = .*mine\]"):
        evaluating_trainer(workspace, job)
    named = replaced(workspace.settings, trainers={"mine": TRAINER})
    here = replace_settings(workspace, named)
    assert len(evaluated(here, job)) == 1
    assert len(played(workspace)) == 1


def replace_settings(workspace, settings):
    return type(workspace)(workspace.root, workspace.state, settings)


@pytest.mark.parametrize(
    ("trainer", "last", "says"),
    [
        ({"checkpoints": None}, 1, "does not say of which step a checkpoint is"),
        ({"checkpoints": Checkpoints(pattern="*.pt")}, 1, "does not say of which step a checkpoint is"),
        (
            {"checkpoints": Checkpoints(pattern="at_{step}.pt")},
            1,
            "has no checkpoint in '.*' yet. How it is",
        ),
        ({}, 4, "has 3 checkpoints, and the last 4 .* those of step 10, 20, 30. Ask for --checkpoints last:3"),
        ({"evaluate": (*TRAINER.evaluate, "{map}")}, 1, r"\{map\} .* no placeholder. Did you mean \{maps\}"),
    ],
)
def test_what_cannot_be_evaluated_says_why_and_what_to_do(workspace, trainer, last, says):
    [job] = trained(workspace, trainer=replaced(TRAINER, **trainer))
    with pytest.raises(UsageError, match=says):
        wanted(workspace, job, last=last)


def test_a_checkpoint_that_is_half_written_is_refused_before_a_job_waits_for_it(workspace):
    [job] = trained(workspace)
    wanted(workspace, job)[0].saved.path.write_text("")
    with pytest.raises(UsageError, match=r"step_30.pt' cannot be played: its file is empty. Where it is still being"):
        wanted(workspace, job)


def test_a_checkpoint_may_be_a_folder(tmp_path):
    workspace = workspace_of_own(tmp_path / "p")
    script = "import pathlib, sys; p = pathlib.Path(sys.argv[1], 'checkpoints', 'at_7'); p.mkdir(parents=True); "
    script += "(p / 'weights').write_text('7'); (p / 'state').write_text('x')"
    trainer = Trainer(
        command=(sys.executable, "-c", script, "{run_dir}"),
        checkpoints=Checkpoints(pattern="at_{step}"),
        evaluate=("/bin/sh", "-c", 'ls "{checkpoint}"; echo "[{\\"map\\": {maps}, \\"n\\": 1}]" > "{out}"'),
        uses_gpus=False,
    )
    [job] = trained(workspace, trainer=trainer)
    evaluated(workspace, job, maps=1)
    [found] = read_evaluations(workspace.runs / job.run_name).held
    assert (found.request.step, found.metrics, found.problem) == (7, {"n": (1.0,)}, "")


@pytest.fixture
def cluster(tmp_path, monkeypatch):
    made = FileCluster(tmp_path)
    monkeypatch.setitem(handover.LAUNCHERS, "skypilot", lambda _: made)
    return made


def on_cluster(workspace):
    """Launch a run on the cluster and return its job."""
    config = TrainingJobConfig(trainer=TRAINER, skip_git_check=True)
    plan = prepare_plan(workspace, "exp", [RecordedJob("a", config)], seeds=[0], launcher="skypilot")
    with allow_launch() as permit:
        return launch_plan(plan, permit, workspace)[0]


def test_what_ran_on_a_cluster_is_played_there_from_the_folder_that_its_nodes_see(tmp_path, cluster):
    root = tmp_path / "shared"
    root.mkdir()
    workspace = workspace_of_own(tmp_path / "p", run_root=str(root))
    job = on_cluster(workspace)
    (root / job.run_name / "checkpoints").mkdir(parents=True)
    (root / job.run_name / "checkpoints" / "step_30.pt").write_text("30 0")
    found = wanted(workspace, job)
    [run] = launched(workspace, found)
    with open_ledger(workspace, read_only=True) as ledger:
        [row] = ledger.jobs(run_names=[run])
    assert (row.launcher, row.role, row.state) == ("skypilot", "evaluation", "submitted")
    checkpoint, maps, out = row.command[2:]
    assert checkpoint.startswith(f"{root}/{job.run_name}/evaluations/checkpoints/")
    assert (maps, out) == ("2", str(root / job.run_name / EVALUATIONS / found[0].request.id / ROWS))
    assert launched(workspace, found) == [run], "asked for again, it is the same job"


def test_what_ran_where_nobody_here_sees_its_folder_is_not_played_and_it_is_said(tmp_path, cluster):
    workspace = workspace_of_own(tmp_path / "p", run_root=str(tmp_path / "nowhere"))
    with pytest.raises(UsageError, match=r"Set run_root in .* to a folder that the nodes and this machine see"):
        wanted(workspace, on_cluster(workspace))
