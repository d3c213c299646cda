"""What of a page can be pressed, as its accessibility tree has it, and what pressing it must never bring about."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.fakes.project import Project
from tests.fakes.served import Served
from tests.fakes.viewed import contents

Press = Callable[[Any], object]
Table = Mapping[tuple[str, str], Press]
"""By role and name (an expression that fits the whole of it): what presses such controls and holds what they do."""

# They hold controls, or can be scrolled with the keyboard; what a list offers is chosen through the list.
_GROUPS = "dialog list listbox log menu radiogroup region tablist tabpanel"
PLACES = frozenset(f"RootWebArea cell columnheader generic option {_GROUPS}".split())
_FAULT = re.compile(r"Traceback \(most recent call last\)|An internal error occurred")


@dataclass
class Watch:
    """Whatever goes wrong on a page from now on.

    Attributes:
        expected: Answers that a test asks for on purpose, as status and address.
    """

    page: Any
    url: str
    problems: list[str] = field(default_factory=list)
    expected: set[tuple[int, str]] = field(default_factory=set)

    def __post_init__(self) -> None:
        note, page = self.problems.append, self.page
        page.on("pageerror", lambda error: note(f"uncaught: {error}"))
        page.on("console", lambda line: note(f"console: {line.text}") if line.type == "error" else None)
        page.on("request", lambda request: None if self._is_near(request.url) else note(f"foreign: {request.url}"))
        page.on("response", lambda answer: note(f"{answer.status}: {answer.url}") if answer.status >= 400 else None)
        page.on("dialog", lambda dialog: (note(f"dialog: {dialog.message}"), dialog.dismiss()))

    def _is_near(self, address: str) -> bool:
        return address.startswith((f"{self.url}/", "data:", "blob:", "about:"))

    def check(self, what: object) -> None:
        assert not self.problems, (what, self.problems)
        assert not _FAULT.search(self.page.inner_text("body")), what


@dataclass
class Viewer:
    """A person with a browser who is logged in.

    Attributes:
        page: The open page; `watch` sees all of it.
    """

    page: Any
    server: Served
    project: Project

    def __post_init__(self) -> None:
        self.watch = Watch(self.page, self.server.url)

    def press_all(self, table: Table, *, elsewhere: Table | None = None) -> None:
        """Press everything that the page has, in the order of the table.

        A control that is in no table fails, and so does a line of the table that no control of the page fits at any
        time. The controls of `elsewhere` may be there; another test presses them.
        """
        before, known, seen = contents(self.project), {**(elsewhere or {}), **table}, set()
        seen |= self._known(known, "as it opens")
        for what, press in table.items():
            try:
                press(self.page)
            except Exception as error:
                error.add_note(f"while pressing {what}")
                raise
            self.watch.check(what)
            seen |= self._known(known, what)
        assert set(table) <= seen, f"no such control: {sorted(set(table) - seen)}"
        assert self.server.process.poll() is None
        after = contents(self.project)
        assert after == before, sorted(name for name in before | after if before.get(name) != after.get(name))

    def _known(self, table: Table, when: object, *, timeout_s: float = 5.0) -> set[tuple[str, str]]:
        """Return the lines of the table that fit what is there, once all that is there has one."""
        end = time.monotonic() + timeout_s  # while a widget is made, a button may have no name yet
        while True:
            found, strange = set(), []
            for role, name in controls(self.page):
                fits = [what for what in table if what[0] == role and re.fullmatch(what[1], name)]
                found |= set(fits)
                strange += [] if fits else [(role, name)]
            if not strange:
                return found
            assert time.monotonic() < end, f"controls without an expectation {when}: {strange}"
            self.page.wait_for_timeout(100)


def controls(page: Any) -> Iterator[tuple[str, str]]:
    """Yield role and name of everything on a page that takes the keyboard, and so can be pressed."""
    session = page.context.new_cdp_session(page)
    try:
        nodes = session.send("Accessibility.getFullAXTree")["nodes"]
    finally:
        session.detach()
    for node in nodes:
        takes_keys = any(one["name"] == "focusable" and one["value"]["value"] for one in node.get("properties", ()))
        role = node.get("role", {}).get("value", "")
        if takes_keys and not node.get("ignored") and role not in PLACES:
            yield role, node.get("name", {}).get("value", "").strip()


def becomes(page: Any, condition: Callable[[], object], timeout_s: float = 30.0) -> None:
    """Wait until something is so."""
    end = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < end, "it did not come about"
        page.wait_for_timeout(50)


def changes(page: Any, value: Callable[[], object], press: Callable[[], object]) -> None:
    """Press, and wait until a value of the page is another; what an earlier press still changes is waited for first."""
    before = still(page, value)
    press()
    becomes(page, lambda: value() != before)


def still(page: Any, value: Callable[[], object], timeout_s: float = 30.0) -> object:
    """Return a value of the page once it has been the same for a moment."""
    end = time.monotonic() + timeout_s
    found = value()
    while True:
        page.wait_for_timeout(300)
        before, found = found, value()
        if found == before:
            return found
        assert time.monotonic() < end, "it never came to rest"


def downloads(page: Any, link: Any, name: str, begins: bytes, *, least: int = 100) -> None:
    """Press what saves a file, and hold its name, its first bytes and that it is no empty one."""
    with page.expect_download() as waiting:
        link.click()
    data = waiting.value.path().read_bytes()
    assert re.fullmatch(name, waiting.value.suggested_filename), waiting.value.suggested_filename
    assert data.startswith(begins), data[:100]
    assert len(data) >= least


def clipboard(page: Any) -> str:
    """Return what was copied last."""
    return str(page.evaluate("navigator.clipboard.readText()"))
