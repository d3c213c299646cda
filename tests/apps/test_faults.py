"""What breaks while the server runs: it says so, keeps the rest, and goes on."""

from __future__ import annotations

import asyncio
import json
import shutil
import socket
import sqlite3
import time

import pytest

from apps.parts.feed import FleetFeed, _Link, fleet_table
from experiments.jobs.ledger import open_ledger
from experiments.jobs.watch.monitor import Monitor
from experiments.jobs.watch.snapshots import read_status
from experiments.monitoring import sources_of
from experiments.project.workspace import Workspace
from tests.apps.test_server import get, hear, log_in
from tests.fakes.fleet import fleet_snapshot, publish
from tests.fakes.served import project_at, served
from tests.fakes.waiting import wait_until


@pytest.fixture
def workspace(tmp_path):
    return Workspace.find(project_at(tmp_path))


def sent_whole(link, size):
    for _ in range(size // 65_536):
        link.sendall(b"x" * 65_536)


@pytest.mark.slow
def test_a_ledger_locked_or_deleted_while_serving_leaves_the_pages_up(workspace):
    with open_ledger(workspace):
        pass
    with served(workspace.root) as server:
        cookie = log_in(server)
        assert asyncio.run(hear(server, cookie, "/apps/fleet/", "Fleet"))
        lock = sqlite3.connect(workspace.state / "ledger.sqlite")
        lock.execute("BEGIN EXCLUSIVE")
        assert asyncio.run(hear(server, cookie, "/apps/fleet/", "Fleet"))
        lock.rollback()
        lock.close()
        for path in workspace.state.glob("ledger.sqlite*"):
            path.unlink()
        assert asyncio.run(hear(server, cookie, "/apps/compare/", "Launch a recipe"))
        shutil.rmtree(workspace.state / "live", ignore_errors=True)  # the server writes into it meanwhile
        assert asyncio.run(hear(server, cookie, "/apps/fleet/", "Fleet"))
        assert get(server, "/health", Cookie=cookie)[0] == 200


@pytest.mark.slow
def test_the_reader_polls_only_while_somebody_looks_and_ends_with_the_server(workspace):
    import psutil

    with open_ledger(workspace):
        pass
    with served(workspace.root) as server:
        reader = next(
            child for child in psutil.Process(server.process.pid).children() if "apps.serving.reader" in child.cmdline()
        )
        status = workspace.state / "live" / "status.json"
        time.sleep(2)
        assert not status.exists()
        assert asyncio.run(hear(server, log_in(server), "/apps/fleet/", "Fleet"))
        wait_until(lambda: read_status(status.parent).monitor_pid == reader.pid)
        server.stop()
        wait_until(lambda: not psutil.pid_exists(reader.pid) or reader.status() == psutil.STATUS_ZOMBIE)


@pytest.mark.slow
def test_a_client_that_never_reads_holds_up_nobody(workspace):
    with served(workspace.root) as server:
        cookie = log_in(server)
        host, port = server.url.removeprefix("http://").split(":")
        silent = []
        for number in range(5):
            link = socket.create_connection((host, int(port)))
            link.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1_024)
            link.sendall(
                f"GET /apps/fleet/ws?session_id=s_quiet{number} HTTP/1.1\r\nHost: {host}:{port}\r\n"
                f"Upgrade: websocket\r\nConnection: Upgrade\r\nOrigin: {server.url}\r\nCookie: {cookie}\r\n"
                "Sec-WebSocket-Version: 13\r\n"
                "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n".encode()
            )
            silent.append(link)
        assert asyncio.run(hear(server, cookie, "/notebooks/experiments/scratch/hello_nb/", "hello from the notebook"))
        assert server.stop() < 5
        for link in silent:
            link.close()


