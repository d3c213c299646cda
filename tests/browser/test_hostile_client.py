"""A client of a served page that sends what controls would send, whether they exist or not: nothing is launched."""

from __future__ import annotations

import json
import re
import urllib.request

import pytest

from experiments.jobs.ledger import Ledger
from tests.fakes.project import Project
from tests.fakes.serving import chromium, marimo_server, scratch_folder

pytestmark = [pytest.mark.browser, pytest.mark.slow]

VALUES = (True, 1, "x", [], {"seeds": "0..4", "launcher": "local", "repeat": 2}, {"ids": ["a"], "action": "retry"})
ASKED = ("launch", "intent", "accepted", "cancel", "annotated", "planned")


class Client:
    """Sends to the kernel behind a page, as the page itself would."""

    def __init__(self, url, page):
        sessions: list[str] = []
        page.on("websocket", lambda socket: sessions.append(socket.url))
        page.goto(url)
        page.get_by_text("This page only shows.").wait_for(timeout=60_000)
        html = urllib.request.urlopen(url).read().decode()
        token = re.search(r'"serverToken":\s*"([^"]+)"', html)[1]
        self._url, self._page = url, page
        self._headers = {"Marimo-Session-Id": sessions[0].split("session_id=")[1], "Marimo-Server-Token": token}

    def ids(self):
        self._page.wait_for_function("document.querySelectorAll('marimo-anywidget').length > 0")
        return self._attributes("marimo-ui-element", "object-id")

    def models(self):
        return [json.loads(text) for text in self._attributes("marimo-anywidget", "data-model-id")]

    def _attributes(self, tag, name):
        script = "([tag, name]) => [...document.querySelectorAll(tag)].map(e => e.getAttribute(name))"
        return self._page.evaluate(script, [tag, name])

    def post(self, path, body):
        answer = self._page.request.post(
            f"{self._url}/api/kernel/{path}",
            headers={**self._headers, "Content-Type": "application/json"},
            data=json.dumps(body),
        )
        return answer.status


def test_a_served_page_launches_nothing_whatever_its_client_sends(tmp_path):
    with scratch_folder() as folder, chromium() as browser:
        project = Project(folder, script="exit 0")
        project.run("--follow")
        before = _ledger(project)
        [(run, _)] = before[0]
        with marimo_server("run", project.notebook(), cwd=folder) as url:
            page = browser.new_page(viewport={"width": 1280, "height": 4000})
            client = Client(url, page)
            cells = {object_id.split("-")[0] for object_id in client.ids()}
            assert client.models()
            # Every element of the page, those that its cells could have, and those of cells that show nothing.
            names = [*client.ids(), *(f"{cell}-{number}" for cell in cells for number in range(6)), "Hbol-0", "launch"]
            for value in VALUES:
                body = {"objectIds": names, "values": [value] * len(names)}
                assert client.post("set_ui_element_value", body) == 200
            for name in names:
                body = {"functionCallId": "1", "args": {}, "functionName": "submit", "namespace": name}
                assert client.post("function_call", body) == 200
            for model in client.models():
                for message in messages(run):
                    assert client.post("set_model_value", {"modelId": model, "message": message, "buffers": []}) == 200
            code = "from experiments.launch import *\nwith allow_launch(): pass"
            assert client.post("run", {"cellIds": ["Hbol"], "codes": [code]}) == 401
            assert client.post("scratchpad/run", {"code": code}) == 401
            assert client.post("instantiate", {"objectIds": names, "values": [True] * len(names)}) == 401
            page.wait_for_timeout(3_000)
        assert _ledger(project) == before


def messages(run):
    """Yield what the page's widget would send to end, repeat or annotate a job."""
    for action in ("launch", "cancel", "retry", "note", "tag"):
        request = {"action": action, "runs": [run], "text": "x", "nonce": action}
        yield {"method": "update", "state": {"actions": [action], "selected": [run]}, "bufferPaths": []}
        yield {"method": "update", "state": {"request": request}, "bufferPaths": []}
        yield {"method": "custom", "content": request}


def _ledger(project):
    with Ledger.open(project.state, read_only=True) as ledger:
        jobs = [(job.run_name, job.state) for job in ledger.jobs()]
        return jobs, [event for event in ledger.events() if event.kind in ASKED]
