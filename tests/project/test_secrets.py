"""No secret is written anywhere: all that a day of work leaves behind is searched for every secret that its user has.

`tests/project/test_planted.py` shows that the search finds what is there.
"""

from __future__ import annotations

import asyncio
import contextlib
import fnmatch
import json
import secrets
import shutil
import stat
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.fakes.leaky import LeakyProject, command_lines_seen
from tests.fakes.planted import SECRETS, Finding, Scan
from tests.fakes.served import served
from tests.fakes.skypilot import RUNNER
from tests.fakes.wandb_server import FakeWandb

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


@dataclass(frozen=True)
class Allowed:
    """A place where a secret may be.

    Attributes:
        where: Pattern of paths below everything, or what was searched beside files.
        secrets: Names of the secrets; empty for any.
        why: The reason.
    """

    where: str
    secrets: tuple[str, ...]
    why: str


PRINTED, FAILED = "logging in with ***", "Error: *** was refused"
TYPED = ("aws", "database", "hugging face")
TRAINERS = ("config field", "printed")
ALLOWED = (
    Allowed("home/.netrc", ("netrc",), "the user keeps it there"),
    Allowed("home/.config/wandb/settings", ("wandb settings",), "the user keeps it there"),
    Allowed("home/.config/experiments/settings.toml", ("settings file",), "the user keeps it there"),
    Allowed("study/.git/config", ("git remote",), "the user keeps it there"),
    Allowed("study/hub.py", ("github",), "the user wrote it there"),
    Allowed("study/keys.txt", ("printed",), "the user wrote it there"),
    Allowed("study/.experiments/runs/*/train.log", TRAINERS, "the trainer's own output, for its owner only"),
    Allowed("share/*/train.log", TRAINERS, "the trainer's own output on the node"),
    Allowed("sky/*", ("wandb variable",), "what SkyPilot was handed, on SkyPilot's side"),
    Allowed("study/.experiments/serve/token", ("server token",), "where the user reads it, for its owner only"),
    Allowed("programs started", ("settings file",), "the user's own alert program with the user's own arguments"),
    Allowed("command lines", ("settings file",), "the same, seen while it runs"),
    Allowed("command lines", ("typed field", "typed argument", *TYPED), "the user typed them there"),
)


@dataclass
class Day:
    """What was done and what the search found."""

    project: LeakyProject
    scan: Scan
    pages: dict[str, str] = field(default_factory=dict)
    uploaded: list[dict[str, object]] = field(default_factory=list)


@pytest.fixture(scope="module")
def day():
    """Everything done once, in a folder that is no temporary one: marimo treats those in their own way."""
    top = Path(tempfile.mkdtemp(prefix="experiments-secrets-", dir="/var/tmp"))
    day = Day(LeakyProject(top / "all"), Scan(SECRETS))
    try:
        with command_lines_seen(day.project.home) as seen:
            on_this_machine(day.project)
            on_wandb(day)
            on_a_cluster(day.project)
            token = on_a_server(day)
        day.scan = Scan({**SECRETS, "server token": token})
        day.scan.folder(day.project.top)
        day.scan.texts(day.project.commands_told(), "programs started")
        day.scan.texts(seen, "command lines")
        yield day
    finally:
        shutil.rmtree(top)