@pytest.mark.slow
def test_a_body_or_a_header_without_end_is_cut_off(workspace):
    with served(workspace.root) as server:
        cookie = log_in(server)
        host, port = server.url.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port)), timeout=20) as link:
            head = f"POST /apps/fleet/api/kernel/set_ui_element_value HTTP/1.1\r\nHost: {host}:{port}\r\n"
            link.sendall((head + f"Origin: {server.url}\r\nCookie: {cookie}\r\n").encode())
            link.sendall(b"Content-Length: 90000000\r\n\r\n")
            with pytest.raises(OSError):  # noqa: PT011 - how the network says it differs
                sent_whole(link, 90_000_000)
        with socket.create_connection((host, int(port)), timeout=20) as link:
            link.sendall(b"GET / HTTP/1.1\r\nX-Long: " + b"a" * 200_000)
            assert b" 400 " in link.recv(4_096)
        assert get(server, "/healthz")[0] == 200


def test_a_monitor_that_only_follows_never_polls_and_says_who_it_is(workspace):
    asked = []
    monitor = Monitor(workspace.state, sources_of(workspace.state), follows_only=True)
    subscription = monitor.subscribe(asked.append)
    readers = workspace.state / "live" / "readers"
    wait_until(lambda: readers.is_dir() and len(list(readers.glob("*.json"))) == 1)
    assert not monitor.is_polling
    publish(workspace.state / "live", fleet_snapshot(1, 2))
    wait_until(lambda: asked and len(asked[-1].jobs) == 2)
    subscription.close()
    wait_until(lambda: not list(readers.glob("*.json")))


def test_a_status_file_that_is_torn_keeps_what_was_seen_and_says_so(workspace):
    seen = []
    monitor = Monitor(workspace.state, sources_of(workspace.state), follows_only=True)
    publish(workspace.state / "live", fleet_snapshot(1, 3))
    subscription = monitor.subscribe(seen.append)
    wait_until(lambda: seen and len(seen[-1].jobs) == 3)
    (workspace.state / "live" / "status.json").write_text('{"jobs": [')
    wait_until(lambda: seen[-1].damage)
    assert len(seen[-1].jobs) == 3
    assert "damaged" in FleetFeed().state(seen[-1]).snapshot.problems(time.time())[0]
    subscription.close()


def test_a_table_in_a_script_holds_one_poll(workspace):
    with open_ledger(workspace):
        pass
    table = fleet_table(workspace, experiment="<script>", run="../../x")
    assert (table.rows, table.sent_at, json.dumps(table.selected)) == ([], 0.0, '{"experiment": "", "run": ""}')


class Follower:
    """A Monitor that a test plays: it keeps who subscribed."""

    def __init__(self):
        self.alive, self.show = [], []

    def subscribe(self, callback, *, is_alive):
        self.alive.append(is_alive)
        self.show.append(callback)

    def latest(self):
        return fleet_snapshot(1, 2, now=1e9)


def linked():
    """Return a table, its feed, the Monitor that it follows, and the link between them."""
    from widgets.fleet import FleetTable

    feed, monitor = FleetFeed(), Follower()
    state = feed.state(fleet_snapshot(1, 2, now=1e9))
    table = FleetTable(rows=state.rows, version=state.version)
    link = _Link(table, feed, monitor, state.version)
    table.observe(link.look, names=["visible"])
    table.observe(link.send_whole, names=["wanted"])
    link.look()
    return table, feed, monitor


def test_a_hidden_page_is_nobody_who_watches():
    table, _, monitor = linked()
    assert [alive() for alive in monitor.alive] == [True]
    table.set_state({"visible": False})
    assert [alive() for alive in monitor.alive] == [False]
    table.set_state({"visible": True})
    assert [alive() for alive in monitor.alive] == [False, True]


def test_a_closed_page_is_nobody_who_watches():
    table, _, monitor = linked()
    table.close()
    assert [alive() for alive in monitor.alive] == [False]


def test_a_page_that_missed_a_change_gets_the_whole():
    table, feed, monitor = linked()
    feed.state(fleet_snapshot(1, 2, tick=1, now=1e9))
    monitor.show[0](fleet_snapshot(1, 2, tick=2, now=1e9))
    assert (table.version, table.patch) == (3, {})
    monitor.show[0](fleet_snapshot(1, 2, tick=3, now=1e9))
    assert (table.version, table.patch["at"]) == (3, 4)


def test_a_page_that_asks_for_the_whole_gets_it():
    table, _, _ = linked()
    table.set_state({"wanted": 7})
    assert table.version >= 1
    assert len(table.rows) == 2
