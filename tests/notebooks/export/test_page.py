from __future__ import annotations

import re

import altair as alt
import marimo as mo
import pandas as pd

from experiments.notebooks.export.assets import script_hash
from experiments.notebooks.export.page import render_page
from experiments.notebooks.export.record import LoggedMetric
from experiments.notebooks.export.run.running import CellRecord
from tests.notebooks.export.pages import head, page_of
from tests.widgets.replays import packed, small
from widgets.replay import ReplayViewer

HOSTILE = "</title></script><script>alert(1)</script><img src=x onerror=alert(1)>\u202e"
FULL = head(
    title="Arena",
    hypothesis="A **curriculum** helps.",
    verdict="Undecided.",
    key_metric=LoggedMetric(name="return per agent", value=8.1, text="8.1 [7.2, 9.0]"),
    who="ada",
    commit="abc1234",
    dirty=True,
    command="uv run experiments export arena_nb.py",
    config=(("lr", "0.1"),),
    jobs=({"run": "ada.arena.a.s0.x", "state": "succeeded", "step": 1e6, "total": 1e6, "reward": 8.1},),
    packages={"marimo": "0.25.2"},
    data="sha256:0123",
    sources=(("offline files", "whole, 12 s old"),),
    changes=("1 job more",),
    previous="arena-1.html",
)


def chart():
    return alt.Chart(pd.DataFrame({"x": [1, 2], "y": [3, 4]})).mark_line().encode(x="x", y="y")


def text(page):
    return page.html.decode()


def test_the_head_says_what_is_known_and_nothing_else():
    html = text(page_of(head=FULL))
    known = ("<strong>curriculum</strong>", "8.1 [7.2, 9.0]", "abc1234, with changes that are in no commit", "✓</span>")
    assert all(part in html for part in (*known, "arena-1.html", "1 job more", "sha256:0123", "whole, 12 s old"))
    assert "None" not in text(page_of(head=head("Bare")))


def test_the_same_input_gives_the_same_bytes():
    def page():
        outputs = (
            mo.md("# Title"),
            pd.DataFrame({"a": [1]}),
            {"s": {"x", "y", "z"}},
            chart(),
            ReplayViewer(packed(small())),
        )
        return page_of(*outputs, head=FULL, source="x = 1").html

    assert page() == page()


def test_only_our_scripts_may_run():
    html = text(page_of(mo.md("x"), chart()))
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', html)[1]
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe-eval" not in policy
    assert "http" not in policy
    scripts = re.findall(r"<script>(.*?)</script>", html, re.DOTALL)
    assert len(scripts) > 5
    assert all(script_hash(script) in policy for script in scripts)


def test_hostile_names_and_texts_are_text():
    cell = CellRecord(HOSTILE, code=HOSTILE, output=HOSTILE, error=ValueError(HOSTILE), stdout=HOSTILE, stderr=HOSTILE)
    job = {"run": HOSTILE, "state": HOSTILE, "words": HOSTILE, "reason": HOSTILE}
    names = ("title", "experiment", "hypothesis", "verdict", "who", "commit", "data", "previous")
    texts = dict.fromkeys(names, HOSTILE) | {"packages": {HOSTILE: HOSTILE}, "changes": (HOSTILE,)}
    number = LoggedMetric(name=HOSTILE, value=1, text=HOSTILE)
    full = head(**texts, key_metric=number, jobs=(job,), config=((HOSTILE, HOSTILE),), code=HOSTILE, command=HOSTILE)
    html = text(render_page(full, [cell], include_code=True, source=HOSTILE, notebook_name=HOSTILE))
    assert "alert(1)</script>" not in html
    assert "<img" not in html
    assert "\u202e" not in html


def test_no_secret_and_no_path_reaches_the_page(monkeypatch, tmp_path):
    key = "a-planted-key-0123456789&<>"
    monkeypatch.setenv("PLANTED_KEY", key)
    inside = tmp_path / "runs" / "x.log"
    outputs = (mo.md(f"`{key}`"), key, {"k": key}, pd.DataFrame({key: [key]}), mo.Html(f"<p title='{key}'>{key}</p>"))
    page = page_of(*outputs, f"{inside} {tmp_path}", source=f"k = {key!r}", root=tmp_path, include_code=True)
    assert "planted" not in text(page)
    assert str(tmp_path) not in text(page)
    assert "runs/x.log" in text(page)


def test_what_stands_under_a_telling_name_is_masked():
    full = head(config=(("hub.api_key", "nowhere else"),))
    html = text(page_of({"wandb": {"token": "nowhere either"}, "rate": 0.1}, head=full))
    assert "nowhere" not in html
    assert html.count("***") == 2


def test_an_error_stands_in_its_cells_place():
    cells = [CellRecord("a", output=mo.md("before")), CellRecord("b", error=ZeroDivisionError("division by zero"))]
    cells.append(CellRecord("c", skipped="cell 'b', which it needs, failed"))
    html = text(render_page(head(), cells))
    assert html.index("before") < html.index("<b>ZeroDivisionError</b> in b: division by zero")
    assert "c did not run: cell &#x27;b&#x27;, which it needs, failed." in html


def test_what_is_printed_is_kept_apart_from_what_is_shown():
    html = text(render_page(head(), [CellRecord("a", output=1, stdout="\x1b[31mred\n", stderr="warned")]))
    assert 'aria-label="printed"><pre class="console">red' in html
    assert "warned" in html


def test_the_source_can_be_copied_from_the_page():
    html = text(page_of(source="import marimo\n# <b>", notebook_name="arena_nb.py"))
    assert '<pre id="source">import marimo\n# &lt;b&gt;</pre>' in html
    assert 'data-copies="source"' in html


def test_a_title_is_said_once():
    html = text(page_of(mo.md("# A log\n\nwords"), mo.md("# Another")))
    assert re.findall(r"<h(\d)[^>]*>([^<]*)<", html) == [("1", "A log"), ("2", "Another")]


def test_headings_are_in_the_contents():
    html = text(page_of(mo.md("# One"), mo.md("## Two\n\n### Three")))
    assert re.findall(r'<a href="#(part-\d)">(\w+)</a>', html) == [
        ("part-1", "One"),
        ("part-2", "Two"),
        ("part-3", "Three"),
    ]


def test_a_page_without_charts_carries_no_vega():
    assert len(page_of(mo.md("x")).html) < 60_000


def test_what_is_missing_is_listed_at_the_end():
    page = page_of(mo.Html("<script>x</script>"))
    assert page.notes == ("cell0: A <script> element is left out: a log runs no code of a cell.",)
    assert "Not in this file" in text(page)
