"""What differs between two runs or arms, from a real ledger and real git."""

from __future__ import annotations

import math
import subprocess

import pytest

from experiments.jobs.ran import codes_of
from experiments.notebooks.tables.differences import diff_html, diff_inputs, diff_view, run_diff
from experiments.project import look
from experiments.project.errors import UsageError
from experiments.project.workspace import Workspace
from experiments.results.diff import diff_of
from experiments.results.sides import sides
from experiments.runs.offline.store import OfflineStore
from tests.fakes.answers import data_in
from tests.fakes.project import Project, jobs_of
from tests.fakes.studies import REWARD, STEP, Study
from tests.fakes.wandb_files import offline_run


@pytest.fixture
def study(tmp_path):
    study = Study(tmp_path)
    for arm, rate, off in (("low", 0.001, 0.0), ("high", 0.01, 2.0)):
        for seed in range(4):
            config = {"trainer": {"rate": rate, "size": 64}}
            study.add(arm, seed, [1.0 + off + seed * (0.1 + off / 50)] * 3, config=config)
    study.publish()
    return study


def differ(study, a, b, **more):
    first, second = sides(study.workspace, a, b, study.jobs)
    return diff_of(study.workspace, first, second, study.store, statuses=study.statuses, **more)


def test_two_arms_differ_in_settings_and_in_means_with_an_interval(study):
    found = differ(study, "low", "high")
    assert [(line.key, line.a, line.b) for line in found.config] == [("trainer.rate", "0.001", "0.01")]
    [reward] = [line for line in found.metrics if line.key == REWARD]
    assert reward.change.startswith("+2.06 (+1.98 to +2.14)")
    assert "4 of 4 finished" in " ".join(found.notes)
    assert "not corrected for the number of metrics" in " ".join(found.notes)
    assert found.same["settings"] == 1


def test_two_runs_have_latest_values_and_no_interval(study):
    found = differ(study, study.jobs[0].run, study.jobs[1].run, metrics=[REWARD])
    [line] = found.metrics
    assert line.change == "+0.1"
    assert "no interval" in " ".join(found.notes)
    assert "not recorded here" in found.code[0]


def test_the_command_that_a_caption_names_shows_the_code_that_differs_and_no_secret(tmp_path, monkeypatch):
    project = Project(tmp_path)
    git = ("git", "-c", "user.name=Ada", "-c", "user.email=ada@example.org")
    for words in (("init", "-q"), ("add", "-A"), ("commit", "-qm", "First")):
        subprocess.run([*git, *words], cwd=tmp_path, check=True)
    project.run("--follow")
    first = jobs_of(project)[0].run_name
    (tmp_path / "needed.py").write_text("RATE = 0.01\nKEY = 'changed-later-0123456789'\n")
    project.command("retry", first, "--code", "now")
    second = jobs_of(project)[1].run_name
    project.command("logs", "-f", second)
    monkeypatch.setenv("WANDB_API_KEY", "changed-later-0123456789")
    said = project.command("diff", first, second).stdout
    assert "1 file differs: needed.py" in said
    assert "+RATE = 0.01" in said
    assert "+KEY = '***'" in said
    assert "+RATE = 0.01" in data_in(project.command("diff", first, second, "--json").stdout)["patch"]
    workspace = Workspace.find(tmp_path)
    found = diff_of(workspace, *sides(workspace, first, second), OfflineStore(workspace.runs))
    assert "<summary>Show the code</summary>" in diff_html(found)
    assert "+KEY = &#x27;***&#x27;" in diff_html(found)
    [git_ref] = {ref for ref in _refs(tmp_path) if ref.endswith(_snapshot_of(workspace, second))}
    subprocess.run([*git, "update-ref", "-d", git_ref], cwd=tmp_path, check=True)
    assert "how the files differ is not known: snapshot" in project.command("diff", first, second).stdout


def _refs(root):
    command = ["git", "for-each-ref", "--format=%(refname)", "refs/experiments/"]
    return subprocess.run(command, cwd=root, check=True, capture_output=True, text=True).stdout.split()


def _snapshot_of(workspace, run):
    return codes_of(workspace, [run])[run].started.snapshot


def test_a_name_that_is_nothing_and_the_same_twice_are_errors_that_list_what_there_is(study):
    with pytest.raises(UsageError, match=r"neither a run nor an arm.*low, high"):
        sides(study.workspace, "low", "lwo", study.jobs)
    with pytest.raises(UsageError, match="are the same"):
        sides(study.workspace, "low", "low", study.jobs)
    assert "neither a run" in run_diff("x", "y", jobs=study.jobs, workspace=study.workspace).text


