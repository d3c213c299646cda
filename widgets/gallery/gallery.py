"""The gallery: an anywidget of pictures, of which a person chooses one or two."""

from __future__ import annotations

from typing import Any

import traitlets

from widgets.page import GuardedWidget, script, styles

MOST_CHOSEN = 2
_BATCH = 20  # all pictures are sent again with each batch, and one batch with each picture


class ReplayGallery(GuardedWidget):
    """Replays as pictures with their run, step and reward; filters work on the page alone.

    What the page may set is `chosen`; anything else that it sends is ignored.

    Attributes:
        items: One dict a replay: `id`, `experiment`, `run`, `arm`, `seed`, `step`, `when` (the step in words).
        pictures: What is known of each by now, by id: `svg`, `reward` (mean an agent; None where nobody knows it),
            `not_finite` (a reward is no finite number, so that there is no sum), `problem` (why there is no picture).
        more: Those that were made last and are not in `pictures` yet.
        chosen: Ids, at most two.
        empty: What a gallery without replays says.
    """

    _esm = script("gallery", "gallery")
    _css = styles(("jobs", "jobs"), ("gallery", "gallery"))

    items = traitlets.List(traitlets.Dict()).tag(sync=True)
    pictures = traitlets.Dict().tag(sync=True)
    more = traitlets.Dict().tag(sync=True)
    chosen = traitlets.List(traitlets.Unicode()).tag(sync=True)
    empty = traitlets.Unicode("No replay yet.").tag(sync=True)

    def __init__(self, **traits: Any) -> None:  # noqa: ANN401 - the traits above
        self._made: dict[str, dict[str, Any]] = {}
        super().__init__(**traits)

    def add(self, pictures: dict[str, dict[str, Any]]) -> None:
        """Show pictures that were just made; may be called from any thread."""
        with self._turn:
            self._made = {**self._made, **pictures}
            if len(self._made) < _BATCH:
                self.more = self._made
            else:
                self.finish()

    def finish(self) -> None:
        """Move what was made to all the others: a page that comes late or again reads both."""
        with self._turn:
            made, self._made = self._made, {}
            with self.hold_sync():
                self.pictures = {**self.pictures, **made}
                self.more = {}

    def may_set(self, name: str, value: object) -> bool:
        """Tell whether it is what is chosen, of that which is shown."""
        known = {item["id"] for item in self.items}
        return (
            name == "chosen"
            and isinstance(value, list)
            and len(value) <= MOST_CHOSEN
            and all(isinstance(chosen, str) and chosen in known for chosen in value)
        )
