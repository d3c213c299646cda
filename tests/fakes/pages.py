"""The page of a widget without a browser: it takes what the widget sends, as `widgets/page/js/live.js` does."""

from __future__ import annotations

import copy
import json
from typing import Any

from widgets.page import LiveWidget


class Page:
    """One page that shows a widget that is sent in pieces.

    Attributes:
        state: The traits that it was sent.
        messages: The state of each message, in order.
    """

    def __init__(self, widget: LiveWidget, like: Page | None = None) -> None:
        self.widget = widget
        self.messages: list[dict[str, Any]] = []
        self.state: dict[str, Any] = {**widget.get_state(), **(like.state if like else {})}
        self.version, self.base = self.state["version"], self.state["version"]
        self._tables = copy.deepcopy(self.state[widget.pieced])
        widget._send = self._receive
        self.say("here", self.version)
        self._take()

    @property
    def tables(self) -> Any:
        """What is sent in pieces, as the page has it."""
        return self._tables

    def received(self, name: str) -> list[Any]:
        """Return every value of a trait that came."""
        return [message[name] for message in self.messages if name in message]

    def forget(self) -> None:
        """Forget what came so far."""
        self.messages.clear()

    def show(self) -> None:
        """Show what came, and say so."""
        self.say("shown", self.version)

    def say(self, kind: str, at: int) -> None:
        """Say something to Python."""
        self.widget._hear(self.widget, {"type": kind, "at": at}, [])

    def _receive(self, message: dict[str, Any], buffers: object = None) -> None:
        state = json.loads(json.dumps(message["state"]))
        self.messages.append(state)
        self.state |= state
        self._take()

    def _take(self) -> None:
        if self.state["version"] != self.base:
            self.base = self.version = self.state["version"]
            self._tables = copy.deepcopy(self.state[self.widget.pieced])
        at = self.state["piece"].get("at", 0)
        if at == self.version + 1:
            self.version = at
            self._tables = self.apply(self._tables, self.state["piece"])
        elif at > self.version:
            self.say("here", self.version)

    @staticmethod
    def apply(tables: Any, piece: dict[str, Any]) -> Any:
        """Return what a chart has after a piece."""
        for name in piece["gone"]:
            del tables[name]
        for name, change in piece["datasets"].items():
            for column, come in change["columns"].items():
                if "cuts" not in change:
                    tables.setdefault(name, {})[column] = come
                    continue
                old, new, start, next_one = tables[name][column], [], 0, 0
                for at, gone, number in change["cuts"]:
                    new += old[start:at] + come[next_one : next_one + number]
                    start, next_one = at + gone, next_one + number
                tables[name][column] = new + old[start:]
        return tables
