"""The study of a notebook: its parts as a script or a file has them; `tests/browser` looks at its pages."""

from __future__ import annotations

import queue
import re
import subprocess
import sys
import threading

import marimo as mo
import pytest

from experiments.jobs.journal import Journal, Rule
from experiments.notebooks.charts.theme import arm_colour
from experiments.notebooks.details import Details
from experiments.notebooks.page import Changing, Chosen, Follower, LaunchOutcome, Section, rest_s
from experiments.notebooks.study import Study as Opened
from experiments.notebooks.study import open_study
from experiments.notebooks.styles import Line, lines_html
from experiments.notebooks.template import DATA, FILE, SECTIONS, template, template_imports
from experiments.project.look import LIGHT
from experiments.project.values import replaced
from experiments.types import BaseExperimentConfig
from tests.fakes.studies import REWARD, two_arms

WRITTEN = Journal(hypothesis="<b>b</b> wins", rule=Rule(metric=REWARD, direction="higher", effect=0.5))


@pytest.fixture
def made(tmp_path):
    return two_arms(tmp_path)


@pytest.fixture
def study(made):
    return Opened(made.context, made.jobs, WRITTEN)


def shown(section):
    return mo.as_html(section).text


def test_the_frame_of_a_metric_is_tidy_and_names_the_metric_only_in_its_values(study):
    frame = study.frame(REWARD, study.news())
    assert list(frame.columns) == ["run", "arm", "seed", "step", "value"]
    assert frame.groupby("arm")["value"].mean().to_dict() == pytest.approx({"a": 1.05, "b": 3.15})
    assert frame.attrs["axis"]


def test_charts_of_ones_own_have_the_arms_in_the_colours_of_the_curves(study):
    scale = study.colour.to_dict()["scale"]
    assert dict(zip(scale["domain"], scale["range"], strict=True)) == arm_colour(("a", "b"), LIGHT)


def test_a_study_without_a_job_has_every_part_and_an_empty_frame(made):
    study = Opened(made.context, (), WRITTEN)
    assert study.frame().columns.tolist() == ["run", "arm", "seed", "step", "value"]
    assert len(study.frame()) == 0
    texts = [shown(part) for part in parts(study)]
    assert "No run yet" in "".join(texts)
    assert not any("could not be drawn" in text for text in texts)


def parts(study):
    known, chosen = study.known(), study.chosen()
    return [
        study,
        study.verdict(),
        study.curves(known),
        study.scores(chosen),
        study.monitor(known),
        study.job_log([], known),
        study.replay(known, chosen),
        study.runs(chosen),
        study.details(chosen),
        study.launch(study.plan, known),
        study.export(),
    ]


def test_every_part_shows_what_there_is_and_is_made_once(study):
    texts = [shown(part) for part in parts(study)]
    assert not any("could not be drawn" in text for text in texts)
    assert "✓ Confirmed" in texts[1]
    assert "&lt;b&gt;b&lt;/b&gt; wins" in texts[1]
    assert [id(part) for part in parts(study)] == [id(part) for part in parts(study)]


def test_a_file_has_nothing_to_press_in_launch_and_export(study):
    assert study.launch(study.plan, study.known()).still() is None
    assert study.export().still() is None


def test_a_file_folds_each_detail_under_its_name_once_and_asks_for_no_other_pattern(study):
    text = shown(study.details(study.chosen()))
    assert text.count("For a paper") == 1
    assert "No metric is called" not in text


def test_one_difference_is_told_once(study):
    assert "against" not in lines_of(study.scores(study.chosen()))
    study.scores(Chosen({**study.chosen().value, "summary": "best value"}))
    assert "against" in lines_of(study.scores(Chosen({"metric": REWARD, "summary": "best value"})))


def test_a_caution_that_the_verdict_has_is_not_told_again_below_it(study, made):
    other = Chosen({"metric": REWARD, "summary": "best value"})
    assert shown(study.verdict()).count("roughly normal scores") == 1
    assert "against" in lines_of(study.scores(other))
    assert "roughly normal scores" not in lines_of(study.scores(other))
    without = Opened(made.context, made.jobs, Journal(hypothesis="", rule=None))
    assert lines_of(without.scores(other)).count("roughly normal scores") == 1


def test_parts_below_the_curves_stand_without_the_cell_of_the_curves(study):
    assert study.chosen().value["metric"] == REWARD
    assert "could not be drawn" not in shown(study.details(study.chosen()))


def lines_of(scores):
    found = lines_html(scores._comparison())
    return found.text if found else ""


def test_what_is_chosen_above_reaches_what_stands_below(study):
    study.curves(study.known())
    assert study.chosen().value["metric"] == REWARD
    study.curve_section.controls._changed({**study.chosen().value, "smoothing": 1.0})
    assert study.chosen().value["smoothing"] == 1.0
    study.curve_section.view.widget.set_state({"clicked": {"run": study.jobs[0].run, "x": 2.0, "nonce": "1"}})
    assert study.chosen().point == (study.jobs[0].run, 2)
    assert study.chosen().value["smoothing"] == 1.0


def test_what_was_chosen_stays_when_there_is_more_to_choose_from(study, made):
    study.curves(study.known())
    study.curve_section.controls._changed({**study.chosen().value, "log": True, "smoothing": 5.0})
    made.add("c", 0, [2.0] * 3)
    made.publish()
    study.recorded = tuple(made.jobs)
    study.refresh()
    assert len(study.known().jobs) == 7
    study.curves(study.known())
    assert (study.chosen().value["log"], study.chosen().value["smoothing"]) == (True, 5.0)


