"""Frames that share the memory of a run's columns: half a gigabyte of copies at a million rows."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy.typing as npt

if TYPE_CHECKING:
    import pandas as pd


@functools.cache
def copies_on_write() -> bool:
    """Tell whether pandas copies what frames share once somebody writes to it, as it does from version 3 on."""
    import pandas as pd

    return int(pd.__version__.split(".")[0]) >= 3


class SharedFrames:
    """What the frames of one run share.

    The series kept here make pandas copy a column when someone writes to a frame; before pandas 3 it would not.
    """

    def __init__(self) -> None:
        self._series: dict[str, tuple[npt.NDArray[Any], pd.Series[Any]]] = {}
        self._index: pd.RangeIndex | None = None

    def frame(self, rows: int, columns: Iterable[tuple[str, npt.NDArray[Any], bool]]) -> pd.DataFrame:
        """Return a frame of so many rows.

        Args:
            columns: Name, values, and whether these are the run's own, which are shared, or made for this frame.
        """
        import pandas as pd

        share = copies_on_write()
        # One index for all: pandas copies each column whose index is another object.
        if self._index is None or len(self._index) != rows:
            self._index = pd.RangeIndex(rows)
        data = {}
        for key, values, own in columns:
            kept = self._series.get(key)
            if kept is None or kept[0] is not values:
                kept = (values, pd.Series(values, index=self._index, copy=not share))
                if own:
                    self._series[key] = kept
            data[key] = kept[1]
        return pd.DataFrame(data, index=self._index, copy=not share)
