"""What the server shows and to whom, with marimo itself behind it."""

from __future__ import annotations

import asyncio
import os
import re
import time

import pytest

from apps.serving.site import Site
from experiments.project.workspace import Workspace
from tests.fakes.asking import ask, asked

NOTEBOOK = "import marimo\n\napp = marimo.App()\n\n\n@app.cell\ndef _():\n    1\n    return\n"


@pytest.fixture
def project(tmp_path):
    scratch = tmp_path / "experiments" / "scratch"
    scratch.mkdir(parents=True)
    (tmp_path / "pyproject.toml").write_text("[tool.experiments]\n")
    (scratch / "arena_nb.py").write_text(NOTEBOOK)
    (tmp_path / "experiments" / "log").mkdir()
    return tmp_path


@pytest.fixture
def site(project):
    return Site(Workspace.find(project))


def test_the_first_page_lists_notebooks_logs_and_apps(site, project):
    (project / "experiments" / "log" / "arena <1>.html").write_text("x")
    page = ask(site).text
    assert 'href="/notebooks/experiments/scratch/arena_nb/"' in page
    assert 'href="/apps/fleet/"' in page
    assert "arena &lt;1&gt;" in page


def test_an_empty_project_is_told_what_to_do(tmp_path):
    (tmp_path / "pyproject.toml").write_text("[tool.experiments]\n")
    page = ask(Site(Workspace.find(tmp_path))).text
    assert "No notebook yet. Run a recipe" in page
    assert "No log yet. Export a notebook" in page


def test_a_notebook_is_shown_in_the_colours_asked_for(site):
    dark = ask(site, "/notebooks/experiments/scratch/arena_nb/", cookie="experiments_theme=dark")
    assert (dark.status, '<meta name="experiments-theme" content="dark">' in dark.text) == (200, True)
    light = ask(site, "/notebooks/experiments/scratch/arena_nb/", cookie="experiments_theme=<script>")
    assert '<meta name="experiments-theme" content="light">' in light.text


def test_an_address_without_its_slash_leads_to_the_one_with_it(site):
    answer = ask(site, "/notebooks/experiments/scratch/arena_nb?run=a")
    assert answer.headers["location"] == "/notebooks/experiments/scratch/arena_nb/?run=a"


@pytest.mark.parametrize(
    "path",
    [
        "/api/kernel/read_code",
        "/api/kernel/run",
        "/api/kernel/save",
        "/api/kernel/shutdown",
        "/api/export/html",
        "/api/files/list_files",
        "/api/home/workspace_files",
        "/api/packages/add",
        "/api/kernel/takeover",
        "/api/secrets/keys",
    ],
)
def test_nothing_of_marimo_but_its_page_is_served(site, path):
    notebook = "/notebooks/experiments/scratch/arena_nb"
    assert ask(site, notebook + path, method="POST", body=b"{}").status == 404
    assert ask(site, notebook + path).status == 404


@pytest.mark.parametrize("path", ["/sse", "/terminal/ws", "/ws_sync", "/ws?file=/etc/passwd", "/ws?kiosk=true"])
def test_no_other_socket_of_marimo_is_served(site, path):
    answer = ask(site, "/notebooks/experiments/scratch/arena_nb" + path, kind="websocket")
    assert answer.status == 1008


@pytest.mark.parametrize("query", ["file=/etc/passwd", "file=", "access_token=x", "kiosk=true"])
def test_a_query_cannot_name_another_file_or_session(site, query):
    assert ask(site, f"/notebooks/experiments/scratch/arena_nb/?{query}").status == 404


def test_a_notebook_that_does_not_parse_says_where_and_takes_nothing_with_it(site, project):
    (project / "experiments" / "scratch" / "broken_nb.py").write_text("import marimo\ndef <b>(\n")
    answer = ask(site, "/notebooks/experiments/scratch/broken_nb/")
    assert answer.status == 422
    assert "broken_nb.py is not valid Python in line 2" in answer.text
    assert ask(site, "/notebooks/experiments/scratch/arena_nb/").status == 200
    (project / "experiments" / "scratch" / "broken_nb.py").write_text(NOTEBOOK)
    assert ask(site, "/notebooks/experiments/scratch/broken_nb/").status == 200


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"", b"x = 1\n", b"(" * 5_000])
def test_a_file_that_is_no_notebook_is_an_answer_not_an_error(site, project, content):
    (project / "experiments" / "scratch" / "odd_nb.py").write_bytes(content)
    assert ask(site, "/notebooks/experiments/scratch/odd_nb/").status in {200, 422}


