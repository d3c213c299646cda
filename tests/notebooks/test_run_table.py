"""The table of runs, its groups and what it saves."""

from __future__ import annotations

import io
import json
import math
import re

import pandas as pd
import pytest

from experiments.jobs.controls.marks import Marked
from experiments.jobs.ran import Mark
from experiments.notebooks.analysis import create_run_summary_table
from experiments.notebooks.context import NotebookContext
from experiments.notebooks.shared import scored_once
from experiments.notebooks.tables.groups import group_frame, group_picker, group_view
from experiments.notebooks.tables.live import found_columns, live_table
from experiments.notebooks.tables.runs import (
    csv_of,
    downloads,
    run_frame,
    run_table,
    selected_runs,
    table_downloads,
    table_latex,
)
from experiments.notebooks.tables.sparklines import Sparkline, blocks, scale_of, thinned
from experiments.results.rows import flat_config, run_rows
from experiments.runs.offline.store import OfflineStore
from experiments.runs.store import RunInfo
from experiments.types import BaseExperimentConfig, JobStatus
from tests.fakes.studies import REWARD, Study

HOSTILE = "a.b[0]:\"'<b>&{x}"


def config(rate, size=64):
    return {"trainer": {"optimizer": {"learning_rate": rate}, "hidden_size": size, "same": 1}}


@pytest.fixture
def study(tmp_path):
    study = Study(tmp_path)
    for arm, rate in (("low", 0.001), ("high", 0.01)):
        for seed in range(3):
            study.add(arm, seed, [1.0, 2.0, 3.0 + seed + 100 * rate], config=config(rate))
    study.publish()
    return study


def test_a_row_shows_what_differs_and_nothing_else_of_the_config(study):
    frame, curves = run_frame(study.context, study.jobs)
    assert list(frame.columns) == [
        *("run_name", "arm", "seed", "verdict", "learning_rate", REWARD, f"{REWARD} curve"),
        *("steps", "sps", "time", "cost"),
    ]
    assert frame["learning_rate"].tolist() == [0.001] * 3 + [0.01] * 3
    assert frame[REWARD].iloc[0] == pytest.approx(3.1)
    assert frame["verdict"].iloc[0] == "✓ succeeded"
    assert math.isnan(frame["cost"].iloc[0])
    assert curves[REWARD][study.jobs[0].run] == pytest.approx([1.0, 2.0, 3.1])


def test_what_is_selected_stays_selected_when_the_table_is_made_again(study):
    element = run_table(study.context, study.jobs)
    assert selected_runs(element) == []
    element._update(["1", "4"])
    wanted = [study.jobs[1].run, study.jobs[4].run]
    assert selected_runs(element) == wanted
    study.add("late", 0, [5.0])
    again = run_table(study.context, list(reversed(study.jobs)))
    assert sorted(selected_runs(again)) == sorted(wanted)
    assert selected_runs(run_table(study.context, study.jobs, selected=[])) == []


def test_the_value_is_data_not_what_is_shown(study):
    element = run_table(study.context, study.jobs, selected=[study.jobs[0].run])
    assert element.value["run_name"].tolist() == [study.jobs[0].run]
    assert element.value["steps"].tolist() == [300.0]


def test_a_run_without_a_status_is_judged_by_the_word_of_its_tracker(study):
    class Preempted:
        def find(self, query):
            return [RunInfo(name=query.names[0], state="preempted")]

    assert run_rows(study.jobs[:1], Preempted())[0].verdict == "recovering"


def test_the_trackers_word_is_shown_where_it_contradicts_a_verdict(study):
    run = study.jobs[0].run
    study.statuses[run] = study.statuses[run].model_copy(update={"verdict": "failed"})
    study.publish()
    assert run_frame(study.context, study.jobs)[0]["state"].tolist() == ["finished"] * 6


