"""Plans beside a kept control: only candidates, on its seeds, and refused where it is not what would run now."""

from __future__ import annotations

import json

import pytest

from experiments.jobs.controls import checking
from experiments.jobs.controls.checking import control_notes, given_control
from experiments.jobs.controls.files import write_control
from experiments.jobs.leases import tenure
from experiments.jobs.ledger import open_ledger
from experiments.jobs.plan import RecordedJob
from experiments.jobs.preparation import check_plan, prepare_plan
from experiments.project.environment.records import Environment, Package
from experiments.project.errors import LaunchError, UsageError
from experiments.project.values import replaced
from tests.fakes.kept import CONFIG, control_file, here, repository_at
from tests.fakes.repositories import commit_all, git

FAST = replaced(CONFIG, additional_args=("--rate", "0.2"))
OWN, CANDIDATE = RecordedJob("baseline", CONFIG), RecordedJob("fast", FAST)


@pytest.fixture
def workspace(tmp_path, monkeypatch):
    monkeypatch.setattr(checking, "_VALID_S", 1e-9)  # asked anew each time
    return repository_at(tmp_path / "project")


def kept(workspace, *, may_differ=(), recipe="recipe.py", **fields):
    write_control(workspace, control_file(workspace, **fields))
    return given_control("kept", may_differ, workspace.root / recipe, workspace)


def planned(workspace, control, recorded=(OWN, CANDIDATE), launcher="local", **fields):
    return prepare_plan(workspace, "exp", recorded, launcher=launcher, control=control, **fields)


def test_only_what_is_beside_the_control_is_planned_on_its_seeds(workspace):
    plan = planned(workspace, kept(workspace, seeds=(3, 5, 8)))
    assert [(job.arm, job.seed) for job in plan.jobs] == [("fast", 3), ("fast", 5), ("fast", 8)]
    assert plan.control.seeds == (3, 5, 8)
    assert planned(workspace, kept(workspace, seeds=(3, 5, 8)), [CANDIDATE]).key == plan.key


def test_an_arm_of_other_settings_is_not_taken_for_the_control(workspace):
    own = RecordedJob("baseline", replaced(CONFIG, additional_args=("--rate", "0.3")))
    with pytest.raises(UsageError, match=r"rate 0.3 \(control 0.1\)"):
        planned(workspace, kept(workspace), [own, CANDIDATE])


def test_a_recipe_without_a_candidate_is_refused(workspace):
    with pytest.raises(UsageError, match="all that the recipe launches is control 'kept' itself"):
        planned(workspace, kept(workspace), [OWN])


@pytest.mark.parametrize("seeds", [(0, 1, 2, 3), (7,)])
def test_seeds_that_the_control_does_not_have_are_refused(workspace, seeds):
    with pytest.raises(UsageError, match="has seeds 0, 1, 2, and its arms run on the same"):
        planned(workspace, kept(workspace), seeds=seeds)


def test_a_control_of_which_others_were_launched_meanwhile_was_chosen_of_several(workspace):
    """Whoever keeps each of five baselines when it is the only one has five to choose from in the end."""
    control = kept(workspace)
    assert planned(workspace, control).control.chosen_from == 1
    other = prepare_plan(workspace, "other", [OWN], seeds=[7], launcher="local")
    with open_ledger(workspace) as ledger, tenure() as owner:
        ledger.record_plan(other, tracker="offline", provenance={})
        names = [job.run_name for job in other.jobs]
        ledger.intend({name: {} for name in names}, "here", owner)
        ledger.conclude(owner, accepted={name: name for name in names})
    assert planned(workspace, control).control.chosen_from == 2


def test_fewer_seeds_than_the_control_has_are_said_to_be_waited_for(workspace):
    plan = planned(workspace, kept(workspace), seeds=[1, 0])
    assert "2 of the 3 seeds of control kept are planned: a claim waits for the others" in control_notes(
        plan, workspace
    )


def test_a_control_that_is_as_now_is_said_with_how_many_seeds_are_not_launched(workspace):
    [note, *rest] = control_notes(planned(workspace, kept(workspace)), workspace)
    assert note.startswith("control kept stands for the baseline, whose 3 seeds are not launched (arm baseline of old,")
    assert rest == []


def test_texts_notebooks_and_the_recipe_itself_decide_nothing(workspace):
    plan = planned(workspace, kept(workspace))
    for name in ("README.md", "recipe.py", "own_nb.py"):
        (workspace.root / name).write_text("changed\n")
    commit_all(workspace.root)
    assert len(control_notes(plan, workspace)) == 1


