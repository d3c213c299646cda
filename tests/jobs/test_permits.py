from __future__ import annotations

import importlib
import subprocess
import sys
import threading
from types import SimpleNamespace

import pytest

from experiments.jobs import permits
from experiments.jobs.permits import (
    Permit,
    ServerLeave,
    allow_launch,
    command_permit,
    implicit_permit,
    is_edited,
    may_go_on,
    notebook_permit,
    ongoing_permit,
    page_mode,
    person_permit,
    require,
    server_leave,
)
from experiments.jobs.tokens import new_token
from experiments.project.errors import LaunchRefused


@pytest.fixture
def unlatched(monkeypatch):
    monkeypatch.setattr(permits, "_latched", False)


def in_thread(work):
    answers = []

    def run():
        try:
            answers.append(work())
        except LaunchRefused as error:
            answers.append(error)

    thread = threading.Thread(target=run, name="helper")
    thread.start()
    thread.join()
    return answers[0]


def test_a_permit_cannot_be_made_by_hand():
    with pytest.raises(LaunchRefused, match="made by hand"):
        Permit("me")
    with pytest.raises(LaunchRefused, match="made by hand"):
        Permit("me", seal=object())


@pytest.mark.parametrize("thing", [None, True, "permit", object()])
def test_what_is_no_permit_is_refused_with_the_ways_to_launch(thing):
    with pytest.raises(LaunchRefused, match=r"launch 5 jobs.*command line.*marimo edit.*allow_launch"):
        require(thing, "launch 5 jobs")


def test_a_script_launches_on_its_main_thread_only():
    assert implicit_permit().how == "called directly"
    assert "thread 'helper'" in str(in_thread(implicit_permit))
    assert "thread 'helper'" in str(in_thread(lambda: command_permit("recipe.py")))
    assert "thread 'helper'" in str(in_thread(lambda: allow_launch().__enter__()))


@pytest.fixture
def wanted(monkeypatch, tmp_path):
    """Let the user's own file say that commands and scripts launch with a permit only."""
    (tmp_path / "experiments").mkdir()
    (tmp_path / "experiments" / "settings.toml").write_text('launch = "permit"\n')
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))


@pytest.mark.parametrize(
    "ask", [implicit_permit, lambda: command_permit("arena.py"), lambda: allow_launch().__enter__()]
)
def test_where_the_user_wants_permits_neither_command_nor_script_launches_without_one(wanted, monkeypatch, ask):
    monkeypatch.setenv("EXPERIMENTS_LAUNCH", "free")
    with pytest.raises(LaunchRefused, match=r"launch = \"permit\".*uv run experiments permit"):
        ask()


def test_what_goes_on_by_itself_needs_none_for_its_leave_was_given_when_it_was_opened(wanted):
    assert ongoing_permit("experiments step").token is None


def test_a_token_is_used_wherever_it_is_and_named_in_what_is_recorded(wanted, monkeypatch):
    token = new_token("night")
    with allow_launch(token) as permit:
        assert implicit_permit() is permit
    monkeypatch.setenv("EXPERIMENTS_PERMIT_TOKEN", token)
    for given in (implicit_permit(), command_permit("arena.py")):
        assert (given.granted, given.token) == ("night", token)
    assert command_permit("arena.py").how == "permit night: command: arena.py"
    assert token not in repr(command_permit("arena.py"))


def test_a_token_launches_in_an_open_editor_and_on_no_other_page(page):
    page("edit")
    with allow_launch(new_token("night")):
        assert implicit_permit().granted == "night"
    page("run")
    with pytest.raises(LaunchRefused, match="mode 'run'"):
        allow_launch(new_token("night")).__enter__()


def test_who_acts_with_a_permit_grants_none(monkeypatch):
    monkeypatch.setenv("EXPERIMENTS_PERMIT_TOKEN", new_token("night"))
    with pytest.raises(LaunchRefused, match="'night', which grants nothing"):
        person_permit("experiments permit")


def test_a_typed_command_is_recorded_in_its_permit():
    assert command_permit("arena.py --seeds 5").how == "command: arena.py --seeds 5"


def test_leave_to_launch_ends_with_its_block_and_does_not_reach_threads():
    with allow_launch() as permit:
        assert implicit_permit() is permit
        assert isinstance(in_thread(implicit_permit), LaunchRefused)
        assert require(permit, "launch") is permit
    assert implicit_permit() is not permit


@pytest.fixture
def page(monkeypatch):
    """Return a function that sets what marimo says of the page, the contexts from the outermost app inwards."""
    contexts = importlib.import_module("marimo._runtime.context")
    marimo = importlib.import_module("marimo")

    def opened(*modes, request=True):
        monkeypatch.setattr(permits, "_edited", False)
        context = None
        for mode in modes:
            context = SimpleNamespace(parent=context, session_mode=SimpleNamespace(value=mode))
        meta = SimpleNamespace(mode=modes[-1] if modes else None, request={"url": "/"} if request else None)
        monkeypatch.setattr(contexts, "get_context", lambda: context)
        monkeypatch.setattr(marimo, "app_meta", lambda: meta)

    return opened


