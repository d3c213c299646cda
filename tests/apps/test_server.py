"""The server as a process: what it may know, whom it lets in, how it ends."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import os
import secrets
import signal
import socket
import subprocess
import sys
import urllib.parse
from pathlib import Path

import psutil
import pytest

from apps.serving.environment import clean_environment
from apps.serving.server import Options, check
from experiments.jobs.ledger import open_ledger
from experiments.project.errors import UsageError
from experiments.project.workspace import Workspace
from tests.fakes.served import project_at, served

SECRETS = {
    "WANDB_API_KEY": "wandb-secret",
    "AWS_SECRET_ACCESS_KEY": "aws-secret",
    "SKYPILOT_API_SERVER_ENDPOINT": "http://user:sky-secret@host",
    "KUBECONFIG": "/kube-secret",
    "GITHUB_TOKEN": "git-secret",
    "EXPERIMENTS_ALERT_COMMAND": "notify alert-secret",
}


@pytest.fixture
def project(tmp_path):
    return project_at(tmp_path)


def get(server, path, **headers):
    """Return status, headers and body of one request."""
    parts = urllib.parse.urlsplit(server.url)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=20)
    connection.request("GET", path, headers={name.replace("_", "-"): value for name, value in headers.items()})
    answer = connection.getresponse()
    found = answer.status, dict(answer.getheaders()), answer.read()
    connection.close()
    return found


def log_in(server):
    return get(server, f"/?token={server.token}")[1]["set-cookie"].split(";")[0]


async def hear(server, cookie, path, wanted, *, origin=None):
    """Open a page's socket and wait until it says `wanted`."""
    from websockets.asyncio.client import connect

    headers = {"Cookie": cookie, "Origin": origin or server.url}
    address = server.url.replace("http", "ws") + path + f"ws?session_id=s_{secrets.token_hex(3)}"
    async with asyncio.timeout(30), connect(address, additional_headers=headers, max_size=None) as socket:
        while wanted not in str(await socket.recv()):
            pass
        return True


def test_a_notebook_runs_for_who_has_the_token_and_the_process_has_no_secret(project):
    with served(project, **SECRETS) as server:
        cookie = log_in(server)
        assert get(server, "/notebooks/experiments/scratch/hello_nb/")[0] == 401
        assert get(server, "/notebooks/experiments/scratch/hello_nb/", Cookie=cookie)[0] == 200
        assert asyncio.run(hear(server, cookie, "/notebooks/experiments/scratch/hello_nb/", "hello from the notebook"))
        with pytest.raises(Exception, match="403"):
            asyncio.run(hear(server, cookie, "/apps/fleet/", "x", origin="http://evil.example"))
        environ = Path(f"/proc/{server.process.pid}/environ").read_text()
        assert "secret" not in environ.replace("token_secret", "")
        assert "EXPERIMENTS_READ_ONLY=1" in environ
        assert get(server, "/health", Cookie=cookie)[0] == 200
        assert server.token not in server.log.read_text()
        assert server.stop() < 5
        assert server.process.returncode == 0
        assert "Traceback" not in server.log.read_text()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_server_within_five_seconds_while_pages_are_open(project, number):
    async def watch(server, cookie):
        from websockets.asyncio.client import connect

        address = server.url.replace("http", "ws") + "/notebooks/experiments/scratch/hello_nb/ws?session_id=s_abcdef"
        async with connect(address, additional_headers={"Cookie": cookie, "Origin": server.url}) as socket:
            await socket.recv()
            return await asyncio.to_thread(server.stop, number)

    with served(project) as server:
        assert asyncio.run(watch(server, log_in(server))) < 5
        assert server.process.returncode == 0


def test_strangers_in_any_number_leave_files_for_who_has_the_token(project):
    host, few_files, path = "127.0.0.1", 160, "/notebooks/experiments/scratch/hello_nb/"
    with served(project, files=few_files) as server, contextlib.ExitStack() as strangers:
        port = int(server.url.rsplit(":", 1)[1])
        for _ in range(4 * few_files):
            strangers.enter_context(socket.create_connection((host, port), timeout=10))
        cookie = log_in(server)
        assert get(server, path, Cookie=cookie)[0] == 200
        assert asyncio.run(hear(server, cookie, path, "hello from the notebook"))
        assert "system resource" not in server.log.read_text()
        assert psutil.Process(server.process.pid).num_fds() < few_files


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (Options(host="0.0.0.0", no_token=True), "let everybody who can reach"),
        (Options(host="192.168.0.1", no_token=True), "let everybody who can reach"),
        (Options(no_token=True, trusted_proxy="10.0.0.1"), "whom the proxy does"),
        (Options(port=70_000), "is not a port"),
        (Options(max_viewers=0), "lets nobody in"),
        (Options(notebooks=(Path("/nowhere"),)), "does not exist"),
    ],
)
def test_an_option_that_would_open_the_server_or_cannot_work_is_refused(options, words):
    with pytest.raises(UsageError, match=words):
        check(options)


def test_a_port_in_use_is_said_with_the_next_command(project):
    with served(project) as server:
        port = server.url.rsplit(":", 1)[1]
        command = [sys.executable, "-P", "-m", "apps.serving.server", "--port", port]
        done = subprocess.run(command, cwd=project, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    assert "experiments serve --port 0" in done.stderr


@pytest.mark.parametrize("host", ["256.1.1.1", "x" * 300, "\xe9..x", "a b", ""])
def test_a_host_that_is_no_address_is_said_with_the_next_command(project, host):
    done = subprocess.run(
        [sys.executable, "-m", "experiments.cli", "serve", "--host", host, "--port", "0"],
        cwd=project,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1), done.stderr
    assert "experiments serve" in done.stderr


def test_of_the_users_environment_only_harmless_names_are_kept(tmp_path):
    kept = clean_environment(
        {**SECRETS, "PATH": "/bin", "LC_ALL": "C", "HOME": "/root", "NEW_SERVICE_KEY": "k"}, tmp_path
    )
    assert not SECRETS.keys() - {"KUBECONFIG"} & kept.keys()
    assert "NEW_SERVICE_KEY" not in kept
    assert (kept["PATH"], kept["LC_ALL"], kept["HOME"]) == ("/bin", "C", str(tmp_path))
    assert kept["EXPERIMENTS_READ_ONLY"] == "1"


def test_a_read_only_process_opens_every_ledger_to_read(project):
    import subprocess
    import sys

    code = "from experiments.jobs.ledger import open_ledger; from experiments.project.workspace import Workspace; "
    code += "print(open_ledger(Workspace.find('.')).read_only)"
    with open_ledger(Workspace.find(project)):
        pass
    environment = {**os.environ, "EXPERIMENTS_READ_ONLY": "1"}
    done = subprocess.run([sys.executable, "-c", code], cwd=project, env=environment, capture_output=True, text=True)
    assert done.stdout.strip() == "True"
