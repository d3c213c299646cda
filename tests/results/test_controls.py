"""Keeping an arm as a control, and reading the scores of one whose runs are gone."""

from __future__ import annotations

import shutil

import pytest

from apps.parts.details import heading_of, jobs_of
from experiments.jobs.controls.files import path_of, read_control, write_control
from experiments.jobs.controls.marks import marks_beside
from experiments.jobs.designs import registration_of
from experiments.jobs.journal import Journal, Rule
from experiments.jobs.ledger import open_ledger
from experiments.jobs.ledger.mending import rebuild
from experiments.notebooks.context import NotebookContext
from experiments.notebooks.shared import scored_once
from experiments.notebooks.styles import lines_html
from experiments.notebooks.verdict import verdict_lines
from experiments.project.errors import UsageError
from experiments.project.standing import CHOOSING
from experiments.project.values import replaced
from experiments.project.workspace import Workspace
from experiments.results.bundle.archive import write_archive
from experiments.results.bundle.checklist import reproduce_text
from experiments.results.bundle.gathering import gather
from experiments.results.bundle.opening import Bundle
from experiments.results.controls import keep_control
from experiments.results.frames import metrics_frame
from experiments.results.verdict import judge
from experiments.runs.opening import default_store
from experiments.statistics import Summary
from experiments.types import BaseExperimentConfig
from tests.fakes.kept import CONFIG, TRAINER, KeptProject, repository_at
from tests.fakes.launching import plan_in
from tests.fakes.repositories import commit_all

RULE = Rule(metric="score", direction="higher", effect=0.0, arm="fast", baseline="baseline")
JOURNAL = Journal(hypothesis="A larger rate climbs higher.", rule=RULE)


@pytest.fixture(scope="module")
def launched(tmp_path_factory):
    """Return a project where an arm was kept, and a candidate launched beside it."""
    project = KeptProject(tmp_path_factory.mktemp("kept"))
    project.recipe_run("hills", "--follow")
    project.command("controls", "keep", "hills", "--as", "kept")
    commit_all(project.root)
    project.said = project.recipe_run("beside", "--follow")
    return project


def context_in(folder, name="beside"):
    config = BaseExperimentConfig()
    return NotebookContext(name=name, path=folder / "beside_nb.py", workspace=Workspace.find(folder), config=config)


@pytest.fixture
def project(launched, tmp_path):
    """Return a copy of the project, to be changed."""
    folder = tmp_path / "copy"
    shutil.copytree(launched.root, folder, symlinks=True)
    return context_in(folder)


def test_a_candidate_alone_is_launched_and_its_page_has_the_controls_runs(launched):
    said = "control kept stands for the baseline, whose 3 seeds are not launched (arm baseline of hills, seeds 0, 1, 2"
    assert said in launched.said
    assert "Registers design 1 of its family" in launched.said
    context = context_in(launched.root)
    assert {job.arm for job in context.launched().jobs} == {"fast"}
    assert [(job.arm, job.seed) for job in context.joined([])] == [
        (arm, seed) for arm in ("baseline", "fast") for seed in range(3)
    ]


def test_the_verdict_pools_the_controls_runs_with_the_candidates(launched):
    context = context_in(launched.root)
    text = lines_html(verdict_lines(context, context.joined([]), JOURNAL)).text
    assert "✓ Confirmed" in text
    assert "seed by seed" in text
    assert "Registered: design 1 of its family, level 0.03, against control kept." in text
    assert "Control kept: arm baseline of hills, seeds 0, 1, 2" in text
    assert "different code" not in text


def test_a_frame_of_the_experiment_has_the_controls_runs_first_and_marks_them(launched, project):
    frame = metrics_frame("beside", "score", workspace=Workspace.find(launched.root))
    assert frame["arm"].drop_duplicates().tolist() == ["baseline", "fast"]
    assert frame["run"].isin(frame.attrs["controls"]).equals(frame["arm"] == "baseline")
    assert "Arm baseline is control kept: 3 runs of another launch" in frame.attrs["origin"]
    for run in frame.attrs["controls"]:
        shutil.rmtree(project.workspace.runs / run)
    with pytest.raises(UsageError, match="metric 'scor' was logged by none"):
        metrics_frame("beside", "scor", workspace=project.workspace)


