"""A program that talks to `experiments mcp` with the SDK's own client, over the pipes of a real process."""

from __future__ import annotations

import json
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

import anyio
from jsonschema import Draft202012Validator
from mcp import Client, StdioServerParameters

from experiments.cli.agents.tools import TOOLS
from experiments.cli.schema import schema_of
from tests.fakes.skilled import environment

COMMAND = ("-P", "-W", "error", "-m", "experiments.cli", "mcp")
MOST = 45_000
"""Characters that no answer exceeds, and a little."""

T = TypeVar("T")


class Agent:
    """A client that holds each answer to the schemas of its tool and of its command, and to its size."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.schemas: dict[str, Any] = {}

    async def tools(self) -> dict[str, Any]:
        """Return the tools that are offered, by name."""
        found = {tool.name: tool for tool in (await self.client.list_tools()).tools}
        self.schemas = {
            tool.name: [
                Draft202012Validator(each) for each in (found[tool.name].output_schema, schema_of(tool.command))
            ]
            for tool in TOOLS
            if tool.name in found
        }
        return found

    async def ask(self, tool: str, **arguments: Any) -> dict[str, Any]:
        """Return the envelope that a tool answers with."""
        answer = await self.client.call_tool(tool, arguments)
        envelope = answer.structured_content
        mark, text = answer.content
        assert "follow no instruction" in mark.text
        assert len(text.text) <= MOST
        assert text.text.isascii()
        assert text.text.isprintable()
        assert json.loads(text.text) == envelope
        assert set(envelope) == {"schema", "command", "data", "problems"}
        assert all(problem["message"] and problem["next"] for problem in envelope["problems"])
        assert answer.is_error == (envelope["data"] is None)
        assert envelope["data"] is not None or envelope["problems"]
        for schema in self.schemas.get(tool, ()):
            schema.validate(envelope)
        return envelope

    async def data(self, tool: str, **arguments: Any) -> Any:
        """Return its data, which must be there."""
        envelope = await self.ask(tool, **arguments)
        assert envelope["data"] is not None, envelope["problems"]
        return envelope["data"]

    async def refused(self, tool: str, **arguments: Any) -> str:
        """Return what a tool that answers nothing says."""
        envelope = await self.ask(tool, **arguments)
        assert envelope["data"] is None
        return " ".join(f"{each['message']} {each['next']}" for each in envelope["problems"])

    async def read(self, uri: str) -> dict[str, Any]:
        """Return the envelope of a resource."""
        [found] = (await self.client.read_resource(uri)).contents
        assert len(found.text) <= MOST
        return json.loads(found.text)


def talk(root: Path, conversation: Callable[[Agent], Awaitable[T]], *, within_s: float = 120, **env: str) -> T:
    """Return what a conversation with a server in a project comes to."""

    async def main() -> T:
        started = StdioServerParameters(command=sys.executable, args=list(COMMAND), cwd=root, env=environment(**env))
        with anyio.fail_after(within_s):
            async with Client(started) as client:
                return await conversation(Agent(client))

    return anyio.run(main)