def test_what_came_of_a_launch_is_known_to_all_cells(study):
    study.tell_launch(lambda before: (*before, LaunchOutcome("no <i>slot</i>", succeeded=False)))
    assert [outcome.text for outcome in study.known().launches] == ["no <i>slot</i>"]


def test_a_part_that_raises_says_so_in_its_place(study):
    class Broken(Section):
        def page(self):
            raise ValueError("<script>alert(1)</script>")

    text = shown(Broken(study))
    assert "Broken: this part could not be drawn (ValueError" in text
    assert "<script>" not in text


def test_only_a_part_whose_elements_come_and_go_makes_them_while_it_is_drawn(study, monkeypatch):
    """Two that a page has at once would have one name; `Changing` gives each its own."""
    made: list[str] = []
    element = next(kind for kind in mo.ui.button.__mro__ if kind.__name__ == "UIElement")
    begin = element.__init__

    def count(self, *arguments, **options):
        made.append(type(self).__name__)
        begin(self, *arguments, **options)

    study.may_launch = True
    study.details(study.chosen())._open = "Groups"
    drawn = [part for part in parts(study) if isinstance(part, Section)]
    monkeypatch.setattr(element, "__init__", count)
    makers = set()
    for part in drawn:
        made.clear()
        part.page()
        makers |= {type(part)} if made else set()
    assert Details in makers
    assert all(issubclass(kind, Changing) for kind in makers), makers


def test_what_is_made_for_a_page_is_made_also_where_the_thread_of_its_study_has_ended(study):
    follower = Follower.__new__(Follower)
    follower._asked, follower._thread = queue.SimpleQueue(), threading.Thread()
    assert follower.make(lambda: "made") == "made"
    with pytest.raises(ZeroDivisionError):
        follower.make(lambda: 1 / 0)


def test_lines_are_text_and_rows_that_follow_each_other_are_one_table():
    html = lines_html([Line("<x>", "row", "<y>"), Line("z", "row", "w"), Line("<script>", "strong")]).text
    assert html.count("<table") == 1
    assert not re.search("<(x|y|script)>", html)


def test_every_section_of_the_template_has_its_cells_and_no_cell_is_of_two():
    named = [name for names in SECTIONS.values() for name in names]
    assert sorted([*named, *DATA, "study"]) == sorted(cell.name for cell in template().cells)


def test_every_cell_of_a_section_can_be_deleted_and_no_other_misses_what_it_defined():
    kept = {"study", *DATA}
    defined = {cell.name: cell.names.defines for cell in template().cells if cell.name not in kept}
    assert not any(defined.values()), defined


def test_the_template_is_short_and_hides_the_code_that_is_not_the_readers():
    text = FILE.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 180
    assert len(template().cells) <= 16
    assert len(template().setup.strip().splitlines()) <= 8
    open_ones = {cell.name for cell in template().cells if "hide_code=True" not in cell.options}
    assert open_ones == {*DATA, "scratch"}
    assert {item.bound for item in template_imports()} == {"alt", "mo", "JobRef", "Journal", "Rule", "open_study"}


def test_the_template_runs_as_it_stands(tmp_path):
    notebook = tmp_path / "empty_nb.py"
    notebook.write_text(FILE.read_text(encoding="utf-8"), encoding="utf-8")
    (tmp_path / "pyproject.toml").write_text("[tool.experiments]\n", encoding="utf-8")
    done = subprocess.run([sys.executable, str(notebook)], cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr


def test_a_study_is_called_as_its_file_is(tmp_path):
    (tmp_path / "pyproject.toml").write_text("[tool.experiments]\n", encoding="utf-8")
    study = open_study(str(tmp_path / "arena_nb.py"), BaseExperimentConfig)
    assert (study.experiment.name, study.jobs) == ("arena", [])


def test_a_page_rests_by_what_its_news_cost_and_never_for_long():
    assert rest_s(0.05) <= 2
    assert rest_s(0.2) >= 3
    assert rest_s(100.0) <= 60


def test_many_pages_of_one_server_take_no_more_of_it_together_than_a_few():
    assert rest_s(0.05, 5) == rest_s(0.05)
    shares = [pages * 0.06 / rest_s(0.06, pages) for pages in (5, 50, 100)]
    assert max(shares) <= 1.1 * shares[0]


def test_the_rule_of_a_study_says_whether_codes_are_pooled(made):
    rule = Rule(metric=REWARD, direction="higher", effect=0.0)
    pools = Journal(hypothesis="", rule=replaced(rule, pool_codes=True))
    assert [
        Opened(made.context, made.jobs, one).experiment.pool_codes for one in (Journal(hypothesis="", rule=rule), pools)
    ] == [
        False,
        True,
    ]


def test_a_hidden_arm_is_in_no_curve_and_in_every_score_and_verdict(study):
    other = Chosen({"metric": REWARD, "summary": "best value"})

    def told():
        found = [
            lines_of(study.scores(other)),
            shown(study.verdict()),
            study.scores(other).draw().to_dict()["usermeta"],
        ]
        return re.sub(r"\d\d:\d\d(:\d\d)? UTC", "then", str(found))

    before = told()
    study.hide({"runs": [], "arms": ["a"]})
    assert told() == before
    drawn = study.curve_section.draw().to_dict()
    runs = {row["run"] for rows in drawn["datasets"].values() for row in rows if "label" in row}
    assert runs == {job.run for job in study.jobs if job.arm == "b"}
    assert "hidden by hand" in drawn["usermeta"]["caption"]