def test_a_bundle_has_the_controls_runs_with_their_code_and_says_whose_they_are(launched, project, tmp_path):
    workspace = Workspace.find(launched.root)
    found = gather(workspace, default_store(workspace.root), "beside", checkpoints="none")
    assert {(run.job.arm, run.control) for run in found.runs.values()} == {("fast", ""), ("baseline", "kept")}
    assert not any("control" in note for note in found.notes)
    path = tmp_path / "beside.tar.gz"
    assert "| baseline (control kept) | 0, 1, 2 |" in reproduce_text(found, path.name).decode()
    write_archive(path, "beside", found.contents)
    bundle = Bundle.opened(path)
    assert "of them 3 runs of control kept" in bundle.lines()
    assert bundle.lacking() == {}
    assert "controls/kept.json" in bundle.manifest.files


def test_a_bundle_says_which_runs_of_a_control_are_not_here(project):
    for run in read_control(project.workspace.root, "kept").runs[:2]:
        shutil.rmtree(project.workspace.runs / run.ref.run)
    found = gather(project.workspace, default_store(project.workspace.root), "beside", checkpoints="none")
    assert len(found.runs) == 4
    [note] = [note for note in found.notes if "control" in note]
    assert note.startswith("2 of 3 runs of control kept, with which the others are compared, are not here")
    assert note.endswith("its scores are in controls/kept.json")


def test_the_notebook_that_a_launch_writes_names_the_runs_of_the_control(launched):
    text = launched.notebook("beside").read_text()
    control = read_control(launched.root, "kept")
    assert all(run.ref.run in text for run in control.runs)


def test_the_fleet_shows_the_controls_curves_beside_the_candidates_jobs(launched):
    workspace = Workspace.find(launched.root)
    assert "3 jobs, beside control kept" in heading_of(workspace, {"experiment": "beside"}).text
    assert {job.arm for job in jobs_of(workspace, "beside")} == {"baseline", "fast"}


def test_what_is_kept_is_all_that_a_later_launch_is_compared_with(launched):
    control = read_control(launched.root, "kept")
    assert control.config.additional_args == CONFIG.additional_args
    assert "numpy" in control.environment.packages
    assert control.machines[0].cpu
    assert control.snapshot.base is not None
    [scores] = control.scores
    assert (scores.metric, scores.summary["kind"], len(scores.values)) == ("score", "final", 3)
    assert control.chosen_from == 1


def test_a_control_whose_runs_are_gone_has_the_scores_of_its_file(launched, project):
    complete = context_in(launched.root)
    whole = scored_once(complete, complete.joined([]), "score")
    for run in read_control(project.workspace.root, "kept").runs:
        shutil.rmtree(project.workspace.runs / run.ref.run)
    found = scored_once(project, project.joined([]), "score")
    assert found.scores["baseline"].by_seed == pytest.approx(whole.scores["baseline"].by_seed)
    assert any("3 runs of control kept are not here: scores as they were kept" in note for note in found.notes)
    assert judge(JOURNAL, found).decision == "confirmed"


def test_in_another_clone_the_file_is_enough(launched, tmp_path):
    """Neither its runs nor its snapshot are there: git brings the file and the commit."""
    clone = tmp_path / "clone"
    shutil.copytree(launched.root, clone, ignore=shutil.ignore_patterns(".experiments"))
    project = KeptProject.__new__(KeptProject)
    project.root, project.recipe, project.state = clone, clone / "beside.py", clone / ".experiments"
    said = project.recipe_run("beside", "--follow")
    assert "stands for the baseline, whose 3 seeds are not launched" in said
    context = context_in(clone)
    text = lines_html(verdict_lines(context, context.joined([]), JOURNAL)).text
    assert "✓ Confirmed" in text
    assert "3 runs of control kept are not here" in text


def test_a_rebuilt_ledger_still_knows_which_control_the_runs_were_launched_beside(project):
    before = project.joined([])
    for file in project.workspace.state.glob("ledger.sqlite*"):
        file.unlink()
    rebuild(project.workspace.state)
    assert project.joined([]) == before
    assert registration_of(project.workspace, before, JOURNAL).words.endswith("against control kept.")


def test_another_score_of_runs_that_are_gone_is_said_to_be_missing(project):
    for run in read_control(project.workspace.root, "kept").runs:
        shutil.rmtree(project.workspace.runs / run.ref.run)
    found = scored_once(project, project.joined([]), "score", Summary("best"))
    assert any("it keeps no such score of score" in note for note in found.notes)
    assert judge(replaced(JOURNAL, rule=replaced(RULE, score="best")), found).decision == "interim"


def test_a_control_whose_file_is_damaged_leaves_the_page_with_what_is_wrong(project):
    path_of(project.workspace.root, "kept").write_text("{")
    found = scored_once(project, project.joined([]), "score")
    assert any("control 'kept' cannot be read" in note for note in found.notes)


