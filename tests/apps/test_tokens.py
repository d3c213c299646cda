from __future__ import annotations

import stat

import pytest

from apps.serving.tokens import Sessions, Tries, load_token, token_file
from experiments.project.errors import UsageError
from tests.fakes.job_sources import FakeClock


def test_the_token_is_kept_for_its_owner_alone_and_is_the_same_next_time(tmp_path):
    token = load_token(tmp_path)
    assert len(token) >= 43
    assert stat.S_IMODE(token_file(tmp_path).stat().st_mode) == 0o600
    assert stat.S_IMODE(token_file(tmp_path).parent.stat().st_mode) == 0o700
    assert load_token(tmp_path) == token
    assert load_token(tmp_path, renew=True) != token


def test_a_token_that_others_could_have_read_is_refused(tmp_path):
    load_token(tmp_path)
    token_file(tmp_path).chmod(0o644)
    with pytest.raises(UsageError, match="delete the file"):
        load_token(tmp_path)


def test_a_token_file_that_is_a_link_is_refused(tmp_path):
    (tmp_path / "theirs").write_text("x" * 43)
    token_file(tmp_path).parent.mkdir()
    token_file(tmp_path).symlink_to(tmp_path / "theirs")
    with pytest.raises(UsageError, match="cannot be used"):
        load_token(tmp_path)


def test_an_empty_token_file_is_refused(tmp_path):
    load_token(tmp_path)
    token_file(tmp_path).write_text("")
    with pytest.raises(UsageError):
        load_token(tmp_path)


def test_a_cookie_outlives_a_restart_and_ends_with_the_token():
    cookie = Sessions("a" * 43).new_cookie()
    assert Sessions("a" * 43).is_valid(cookie)
    assert not Sessions("b" * 43).is_valid(cookie)


def test_a_cookie_runs_out_and_cannot_be_prolonged():
    clock = FakeClock()
    sessions = Sessions("a" * 43, clock=clock)
    cookie = sessions.new_cookie()
    name, until, signature = cookie.split(".")
    assert sessions.is_valid(cookie)
    later = Sessions("b" * 43, clock=clock).new_cookie().split(".")[1]
    clock.pass_s(60)
    newer = sessions.new_cookie().split(".")[1]
    assert newer != later == until
    assert not sessions.is_valid(f"{name}.{newer}.{signature}")
    clock.pass_s(31 * 86_400)
    assert not sessions.is_valid(cookie)


@pytest.mark.parametrize("cookie", ["", ".", "..", "a.b.c", "9999999999.x." + "0" * 64, "\u0660.x.y", "é"])
def test_what_is_no_cookie_of_ours_is_refused(cookie):
    assert not Sessions("a" * 43).is_valid(cookie)


@pytest.mark.parametrize("text", ["", "a", "a" * 42, "a" * 44, "b" * 43, "é" * 43])
def test_only_the_very_token_is_the_token(text):
    sessions = Sessions("a" * 43)
    assert sessions.is_token("a" * 43)
    assert not sessions.is_token(text)


def test_a_client_may_try_again_after_a_while():
    clock = FakeClock()
    tries = Tries(clock=clock)
    for _ in range(10):
        tries.failed("a")
    assert 0 < tries.wait_s("a") <= 6
    assert tries.wait_s("b") == 0
    clock.pass_s(6)
    assert tries.wait_s("a") == 0


def test_many_clients_cost_no_memory():
    tries = Tries()
    for number in range(5_000):
        tries.failed(str(number))
    assert len(tries._left) <= 1_024
