"""Every chart and table of a run says what is to be known of where its rows come from."""

from __future__ import annotations

import pytest

from experiments.notebooks.charts import CurveOptions, learning_curves, metric_grid, read_runs
from experiments.results.frames import metrics_frame
from experiments.results.scores import scored_runs
from experiments.runs.offline.store import OfflineStore
from experiments.types import JobRef
from tests.fakes.cases import case_copy

FORKED = "forked from run 'parent' at step 10: the rows before are those of that run"
TWO_IDS = "its folder has runs of 2 ids, none of them its own: shown is the newest, 'rb', and not 'ra'"
WRITERS = "2 writers at once: the rows of all are laid into each other by step"


@pytest.mark.parametrize(
    ("case", "run", "metric", "said"),
    [
        ("forked", "forked", "loss", FORKED),
        ("two-ids-one-folder", "job", "loss", TWO_IDS),
        ("two-ranks-one-id", "job1", "rank0/loss", WRITERS),
    ],
)
def test_what_is_to_be_known_of_the_rows_stands_under_every_chart_and_table(tmp_path, case, run, metric, said):
    case_copy(f"data/{case}", tmp_path / run)
    store, job = OfflineStore(tmp_path), JobRef(run=run, arm="a", seed=0)
    runs = read_runs([job], metric, store=store)
    for chart in (learning_curves(runs, CurveOptions(metric=metric)), metric_grid({metric: runs})):
        assert said in chart.to_dict()["usermeta"]["caption"]
    assert said in metrics_frame([job], metric, store=store).attrs["origin"]
    assert any(said in note for note in scored_runs([job], metric, store).notes)


@pytest.mark.parametrize("rank", [0, 1])
def test_the_curve_of_each_rank_has_its_own_values_and_no_others(tmp_path, rank):
    case_copy("data/two-ranks-one-id", tmp_path / "job1")
    [run] = read_runs([JobRef(run="job1")], f"rank{rank}/loss", store=OfflineStore(tmp_path))
    assert run.curve.steps.tolist() == [step * 100 for step in range(10)]
    assert run.curve.values.tolist() == list(range(10))


def test_wall_time_does_not_add_up_over_writers_at_once(tmp_path):
    case_copy("data/two-ranks-one-id", tmp_path / "job1")
    [run] = read_runs([JobRef(run="job1")], "rank1/loss", store=OfflineStore(tmp_path), axis="wall time")
    seconds = run.curve.steps * 3600
    assert seconds[0] == pytest.approx(3.13, abs=0.01)  # after the first writer began
    assert seconds[-1] - seconds[0] == pytest.approx(0.0105, abs=0.001)
