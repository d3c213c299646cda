"""Every app as a person finds it: without data, with data, and from an address that somebody else wrote."""

from __future__ import annotations

import importlib.util
import json
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from apps.parts import details
from apps.parts.comparing import arm_picker, compared, compared_note, known_arms, matching
from apps.parts.gallery import MOST, Shown, chosen_view, found_replays, gallery, picture_of
from apps.parts.links import known_jobs, several
from apps.parts.logs import log_list, logs_of
from experiments.notebooks.export.logbook import Log
from experiments.notebooks.export.record import LogRecord
from experiments.notebooks.page import Section
from experiments.project.errors import StoreError
from experiments.project.workspace import Workspace
from experiments.results.context import Launched
from experiments.runs.store import ReplayFile
from experiments.types import JobRef
from tests.fakes.cases import CASES
from tests.fakes.fleet import fleet_snapshot, publish
from tests.widgets.replays import packed, small
from widgets.gallery import ReplayGallery

APPS = sorted(path.stem for path in Path("apps").glob("*.py") if "marimo.App(" in path.read_text())
HOSTILE = (
    "../../etc/passwd",
    "<script>alert(1)</script>",
    "' OR 1=1 --",
    "{{7*7}}",
    "\x00",
    "x" * 10_000,
    "%s%n",
    "💥",
)


@pytest.fixture
def workspace(tmp_path, monkeypatch):
    (tmp_path / "pyproject.toml").write_text("[tool.experiments]\n")
    monkeypatch.chdir(tmp_path)
    return Workspace.find(tmp_path)