def test_no_runs_unknown_runs_and_a_missing_metric_are_tables(study, tmp_path):
    assert len(run_table(study.context, []).data) == 0
    ghost = study.jobs[0].model_copy(update={"run": "nobody.knows.this.s0.run"})
    frame, _ = run_frame(study.context, [ghost], ["no/such"])
    assert frame["verdict"].tolist() == ["? unknown"]
    assert math.isnan(frame["no/such"].iloc[0])


def test_failed_unfinished_nan_and_words_are_rows(study):
    study.add("bad", 0, verdict="failed")
    study.add("bad", 1, [1.0, math.nan], verdict="running")
    study.add("bad", 2, ["a word", "another"])
    study.add("bad", 3, [math.inf, 1.0, -math.inf])
    study.publish()
    frame, curves = run_frame(study.context, study.jobs)
    rows = frame[frame["arm"] == "bad"]
    assert rows["verdict"].tolist() == ["✕ failed", "● running", "✓ succeeded", "✓ succeeded"]
    assert rows[REWARD].isna().tolist() == [True] * 4
    assert curves[REWARD][study.jobs[-1].run] == [1.0]
    assert len(run_table(study.context, study.jobs).data) == len(study.jobs)


def test_runs_whose_curves_look_the_same_as_text_are_each_drawn_as_their_own(tmp_path):
    study = Study(tmp_path)
    values = {"a": [1.0, 1.01, 2.0], "b": [1.0, 1.0, 2.0]}
    for arm, curve in values.items():
        study.add(arm, 0, curve)
    study.publish()
    colours = {"a": "red", "b": "blue"}
    table = run_table(study.context, study.jobs, colours=colours)
    texts = table.data[f"{REWARD} curve"]
    assert texts.nunique() == 1
    assert re.findall(r"\bred\b|\bblue\b", table.text) == ["red"] * 2 + ["blue"] * 2  # its line and its last point


def test_names_with_markup_brackets_and_quotes_are_text(tmp_path):
    study = Study(tmp_path)
    study.add("a", 0, [1.0], config={HOSTILE: 1, "run_name": "x", "": "empty"}, metric=HOSTILE)
    study.add("<i>b", 1, [2.0], config={HOSTILE: "<script>alert(1)</script>", "run_name": "y"}, metric=HOSTILE)
    study.publish()
    frame, _ = run_frame(study.context, study.jobs, [HOSTILE, "run_name", "arm", ""])
    assert len(set(frame.columns)) == len(frame.columns)
    text = run_table(study.context, study.jobs, [HOSTILE]).text
    assert "<script>alert(1)" not in text
    latex = table_latex(frame)
    assert r"\textless{}script\textgreater{}" in latex
    assert latex.count("&") >= 2 * (len(frame.columns) - 4)


def test_files_hold_every_digit_and_every_row(study):
    frame, _ = run_frame(study.context, study.jobs)
    saved = pd.read_csv(io.StringIO(csv_of(frame)))
    assert saved[REWARD].tolist() == frame[REWARD].tolist()
    assert saved["seed"].tolist() == frame["seed"].tolist()
    assert "Save as LaTeX" in downloads(frame, "study").text
    assert "Save as CSV" in table_downloads(run_table(study.context, study.jobs), "study").text
    assert table_downloads(run_table(study.context, []), "study") is None
    assert table_downloads(None, "study") is None


def test_a_group_has_its_mean_interval_and_count(study):
    study.add("high", 3, verdict="failed", config=config(0.01))
    study.publish()
    frame = group_frame(study.context, study.jobs, ["trainer.optimizer.learning_rate"])
    assert frame["learning_rate"].tolist() == [0.001, 0.01]
    assert frame["mean"].tolist() == pytest.approx([4.1, 5.0])
    assert frame["runs"].tolist() == ["3 of 3 finished", "3 of 4 finished, 1 failed"]
    assert (frame["low"] < frame["mean"]).all()
    assert (frame["mean"] < frame["high"]).all()
    assert "n = 3" in frame["interval"].iloc[0]
    assert "complete" in frame.attrs["origin"]


