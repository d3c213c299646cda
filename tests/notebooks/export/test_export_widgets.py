from __future__ import annotations

import anywidget
import marimo as mo
import traitlets

from experiments.notebooks.export.draw.objects import keeping
from experiments.notebooks.replays import SAVE_LARGE, on_page
from experiments.project.standing import CHOOSING
from tests.notebooks.export.pages import drawn, page_of
from tests.widgets.replays import packed, small
from widgets.jobs import JobTable
from widgets.replay import Limits, ReplayCompare, ReplayViewer

KEY = "a-planted-key-0123456789"


class Dial(anywidget.AnyWidget):
    """Somebody else's widget."""

    _esm = "export default { render({model, el}) { el.textContent = model.get('turns') } }"
    turns = traitlets.Int(3).tag(sync=True)


class Elsewhere(anywidget.AnyWidget):
    """A widget whose code is not in the file."""

    _esm = "import d3 from 'https://esm.sh/d3'; export default { render() {} }"


def test_a_replay_is_in_the_page_with_its_facts():
    html, notes = drawn(ReplayViewer(packed(small()), label="arm seed 0 at 1,000 agent steps"))
    assert 'class="mount replay"' in html
    assert "<b>arm seed 0 at 1,000 agent steps</b>: " in html
    assert notes == []


def test_the_pictures_of_the_game_are_kept_with_its_replay(monkeypatch):
    viewer = ReplayViewer(packed(small()))
    whole = page_of(viewer)
    monkeypatch.setattr("widgets.replay.viewer.pictures_of", lambda *_: b"")
    assert len(whole.html) - len(page_of(ReplayViewer(packed(small()))).html) >= len(viewer.sprites) > 5_000


def test_two_replays_beside_each_other_are_one_widget():
    html, _ = drawn(mo.ui.anywidget(ReplayCompare(packed(small()), packed(small()), labels=("left", "right"))))
    assert html.count("<figure") == 1
    assert "<b>left</b>" in html
    assert "<b>right</b>" in html


def test_a_replay_over_a_limit_says_how_a_saved_page_comes_to_hold_it_and_is_held_where_limits_are_given():
    def make(limits):
        if limits is not Limits.large:
            Limits(objects=1).check("objects", 1_000_000, "the replay has 1,000,000 objects")
        return ReplayViewer(packed(small()), limits=limits)

    html, _ = drawn(on_page(make))
    assert "the replay has 1,000,000 objects" in html
    assert SAVE_LARGE in html
    assert "Not opened when this was written" in html
    assert "mount replay" not in html
    html, notes = drawn(on_page(make, Limits.large))
    assert 'class="mount replay"' in html
    assert notes == []


def test_a_replay_that_holds_a_secret_is_left_out(monkeypatch):
    monkeypatch.setenv("PLANTED_KEY", KEY)
    html, notes = drawn(ReplayViewer(packed(small(mg_config={"label": KEY}))))
    assert "mount" not in html
    assert "looks like a secret" in notes[0]


def test_hostile_replay_texts_stay_text():
    hostile = "</script><img src=x onerror=alert(1)>"
    html, _ = drawn(ReplayViewer(packed(small(file_name=hostile)), label=hostile))
    assert "<img" not in html
    assert "</script>" not in html


def test_the_job_table_is_a_table_with_words_for_states():
    row = {"run": "u.e.a.s0.x", "state": "failed", "words": "FAILED", "reason": "out of <memory>", "step": 1000.0}
    html, _ = drawn(JobTable(rows=[row]))
    assert "✕</span> failed" in html
    assert "out of &lt;memory&gt;" in html
    assert "<figure" not in html


def test_the_jobs_of_a_search_are_folded_by_trial_and_counted():
    rows = [
        {
            "run": f"r{trial}{seed}",
            "arm": f"trial-{trial}",
            "seed": CHOOSING + seed,
            "state": ("succeeded", "failed")[seed],
        }
        for trial in range(3)
        for seed in range(2)
    ]
    html, _ = drawn(JobTable(rows=[*rows, {"run": "own", "arm": "a", "seed": 0, "state": "running"}]))
    assert "<summary>3 trials, 6 jobs: 3 succeeded, 3 failed</summary>" in html
    assert html.count("2 jobs: 1 succeeded, 1 failed</summary>") == 3
    assert html.index(">own<") < html.index("<details>") < html.index(">r00<")


def test_others_widgets_go_into_frames():
    html, _ = drawn(Dial())
    assert 'data-framed="1"' in html
    assert "The widget Dial" in html


def test_a_widget_whose_code_is_elsewhere_is_named():
    html, notes = drawn(Elsewhere())
    assert "<figure" not in html
    assert "https://esm.sh/d3" in notes[0]


def test_a_widget_whose_code_holds_a_secret_is_left_out(monkeypatch):
    monkeypatch.setenv("PLANTED_KEY", KEY)
    widget = type("Leaky", (Dial,), {"_esm": f"const key = '{KEY}'; export default {{ render() {{}} }}"})()
    assert "<figure" not in drawn(widget)[0]


def test_a_widget_inside_a_layout_is_alive():
    with keeping():
        assert 'data-framed="1"' in drawn(mo.vstack([mo.md("above"), Dial()]))[0]


def test_the_earliest_replays_are_dropped_first():
    labels = [f"arm seed 0 at {step} agent steps" for step in ("2,000", "1,000", "3,000")]
    viewers = [ReplayViewer(packed(small()), label=label) for label in labels]
    whole = page_of(*viewers)
    assert whole.dropped == ()
    cut = page_of(*viewers, max_bytes=len(whole.html) - 1)
    assert len(cut.html) < len(whole.html)
    assert [label for label in labels if label in " ".join(cut.dropped)] == [labels[1]]
    assert "is left out, so that this file stays under" in cut.html.decode()
    assert page_of(*viewers, max_bytes=1).dropped[0].startswith("The replay of arm seed 0 at 1,000")