def test_another_machine_that_nobody_knew_before_the_launch_decides_nothing_without_leave(project):
    """As of a cluster: where its jobs run is known once they have."""
    path = path_of(project.workspace.root, "kept")
    kept = read_control(project.workspace.root, "kept")
    elsewhere = replaced(kept, machines=(replaced(kept.machines[0], cpu="Another CPU"),), version="")
    path.unlink()
    kept, _ = write_control(project.workspace, elsewhere)
    runs = [job.run for job in project.joined([])]

    def marked(*may_differ):
        return marks_beside(project.workspace, runs, [kept.used(may_differ, "beside.py")])

    assert len({mark.identity for mark in marked().marks.values()}) == 2
    assert len({mark.identity for mark in marked("machine").marks.values()}) == 1
    assert "differs in machine: the CPU differs (Another CPU" in marked("machine").words[0]


def test_beside_other_code_nothing_is_launched_or_with_leave_decided_only_where_the_rule_pools_codes(project):
    root = project.workspace.root
    copy = KeptProject.__new__(KeptProject)
    copy.root, copy.state = root, root / ".experiments"
    (root / "train.py").write_text((root / "train.py").read_text() + "\n# more\n")
    assert "code (1 file: train.py)" in copy.recipe_run("beside", "edited", code=None)
    recipe = (root / "beside.py").read_text()
    (root / "beside.py").write_text(recipe.replace('"kept"\n', '"kept"\n    controls_may_differ = ("code",)\n'))
    copy.recipe_run("beside", "edited", "--follow")
    context = context_in(root, "edited")
    found = scored_once(context, context.joined([]), "score")
    assert any("differs in code: train.py" in note for note in found.notes)
    assert "baseline ran different code" in judge(JOURNAL, found).reason
    pooling = replaced(JOURNAL, rule=replaced(RULE, pool_codes=True))
    assert judge(pooling, found).decision == "confirmed"


@pytest.fixture
def workspace(tmp_path):
    return repository_at(tmp_path / "project")


def recorded(workspace, **fields):
    plan = plan_in(workspace, **{"arms": ("baseline",), "seeds": range(2), "gpus": 0, "trainer": TRAINER, **fields})
    with open_ledger(workspace) as ledger:
        ledger.record_plan(plan, tracker="offline", provenance={})
    return plan


def test_what_is_no_arm_here_is_refused_with_those_that_are(workspace):
    with pytest.raises(UsageError, match="there is no experiment 'exp' here"):
        keep_control(workspace, "exp", "baseline", "kept")
    recorded(workspace)
    with pytest.raises(UsageError, match=r"has no arm 'other' with seeds\. Its arms: 'baseline'"):
        keep_control(workspace, "exp", "other", "kept")


def test_an_arm_that_has_not_ended_is_refused(workspace):
    recorded(workspace)
    with pytest.raises(UsageError, match="2 of 2 runs of arm 'baseline' have not ended, such as ada"):
        keep_control(workspace, "exp", "baseline", "kept")


def test_seeds_of_a_search_are_refused(workspace):
    recorded(workspace, seeds=[CHOOSING])
    with pytest.raises(UsageError, match="seeds from 1,000,000 upward are those that a search chose by"):
        keep_control(workspace, "exp", "baseline", "kept")


def test_an_arm_of_several_settings_is_refused(workspace):
    recorded(workspace)
    recorded(workspace, seeds=range(2, 4), additional_args=("--rate", "1"))
    with pytest.raises(UsageError, match="have other settings than each other"):
        keep_control(workspace, "exp", "baseline", "kept")


def test_runs_in_the_working_tree_are_refused_since_nobody_kept_their_code(tmp_path):
    project = KeptProject(tmp_path)
    project.recipe_run("hills", "--follow", "--in-place", "--seeds", "1")
    said = project.command("controls", "keep", "hills", "--as", "kept", code=2).stderr
    assert "A control is made of runs of a snapshot" in said


def test_an_arm_that_is_a_control_is_not_kept_once_more(project):
    with pytest.raises(UsageError, match="arm 'baseline' of 'beside' is control 'kept' itself"):
        keep_control(project.workspace, "beside", "baseline", "again")


def test_a_candidate_can_be_the_next_control_with_the_rule_that_it_was_launched_under(project):
    kept, is_new = keep_control(project.workspace, "beside", "fast", "fast")
    assert is_new
    assert kept.rule == RULE