def test_a_group_whose_runs_are_out_is_interim_and_one_without_the_metric_names_it(study):
    study.add("high", 3, [9.0], verdict="running", config=config(0.01))
    study.publish()
    frame = group_frame(study.context, study.jobs, ["arm"])
    assert frame["runs"].tolist() == ["3 of 3 finished", "interim: 3 of 4 finished, 1 unfinished"]
    missing = group_frame(study.context, study.jobs[:3], ["arm"], "no.such/metric")
    assert missing["runs"].tolist() == ["3 of 3 finished, 3 without a value of no.such/metric"]


def test_a_seed_that_another_attempt_stands_for_is_said_under_the_groups(study):
    study.jobs.insert(0, first := study.add("high", 0, [1.0], verdict="failed", name="ada.study.high.s0.lost0000"))
    study.jobs.pop()
    lost = JobStatus(run_name=first.run, arm="high", verdict="failed", scheduler="RESTARTED")
    study.statuses[first.run] = lost
    study.publish()
    frame = group_frame(study.context, study.jobs, ["arm"])
    assert "3 of 3 finished" in frame["runs"].tolist()
    assert "seed 0 of high: attempt 2, after the machine failed" in frame.attrs["origin"]


def test_scores_are_read_again_only_when_a_run_has_new_data(study):
    live = study.workspace.state / "live" / "metrics.json"

    def read(version):
        live.write_text(json.dumps({"runs": {job.run: version for job in study.jobs}}))
        return scored_once(study.context, study.jobs, REWARD)

    first = read("1")
    assert read("1") is first
    assert read("2") is not first
    live.write_text("{}")
    assert scored_once(study.context, study.jobs, REWARD) is not scored_once(study.context, study.jobs, REWARD)


def test_arms_pooled_in_a_group_keep_all_their_seeds(study):
    frame = group_frame(study.context, study.jobs, ["trainer.same"])
    assert frame["runs"].tolist() == ["6 of 6 finished"]
    assert "2 arms pooled" in frame["interval"].iloc[0]


def test_groups_never_offer_the_seed(study):
    picker = group_picker(study.context, study.jobs)
    assert set(picker.options.values()) == {"arm", "trainer.optimizer.learning_rate"}
    assert group_view(study.context, [], ["arm"]) is None
    assert group_view(study.context, study.jobs, []) is None
    assert "3 of 3 finished" in group_view(study.context, study.jobs, ["arm"]).text
    assert len(group_frame(study.context, study.jobs, ["no.such"])) == 1


def test_one_seed_and_equal_values_have_no_interval_and_say_so(tmp_path):
    study = Study(tmp_path)
    study.add("one", 0, [1.0, 2.0])
    for seed in range(3):
        study.add("same", seed, [2.0, 2.0])
    frame = group_frame(study.context, study.jobs, ["arm"])
    assert frame["low"].isna().all()
    assert frame["interval"].tolist()[0] == "no interval: 1 seed"
    assert "same score" in frame["interval"].tolist()[1]


def test_spikes_survive_thinning_and_text_has_eight_heights():
    values = [0.0] * 5000
    values[2345] = 9.0
    values[777] = math.nan
    points = thinned(values)
    assert max(points) == 9.0
    assert len(points) <= 40
    assert blocks([0.0, 1.0], *scale_of([[0.0, 1.0]])) == "▁█"
    assert blocks([], 0.0, 0.0) == ""
    assert blocks([2.0, 2.0], 2.0, 2.0) == "▅▅"
    assert str(Sparkline([1.0, 2.0], 1.0, 2.0, "▁█", "red")) == "▁█"