def on_this_machine(project: LeakyProject) -> None:
    project.recipe(EXPERIMENTS_IN_PLACE="false", code=1)
    refused = "a snapshot of the code would hold secrets: hub.py (the value of a secret of yours in it)"
    assert any(refused in told.read_text(errors="replace") for told in project.said.iterdir())
    project.recipe()
    good, bad = [str(job["run_name"]) for job in project.wait_for_end()]
    for words in (
        ["status"],
        ["logs", good],
        ["logs", bad],
        ["show", good],
        ["show", bad, "--json"],
        ["diff", good, bad],
    ):
        project.command(*words)
    project.command("note", good, f"began with {SECRETS['aws']} and {SECRETS['database']}")
    project.command("tag", SECRETS["hugging face"], good, code=2)
    project.command("retry", bad)
    project.command("cancel", bad, "--yes")
    project.wait_for_end()
    # What would have to be written down is refused, also where it would be the first notebook of its name.
    for words in ([], ["other"], ["other", "--dry-run", "--json"]):
        project.recipe(*words, "--additional-args", f"hub.token={SECRETS['typed argument']}", code=2)
    project.recipe("other", "--no-launch", "--additional-args", f"hub.token={SECRETS['typed argument']}", code=1)
    for words in (["other"], ["other", "--no-launch"]):
        project.recipe(*words, "--api-key", SECRETS["typed field"], code=1)
    project.recipe("other", "--description", f"with {SECRETS['aws']}", code=1)
    project.command("record", str(project.notebook))
    project.recipe("--no-launch", "--force")
    project.recipe("further", "--seeds", "2", "--follow", "--json", code=1)
    for words in (["doctor"], ["doctor", "--json"], ["runs"], ["new", "mine"]):
        project.command(*words)
    project.command("export", str(project.notebook), "--include-code")
    # What marimo's editor keeps beside a notebook.
    session = [sys.executable, "-m", "marimo", "export", "session", str(project.notebook), "--no-sandbox"]
    subprocess.run(session, cwd=project.root, env=project.environment(), check=True, capture_output=True)
    project.command("gc", "--yes")
    project.command("export", str(project.notebook))


def on_wandb(day: Day) -> None:
    with FakeWandb() as server:
        server.key = SECRETS["wandb variable"]
        there = {"WANDB_BASE_URL": server.base_url, "EXPERIMENTS_WANDB_MODE": "online", "WANDB_ENTITY": "me"}
        day.project.recipe("online", **there)
        day.project.wait_for_end()
        day.project.command("sync", **there)
        day.project.command("runs", **there)
        day.uploaded = [asdict(run) for run in server.runs.values()]
        day.project.keep("uploaded", json.dumps(day.uploaded, default=lambda data: data.decode("utf-8", "replace")))


def with_skypilot(project: LeakyProject) -> dict[str, str]:
    return {
        "FAKE_SKY_DIR": str(project.top / "sky"),
        "SKYPILOT_API_SERVER_ENDPOINT": f"http://ada:{SECRETS['sky server']}@fake:1",
        "EXPERIMENTS_SKY_PYTHON": f"{sys.executable} {RUNNER}",
        "EXPERIMENTS_SKY_ACCELERATOR": "H100",
    }


def on_a_cluster(project: LeakyProject) -> None:
    there = with_skypilot(project)
    there |= {"EXPERIMENTS_RUN_ROOT": str(project.top / "share"), "EXPERIMENTS_WANDB_MODE": "online"}
    (project.top / "sky").mkdir()
    words = ("cloud", "--launcher", "skypilot", "--skip-git-check")
    project.recipe(*words, "--dry-run", **there)
    project.recipe(*words, "--yes", "--wait", **there)
    run = next(path for path in (project.state / "runs").iterdir() if (path / "task.yaml").exists()).name
    (project.top / "share" / run).mkdir()
    printed = f"node: logging in with {SECRETS['config field']}, {SECRETS['printed']}\n"
    (project.top / "share" / run / "train.log").write_text(printed)
    for command in (["status", "--json"], ["show", run], ["logs", run], ["pull", "--all"], ["cancel", run, "--yes"]):
        project.command(*command, **there)


def on_a_server(day: Day) -> str:
    """Look at every page as a viewer; return the server's token."""
    project = day.project
    environment = project.environment(**with_skypilot(project))
    del environment["EXPERIMENTS_ALERT_COMMAND"]  # so that the user's file counts
    run = next(str(job["run_name"]) for job in project.jobs() if job["arm"] == "bad")
    pages = {
        "notebook": ("/notebooks/experiments/scratch/study_nb/", "", ""),
        "log of a notebook": ("/notebooks/experiments/scratch/further_nb/", "", PRINTED),
        "failures of a notebook": ("/notebooks/experiments/scratch/further_nb/", "", FAILED),
        "log": ("/apps/fleet/", f"&experiment=study&run={run}&view=Log", PRINTED),
        "config": ("/apps/fleet/", f"&experiment=study&run={run}&view=Config", ""),
        "code": ("/apps/fleet/", f"&experiment=study&run={run}&view=Provenance", ""),
        **{name: (f"/apps/{name}/", "", "") for name in ("compare", "replays", "logbook")},
    }
    with served(project.root, **environment) as server:
        cookie = _get(server, f"/?token={server.token}", "").headers["set-cookie"].split(";")[0]
        for name, (path, query, wanted) in pages.items():
            project.keep(f"page {name}", _get(server, f"{path}?{query}", cookie).body)
            day.pages[name] = asyncio.run(_heard(server, cookie, path, query, wanted))
            project.keep(f"messages of page {name}", day.pages[name])
        project.keep("health", _get(server, "/health", cookie).body)
        alerts = project.state / "alerts"
        assert list(alerts.glob("*.json")), "nobody was told that a job failed"
        return server.token


