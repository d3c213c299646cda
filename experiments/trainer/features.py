"""MettaGrid's observation tokens as the network's input.

A token is three bytes: place (`row << 4 | column` in the window, 254 for the agent itself, 255 for no token), feature
and value. Each token that matters sets one column to 1; one look-up table finds the column.
"""

from __future__ import annotations

import numpy as np
from mettagrid.config.mettagrid_config import GameConfig
from numpy.typing import NDArray

from experiments.trainer.arena import ORE_LIMIT, WINDOW

FloatArray = NDArray[np.float32]
Tokens = NDArray[np.uint8]

_NO_TOKEN = 255
_SELF = 254
_CENTRE = (WINDOW // 2) << 4 | (WINDOW // 2)
_FEATURES, _VALUES = 32, 16


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
        table = np.full((256, _FEATURES, _VALUES), self.size - 1, np.int32)
        for tag in range(tags):
            table[places, ids["tag"], tag] = tag * len(cells) + cells
        table[places, ids["inv:ore"], 1:] = (tags * len(cells) + cells)[:, None]
        ore = np.arange(1, _VALUES)
        table[_CENTRE, ids["inv:ore"], 1:] = own_ore + np.minimum(ore, ORE_LIMIT) - 1
        table[_SELF, ids["last_action"], :actions] = last_action + np.arange(actions)
        self._table = table.ravel()

    def encode(self, tokens: Tokens) -> FloatArray:
        """Return the input rows, (agents, size), of `tokens`, (agents, tokens, 3)."""
        agents = len(tokens)
        used = int((tokens[:, :, 0] != _NO_TOKEN).any(axis=0).sum())
        # The sums overflow a byte.
        place, feature, value = (tokens[:, :used, part].astype(np.int32) for part in range(3))
        key = (place * _FEATURES + (feature & (_FEATURES - 1))) * _VALUES + np.minimum(value, _VALUES - 1)
        columns = self._table[key]
        columns += (np.arange(agents, dtype=np.int32) * self.size)[:, None]
        cells = np.zeros(agents * self.size, np.float32)
        cells[columns] = 1.0
        rows = cells.reshape(agents, self.size)
        rows[:, -1] = 1.0
        return rows