def test_a_metric_that_a_run_never_logged_is_not_one_without_a_value_yet(study):
    study.add("live", 0, [1.0], config=config(0.1), verdict="running", metric="other")
    study.add("waits", 0, verdict="pending")
    study.add("silent", 0)  # its job has ended, so nothing is to come
    study.add("nan", 0, [1.0, math.nan], config=config(0.1))
    study.publish()
    frame, _ = run_frame(study.context, study.jobs, [REWARD, "never"])
    said = dict(zip(frame["arm"], frame["never curve"], strict=True))
    ended = dict.fromkeys(("low", "high", "nan"), "not logged")
    assert said == {**ended, "live": "no value yet", "waits": "no run yet", "silent": "no run found"}
    assert frame["never"].isna().all()
    rewards = dict(zip(frame["arm"], frame[f"{REWARD} curve"], strict=True))
    assert (rewards["live"], rewards["waits"], rewards["silent"]) == ("no value yet", "no run yet", "no run found")
    names, known = [job.run for job in study.jobs[-5:]], dict(list(study.statuses.items())[:-2])
    table = create_run_summary_table(names, ["never", REWARD], store=study.store, statuses=known)
    assert list(table.attrs["missing"].values()) == [
        {"never": "not logged"},
        {"never": "no value yet", REWARD: "no value yet"},
        {"never": "no run yet", REWARD: "no run yet"},
        {"never": "no run found", REWARD: "no run found"},
        {"never": "not logged"},
    ]


class Interrupted(NotebookContext):
    """A notebook whose store finds runs, and cannot read their rows for a while."""

    is_down = True

    @property
    def store(self):
        store = OfflineStore(self.workspace.runs)
        if self.is_down:
            store.history = store.columns = lambda run, keys=None: store.log("../nobody")
        return store


def test_a_curve_that_could_not_be_read_is_not_an_empty_one_and_is_read_again(study):
    context = Interrupted("study", study.root / "study_nb.py", study.workspace, BaseExperimentConfig())
    frame, _ = run_frame(context, study.jobs)
    assert set(frame[f"{REWARD} curve"]) == {"not read"}
    Interrupted.is_down = False
    frame, _ = run_frame(context, study.jobs)
    assert "not read" not in set(frame[f"{REWARD} curve"])


def test_settings_of_two_paths_of_one_name_are_two():
    assert flat_config({"a.b": 1, "a": {"b": 2, "c": [1]}, "d": {}}) == {"a\\.b": 1, "a.b": 2, "a.c": "[1]", "d": "{}"}


def test_a_run_that_is_no_seed_is_in_the_table_with_its_role_and_in_no_group(study):
    before = group_frame(study.context, study.jobs, ["arm"])
    assert "role" not in run_frame(study.context, study.jobs)[0]
    study.add("low", 1, [9.0] * 3, config=config(0.001), role="replicate", replicate=2)
    study.add("high", 1, [9.0] * 3, config=config(0.01), role="fork")
    study.publish()
    frame, _ = run_frame(study.context, study.jobs)
    assert frame["role"].tolist() == ["seed"] * 6 + ["replicate 2", "fork"]
    said = run_table(study.context, study.jobs)
    assert "1 replicate and 1 fork do not count as seeds" in said.text
    groups = group_frame(study.context, study.jobs, ["arm"])
    assert groups[["mean", "low", "high"]].equals(before[["mean", "low", "high"]])
    assert groups["runs"].tolist() == [
        "3 of 3 finished, 1 replicate not counted",
        "3 of 3 finished, 1 fork not counted",
    ]
    sizes = group_frame(study.context, study.jobs, ["trainer.hidden_size"])
    assert sizes["runs"].tolist() == ["6 of 6 finished, 1 replicate and 1 fork not counted"]


def test_a_group_of_several_codes_says_so(study, monkeypatch):
    marks = {job.run: Mark("xy"[job.arm == "high"], run=job.run) for job in study.jobs}
    monkeypatch.setattr(NotebookContext, "_marked", lambda *_: Marked(marks))
    [row] = group_frame(study.context, study.jobs, ["trainer.hidden_size"])["interval"]
    assert "; 2 arms pooled; 2 codes in low, high (experiments diff" in row
    assert all("code" not in text for text in group_frame(study.context, study.jobs, ["arm"])["interval"])


