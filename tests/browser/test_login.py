"""Logging in as people do: in a real browser, which decides what it sends."""

from __future__ import annotations

import http.server
import subprocess
import sys
import threading

import pytest

from tests.fakes.served import served
from tests.fakes.serving import scratch_folder

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture(scope="module")
def server():
    with scratch_folder() as folder, served(folder) as running:
        yield running


@pytest.fixture
def page(browser):
    context = browser.new_context()
    yield context.new_page()
    context.close()


@pytest.fixture
def elsewhere(server):
    """The address of another site, whose page has ten hidden frames that try a wrong token."""
    frames = f'<iframe hidden src="{server.url}/?token=wrong"></iframe>' * 10

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()
            self.wfile.write(frames.encode())

        def log_message(self, *arguments):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as other:
        threading.Thread(target=other.serve_forever, daemon=True).start()
        yield f"http://localhost:{other.server_port}/"
        other.shutdown()


def log_in(page, token):
    page.get_by_label("Token").fill(token)
    page.get_by_role("button", name="Log in").click()


def log_in_at_the_second_try(page, server, path):
    log_in(page, "a typo")
    assert "That is not the token." in page.inner_text("body")
    log_in(page, server.token)
    page.wait_for_url(server.url + path)
    assert page.locator("h1", has_text="Log in").count() == 0


def test_the_form_logs_in_and_leads_to_what_was_asked_for(page, server):
    page.goto(f"{server.url}/apps/fleet/")
    log_in_at_the_second_try(page, server, "/apps/fleet/")


def test_every_link_and_button_of_the_first_page_leads_somewhere(page, server):
    page.goto(server.entry)
    links = page.eval_on_selector_all("a[href]", "all => all.map(one => one.href)")
    assert len(links) >= 5
    for link in dict.fromkeys(links):
        answer = page.goto(link)
        assert answer.ok, (link, answer.status)
        assert "Log in" not in page.inner_text("body")


def test_a_page_of_another_site_locks_nobody_out(page, server, elsewhere):
    for _ in range(3):
        page.goto(elsewhere, wait_until="load")
    page.goto(server.url)
    log_in_at_the_second_try(page, server, "/")


def test_a_cookie_of_another_program_on_this_host_locks_nobody_out(browser, server):
    context = browser.new_context()
    for name, value in [("prefs", '{"a": 1}'), ("x", "hello world"), ("flag", "")]:
        context.add_cookies([{"name": name, "value": value, "url": server.url}])
    page = context.new_page()
    page.goto(server.entry)
    assert page.goto(server.url).status == 200
    context.close()


def test_off_a_terminal_the_address_can_be_printed_and_the_token_is_in_no_log(page, server):
    log = server.log.read_text()
    assert server.token not in log
    assert "experiments serve --print-address" in log
    command = [sys.executable, "-P", "-m", "experiments.cli", "serve", "--print-address"]
    said = subprocess.run(command, cwd=server.log.parent, capture_output=True, text=True, check=True).stdout
    assert said.strip() == server.entry
    assert page.goto(said.strip()).status == 200


def test_where_no_server_runs_its_address_cannot_be_printed(tmp_path):
    (tmp_path / "pyproject.toml").write_text("[tool.experiments]\n")
    command = [sys.executable, "-P", "-m", "experiments.cli", "serve", "--print-address"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 2
    assert "Start one: experiments serve" in done.stderr
