"""A server's own log: one line an event, and not the same one all day."""

from __future__ import annotations

import logging

import pytest

from apps.serving.log_lines import OncePerMinute


class Kept(logging.Handler):
    def __init__(self, clock):
        super().__init__()
        self.lines = []
        self.addFilter(OncePerMinute(clock=clock))

    def emit(self, record):
        self.lines.append(self.format(record))


@pytest.fixture
def logger():
    """A logger that nobody else knows: a handler of pytest's may hold lines back, too, once a server was made here."""
    return logging.Logger("tests.log_lines", logging.INFO)  # noqa: LOG001 - one that is found nowhere


def test_a_traceback_is_one_line_and_what_a_viewer_sent_adds_none(logger):
    logger.addHandler(handler := Kept(lambda: 0.0))
    logger.error("asked for %r", "/a\nb", exc_info=ValueError("bad\n\x1b[31mname\u202e"))
    [line] = handler.lines
    assert line == "asked for '/a\\nb': ValueError: bad [31mname"


def test_events_that_are_alike_are_counted_and_written_once_a_minute(logger):
    now = [0.0]
    logger.addHandler(handler := Kept(lambda: now[0]))
    for number in range(1_000):
        logger.warning("no such file %s", number)
    logger.warning("another")
    assert handler.lines == ["no such file 0", "another"]
    now[0] = 61.0
    logger.warning("no such file %s", 7)
    assert handler.lines[-1] == "no such file 7 (999 more like it since the last)"