@pytest.mark.parametrize(
    ("modes", "request_", "refused"),
    [
        (["edit"], True, ""),
        (["edit", "edit"], True, ""),
        (["edit"], False, "being exported"),
        (["edit", "edit"], False, "being exported"),
        (["run"], True, "mode 'run'"),
        (["run", "edit"], True, "mode 'run'"),
        (["run", "edit", "edit"], True, "mode 'run'"),
        (["script"], False, "mode 'script'"),
        (["test"], True, "mode None"),
        ([], True, "mode None"),
    ],
    ids=str,
)
def test_a_notebook_launches_only_at_a_click_on_a_page_that_a_person_edits(page, modes, request_, refused, monkeypatch):
    page(*modes, request=request_)
    monkeypatch.setattr(permits, "clicked", lambda: bool(request_))
    # What a person launched to go on by itself is carried on from there, once the page has asked, in all its threads.
    assert may_go_on() is (refused == "mode None" or not modes)
    assert not in_thread(may_go_on)
    if not refused:
        assert notebook_permit().how == "notebook in marimo edit"
        assert may_go_on()
        assert in_thread(may_go_on)
        assert "thread 'helper'" in str(in_thread(notebook_permit))
    else:
        with pytest.raises(LaunchRefused, match=rf"{refused}.*marimo edit"):
            notebook_permit()
        assert not in_thread(may_go_on)


def test_a_cell_that_runs_on_a_page_that_a_person_edits_has_no_leave(page):
    page("edit")
    assert is_edited()
    with pytest.raises(LaunchRefused, match=r"nobody clicked.*experiments permit"):
        notebook_permit()


def test_code_in_an_embedded_notebook_is_on_the_page_that_embeds_it(page):
    page("run", "edit")
    assert page_mode() == "run"
    for act in (implicit_permit, lambda: command_permit("x"), lambda: allow_launch().__enter__()):
        with pytest.raises(LaunchRefused, match="mode 'run'"):
            act()


def test_the_latch_refuses_every_way_and_is_not_taken_back(monkeypatch, unlatched, page):
    with allow_launch() as permit:
        page("edit")
        monkeypatch.setenv("EXPERIMENTS_READ_ONLY", "1")
        assert permits.read_only()
        assert not may_go_on()
        monkeypatch.delenv("EXPERIMENTS_READ_ONLY")
        for act in (
            implicit_permit,
            lambda: command_permit("x"),
            notebook_permit,
            lambda: require(permit, "launch"),
            lambda: allow_launch().__enter__(),
        ):
            with pytest.raises(LaunchRefused, match="read-only"):
                act()


@pytest.mark.parametrize(("value", "latched"), [("1", True), ("yes", True), ("0", False), ("", False)])
def test_the_latch_is_read_from_the_environment(value, latched):
    code = "from experiments.jobs.permits import read_only; import os; os.environ.clear(); print(read_only())"
    environment = {"EXPERIMENTS_READ_ONLY": value}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == str(latched)


def test_a_server_acts_in_its_threads_with_the_token_that_its_process_was_given(monkeypatch):
    monkeypatch.setenv("EXPERIMENTS_PERMIT_TOKEN", token := new_token("night"))
    leave = server_leave()
    monkeypatch.delenv("EXPERIMENTS_PERMIT_TOKEN")

    def work():
        with leave.acting():
            return command_permit("experiments retry x"), implicit_permit(), in_thread(lambda: command_permit("x"))

    typed, direct, further = in_thread(work)
    assert (typed.token, direct.token, leave.granted) == (token, token, "night")
    assert typed.how == "permit night: mcp, command: experiments retry x"
    assert isinstance(further, LaunchRefused)  # what it starts has no leave by itself
    assert isinstance(in_thread(lambda: command_permit("x")), LaunchRefused)
    assert isinstance(in_thread(lambda: _acting(leave, lambda: person_permit("grant"))), LaunchRefused)


def test_a_server_without_a_token_has_no_leave_at_all_not_even_on_its_main_thread():
    leave = server_leave()
    for ask in (lambda: command_permit("x"), implicit_permit):
        assert "given no permit" in str(in_thread(lambda ask=ask: _acting(leave, ask)))
        with pytest.raises(LaunchRefused, match="given no permit"):
            _acting(leave, ask)
    assert command_permit("x").token is None  # that of a person, as before


def test_the_leave_of_a_server_is_asked_for_on_the_main_thread_outside_of_pages_and_never_made_by_hand(page):
    with pytest.raises(LaunchRefused, match="made by hand"):
        ServerLeave(new_token("night"))
    assert "thread 'helper'" in str(in_thread(server_leave))
    for mode in ("edit", "run", "script"):
        page(mode)
        with pytest.raises(LaunchRefused, match=f"mode '{mode}'"):
            server_leave()


def test_a_read_only_server_has_no_token(monkeypatch, unlatched):
    monkeypatch.setenv("EXPERIMENTS_PERMIT_TOKEN", new_token("night"))
    monkeypatch.setenv("EXPERIMENTS_READ_ONLY", "1")
    assert server_leave().granted is None


def _acting(leave, work):
    with leave.acting():
        return work()
