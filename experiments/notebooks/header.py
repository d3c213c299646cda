"""The block of comments at the top of a notebook of version 0.1: what made it, and a hash of each generated cell.

    # /// experiments
    # experiment = "my_arena"
    # recipe = "experiments/recipes/arena_experiment.py"
    # remake = "uv run experiments/recipes/arena_experiment.py my_arena --no-launch"
    #
    # [cells]
    # config = "0a1b2c3d4e5f"
    # ///

Notebooks have none any more; those that do are read, and can be remade once.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field

from experiments.project.errors import NotebookError

_BLOCK = re.compile(r"^# /// experiments[ \t]*\n(?P<lines>(?:#(?: .*)?\n)*?)# ///[ \t]*$", re.MULTILINE)


@dataclass(frozen=True)
class Header:
    """What a notebook of version 0.1 says of its origin.

    Attributes:
        experiment: Name of the experiment.
        cells: Hash of each generated cell as the generator wrote it, in order; `setup` is the setup block. The entry of
            `jobs` is that of the empty list.
    """

    experiment: str
    cells: Mapping[str, str] = field(default_factory=dict)


def read_header(comments: str) -> Header | None:
    """Return what the block in `comments` says, or None where there is no block.

    Raises:
        NotebookError: There is a block, but it is damaged.
    """
    block = _BLOCK.search(comments)
    if block is None:
        return None
    toml = "\n".join(line[2:] for line in block["lines"].split("\n"))
    try:
        table = tomllib.loads(toml)
        cells = {str(name): str(digest) for name, digest in table.get("cells", {}).items()}
        return Header(str(table["experiment"]), cells)
    except (tomllib.TOMLDecodeError, KeyError, AttributeError) as error:
        raise NotebookError(f"the '# /// experiments' block is damaged: {error}.") from None


def without_header(comments: str) -> str:
    """Return the comments of a notebook without our block, and the rest as it is."""
    return _BLOCK.sub("", comments, count=1).strip()
