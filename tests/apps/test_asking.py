"""What a page may ask of its kernel: no viewer can fill the server's memory or hold its one interpreter."""

from __future__ import annotations

import asyncio
import http.client
import json
import re
import secrets
import time
import urllib.parse

import pytest

from apps.serving.mounts import MOST_AT_ONCE, Account, given, take
from apps.serving.requests import RefusedError
from tests.apps.test_server import get, log_in
from tests.fakes.served import served

# For such a name the pattern takes Python's `re` longer than a month.
NAME, PATTERN = "a" * 60, r"(?=a)(a+)+!"
NOTEBOOK = f"""
import marimo

app = marimo.App()


@app.cell
def _():
    import marimo as mo
    import pandas as pd

    mo.ui.table(pd.DataFrame({{"run": ["{NAME}", "c.s0", "cxs0"]}}))
    return


if __name__ == "__main__":
    app.run()
"""


def taken(body, *accounts, is_call=False):
    """Return what the kernel is given of one request."""

    async def receive():
        return {"type": "http.request", "body": body, "more_body": False}

    return json.loads(asyncio.run(take(receive, list(accounts), is_call=is_call)))


def refused(body, *accounts, **how):
    with pytest.raises(RefusedError) as found:
        taken(body, *accounts, **how)
    return found.value.status


def refusal_of(body, account):
    """Return the status of a refusal; None where the request is taken."""
    try:
        taken(body, account)
    except RefusedError as error:
        return error.status


def setting(names, value=1):
    return json.dumps({"objectIds": list(names), "values": [value for _ in names]}).encode()


def test_what_a_page_asks_reaches_its_kernel_unchanged():
    asked = {"objectIds": ["a-0"], "values": [{"text": "a.b", "chosen": [1, None, 0.5]}]}
    assert taken(json.dumps(asked).encode(), Account()) == asked


def test_what_is_searched_in_a_table_is_text():
    asked = {"functionName": "search", "args": {"query": "s0.[a", "page_size": 10}}
    query = taken(json.dumps(asked).encode(), is_call=True)["args"]["query"]
    assert re.search(query, "x s0.[a y")
    assert not re.search(query, "s0xa")


@pytest.mark.parametrize("is_call", [True, False])
def test_a_filter_by_a_pattern_is_refused_wherever_it_stands(is_call):
    where = {"filters": {"type": "group", "children": [{"column_id": "run", "operator": "regex", "value": PATTERN}]}}
    assert refused(json.dumps({"functionName": "search", "args": where}).encode(), is_call=is_call) == 403
    assert refused(json.dumps({"objectIds": ["a-0"], "values": [where]}).encode(), is_call=is_call) == 403
    twice = b'{"args": {"operator": "contains", "operator": "reg\\u0065x"}}'
    assert refused(twice, is_call=is_call) == 403


@pytest.mark.parametrize("body", [b"", b"[]", b"nonsense", b"\xff\xfe", b"[" * 100_000, b'"text"'])
def test_what_is_no_object_is_refused(body):
    assert refused(body) == 400


def test_a_page_cannot_have_the_server_keep_more_than_a_bounded_amount():
    assert refused(setting(["a-0"], "a" * MOST_AT_ONCE)) == 413
    now = [0.0]
    page, other = Account(clock=lambda: now[0]), Account()
    big, small = setting(["a-0"], "a" * (MOST_AT_ONCE - 100)), setting(["a-0"])
    assert 429 in [refusal_of(big, page) for _ in range(20)]
    taken(big, other)
    now[0] = 60.0
    taken(small, page)


def test_a_page_cannot_set_controls_without_end():
    page = Account()
    assert refused(setting([f"x-{number}" for number in range(2_000)]), page) == 429
    traits = {"modelId": "m", "message": {"method": "update", "state": {f"t{number}": 1 for number in range(2_000)}}}
    assert refused(json.dumps(traits).encode(), page) == 429
    taken(setting(["a-0"]), page)


def test_after_what_was_taken_comes_what_else_comes():
    async def receive():
        return {"type": "http.disconnect"}

    async def check():
        again = given(b"{}", receive)
        return await again(), await again()

    assert asyncio.run(check()) == (
        {"type": "http.request", "body": b"{}", "more_body": False},
        {"type": "http.disconnect"},
    )


class Page:
    """A page of a served notebook, without a browser."""

    def __init__(self, server, cookie, path, socket, session):
        self._server, self._path, self._socket = server, path, socket
        html = get(server, path, Cookie=cookie)[2].decode()
        self._headers = {
            "Cookie": cookie,
            "Origin": server.url,
            "Marimo-Session-Id": session,
            "Marimo-Server-Token": re.search(r'"serverToken":\s*"([^"]+)"', html)[1],
        }

    async def heard(self, wanted):
        """Return the first message that holds `wanted`."""
        async with asyncio.timeout(30):
            while wanted not in (text := str(await self._socket.recv())):
                pass
            return text

    def post(self, what, asked):
        """Return the status of one request to the kernel."""
        parts = urllib.parse.urlsplit(self._server.url)
        connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=20)
        connection.request("POST", f"{self._path}api/kernel/{what}", json.dumps(asked), self._headers)
        status = connection.getresponse().status
        connection.close()
        return status


@pytest.mark.slow
def test_a_viewer_cannot_stop_the_server_by_what_is_searched_in_a_table(tmp_path):
    from websockets.asyncio.client import connect

    scratch = tmp_path / "experiments" / "scratch"
    scratch.mkdir(parents=True)
    (tmp_path / "pyproject.toml").write_text("[tool.experiments]\n[tool.marimo.runtime]\nauto_instantiate = true\n")
    (scratch / "table_nb.py").write_text(NOTEBOOK)

    def search(table, query, number):
        args = {"query": query, "page_size": 10, "page_number": 0}
        return {"functionCallId": number, "namespace": table, "functionName": "search", "args": args}

    async def check(server, cookie):
        path, session = "/notebooks/experiments/scratch/table_nb/", f"s_{secrets.token_hex(3)}"
        address = server.url.replace("http", "ws") + f"{path}ws?session_id={session}"
        headers = {"Cookie": cookie, "Origin": server.url}
        async with connect(address, additional_headers=headers, max_size=None) as socket:
            page = Page(server, cookie, path, socket, session)
            table = re.search(r"object-id='?\\?[\"']?([\w-]+)", await page.heard("marimo-table"))[1]
            for number, (query, rows) in enumerate({PATTERN: 0, ".s0": 1}.items()):
                assert page.post("function_call", search(table, query, f"call-{number}")) == 200
                began = time.monotonic()
                answer = json.loads(await page.heard(f"call-{number}"))
                assert time.monotonic() - began < 10
                assert answer["data"]["return_value"]["total_rows"] == rows
            assert get(server, "/healthz")[0] == 200

    with served(tmp_path) as server:
        asyncio.run(check(server, log_in(server)))
        assert "Traceback" not in server.log.read_text()