def test_only_listed_files_are_served(site, project):
    (project / "secret.py").write_text(NOTEBOOK)
    (project / "experiments" / "scratch" / "plain.py").write_text(NOTEBOOK)
    (project / "experiments" / "scratch" / "link_nb.py").symlink_to("/etc/passwd")
    for path in (
        "/notebooks/secret/",
        "/notebooks/experiments/scratch/plain/",
        "/notebooks/experiments/scratch/link_nb/",
    ):
        assert ask(site, path).status == 404
    for path in ("/apps/server/", "/apps/guard/", "/apps/__init__/", "/apps//", "/apps/", "/notebooks/"):
        assert ask(site, path).status == 404


@pytest.mark.parametrize(
    "name", ["../pyproject.toml", "a.py", ".html", "sub/a.html", "..html", "a.html\x00.html", "%61.html"]
)
def test_only_html_files_of_the_log_folder_are_served(site, name):
    from urllib.parse import quote

    assert ask(site, f"/log/{quote(name)}").status == 404


def test_a_log_is_a_stranger_to_the_server(site, project):
    (project / "experiments" / "log" / "arena.html").write_text("<script>1</script>")
    answer = ask(site, "/log/arena.html")
    assert answer.text == "<script>1</script>"
    assert answer.headers["content-security-policy"].startswith("sandbox allow-scripts")
    assert "allow-same-origin" not in answer.headers["content-security-policy"]


def test_a_log_that_is_a_link_out_of_the_folder_is_not_served(site, project):
    (project / "experiments" / "log" / "out.html").symlink_to(project / "pyproject.toml")
    assert ask(site, "/log/out.html").status == 404


def test_a_thousand_notebooks_cost_nothing_until_they_are_asked_for(site, project):
    for number in range(1_000):
        (project / "experiments" / "scratch" / f"n{number}_nb.py").write_text(NOTEBOOK)
    began = time.process_time()
    assert ask(site).text.count("/notebooks/") == 1_001
    assert time.process_time() - began < 2
    assert site.mounted == 0
    assert ask(site, "/notebooks/experiments/scratch/n999_nb/").status == 200
    assert site.mounted == 1


def test_a_viewer_cannot_have_the_log_folder_read_without_end(site, project, monkeypatch):
    for number in range(20):
        log_named(project, f"log{number}.html").write_text("x")
    looked_at = []
    monkeypatch.setattr("apps.serving.site.why_odd", lambda path: looked_at.append(path.name) or "")
    assert {ask(site).text.count('href="/log/') for _ in range(10)} == {20}
    assert len([name for name in looked_at if name.endswith(".html")]) < 5 * 20


def test_many_who_ask_at_once_make_a_notebook_once(site):
    async def crowd():
        path = "/notebooks/experiments/scratch/arena_nb/"
        return await asyncio.gather(*(asked(site, path) for _ in range(20)))

    assert {answer.status for answer in asyncio.run(crowd())} == {200}
    assert site.mounted == 1


def log_named(project, name):
    return project / "experiments" / "log" / name


def test_an_odd_file_is_left_out_by_name_and_takes_nothing_with_it(site, project):
    log_named(project, "good.html").write_text("good")
    log_named(project, os.fsdecode(b"latin\xe9.html")).write_text("x")
    os.mkfifo(log_named(project, "pipe.html"))
    os.link(project / "pyproject.toml", log_named(project, "hard.html"))
    os.mkfifo(project / "experiments" / "scratch" / "pipe_nb.py")
    page = ask(site).text
    assert 'href="/log/good.html"' in page
    for name, reason in [
        ("latin\ufffd.html", "not UTF-8"),
        ("pipe.html", "no regular file"),
        ("hard.html", "hard link"),
        ("pipe_nb.py", "no regular file"),
    ]:
        assert re.search(rf"{re.escape(name)} \([^)]*{reason}", page)
    assert ask(site, "/log/good.html").text == "good"
    for name in ("pipe.html", "hard.html"):
        answer = ask(site, f"/log/{name}")
        assert (answer.status, "is not shown" in answer.text) == (404, True)


def test_a_log_is_sent_in_pieces_up_to_a_size_that_is_said(site, project, monkeypatch):
    log_named(project, "big.html").write_bytes(b"x" * 1_000_000)
    assert len(ask(site, "/log/big.html").body) == 1_000_000
    monkeypatch.setattr("apps.serving.files.MOST_BYTES", 500_000)
    answer = ask(site, "/log/big.html")
    assert (answer.status, "it has 1.0 MB, and at most 500 kB are sent" in answer.text) == (404, True)


def test_a_file_of_a_page_that_is_gone_is_an_answer(site):
    assert ask(site, "/notebooks/experiments/scratch/arena_nb/@file/12-nothing.txt").status == 404
