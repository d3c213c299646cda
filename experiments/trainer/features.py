"""MettaGrid's observation tokens as the network's input.

A token is three bytes: place (`row << 4 | column` in the window, 254 for the agent itself, 255 for no token), feature
and value. Each token that matters sets one column to 1; one look-up table finds the column. About thirty of several
hundred columns are 1, and only these are kept: products with such rows take a quarter of the time.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from mettagrid.config.mettagrid_config import GameConfig
from numpy.typing import NDArray
from scipy.sparse import csr_array

from experiments.trainer.arena import ORE_LIMIT, WINDOW

FloatArray = NDArray[np.float32]
Tokens = NDArray[np.uint8]
Inputs: TypeAlias = csr_array[np.float32]
"""Rows of zeros and ones, one an agent, by the columns that are 1."""

_NO_TOKEN = 255
_SELF = 254
_CENTRE = (WINDOW // 2) << 4 | (WINDOW // 2)
_FEATURES, _VALUES = 32, 16
_PLACES = 256 + 256 // _FEATURES
"""One more than any place and feature make together: of what is no token both are 255."""
_USUAL = 64
"""Tokens that hardly any agent has more of: the rest of the buffer need not be read to know."""


def stacked(parts: Sequence[Inputs]) -> Inputs:
    """Return rows below each other, as `scipy.sparse.vstack` does, which takes ten times as long to look at them."""
    counts = np.concatenate([np.diff(part.indptr) for part in parts])
    ends = np.zeros(len(counts) + 1, np.int32)
    np.cumsum(counts, out=ends[1:])
    data, indices = (np.concatenate([getattr(part, name) for part in parts]) for name in ("data", "indices"))
    return csr_array((data, indices, ends), shape=(len(counts), parts[0].shape[1]))


class Encoder:
    """Turns tokens into rows of zeros and ones.

    The columns are: for each tag, and for "holds ore", one per cell of the window; the agent's own ore from 1 to
    `ORE_LIMIT`; its last action; and a constant.

    Attributes:
        size: Number of columns.
    """

    def __init__(self, game: GameConfig) -> None:
        id_map = game.id_map()
        ids = {feature.name: feature.id for feature in id_map.features()}
        tags = len(id_map.tag_names())
        actions = len(game.actions.actions())
        assert max(ids.values()) < _FEATURES
        assert max(tags, actions, ORE_LIMIT) < _VALUES
        cells = np.arange(WINDOW * WINDOW)
        places = cells // WINDOW << 4 | cells % WINDOW
        own_ore = (tags + 1) * len(cells)
        last_action = own_ore + ORE_LIMIT
        self.size = last_action + actions + 1
        # Tokens without a meaning here fall on the constant's column, which holds 1 in any case.
        table = np.full((_PLACES, _FEATURES, _VALUES), self.size - 1, np.int32)
        for tag in range(tags):
            table[places, ids["tag"], tag] = tag * len(cells) + cells
        table[places, ids["inv:ore"], 1:] = (tags * len(cells) + cells)[:, None]
        ore = np.arange(1, _VALUES)
        table[_CENTRE, ids["inv:ore"], 1:] = own_ore + np.minimum(ore, ORE_LIMIT) - 1
        table[_SELF, ids["last_action"], :actions] = last_action + np.arange(actions)
        self._table = table.ravel()

    def encode(self, tokens: Tokens) -> Inputs:
        """Return the input rows, (agents, size), of `tokens`, (agents, tokens, 3)."""
        shown = self._shown(tokens)
        key = shown[:, :, 0].astype(np.intp)
        key *= _FEATURES
        key += shown[:, :, 1]
        key *= _VALUES
        key += np.minimum(shown[:, :, 2], _VALUES - 1)
        columns = self._table.take(key)
        is_set = columns != self.size - 1
        # Of the constant's column each row has one entry, in the place of its last token, which is none.
        is_set[:, -1] = True
        ends = np.zeros(len(tokens) + 1, np.int32)
        np.cumsum(is_set.sum(axis=1), out=ends[1:])
        indices = columns[is_set]
        return csr_array((np.ones(len(indices), np.float32), indices, ends), shape=(len(tokens), self.size))

    def _shown(self, tokens: Tokens) -> Tokens:
        """Return the tokens up to one behind which no agent has any; those that are none come last."""
        end = _USUAL
        while end < tokens.shape[1]:
            if tokens[:, end, 0].min() == _NO_TOKEN:
                return tokens[:, : end + 1]
            end *= 2
        none = np.full((len(tokens), 1, 3), _NO_TOKEN, np.uint8)
        return np.concatenate([tokens, none], axis=1)