def test_a_recipe_called_as_its_experiment_is_not_run_because_a_run_s_name_holds_its_name(workspace):
    plan = planned(workspace, kept(workspace, recipe="pace.py"))
    job = plan.jobs[0]
    named = replaced(job, run_name="me.pace.a.s0.abcdefgh", command=(*job.command, "run=me.pace.a.s0.abcdefgh"))
    (workspace.root / "pace.py").write_text("x = 2\n")
    said = " ".join(control_notes(replaced(plan, jobs=(named, *plan.jobs[1:])), workspace))
    assert "code" not in said


def test_a_recipe_that_is_run_by_the_jobs_themselves_decides(workspace):
    plan = planned(workspace, kept(workspace, recipe="train.py"))
    (workspace.root / "train.py").write_text("changed\n")
    with pytest.raises(LaunchError, match=r"code \(1 file: train.py\)"):
        control_notes(plan, workspace)


@pytest.mark.parametrize("committed", [False, True])
def test_other_code_is_refused_before_the_launch_or_said_where_it_may_differ(workspace, committed):
    plan = planned(workspace, kept(workspace))
    (workspace.root / "train.py").write_text("print('trains otherwise')\n")
    (workspace.root / "new.py").write_text("x = 1\n")
    if committed:
        commit_all(workspace.root)
    with pytest.raises(LaunchError, match=r"code \(2 files: new.py, train.py\).*controls_may_differ = \('code',\)"):
        check_plan(plan, workspace)
    allowed = replaced(plan, control=replaced(plan.control, may_differ=("code",)))
    notes = check_plan(allowed, workspace).notes
    assert any("differs in code, as the recipe allows: 2 files" in note for note in notes)
    assert any("pool_codes=True" in note for note in notes)


def test_code_that_nobody_can_compare_is_refused(workspace):
    control = control_file(workspace)
    gone = replaced(control.snapshot, id="1" * 40, base="2" * 40)
    write_control(workspace, replaced(control, snapshot=gone))
    plan = planned(workspace, given_control("kept", (), workspace.root / "recipe.py", workspace))
    with pytest.raises(LaunchError, match="its snapshot 1111111111 and commit 2222222222 are not here: git fetch"):
        control_notes(plan, workspace)


def with_numpy(version):
    environment, _ = here()
    return replaced(environment, packages={**environment.packages, "numpy": Package(version=version)})


def test_other_packages_are_refused_where_they_compute_what_a_run_logs(workspace):
    plan = planned(workspace, kept(workspace, environment=with_numpy("1.0")))
    with pytest.raises(LaunchError, match=r"packages \(the version of numpy differs \(1.0 and"):
        control_notes(plan, workspace)


def test_other_packages_may_differ_where_the_recipe_says_so_and_of_the_rest_nobody_asks(workspace):
    plan = planned(workspace, kept(workspace, environment=with_numpy("1.0"), may_differ=("packages",)))
    assert "differs in packages, as the recipe allows" in control_notes(plan, workspace)[1]


def test_packages_that_compute_nothing_change_nothing(workspace):
    environment, _ = here()
    more = replaced(environment, packages={**environment.packages, "black": Package(version="1.0")})
    assert len(control_notes(planned(workspace, kept(workspace, environment=more)), workspace)) == 1
    assert isinstance(more, Environment)


def test_another_machine_is_refused(workspace):
    machine = replaced(here()[1], cpu="Another CPU")
    plan = planned(workspace, kept(workspace, machines=(machine,)))
    with pytest.raises(LaunchError, match=r"machine \(the CPU differs \(Another CPU"):
        control_notes(plan, workspace)


def test_of_a_control_of_several_machines_one_is_enough(workspace):
    plan = planned(workspace, kept(workspace, machines=(replaced(here()[1], cpu="Another CPU"), here()[1])))
    assert len(control_notes(plan, workspace)) == 1


def test_what_a_cluster_runs_on_is_not_known_before(workspace):
    plan = replaced(planned(workspace, kept(workspace)), launcher="skypilot")
    assert "is known once it runs" in control_notes(plan, workspace)[1]


def test_a_control_kept_anew_between_plan_and_launch_is_refused(workspace):
    plan = planned(workspace, kept(workspace))
    (workspace.root / "experiments" / "controls" / "kept.json").unlink()
    write_control(workspace, control_file(workspace, seeds=(0, 1)))
    with pytest.raises(UsageError, match="was kept anew meanwhile"):
        control_notes(plan, workspace)


@pytest.mark.parametrize("said", ["code", ("config",), ("code", "else")])
def test_what_may_differ_is_one_of_three_things(workspace, said):
    with pytest.raises(UsageError, match="names what no control differs in"):
        kept(workspace, may_differ=said)


def test_a_plan_without_a_control_is_as_it_always_was(workspace):
    plan = planned(workspace, None, seeds=[0])
    assert "control" not in json.loads(plan.model_dump_json())
    assert control_notes(plan, workspace) == []
    assert git(workspace.root, "status", "--porcelain") == ""
