"""Runs of our own trainer, compared from their folders and the ledger."""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict, replace

import pytest
from threadpoolctl import threadpool_info

from experiments.project.environment.differences import Conditions
from experiments.project.environment.records import Package
from experiments.project.values import replaced
from experiments.project.workspace import Workspace
from experiments.results.reproduction.comparing import compare_runs
from experiments.results.reproduction.sides import side_of
from experiments.results.reproduction.values import EXIT_CODES, overall, summary_line
from experiments.runs.opening import offline_store
from tests.fakes.trained import train, trained_project

pytestmark = pytest.mark.slow


def another_kernel():
    """Return a kernel of OpenBLAS that this machine does not take by itself."""
    own = {library.get("architecture") for library in threadpool_info()}
    return "Sandybridge" if "Haswell" in own else "Haswell"


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """One project with runs by name, all of arm-0: what each differs in from `original` is its name."""
    patch = pytest.MonkeyPatch()
    for name, value in {"WANDB_SILENT": "true", "WANDB_ERROR_REPORTING": "false", "EXPERIMENTS_USER": "t"}.items():
        patch.setenv(name, value)
    project = trained_project(tmp_path_factory.mktemp("project"))
    found = {}
    [found["original"], found["seed"], found["another"]] = train(project, "--seeds", "0..2")
    [found["again"]] = train(project, "two")
    [found["rate"]] = train(project, "three", "--additional-args", "trainer.optimizer.learning_rate=0.01")
    [found["threads"]] = train(project, "four", environment={"OMP_NUM_THREADS": "2"})
    [found["kernel"]] = train(project, "five", environment={"OPENBLAS_CORETYPE": another_kernel()})
    (project.root / "more.py").write_text("x = 1\n")
    [found["code"]] = train(project, "six")
    patch.undo()
    return project, found


def side(runs, name, state=None):
    project, found = runs
    workspace = Workspace.find(project.root)
    if state is not None:
        workspace = Workspace(root=workspace.root, state=state, settings=workspace.settings)
    return side_of(workspace, offline_store(workspace), found[name])


def compared(runs, name, **more):
    return compare_runs(side(runs, "original"), side(runs, name), **more)


def test_two_runs_of_one_seed_are_identical_and_say_what_that_rests_on(runs):
    found = compared(runs, "again")
    assert (found.verdict, found.explanations, found.missing) == ("identical", (), ())
    assert {file.name: file.state for file in found.checkpoints} == {
        "step_0.npz": "same bytes",
        "step_1536.npz": "same bytes",
    }
    assert found.sentence.startswith("identical: 2 checkpoints, 3 rows of ")


def test_another_seed_is_named_first_and_is_noise_at_best(runs):
    found = compared(runs, "seed")
    assert found.verdict in {"within noise", "differs"}
    assert found.explanations[0].words == "the seed differs (0 and 1)"
    assert "most likely because the seed differs (0 and 1)" in found.sentence


def test_another_setting_is_named_once_with_both_values(runs):
    found = compared(runs, "rate")
    assert found.verdict in {"within noise", "differs"}
    assert [one.words for one in found.explanations] == [
        "the argument trainer.optimizer.learning_rate differs (– and 0.01)"  # noqa: RUF001
    ]
    assert found.rows.first.step == 768


def test_a_thread_count_changes_nothing_here_and_is_said_all_the_same(runs):
    found = compared(runs, "threads")
    assert found.verdict == "identical"
    assert "identical, though the variable OMP_NUM_THREADS differs (1 and 2)" in found.sentence


def test_another_kernel_of_the_linear_algebra_is_never_called_identical_where_it_changes_a_bit(runs):
    found = compared(runs, "kernel")
    same = all(file.is_same for file in found.checkpoints) and found.rows.first is None
    assert (found.verdict == "identical") == same
    assert any("OPENBLAS_CORETYPE" in one.words for one in found.explanations)


def test_a_file_that_changed_is_named_with_the_command_that_shows_it(runs):
    found = compared(runs, "code")
    [code] = [one for one in found.explanations if one.kind == "code"]
    assert code.words == "the code differs in more.py"
    assert code.command == f"experiments diff {found.original} {found.reproduction}"
    assert "identical, though the code differs in more.py" in found.sentence


def test_noise_is_told_by_the_seeds_of_the_arm_and_named(runs):
    found = compared(runs, "rate", metric="losses/entropy")
    assert found.noise.metric == "losses/entropy"
    assert "over the arm's 3 seeds" in found.noise.method


def test_what_is_gone_or_damaged_is_named_and_never_identical(runs, tmp_path):
    project, found = runs
    state = tmp_path / "state"
    shutil.copytree(project.state, state)
    folder = state / "runs" / found["original"].run_name / "checkpoints"
    (folder / "step_0.npz").unlink()
    (folder / "step_1536.npz").write_bytes((folder / "step_1536.npz").read_bytes()[:-40])
    answer = compare_runs(side(runs, "original", state), side(runs, "again"))
    assert answer.verdict == "not known"
    assert EXIT_CODES[answer.verdict] == 2
    assert "the original has no checkpoint step_0.npz any more" in answer.missing
    assert "checkpoint step_1536.npz: the original's file" in answer.sentence


def test_without_its_metrics_a_run_is_not_called_the_same(runs, tmp_path):
    project, found = runs
    state = tmp_path / "state"
    shutil.copytree(project.state, state)
    shutil.rmtree(state / "runs" / found["original"].run_name / "wandb")
    answer = compare_runs(side(runs, "original", state), side(runs, "again"))
    assert answer.verdict == "not known"
    assert any("metrics" in text for text in answer.missing)


def test_several_runs_have_one_line_and_the_worst_decides(runs):
    answers = [compared(runs, "again"), replace(compared(runs, "seed"), verdict="differs")]
    assert overall(answers) == "differs"
    assert summary_line(answers) == "1 of 2 runs identical, 1 differs"
    assert overall([]) == "not known"


def test_an_answer_is_json_as_it_is(runs):
    assert json.loads(json.dumps(asdict(compared(runs, "rate"))))["rows"]["first"]["step"] == 768


def test_another_version_of_a_package_and_another_machine_are_named_likeliest_first(runs):
    original, again = side(runs, "original"), side(runs, "again")
    environment, machine = again.conditions.environment, again.conditions.machine
    packages = environment.packages | {"numpy": Package(version="9.9")}
    other = Conditions(replaced(environment, packages=packages), replaced(machine, cpu="another CPU"))
    found = compare_runs(original, replace(again, conditions=other))
    assert [one.kind for one in found.explanations] == ["package", "cpu"]
    assert "numpy" in found.sentence
    assert found.sentence.startswith("identical, though the version of numpy differs")


def test_two_snapshots_are_compared_file_by_file(runs):
    found = compared(runs, "code")
    assert [one.kind for one in found.explanations] == ["code"]
    assert found.explanations[0].words == "the code differs in more.py"
