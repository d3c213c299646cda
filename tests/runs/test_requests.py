"""Requests to a server that fails in every way."""

from __future__ import annotations

import time

import pytest

from experiments.project.credentials import Credentials
from experiments.project.errors import StoreError
from experiments.runs.server.fetching import VIEWER
from experiments.runs.server.requests import QueryRefused, Server, ServerBusy
from tests.fakes.wandb_server import KEY


@pytest.fixture
def door(credentials, clock):
    return Server(credentials, deadline_s=20, ticks=clock, sleep=clock.sleep)


def viewer(door):
    return door.execute(VIEWER, {})["viewer"]["entity"]


@pytest.mark.parametrize("faults", [[500], [502, 503], [429]])
def test_passing_faults_are_tried_again(server, door, faults):
    server.faults.statuses = list(faults)
    assert viewer(door) == "me"
    assert door.requests == len(faults) + 1


def test_a_lasting_fault_ends_after_a_few_tries_and_then_rests(server, door, clock):
    server.faults.statuses = [500] * 100
    with pytest.raises(ServerBusy, match=r"did not answer \(status 500\) in 4 tries"):
        viewer(door)
    for _ in range(10):
        with pytest.raises(StoreError, match="status 500"):
            viewer(door)
    assert door.requests == 4
    server.faults.statuses = []
    clock.sleep(6)
    assert viewer(door) == "me"


def test_the_pause_grows_with_jitter(server, door, clock):
    server.faults.statuses = [500, 500, 500]
    started = clock()
    viewer(door)
    assert 0.5 * (0.5 + 1 + 2) <= clock() - started <= 0.5 + 1 + 2


def test_the_rate_limits_headers_are_obeyed(server, door, clock):
    server.faults.statuses = [429]
    server.faults.headers = {"Retry-After": "7"}
    started = clock()
    viewer(door)
    assert clock() - started >= 7


def test_a_limit_beyond_the_deadline_sends_nothing_more(server, door, clock):
    server.faults.statuses = [429]
    server.faults.headers = {"RateLimit-Remaining": "0", "RateLimit-Reset": "100"}
    with pytest.raises(ServerBusy):
        viewer(door)
    clock.sleep(50)
    with pytest.raises(ServerBusy, match="the next is allowed in 50 s"):
        viewer(door)
    assert door.requests == 1
    clock.sleep(51)
    assert viewer(door) == "me"


@pytest.mark.parametrize(("fault", "reason"), [("half", "bytes came"), ("nonsense", "not JSON")])
def test_half_an_answer_and_nonsense_are_no_answer(server, door, fault, reason):
    setattr(server.faults, fault, True)
    with pytest.raises(ServerBusy, match=reason):
        viewer(door)


def test_a_dripping_answer_ends_at_the_deadline(server, credentials):
    server.faults.drip = True
    door = Server(credentials, deadline_s=0.5)
    started = time.monotonic()
    with pytest.raises(ServerBusy, match="too slowly"):
        viewer(door)
    assert time.monotonic() - started < 3


def test_a_server_that_hangs_ends_at_the_deadline(server, credentials):
    server.faults.delay_s = 2.0
    started = time.monotonic()
    with pytest.raises(ServerBusy, match="timed out"):
        viewer(Server(credentials, deadline_s=0.4))
    assert time.monotonic() - started < 1.8


def test_a_server_that_is_down_is_named(clock):
    door = Server(Credentials("http://127.0.0.1:1", KEY), ticks=clock, sleep=clock.sleep)
    with pytest.raises(ServerBusy, match=r"127\.0\.0\.1:1 did not answer"):
        viewer(door)


def test_an_expired_key_is_not_tried_again_and_never_shown(server, door):
    server.faults.expired = True
    with pytest.raises(StoreError, match=r"refuses the W&B key from the test.*wandb login --relogin") as caught:
        viewer(door)
    assert door.requests == 1
    assert KEY not in str(caught.value) + repr(caught.value.__context__)


def test_a_refused_query_says_what_the_server_says_without_the_key(server, door):
    server.faults.refuse = f"Cannot query field for {KEY}"
    with pytest.raises(QueryRefused, match=r"Cannot query field for \*\*\*"):
        viewer(door)


def test_without_a_key_nothing_is_sent(server, clock):
    with pytest.raises(StoreError, match=r"no W&B key.*wandb login"):
        viewer(Server(Credentials(server.base_url)))
    assert not server.requests


def test_the_key_does_not_follow_a_redirect_or_go_to_another_host(server, door):
    server.faults.statuses = [302]
    server.faults.headers = {"Location": "http://127.0.0.1:9/elsewhere"}
    with pytest.raises(StoreError, match="moved"):
        viewer(door)
    with pytest.raises(StoreError, match="not http or https"):
        door.download("file:///etc/passwd")
