from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from experiments.notebooks.analysis import create_run_summary_table, plot_sps
from experiments.notebooks.charts import curve_chart
from experiments.project import look
from experiments.project.errors import StoreError
from experiments.results.frames import metrics_frame
from experiments.runs.offline.store import OfflineStore
from experiments.runs.thinning import min_max
from experiments.types import JobRef
from tests.fakes.wandb_files import exit_record, offline_run, run

REWARD, STEP = "overview/reward", "metric/agent_step"


@pytest.fixture
def store(tmp_path):
    for seed in (0, 1):
        name = f"ada.exp.base.s{seed}.abcdefg{seed + 2}"
        log = offline_run(tmp_path, name)
        log.write(run(name, {"trainer": {"total_timesteps": 400}}))
        for i in range(4):
            log.log({STEP: 100 * (i + 1), REWARD: float(i + seed), "overview/sps": 50.0})
        log.write(exit_record(0))
    return OfflineStore(tmp_path)


RUNS = ["ada.exp.base.s0.abcdefg2", "ada.exp.base.s1.abcdefg3"]


def test_the_curve_says_seeds_method_and_origin_beneath_it(store):
    spec = curve_chart(metrics_frame(RUNS, REWARD, store=store), REWARD).to_dict()
    caption = spec["usermeta"]["caption"]
    assert "n = 2 seeds an arm, all finished" in caption
    assert "Pointwise 95 % Student t interval of the mean" in caption
    assert "Nothing is smoothed" in caption
    assert "8 rows of 2 of 2 runs, complete" in caption
    assert " ".join(spec["title"]["text"]) == caption


@pytest.mark.parametrize("value", [float("nan"), float("inf"), None])
def test_a_metric_without_a_finite_value_is_a_sentence_not_an_exception(value):
    table = pd.DataFrame({"run": ["a"], "arm": ["a"], "seed": [0], "step": [1.0], "loss": [value]})
    assert "No values of loss yet" in json.dumps(curve_chart(table, "loss").to_dict())


def test_a_spike_of_one_row_among_many_survives_thinning():
    values = np.zeros(100_000)
    values[54_321] = 9.0
    kept = min_max(values, 2_000)
    assert len(kept) <= 2_000
    assert 54_321 in kept


def test_sps_is_found_under_the_names_that_trainers_use(tmp_path):
    log = offline_run(tmp_path, "other")
    log.write(run("other"))
    log.log({STEP: 1, "train/sps": 7.0}, {STEP: 2, "train/sps": 9.0})
    spec = json.dumps(plot_sps(["other"], store=OfflineStore(tmp_path)).to_dict())
    assert "9.0" in spec


def test_runs_without_speed_are_not_no_runs(tmp_path):
    log = offline_run(tmp_path, "other")
    log.write(run("other"))
    log.log({STEP: 1, "loss": 7.0})
    spec = json.dumps(plot_sps(["other"], store=OfflineStore(tmp_path)).to_dict())
    assert "No values of overview/sps" in spec
    assert "was not logged by 1 run (other)" in spec
    assert "No runs yet" not in spec


def test_a_name_that_is_no_run_is_no_run_without_speed(store):
    with pytest.raises(StoreError, match="run 'nope' is not known here"):
        plot_sps([*RUNS, "nope"], store=store)
    # What somebody launched may not have begun to log.
    spec = plot_sps([RUNS[0], JobRef(run="waiting", arm="base", seed=2)], store=store).to_dict()
    assert "waiting: it has not begun to log" in spec["usermeta"]["caption"]


def test_one_run_may_be_given_without_a_list(store):
    assert "50.0" in json.dumps(plot_sps(RUNS[0], store=store).to_dict())
    assert create_run_summary_table(RUNS[0], "overview/sps", store=store)["overview/sps"].tolist() == [50.0]


def test_the_summary_has_one_row_a_run_and_names_the_ones_without_data(store):
    table = create_run_summary_table([*RUNS, "nobody"], store=store)
    assert table["state"].tolist() == ["finished", "finished", "NOT FOUND"]
    assert table["reward"].tolist()[:2] == [3.0, 4.0]
    assert table["total_steps"].tolist()[:2] == [400, 400]


def test_names_with_brackets_dots_and_html_stay_text(tmp_path):
    arm = "<b>a[0].x:y</b>"
    table = pd.DataFrame({"run": ["r"], "arm": [arm], "seed": [0], "step": [1.0], "a.b[c]:d": [2.0]})
    spec = curve_chart(table, "a.b[c]:d").to_dict()
    assert arm in json.dumps(spec, ensure_ascii=False)


def test_the_colours_of_a_chart_are_those_of_the_page(store):
    table = metrics_frame(RUNS, REWARD, store=store)
    assert look.DARK.arms[0] in json.dumps(curve_chart(table, REWARD, dark=True).to_dict())
    assert look.LIGHT.arms[0] in json.dumps(curve_chart(table, REWARD).to_dict())
