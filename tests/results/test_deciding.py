"""Seeds until decided: batches follow by themselves, each once, until the rule decides, its seeds or its budget end."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from experiments.jobs.batches import first_batch
from experiments.jobs.controls.files import write_control
from experiments.jobs.handover import LAUNCHERS
from experiments.jobs.ledger import Limits, open_ledger
from experiments.jobs.ledger.mending import rebuild
from experiments.jobs.rule import Rule
from experiments.launch import allow_launch
from experiments.project.errors import UsageError
from experiments.project.values import replaced
from experiments.results import deciding
from experiments.results.steps import take_step
from tests.fakes import decided, stepped
from tests.fakes.decided import begun, course, scored, to_the_end
from tests.fakes.kept import control_file
from tests.fakes.launching import workspace_at
from tests.fakes.stepped import AtOnce
from tests.fakes.wandb_files import exit_record, offline_run
from tests.fakes.wandb_files import run as wandb_run

RULE = Rule(metric="score", direction="higher", effect=0.0, arm="fast", baseline="slow", looks=(3, 6, 9))
BOUNDED = replaced(RULE, floor=-5.0, ceiling=200.0)


@pytest.fixture
def begin(tmp_path, monkeypatch):
    """Return a function that launches the first batch; its jobs, and those that follow, end at once."""

    def launched(gap, *, rule=RULE, batch=1, jobs=100, dies=lambda _seed, _said: False):
        monkeypatch.setattr(stepped, "score_of", scored(gap))
        workspace = workspace_at(tmp_path, user="ada")
        cluster = AtOnce(workspace.state, dies)
        monkeypatch.setitem(LAUNCHERS, "skypilot", lambda _: cluster)
        begun(workspace, rule, batch=batch, jobs=jobs)
        return workspace, cluster

    return launched


def dies(*_):
    raise KeyboardInterrupt


def step(workspace, **options):
    with allow_launch() as permit:
        return take_step(workspace, permit, **options)


def seeds_of(cluster):
    return sorted((job["said"]["rate"], job["seed"]) for job in cluster.jobs())


def test_a_large_difference_is_decided_at_the_first_look_and_no_further_seed_is_launched(begin):
    workspace, cluster = begin(100.0)
    [said] = to_the_end(workspace)
    assert said.startswith("study: confirmed: Look after 3 of 9 planned seeds.")
    assert len(cluster.jobs()) == 6
    assert course(workspace).ended.startswith("confirmed")
    assert step(workspace).done == []


def test_an_undecided_look_launches_the_seeds_of_the_next_for_both_arms_each_once(begin):
    workspace, cluster = begin(0.0)
    said = to_the_end(workspace)
    assert said[0] == "study: not decided yet; 3 further seeds (3 to 5) of each arm launched"
    assert said[-1].startswith("study: undecided: Look after 9 of 9 planned seeds.")
    assert seeds_of(cluster) == [(rate, seed) for rate in ("0.0001", "0.01") for seed in range(9)]
    with open_ledger(workspace, read_only=True) as ledger:
        [budget] = ledger.budgets()
    assert (budget.jobs, budget.is_open) == (12, False)


def test_a_step_that_is_killed_as_it_ends_the_batches_leaves_that_to_the_next(begin, monkeypatch):
    workspace, _ = begin(0.0)
    with monkeypatch.context() as patched:
        patched.setattr(deciding, "end_batches", dies)
        with pytest.raises(KeyboardInterrupt):
            to_the_end(workspace)
    assert step(workspace).goes_on == 0
    assert course(workspace).ended.startswith("not decided")
    with open_ledger(workspace, read_only=True) as ledger:
        assert [budget.is_open for budget in ledger.budgets()] == [False]


def test_seeds_that_are_still_out_decide_nothing_and_launch_nothing(begin):
    workspace, cluster = begin(100.0)
    [first, *_] = [job["name"] for job in cluster.jobs()]
    cluster.runs_on.add(first)
    assert (step(workspace).done, step(workspace).goes_on) == ([], 1)
    cluster.runs_on.clear()
    assert "confirmed" in step(workspace).done[0]


def test_runs_that_a_server_still_receives_decide_nothing_and_launch_nothing(begin, monkeypatch):
    workspace, cluster = begin(100.0)
    with monkeypatch.context() as patched:
        patched.setattr("experiments.results.scores._is_arriving", lambda job, _: job.seed == 2)
        assert step(workspace).done == []
        assert len(cluster.jobs()) == 6
    [said] = to_the_end(workspace)
    assert said.startswith("study: confirmed")


def test_a_design_that_looks_at_any_time_goes_on_batch_by_batch(begin):
    rule = replaced(BOUNDED, looks="any time", seeds=8, spending=None)
    workspace, cluster = begin(0.0, rule=rule, batch=2)
    said = to_the_end(workspace)
    assert [line.split("; ")[-1] for line in said[:-1]] == [
        "2 further seeds (3 to 4) of each arm launched",
        "2 further seeds (5 to 6) of each arm launched",
        "1 further seed (7) of each arm launched",
    ]
    assert len(cluster.jobs()) == 16


def test_a_budget_that_was_ended_ends_it_undecided_and_launches_nothing(begin):
    workspace, cluster = begin(0.0)
    with open_ledger(workspace) as ledger:
        ledger.end_budget("study", "enough")
    assert to_the_end(workspace) == ["study: not decided, and its budget has ended (enough)"]
    assert len(cluster.jobs()) == 6


def test_a_budget_that_is_too_small_for_the_next_batch_launches_no_part_of_it_and_is_said(begin):
    workspace, cluster = begin(0.0, jobs=5)
    stepped_ = step(workspace)
    assert "has 5 of 5 jobs left, and 6 further jobs would take 6" in stepped_.problems[0]
    assert len(cluster.jobs()) == 6
    with open_ledger(workspace) as ledger:
        ledger.grant("study", Limits(jobs=12), "test")
    assert to_the_end(workspace)
    assert len(cluster.jobs()) == 18


def test_lost_seeds_that_nothing_stands_for_end_it_undecided_at_once(begin):
    workspace, cluster = begin(100.0, dies=lambda seed, _said: seed == 1)
    [said] = to_the_end(workspace)
    assert said.startswith("study: undecided: Look after 3 of 9 planned seeds.")
    assert len(cluster.jobs()) == 6


def test_lost_seeds_that_the_rule_bounds_go_on_to_the_next_look(begin):
    workspace, cluster = begin(100.0, rule=BOUNDED, dies=lambda seed, _said: seed == 1)
    to_the_end(workspace)
    assert len(cluster.jobs()) == 18


def test_a_ledger_that_is_made_again_knows_the_batches_and_launches_none_twice(begin):
    workspace, cluster = begin(0.0)
    step(workspace)
    for file in workspace.state.glob("ledger.sqlite*"):
        file.unlink()
    rebuild(workspace.state)
    assert len(course(workspace).plan_keys) == 2
    with open_ledger(workspace) as ledger:
        ledger.grant("study", Limits(jobs=20), "test")
    to_the_end(workspace)
    names = [job["name"] for job in cluster.jobs()]
    assert len(names) == len(set(names)) == 18


@pytest.mark.parametrize(
    ("rule", "batch", "most", "said"),
    [
        (None, None, None, "need a rule that looks before its end"),
        (replaced(RULE, looks=None, spending=None), None, None, "need a rule that looks before its end"),
        (RULE, None, 20, "not what the rule plans: 9 seeds"),
        (RULE, 2, None, "each batch goes to the next look"),
    ],
)
def test_a_rule_that_allows_no_look_begins_nothing(rule, batch, most, said):
    with pytest.raises(UsageError, match=said):
        first_batch(rule, batch, most)


def killed(folder, kills, seed, whole_s=0.0):
    command = [sys.executable, decided.__file__, str(folder), str(kills), str(seed), str(whole_s)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=1200)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout)


@pytest.mark.parametrize("kills", [4, pytest.param(30, marks=pytest.mark.slow)])
def test_killed_at_random_moments_every_seed_is_launched_once_and_it_ends_alike(tmp_path, kills):
    without = killed(tmp_path / "through", 0, 0)
    through = killed(tmp_path / "killed", kills, 20_261_130, without["took"])
    assert through["killed"] == kills
    assert sorted(through["jobs"]) == sorted(without["jobs"])
    assert len(without["jobs"]) == 2 * 9
    assert through["drawn"] == without["drawn"] == 2 * 6  # all but the first batch
    assert through["ended"].split(" (")[0] == without["ended"].split(" (")[0]


def test_beside_a_kept_control_only_the_candidates_batches_follow_and_its_runs_decide(begin, tmp_path, monkeypatch):
    monkeypatch.setattr(stepped, "score_of", scored(0.0))
    workspace = workspace_at(tmp_path, user="ada")
    cluster = AtOnce(workspace.state)
    monkeypatch.setitem(LAUNCHERS, "skypilot", lambda _: cluster)
    kept = control_file(workspace, arm="slow", seeds=range(9), config=stepped.config_of({"rate": 1e-4}))
    for run in kept.runs:
        log = offline_run(workspace.runs, run.ref.run).write(wandb_run(run.ref.run))
        score = stepped.score_of(1e-4, 256, run.ref.seed)
        log.log(*({"step": step, "score": score * step / 100} for step in range(10, 101, 10)))
        log.write(exit_record(0))
    control = write_control(workspace, kept)[0].used()
    begun(workspace, replaced(RULE, pool_codes=True), control=control)
    assert to_the_end(workspace)[-1].startswith("study: undecided: Look after 9 of 9 planned seeds.")
    assert seeds_of(cluster) == [("0.01", seed) for seed in range(9)]
