"""The child that talks to SkyPilot: the real bridge on a fake SkyPilot, killed and delayed in every way."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from experiments.jobs.launchers.sky.client import SCRIPT, BridgeClient, SkyError, bridge_command, client_for
from experiments.project.settings import Settings
from tests.fakes.skypilot import RUNNER, SETTINGS
from tests.fakes.waiting import wait_until

PYTHON = SETTINGS["sky_python"]
TASK = {"name": "a.b.c.s0.x", "run": "true", "envs": {}, "resources": {}}


@pytest.fixture
def client(sky):
    made = BridgeClient((*PYTHON, str(SCRIPT)), start_deadline_s=30)
    yield made
    made.close()


def is_gone(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in "ZX"
    except FileNotFoundError:
        return True


def test_what_skypilot_prints_never_becomes_an_answer(client):
    answer = client.call("health", deadline_s=10)
    assert answer.result["user"] == "user-1"
    assert 0 <= answer.sky_s < 1


def test_the_login_of_the_endpoint_is_in_no_answer(client):
    assert client.call("health", deadline_s=10).result["endpoint"] == "http://fake:1"


def test_one_child_serves_all_calls_and_calls_do_not_wait_for_each_other(client, sky):
    sky.fault(slow_s={"get": 1.5})
    answers = []
    slow = threading.Thread(target=lambda: answers.append(client.call("poll", ids=[1], deadline_s=10)))
    slow.start()
    wait_until(lambda: sky.calls()["get"])
    began = time.monotonic()
    client.call("health", deadline_s=10)
    assert time.monotonic() - began < 1.0
    pid = client.pid
    slow.join()
    assert (client.pid, answers[0].result) == (pid, [])


def test_a_child_killed_in_mid_call_is_an_error_and_the_next_call_starts_another(client, sky):
    sky.fault(die="in-get")
    with pytest.raises(SkyError, match="exit code -9") as died:
        client.call("poll", ids=[1], deadline_s=10)
    assert died.value.kind == "died"
    assert client.call("poll", ids=[1], deadline_s=10).result == []


def test_a_call_beyond_its_deadline_is_given_up_and_its_child_gets_no_new_work(client, sky):
    client.call("health", deadline_s=10)
    late = client.pid
    sky.fault(slow_s={"queue_v2": 30})
    with pytest.raises(SkyError, match=r"no answer to 'poll' within 0\.2 s") as slow:
        client.call("poll", ids=[1], deadline_s=0.2)
    assert slow.value.kind == "slow"
    sky.heal()
    assert client.call("poll", ids=[1], deadline_s=10).result == []
    wait_until(lambda: is_gone(late))
    assert client.pid != late


def test_the_child_ends_with_its_parent_and_sends_nothing_after_it(sky, tmp_path):
    sky.fault(slow_s={"api_info": 1.0})
    code = (
        "import sys, threading, time\n"
        "from experiments.jobs.launchers.sky.client import BridgeClient\n"
        f"client = BridgeClient({(*PYTHON, str(SCRIPT))!r})\n"
        f"call = lambda: client.call('submit', task={TASK!r}, deadline_s=30)\n"
        "threading.Thread(target=call, daemon=True).start()\n"
        "while client.pid is None: time.sleep(0.01)\n"
        "print(client.pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    wait_until(lambda: sky.calls()["api_info"])
    os.kill(parent.pid, signal.SIGKILL)
    parent.wait()
    parent.stdout.close()
    wait_until(lambda: is_gone(pid))
    assert sky.jobs() == []


@pytest.mark.parametrize(
    ("fault", "kind", "told"),
    [
        (
            {"down": True},
            "down",
            r"does not answer.*Start it: .*sky api start \(for a shared one: .*sky api login -e URL\)",
        ),
        ({"login": True}, "login", r"wants a login.*sky api login"),
        ({"status": "version_mismatch"}, "version", r"another version.*sky api info"),
    ],
)
def test_a_server_that_cannot_be_used_is_told_with_the_command_that_mends_it(client, sky, fault, kind, told):
    sky.fault(**fault)
    with pytest.raises(SkyError, match=told) as error:
        client.call("submit", task=TASK, deadline_s=10)
    assert error.value.kind == kind
    assert sky.jobs() == []


def test_an_interpreter_without_skypilot_is_told_with_the_one_command(tmp_path):
    client = BridgeClient((sys.executable, "-S", "-E", str(SCRIPT)))
    with pytest.raises(SkyError, match=r"Install it: .*-S -E -m pip install 'skypilot==0\.14\.\*'") as error:
        client.call("health", deadline_s=5)
    assert error.value.kind == "missing-sky"


def test_a_bridge_that_ends_at_once_is_told_with_its_last_words(tmp_path):
    client = BridgeClient((sys.executable, "-c", "import sys; sys.exit('no space left')"))
    with pytest.raises(SkyError, match=r"ended with exit code 1: no space left"):
        client.call("health", deadline_s=5)


def test_without_uv_and_without_an_interpreter_the_command_is_to_install_uv(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SkyError, match=r"pip install uv$"):
        bridge_command(Settings())
    with pytest.raises(SkyError, match=r"sky_python '/nowhere/python' is no program.*EXPERIMENTS_SKY_PYTHON"):
        bridge_command(Settings(sky_python=("/nowhere/python",)))


def test_a_process_has_one_client_for_one_command(sky):
    settings = Settings(sky_python=PYTHON)
    assert client_for(settings) is client_for(settings)
    assert client_for(settings).command == (sys.executable, str(RUNNER), str(SCRIPT))


def test_the_environment_of_the_project_and_wandbs_key_do_not_reach_skypilot(client, monkeypatch):
    monkeypatch.setenv("WANDB_API_KEY", "k" * 40)
    monkeypatch.setenv("PYTHONPATH", "/evil")
    client.call("health", deadline_s=10)
    environment = Path(f"/proc/{client.pid}/environ").read_bytes().decode().split("\0")
    assert not [entry for entry in environment if entry.startswith(("WANDB_", "PYTHONPATH", "EXPERIMENTS_"))]
    assert "SKYPILOT_DISABLE_LOCAL_API_SERVER=1" in environment
    assert Path(f"/proc/{client.pid}/cwd").resolve() == Path.home().resolve()


def test_the_requests_of_other_clients_stay_in_the_bridge(client, sky):
    client.call("submit", task={**TASK, "secrets": {"WANDB_API_KEY": "k" * 40}}, deadline_s=10)
    answer = client.call("requests", name=TASK["name"], deadline_s=10)
    assert answer.result == [{"request": "request-1", "status": "SUCCEEDED"}]
    assert "k" * 40 not in json.dumps(answer.result)


def test_a_node_is_told_of_the_commit_as_skypilots_own_command_line_would(client, sky):
    task = {**TASK, "workdir": {"url": "https://git.example/p.git", "ref": "c" * 40}}
    client.call("submit", task=task, deadline_s=10)
    assert sky.jobs()[0]["envs"] == {"GIT_COMMIT_HASH": "c" * 40}
    sky.fault(no_repository=True)
    with pytest.raises(SkyError, match="Failed to access repository") as error:
        client.call("submit", task=task, deadline_s=10)
    assert (error.value.kind, len(sky.jobs())) == ("invalid", 1)


def test_a_closed_client_leaves_no_pipe_and_no_thread(client):
    client.call("health", deadline_s=10)
    child = client._child
    client.close()
    pipes = (child.process.stdin, child.process.stdout, child.process.stderr)
    assert all(pipe.closed for pipe in pipes)
    assert not any(reader.is_alive() for reader in child.readers)