def _get(server, path: str, cookie: str) -> SimpleNamespace:
    import http.client

    connection = http.client.HTTPConnection(server.url.removeprefix("http://"), timeout=30)
    connection.request("GET", path, headers={"Cookie": cookie} if cookie else {})
    answer = connection.getresponse()
    found = SimpleNamespace(headers={name.lower(): value for name, value in answer.getheaders()}, body=answer.read())
    connection.close()
    return found


async def _heard(server, cookie: str, path: str, query: str, wanted: str) -> str:
    """Return all that a page is told in its first seconds, or until it was told what is wanted."""
    from websockets.asyncio.client import connect

    address = f"{server.url.replace('http', 'ws')}{path}ws?session_id=s_{secrets.token_hex(3)}{query}"
    told = [""]
    headers = {"Cookie": cookie, "Origin": server.url}
    with contextlib.suppress(TimeoutError):
        async with (
            asyncio.timeout(60 if wanted else 5),
            connect(address, additional_headers=headers, max_size=None) as socket,
        ):
            while not wanted or wanted not in told[-1]:
                told.append(str(await socket.recv()))
    return "\n".join(told)


def is_allowed(finding: Finding) -> bool:
    return any(_allows(row, finding) for row in ALLOWED)


def _allows(row: Allowed, finding: Finding) -> bool:
    return fnmatch.fnmatch(finding.where, row.where) and (not row.secrets or finding.secret in row.secrets)


def test_no_secret_is_where_it_may_not_be(day):
    wrong = [finding for finding in day.scan.found if not is_allowed(finding)]
    assert sorted(map(str, wrong)) == []


@pytest.mark.parametrize("row", ALLOWED, ids=lambda row: row.where)
def test_every_place_where_one_may_be_holds_one(day, row):
    """What is allowed without need would hide a leak; and the search is seen to reach these places."""
    assert {finding.secret for finding in day.scan.found if _allows(row, finding)} == set(row.secrets)


def test_the_search_read_every_kind_of_thing(day):
    least = {"files": 300, "rows of databases": 60, "programs started": 50, "command lines": 20}
    least |= {"packed in text": 10, "gzip": 5, "zlib": 10, "zip members": 20}
    suffixes = {
        ".wandb": 4,
        ".html": 3,
        ".yaml": 2,
        ".log": 10,
        ".json": 20,
        ".diff": 4,
        ".z": 4,
        ".sqlite": 1,
        ".py": 5,
    }
    least |= {f"files {suffix}": number for suffix, number in suffixes.items()}
    assert {kind: day.scan.read[kind] for kind, number in least.items() if day.scan.read[kind] < number} == {}


def test_pages_show_what_was_printed_without_the_secret(day):
    assert PRINTED in day.pages["log"]
    assert PRINTED in day.pages["log of a notebook"]
    assert FAILED in day.pages["failures of a notebook"]
    assert "KeyError" not in day.pages["notebook"]


def test_what_holds_a_secret_of_necessity_is_for_its_owner_only(day):
    state = day.project.state
    private = [path for name in ("train.log", "job.json", "changes.diff", "token") for path in state.rglob(name)]
    assert len(private) > 5
    assert [str(path) for path in private if stat.S_IMODE(path.stat().st_mode) & 0o077] == []


def test_the_kept_changes_and_the_records_say_that_something_was_there(day):
    [diff, *_] = day.project.state.rglob("changes.diff")
    assert "+KEY = '***'" in diff.read_text()
    assert "***" in day.project.command("show", next(iter(day.project.jobs()))["run_name"])
