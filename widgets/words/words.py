"""The words widget: lines of text that Python sets from any thread, so that no cell runs for them."""

from __future__ import annotations

import traitlets

from widgets.page import GuardedWidget, script, styles


class Words(GuardedWidget):
    """Lines of text, one below the other; a page sets nothing.

    Attributes:
        lines: One dict a line: `kind` (`title`, `line`, `strong`, `fine` or `row`), `text`, `label` (of a row), `light`
            and `dark` (colours of a title), `muted`. Rows that follow each other are one table.
    """

    _esm = script("words", "words")
    _css = styles(("words", "words"))

    lines = traitlets.List(traitlets.Dict()).tag(sync=True)
