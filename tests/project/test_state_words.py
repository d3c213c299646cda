"""One table of each vocabulary: no module has a smaller one of its own, and every reader knows every word."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path
from types import SimpleNamespace

import pytest

from experiments.cli.terminal import state_text
from experiments.jobs.events import history
from experiments.jobs.watch.verdicts import verdict
from experiments.notebooks.shared import standings
from experiments.project.look import STATES
from experiments.project.state_words import SCHEDULER_ENDS, SCHEDULER_WORDS, TRACKER_ENDS, TRACKER_WORDS
from experiments.results.scores import MACHINE_WORDS
from experiments.runs.store import RunInfo
from experiments.types import TERMINAL_VERDICTS, JobRef

ROOT = Path(__file__).parents[2]
# Words that only a tracker or a scheduler says; a table that has two of them is a copy.
WORDS = {"finished", "crashed", "killed", "preempting", "preempted"} | set(SCHEDULER_WORDS) - {"UNKNOWN"}
# These say in sentences what else a word tells, beside its meaning.
SENTENCES = {"experiments/jobs/watch/verdicts.py", "experiments/jobs/events.py", "experiments/results/scores.py"}


def tables(path):
    """Yield the words of each table of a module that has two or more of `WORDS`."""
    for statement in ast.parse(path.read_text()).body:
        if not isinstance(statement, ast.Assign | ast.AnnAssign):
            continue
        said = {node.value for node in ast.walk(statement) if isinstance(node, ast.Constant)} & WORDS
        if len(said) > 1:
            yield f"{path.relative_to(ROOT)}:{statement.lineno}: {sorted(said)}"


def test_the_words_stand_in_one_table():
    modules = [path for top in ("experiments", "apps", "widgets") for path in (ROOT / top).rglob("*.py")]
    copies = [table for path in modules if path.name != "state_words.py" for table in tables(path)]
    assert [copy for copy in copies if copy.split(":")[0] not in SENTENCES] == []


def test_what_is_the_machines_doing_is_said_of_known_words_for_a_failure_only():
    assert {SCHEDULER_WORDS[word] for word in MACHINE_WORDS} == {"failed"}


def test_what_ends_a_job_follows_from_what_its_word_means():
    assert set(TRACKER_ENDS) == {"finished", "failed", "crashed", "killed"}
    assert "RECOVERING" not in SCHEDULER_ENDS
    assert {SCHEDULER_WORDS[word] for word in SCHEDULER_ENDS} == TERMINAL_VERDICTS


@pytest.mark.parametrize("word", [*TRACKER_WORDS, "hibernating"])
def test_a_chart_gives_a_trackers_word_the_meaning_that_tables_give_it(word):
    job = JobRef(run="ada.study.a.s0.abcdefgh", arm="a", seed=0)
    found = [RunInfo(job.run, word)]
    experiment = SimpleNamespace(run_infos=lambda _jobs: found, workspace=SimpleNamespace(state=ROOT / "nowhere"))
    status = standings(experiment, [job])[job.run]
    assert (status.verdict, status.tracker) == (TRACKER_WORDS.get(word, "unknown"), word)
    assert (status.verdict, status.reason) == verdict(None, word)


@pytest.mark.parametrize("word", SCHEDULER_WORDS)
def test_every_scheduler_word_is_said_in_words(word):
    [told] = history([(word, "", 0.0)], 1.0)
    assert word not in told


def test_pages_and_terminals_know_every_verdict():
    rows = (ROOT / "widgets" / "jobs" / "js" / "rows.js").read_text()
    listed = {name: json.loads(text) for name, text in re.findall(r"export const (\w+) = (\[[^\]]*\]);", rows)}
    assert set(listed["STATES"]) == set(STATES) == {*TRACKER_WORDS.values(), *SCHEDULER_WORDS.values()}
    assert set(listed["ENDED"]) == TERMINAL_VERDICTS
    assert set(listed["ALIVE"]) == set(STATES) - TERMINAL_VERDICTS
    assert all(state_text(state).plain.endswith(state) for state in STATES)
