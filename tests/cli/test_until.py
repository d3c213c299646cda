"""`--seeds until-decided`: the first batch by a person, the others by the ends of jobs; refused where none may look."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from experiments.cli.options import RunOptions
from experiments.cli.until import first_seeds
from experiments.jobs.batches import courses
from experiments.jobs.controls.files import write_control
from experiments.jobs.journal import Journal, Rule
from experiments.jobs.ledger import open_ledger
from tests.fakes.kept import control_file, repository_at
from tests.fakes.project import jobs_of
from tests.fakes.swept import Swept
from tests.fakes.waiting import wait_until

LOOKS = (
    'rule = Rule(metric="score", direction="higher", effect=0.5, looks=(3, 4), floor=0.0, ceiling=20.0)\n'
    '    hypothesis = "The second arm is better."'
)
UNTIL = ("--seeds", "until-decided", "--no-follow")


def course(project):
    with open_ledger(project.workspace, read_only=True) as ledger:
        [found] = courses(ledger)
    return found


def test_seeds_go_on_by_the_ends_of_their_jobs_alone_until_the_last_look(tmp_path):
    project = Swept(tmp_path, rule=LOOKS, arms=("base", "same"))
    said = project.run(*UNTIL).stdout
    assert "Goes on by itself until decided, up to 4 seeds of each arm. Its budget is 'study': 0 of 8 jobs." in said
    wait_until(lambda: course(project).ended, timeout_s=120)
    # Both arms compute the same, so no difference varies and no look can decide.
    assert course(project).ended.startswith("undecided: Look after 4 of 4 planned seeds.")
    assert sorted((job.arm, job.seed) for job in jobs_of(project)) == [
        (arm, seed) for arm in ("base", "same") for seed in range(4)
    ]
    assert len(project.started()) == len(set(project.started())) == 8
    assert len({project.spec(job.run_name)["snapshot"]["id"] for job in jobs_of(project)}) == 1
    assert "8 of 8 jobs; ended" in project.command("budget").stdout
    assert project.command("step", "study").stdout == "Nothing goes on by itself.\n"
    again = project.run(*UNTIL, code=2)
    assert "experiment 'study' has ended (undecided" in again.stderr
    assert len(jobs_of(project)) == 8


def test_the_end_of_its_budget_ends_a_design_and_what_of_it_waits_or_runs(tmp_path):
    project = Swept(tmp_path, rule=LOOKS, arms=("base", "same"), max_parallel=1)
    project.hold()
    project.run(*UNTIL, "--budget", "until=2099-01-01T08:00")
    assert "study goes on by itself: seeds until decided" in project.command("status").stdout
    assert "of 8 jobs, until 2099-01-01 08:00" in project.command("budget").stdout
    project.command("budget", "end", "study", "--cancel", "--yes", code=None)
    wait_until(lambda: course(project).ended, timeout_s=120)
    assert course(project).ended.startswith("not decided, and its budget has ended (ended with experiments budget end")
    assert len(jobs_of(project)) == 6
    assert len(project.started()) < 6


@pytest.mark.parametrize(
    ("rule", "words", "said"),
    [
        ("", UNTIL, "need a hypothesis"),
        (LOOKS.replace("rule = Rule(", "rule = Rule(arm='none', "), UNTIL, "no arm of this experiment"),
        (LOOKS.replace("looks=(3, 4), ", ""), UNTIL, "need a rule that looks before its end"),
        (LOOKS, (*UNTIL, "--max-seeds", "20"), "--max-seeds 20 is not what the rule plans: 4 seeds"),
        (LOOKS, (*UNTIL, "--batch-seeds", "2"), "--batch-seeds 2 does not go with looks=(3, 4)"),
        (LOOKS, (*UNTIL, "--again"), "--again does not go with --seeds until-decided"),
        (LOOKS, (*UNTIL, "--in-place"), "none in place"),
        (LOOKS, (*UNTIL, "--budget", "jobs=0"), "starts nothing"),
        (LOOKS, (*UNTIL, "--budget", "jobs=3"), "has 3 of 3 jobs left, and 6 further jobs would take 6"),
        (LOOKS, (*UNTIL, "--budget", "until=2001-01-01"), "over before it begins"),
        (LOOKS, ("--seeds", "3", "--budget", "jobs=3"), "--budget goes with --seeds until-decided or --search"),
        (LOOKS, ("--seeds", "3", "--batch-seeds", "2"), "--batch-seeds and --max-seeds go with --seeds until-decided"),
        (LOOKS, ("--seeds", "until"), "is not a list of seeds"),
    ],
)
def test_what_contradicts_itself_or_the_rule_is_refused_before_anything_is_launched(tmp_path, rule, words, said):
    project = Swept(tmp_path, rule=rule, arms=("base", "same"))
    refused = project.run(*words, code=None)
    assert refused.returncode in {1, 2}
    assert said in refused.stderr
    assert "no job" in project.command("status").stdout.lower() or jobs_of(project) == []


def test_beside_a_kept_control_the_first_batch_has_the_first_of_its_seeds(tmp_path):
    workspace = repository_at(tmp_path / "project")
    write_control(workspace, control_file(workspace, seeds=(10, 11, 12, 13)))
    rule = Rule(metric="score", direction="higher", effect=0.0, looks=(3, 4))
    experiment = SimpleNamespace(name="beside", workspace=workspace, controls="kept")
    options = RunOptions(seeds="until-decided")
    assert first_seeds(options, experiment, Journal(hypothesis="It climbs.", rule=rule)) == (10, 11, 12)
