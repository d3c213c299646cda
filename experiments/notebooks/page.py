"""What the sections of a study's page share: how one is put on a page, and what is said where one fails."""

from __future__ import annotations

import html
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, TypeVar

import marimo as mo

from experiments.jobs.permits import on_a_page
from experiments.notebooks.styles import warning
from experiments.project.errors import ExperimentsError
from experiments.project.look import plain_logger, plain_text

if TYPE_CHECKING:
    from experiments.notebooks.subject import Maker, Subject

Made = TypeVar("Made")

_log = plain_logger(__name__)


class Section(ABC):
    """One part of a study's page: made once, shown by a cell, drawn again in its place.

    A subclass says what stands on a page that somebody looks at, and what is left of it in a file or a script.
    """

    def __init__(self, study: Subject) -> None:
        self.study = study

    @abstractmethod
    def page(self) -> Any:
        """Return what a page shows."""

    def refresh(self) -> None:  # noqa: B027 - what stays as it is has nothing to change
        """Change in place what has news; called from a thread of the study, which holds `study.turn`."""

    def still(self) -> Any:
        """Return what stays where nobody can press anything: by default the same."""
        return self.page()

    def _display_(self) -> Any:
        try:
            return self.page() if on_a_page() else self.still()
        except ExperimentsError as error:
            return warning(error)
        except Exception as error:  # noqa: BLE001 - whatever is wrong with one part, the page lives
            _log.exception("section %s", type(self).__name__)
            return failed(self, error)


class Changing(Section):
    """A section of which elements come and go: where another run is chosen, or a part is opened."""

    _maker: Maker | None = None

    def made(self, maker: Callable[[], Made]) -> Made:
        """Return what `maker` makes: elements of the cell that called this first, each with a name of its own."""
        if self._maker is None:
            self._maker = self.study.maker(type(self).__name__)
        return maker() if self._maker is None else self._maker.make(maker)

    def _display_(self) -> Any:
        return self.made(super()._display_)


def stacked(parts: Iterable[Any]) -> mo.Html:
    """Return what there is of `parts`, one below the other."""
    return mo.vstack([part for part in parts if part is not None])


def failed(section: Section, error: Exception) -> mo.Html:
    """Return a box that says that a section could not be drawn; the rest of the page lives."""
    what = f"{type(section).__name__}: this part could not be drawn ({type(error).__name__}: {error}). "
    return mo.callout(mo.Html(html.escape(plain_text(what) + "The other parts are not touched by it.")), kind="danger")