def test_a_switch_is_said_as_yes_or_no_and_saved_as_it_is(tmp_path):
    study = Study(tmp_path)
    for seed, on in enumerate((True, False, None)):
        anneal = {} if on is None else {"anneal": on}
        study.add("a", seed, [1.0 + seed], config={"clip": bool(seed), **anneal})
    study.publish()
    text = run_table(study.context, study.jobs).text
    frame, _ = run_frame(study.context, study.jobs)
    assert frame["clip"].tolist() == [False, True, True]
    shown = table_latex(frame[["run_name", "clip", "anneal"]])
    assert [line.split(" & ")[1:] for line in shown.splitlines() if line.count(" & ") == 2][1:] == [
        ["no", r"yes \\"],
        ["yes", r"no \\"],
        ["yes", r"-- \\"],
    ]
    assert "&quot;clip&quot;: &quot;right&quot;" not in text


def test_columns_are_chosen_by_a_pattern_over_settings_and_metrics(tmp_path):
    study = Study(tmp_path)
    for seed in range(2):
        study.add("base", seed, [1.0, 2.0], config={"trainer": {"batch": 64, "rate": 0.1}})
    frame, _ = run_frame(study.context, study.jobs, [REWARD])
    assert "batch" not in frame  # all runs have the same
    frame, _ = run_frame(study.context, study.jobs, [REWARD], "batch, *sps")
    assert (frame["batch"].tolist(), frame["overview/sps"].tolist()) == ([64, 64], [50.0, 50.0])
    assert "rate" not in frame
    assert "no column matches" in run_table(study.context, study.jobs, columns="none").text


def test_a_run_of_ten_thousand_settings_and_a_pattern_that_finds_all_is_a_table_of_a_few_columns(tmp_path):
    study = Study(tmp_path)
    study.add("base", 0, [1.0], config={f"key{number}": number for number in range(10_000)})
    frame, _ = run_frame(study.context, study.jobs, [REWARD], "*")
    assert len(frame.columns) < 40
    assert "columns match; the first 24 are shown" in frame.attrs["columns"]


def test_a_page_is_handed_plain_values_and_curves_of_letters(study):
    study.add("bad", 0, [math.nan, 1.0], verdict="failed", config=config(0.001), role="replicate", replicate=1)
    study.add("waits", 0, verdict="pending")
    study.publish()
    table, notes, _ = live_table(study.context, study.jobs, [REWARD])
    kinds = {column["key"]: column["kind"] for column in table["columns"]}
    assert kinds["learning_rate"] == "number"
    assert (kinds[f"{REWARD} curve"], kinds["time"], kinds["cost"]) == ("curve", "time", "cost")
    names = [column["key"] for column in table["columns"]]
    first, *_, bad, waits = table["rows"]
    assert first[:5] == [study.jobs[0].run, "low", "0", True, "succeeded"]
    assert first[5 + names.index("learning_rate")] == 0.001
    assert first[5 + names.index(f"{REWARD} curve")][0] == "~"
    assert (bad[3], bad[4]) == (False, "failed")
    assert waits[5 + names.index(f"{REWARD} curve")] == "no run yet"
    assert waits[5 + names.index("cost")] is None
    assert json.loads(json.dumps(table, allow_nan=False)) == table
    assert any("1 replicate does not count" in note for note in notes)


def test_columns_are_picked_by_their_whole_names_and_found_by_a_pattern(study):
    key = "trainer.hidden_size"
    assert found_columns(study.context, study.jobs, "*size")["names"] == [key]
    table, _, _ = live_table(study.context, study.jobs, [REWARD], [key, "gone"])
    assert [column["name"] for column in table["columns"] if column["name"]] == [key]
    study.add("many", 0, [1.0], config={f"key{number}": number for number in range(10_000)})
    found = found_columns(study.context, study.jobs, "*")
    assert (len(found["names"]), found["total"] > 10_000) == (50, True)
