"""What a server writes down: one line an event, and the same event once a minute with how often it came."""

from __future__ import annotations

import logging
import re
import threading
import time
from collections.abc import Callable

_EVERY_S = 60.0
_LONGEST = 500
_MOST_KINDS = 1_000


class OncePerMinute(logging.Filter):
    """Turns a record into one line and holds back those like it for a minute, counted; for handlers of any logger.

    Records are alike where logger, unformatted message and kind of exception are: what a viewer puts into an address
    makes no kind of its own.
    """

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._seen: dict[tuple[str, str, str], tuple[float, int]] = {}
        self._lock = threading.Lock()

    def filter(self, record: logging.LogRecord) -> bool:
        """Say whether a record is written, and make it a line."""
        if hasattr(record, "is_line"):
            return True  # a logger has two handlers
        error = record.exc_info[1] if record.exc_info else None
        kind = (record.name, str(record.msg)[:_LONGEST], type(error).__name__)
        with self._lock:
            at, held = self._seen.get(kind, (float("-inf"), 0))
            now = self._clock()
            if now - at < _EVERY_S:
                self._seen[kind] = (at, held + 1)
                return False
            if len(self._seen) >= _MOST_KINDS:
                self._seen.clear()
            self._seen[kind] = (now, 0)
        text = record.getMessage() + (f": {type(error).__name__}: {error}" if error is not None else "")
        text = re.sub(r"[\x00-\x20\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]+", " ", text).strip()
        record.msg = text[:_LONGEST] + (f" ({held} more like it since the last)" if held else "")
        record.args, record.exc_info, record.exc_text, record.stack_info = (), None, None, None
        record.is_line = True
        return True


_lines = OncePerMinute()


def hold_lines() -> None:
    """Hold every handler that there is now to lines; marimo makes one for each of its loggers, when it is imported."""
    if not logging.root.handlers:
        logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s: %(message)s", datefmt="%H:%M:%S")
    made = [one for one in logging.root.manager.loggerDict.values() if isinstance(one, logging.Logger)]
    for handler in {handler for logger in [logging.root, *made] for handler in logger.handlers}:
        if _lines not in handler.filters:
            handler.addFilter(_lines)