def test_failed_seeds_missing_metrics_and_no_numbers_are_said(study):
    study.add("bad", 0, verdict="failed")
    study.add("bad", 1, [math.nan, math.nan])
    found = differ(study, "low", "bad")
    assert {line.change for line in found.metrics} == {"unknown"}
    assert any("no metrics of" in note for note in found.notes)
    study.add("some", 0, [1.0] * 3)
    study.add("some", 1, verdict="failed")
    [reward] = [line for line in differ(study, "low", "some").metrics if line.key == REWARD]
    assert "no interval" in reward.change
    assert "1 of 2 finished, 1 failed" in " ".join(differ(study, "low", "some").notes)


def test_a_metric_that_one_side_lost_or_never_logged_is_not_left_out_in_silence(study):
    for seed in (0, 1):
        study.add("nan", seed, [1.0, math.nan])
        study.add("other", seed, [1.0, 1.0], metric="other/reward")
    study.publish()
    [reward] = [line for line in differ(study, "low", "nan").metrics if line.key == REWARD]
    assert (reward.b, reward.change) == (look.MISSING, "unknown")
    assert "nan: 0 of 2 finished, 2 diverged" in " ".join(differ(study, "low", "nan").notes)
    assert f"logged by one side only: other/reward, {REWARD}" in differ(study, "low", "other").notes


def test_what_is_noted_of_a_logged_file_is_no_metric_and_a_shorter_run_says_why_it_has_no_score(study):
    for arm, length in (("long", 9), ("short", 3)):
        video = {"video._type": "html-file", "video.size": length}
        job = study.add(arm, 0, [1.0] * length)
        offline_run(study.workspace.runs, job.run, stamp="20300101_120000").log({STEP: 100 * length} | video)
    study.publish()
    found = differ(study, "long", "short")
    assert not [line.key for line in found.metrics if line.key.startswith("video")]
    assert "short, seed 0: no value after 300 of 900 agent steps" in found.notes


def test_markup_in_names_and_values_is_text(study):
    study.add("<b>", 0, [1.0], config={"a.b[0]:'\"": "<script>x</script>"})
    text = run_diff("low", "<b>", jobs=study.jobs, workspace=study.workspace).text
    assert "<script>" not in text
    assert "&lt;script&gt;x&lt;/script&gt;" in text


def test_the_page_offers_arms_first_and_shows_nothing_until_two_are_chosen(study):
    chosen = diff_inputs(study.jobs)
    assert list(chosen["a"].options)[:3] == ["low", "high", study.jobs[0].run]
    assert diff_view(study.context, study.jobs, chosen) is None
    chosen._update({"a": ["low"], "b": ["high"]})
    assert "trainer.rate" in diff_view(study.context, study.jobs, chosen).text
    assert diff_view(study.context, [], diff_inputs([])) is None
    assert diff_view(study.context, study.jobs[:1], diff_inputs(study.jobs[:1])) is None


def git(folder, *arguments):
    identity = ["-c", "user.name=ada", "-c", "user.email=ada@example.org"]
    subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True)


def test_the_command_tells_commits_and_uncommitted_changes_between_two_launches(tmp_path):
    project = Project(tmp_path)
    (tmp_path / ".gitignore").write_text(".experiments/\n__pycache__/\nexperiments/\n")
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-qm", "First")
    project.run("one", "--no-follow")
    (tmp_path / "more.txt").write_text("x")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-qm", "Add <more>")
    (tmp_path / "more.txt").write_text("y")
    project.run("two", "--gpus", "2", "--no-follow")
    shown = project.command("diff", "one/arm-0", "two/arm-0").stdout
    assert "1 commit later; 1 file changed: more.txt" in shown
    assert "Add <more>" in shown
    assert "the first: clean; the second: 1 changed file not committed" in shown
    assert "job.gpus" in shown
    document = data_in(project.command("diff", "two/arm-0", "one/arm-0", "--json").stdout)
    assert "1 commit earlier" in document["code"][0]
    assert document["a"]["runs"][0].split(".")[1:4] == ["two", "arm-0", "s0"]
    assert "is in 2 experiments" in project.command("diff", "arm-0", "one/arm-0", code=2).stderr


def test_while_seeds_are_out_or_lost_nothing_is_claimed_of_two_arms(study):
    study.add("high", 9, [1.0], verdict="running")
    notes = " ".join(differ(study, "low", "high").notes)
    assert "nothing is claimed of the metrics: interim: 4 of 5 seeds of b and 4 of 4 of a have ended" in notes
