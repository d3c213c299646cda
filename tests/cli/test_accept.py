"""The command that a CI job asks whether an experiment reaches what its recipe states."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from experiments.jobs.ledger.schema import FILE
from tests.fakes.answers import data_in
from tests.fakes.project import Project

ROOT = Path(__file__).parents[2]
RUN_TRAINER = (
    f"import sys; sys.path.insert(0, {str(ROOT)!r}); from tests.fakes.measuring_trainer import main; "
    "sys.exit(main(*sys.argv[1:]))"
)
ACCEPT = 'accept = (Criterion("overview/sps", ">=", 23_000, unit="steps a second"{more}),)'
GOOD = {"0": 24_000.0, "1": 24_100.0, "2": 23_900.0}
POOR = {"0": 21_000.0, "1": 21_100.0, "2": 20_900.0}
NOISY = {"0": 20_000.0, "1": 24_000.0, "2": 26_000.0}


@pytest.fixture
def project(tmp_path):
    file = tmp_path / "measured.json"
    command = ["{python}", "-c", RUN_TRAINER, str(file), "{seed}"]
    made = Project(tmp_path, train_command=command, wandb_mode="offline", max_parallel=3)
    state_criteria(made, ACCEPT.format(more=""))
    return made


def state_criteria(project, text):
    recipe = project.recipe.read_text().split("    config: StudyConfig\n")
    head = recipe[0].split("    accept = ")[0].removesuffix("\n")
    if "import Criterion" not in head:
        head = head.replace(
            "import Experiment\n", "import Experiment\nfrom experiments.jobs.criteria import Criterion\n"
        )
    project.recipe.write_text(f"{head}\n    {text}\n    config: StudyConfig\n{recipe[1]}")


def train(project, measured, *flags):
    (project.root / "measured.json").write_text(json.dumps(measured))
    return project.run("--seeds", str(len(measured)), "--follow", *flags, code=None)


@pytest.mark.parametrize(
    ("measured", "code", "state", "verdict"),
    [
        (GOOD, 0, "✓ met", "✓ Accepted: 1 of 1 met"),
        pytest.param(POOR, 1, "✕ excluded", "✕ Excluded: 0 of 1 met", marks=pytest.mark.slow),
        pytest.param(NOISY, 3, "? undecided", "? Undecided: 0 of 1 met", marks=pytest.mark.slow),
    ],
)
def test_the_exit_code_says_met_excluded_or_neither_of_them(project, measured, code, state, verdict):
    train(project, measured)
    said = project.command("accept", "study", code=code).stdout
    assert "overview/sps at least 23,000 steps a second" in said
    assert state in said
    assert verdict in said
    assert "3 of 3 finished" in said


@pytest.mark.slow
def test_a_lost_seed_accepts_nothing_unless_the_criterion_says_what_it_counts_as(project):
    train(project, {**GOOD, "2": "fail"})
    answer = data_in(project.command("accept", "study", "--json", code=3).stdout)
    assert "1 of 3 seeds (1 failed) were lost, and the criterion does not state" in answer["criteria"][0]["reason"]
    state_criteria(project, ACCEPT.format(more=", lost=0"))
    train(project, {**GOOD, "2": "fail"}, "--again")
    answer = data_in(project.command("accept", "study", "--json", code=3).stdout)
    assert "count as 0, as the criterion says" in answer["criteria"][0]["reason"]
    assert answer["criteria"][0]["interval"][0] < 0
    assert any("1 earlier repeat of them left aside" in note for note in answer["notes"])


@pytest.mark.slow
def test_what_was_recorded_counts_whatever_the_recipe_says_later_and_a_rebuilt_ledger_keeps_it(project):
    train(project, POOR)
    state_criteria(project, 'accept = (Criterion("overview/sps", ">=", 1_000),)')
    said = project.command("accept", "study", code=1).stdout
    assert "study.py states other criteria now: over the runs that there are they would be exploratory" in said
    for suffix in ("", "-wal", "-shm"):
        (project.state / f"{FILE}{suffix}").unlink(missing_ok=True)
    project.command("doctor", "--rebuild", code=None)
    project.recipe.unlink()
    answer = data_in(project.command("accept", "study", "--json", code=1).stdout)
    assert (answer["verdict"], answer["criteria"][0]["bound"]) == ("excluded", 23_000)


@pytest.mark.slow
def test_what_cannot_be_asked_is_one_sentence(project):
    state_criteria(project, "accept = ()")
    train(project, {"0": None})
    assert "no criterion was recorded when 'study' was launched" in project.command("accept", "study", code=2).stderr
    assert "belongs to experiment 'stduy'" in project.command("accept", "stduy", code=2).stderr
    state_criteria(project, ACCEPT.format(more=""))
    train(project, {"0": None}, "--again")
    said = data_in(project.command("accept", "study", "--json", code=3).stdout)["criteria"][0]["reason"]
    assert said.startswith("Metric 'overview/sps' was logged by none of 1 run. Nearest: 'overview/speed'")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            ACCEPT.format(more=', arm="base"'),
            "about arm 'base', which this experiment does not have. Its arms: 'arm-0'",
        ),
        (ACCEPT.format(more=", lost=30_000"), "would be met by lost seeds, which count as 30,000"),
        (
            'accept = (Criterion("a", ">", 5), Criterion("a", "<=", 5, arm="arm-0"))',
            "criteria 'a more than 5' and 'a of arm-0 at most 5' exclude each other",
        ),
        ('accept = Criterion("a", ">", 5)', "Write several criteria, also where it is one"),
    ],
)
def test_criteria_that_nothing_can_meet_are_refused_before_anything_is_launched(project, text, said):
    state_criteria(project, text)
    assert said in project.run("--seeds", "1", code=2).stderr
    assert not project.notebook().exists()