def run_app(name):
    """Return what an app's cells define, run as a script."""
    path = Path(details.__file__).parents[1] / f"{name}.py"
    spec = importlib.util.spec_from_file_location(f"app_{name}", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module.app.run()


def test_the_four_apps_are_there():
    assert APPS == ["compare", "fleet", "logbook", "replays"]


@pytest.mark.parametrize("name", APPS)
def test_an_app_of_an_empty_project_says_what_to_do(workspace, name):
    outputs, _ = run_app(name)
    said = " ".join(str(getattr(output, "text", output)) for output in outputs)
    assert re.search("Launch|Export|Choose an experiment", said), said[:500]


@pytest.mark.parametrize("name", APPS)
def test_an_app_of_a_fleet_whose_sources_are_gone_still_runs(workspace, name):
    publish(workspace.state / "live", fleet_snapshot(3, 4))
    assert run_app(name)[1]


@pytest.mark.parametrize("name", APPS)
def test_an_app_over_a_damaged_ledger_still_runs(workspace, name):
    (workspace.state / "ledger.sqlite").write_bytes(b"this is no database" * 100)
    (workspace.state / "live" / "status.json").write_text("{")
    assert run_app(name)[1]


@pytest.mark.slow
@pytest.mark.parametrize("name", APPS)
def test_marimo_finds_nothing_to_complain_about(name):
    command = [sys.executable, "-m", "marimo", "check", "--strict", f"apps/{name}.py"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout


def test_compare_shows_the_parts_of_a_study_over_the_runs_that_are_chosen_and_offers_no_launch(workspace):
    publish(workspace.state / "live", fleet_snapshot(2, 4))
    outputs, values = run_app("compare")
    parts = [type(output).__name__ for output in outputs if isinstance(output, Section)]
    assert parts == ["Curves", "Scores", "Replay", "Runs", "Details"]
    assert {job.run.split(".")[1] for job in values["study"].jobs} == {"study-00"}
    assert values["study"].plan is None


@pytest.mark.parametrize("text", HOSTILE)
def test_a_hostile_address_chooses_nothing(workspace, text):
    publish(workspace.state / "live", fleet_snapshot(2, 4))
    known = known_arms(workspace)
    assert several(text, list(known)) == []
    assert set(arm_picker(known, "", text).value) <= set(known)
    assert compared(workspace, known, [text]).jobs == []
    assert gallery([], workspace, text).chosen == []
    assert details.view_picker(text, on_change=print).value == "Curves"
    for view in ("Search", "Log", "Config", "Provenance"):
        shown = details.view_of(view, workspace, {"experiment": text, "run": text}, 10)
        assert "<script>alert" not in str(getattr(shown, "text", shown))
    assert "<script>alert" not in details.heading_of(workspace, {"experiment": text, "run": text}).text


def test_arms_are_found_by_words_of_experiment_arm_and_run(workspace):
    publish(workspace.state / "live", fleet_snapshot(3, 4))
    known = known_arms(workspace)
    assert len(known) == 6
    assert matching(known, "study-01 ARM-1") == ["study-01/arm-1"]
    assert matching(known, "") == list(known)
    assert matching(known, "nowhere") == []


def test_arms_of_two_experiments_keep_their_experiments_name(workspace):
    known = {"one/base": [JobRef(run="a", arm="base")], "two/base": [JobRef(run="b", arm="base")]}
    assert [job.arm for job in compared(workspace, known, ["one/base"]).jobs] == ["base"]
    both = compared(workspace, known, list(known))
    assert ([job.arm for job in both.jobs], both.experiment.name) == (["one/base", "two/base"], "comparison")


def test_a_page_compares_whole_arms_and_names_those_that_are_too_many(workspace):
    known = {
        f"big/arm-{arm}": [JobRef(run=f"r{arm}.{number}", arm=f"arm-{arm}") for number in range(900)]
        for arm in range(4)
    }
    jobs = compared(workspace, known, list(known)).jobs
    assert [job.arm for job in jobs] == ["arm-0"] * 900 + ["arm-1"] * 900
    said = compared_note(known, jobs, workspace, list(known)).text
    assert "Not shown: 2 arms with 1,800 runs, from big/arm-2 on, since a page shows 2,000 runs" in said
    assert "Not shown" not in compared_note(known, jobs, workspace, list(known)[:2]).text
    alone = {"big/base": [JobRef(run=f"r{number}", arm="base") for number in range(3_000)]}
    assert len(compared(workspace, alone, ["big/base"]).jobs) == 3_000


class Replays:
    """A store with replays."""

    def __init__(self, found):
        self.found = found

    def replays(self, run, metrics=None):
        if run not in self.found:
            raise StoreError("the server is down")
        return [ReplayFile(step, f"/nowhere/{run}/{step}.json.z", None, "") for step in self.found[run]]


def test_replays_come_newest_run_first_one_a_step_and_a_store_that_is_down_is_named(workspace):
    publish(workspace.state / "live", fleet_snapshot(1, 2))
    names = [job.run for _, job in known_jobs(workspace, Launched())[1]]
    shown, problems = found_replays(workspace, store=Replays({names[0]: [5, 9, 9]}))
    assert [item.id for item in shown] == [f"{names[0]}@9", f"{names[0]}@5"]
    assert problems == [f"{names[1]}: the server is down"]


def test_a_card_says_of_its_step_what_it_counts():
    logged = ReplayFile(1_000, None, "https://x.org/a.json.z", "")
    of_file = ReplayFile(1_000, "step_1000.json.z", None, "")
    words = [Shown("r@1", "exp", "r", "base", 0, "base seed 0", file).item()["when"] for file in (logged, of_file)]
    assert words == ["W&B step 1,000", "1,000 agent steps"]


def test_the_gallery_has_an_end(workspace):
    publish(workspace.state / "live", fleet_snapshot(2, 2))
    names = [job.run for _, job in known_jobs(workspace, Launched())[1]]
    shown, _ = found_replays(workspace, store=Replays({name: range(500) for name in names}))
    assert len(shown) == MOST


@pytest.fixture
def replay_file(tmp_path):
    path = tmp_path / "step_1.json.z"
    path.write_bytes(packed(small()))
    return path


def test_a_picture_is_drawn_once_and_kept(workspace, replay_file):
    item = Shown("r@1", "exp", "r", "base", 0, "base seed 0", ReplayFile(1, str(replay_file), None, ""))
    cache = workspace.state / "cache" / "thumbnails"
    picture = picture_of(item, cache)
    assert picture["svg"].startswith("<svg")
    assert len(picture["svg"]) < 40_000
    assert "<script" not in picture["svg"]
    kept = next(cache.iterdir())
    stamp = kept.stat().st_mtime_ns
    assert picture_of(item, cache) == picture
    assert kept.stat().st_mtime_ns == stamp


def test_a_reward_that_is_not_finite_is_said_and_no_number(workspace):
    path = CASES / "replays" / "07-nan-reward.json.z"
    item = Shown("r@1", "exp", "r", "base", 0, "base seed 0", ReplayFile(1, str(path), None, ""))
    cache = workspace.state / "cache" / "thumbnails"
    for _ in ("drawn", "kept"):
        picture = picture_of(item, cache)
        assert (picture["reward"], picture["not_finite"]) == (None, True)
        json.dumps(picture, allow_nan=False)


def test_pictures_reach_the_page_as_they_are_drawn(workspace, replay_file):
    item = Shown("r@1", "exp", "r", "base", 0, "base seed 0", ReplayFile(1, str(replay_file), None, ""))
    widget = gallery([item], workspace)
    end = time.monotonic() + 20
    while not widget.pictures and time.monotonic() < end:
        time.sleep(0.02)
    assert widget.pictures["r@1"]["svg"].startswith("<svg")


@pytest.mark.parametrize("content", [b"", b"not a replay", b"\x78\x9c broken"])
def test_a_damaged_replay_is_a_card_that_says_so(workspace, tmp_path, content):
    path = tmp_path / "bad.json.z"
    path.write_bytes(content)
    item = Shown("r@1", "exp", "r", "base", 0, "base seed 0", ReplayFile(1, str(path), None, ""))
    assert "cannot be shown" in picture_of(item, workspace.state / "cache" / "thumbnails")["problem"]
    assert "cannot" in str(chosen_view([item], ["r@1"], workspace).text)


def test_a_page_chooses_at_most_two_replays_that_are_shown():
    widget = ReplayGallery(items=[{"id": name} for name in "abc"])
    widget.set_state({"items": [], "pictures": {"a": {}}, "chosen": ["a", "b"]})
    assert (len(widget.items), widget.pictures, widget.chosen) == (3, {}, ["a", "b"])
    for hostile in (["a", "b", "c"], ["x"], "a", [1], None):
        widget.set_state({"chosen": hostile})
    assert widget.chosen == ["a", "b"]


def test_a_folder_without_logs_is_an_empty_logbook(workspace):
    assert logs_of(workspace) == ([], [])
    assert "Export a notebook" in log_list([], "", []).text


def test_a_long_hypothesis_ends_in_dots_in_the_list():
    record = LogRecord(title="t", experiment="e", created="2026-11-22T14:05:00+00:00", hypothesis="seed " * 100)
    shown = log_list([Log("e.html", record, earlier=False)], "", []).text
    assert "seed seed…</p>" in shown


def test_an_html_file_that_is_no_log_takes_nothing_with_it(workspace):
    folder = workspace.root / "experiments" / "log"
    folder.mkdir(parents=True)
    (folder / "other.html").write_text("<p>not ours</p>")
    (folder / "torn.html").write_bytes(b"\xff\xfe<html")
    logs, others = logs_of(workspace)
    assert (logs, sorted(others)) == ([], ["other.html", "torn.html"])
