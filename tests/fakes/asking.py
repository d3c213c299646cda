"""Ask an ASGI app as a client on the network would, without a network."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from urllib.parse import unquote


@dataclass
class Answer:
    """What came back; `status` is the close code of a websocket that was refused, 101 for one that was accepted."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def text(self) -> str:
        return self.body.decode()


def ask(
    app, path="/", *, method="GET", kind="http", host="localhost:80", body=b"", client="127.0.0.1", more=(), **headers
):
    """Return the answer to one request; `headers` are named with underscores, None leaves one out.

    A body that is None is promised and never sent.
    """
    return asyncio.run(
        asked(app, path, method=method, kind=kind, host=host, body=body, client=client, more=more, **headers)
    )


async def asked(
    app, path="/", *, method="GET", kind="http", host="localhost:80", body=b"", client="127.0.0.1", more=(), **headers
):
    """Do what `ask` does, in a loop that runs."""
    target, _, query = path.partition("?")
    given = [] if host is None else [(b"host", host.encode())]
    for name, value in headers.items():
        for item in value if isinstance(value, list) else [value]:
            given += [(name.replace("_", "-").encode(), item.encode())] if item is not None else []
    given += more
    scope = {
        "type": kind,
        "scheme": "ws" if kind == "websocket" else "http",
        "path": unquote(target),
        "raw_path": target.encode(),
        "query_string": query.encode(),
        "headers": given,
        "client": (client, 1234),
        "method": method,
        "root_path": "",
        "http_version": "1.1",
        "server": ("127.0.0.1", 80),
    }
    answer, sent = Answer(), [{"type": "http.request", "body": body, "more_body": False}]
    if kind == "websocket":
        sent = [{"type": "websocket.connect"}, {"type": "websocket.disconnect", "code": 1000}]

    async def receive():
        if body is None:
            await asyncio.Event().wait()
        return sent.pop(0) if sent else {"type": "http.disconnect"}

    async def send(message):
        if message["type"] == "http.response.start":
            answer.status = message["status"]
            answer.headers = {name.decode(): value.decode() for name, value in message["headers"]}
        elif message["type"] == "http.response.body":
            answer.body += message.get("body", b"")
        elif message["type"] == "websocket.close":
            answer.status = answer.status or message.get("code", 1000)
        elif message["type"] == "websocket.accept":
            answer.status = 101

    await app(scope, receive, send)
    return answer
