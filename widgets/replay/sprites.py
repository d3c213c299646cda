"""Real sprites for the viewer, when the user has some: PNG files under the folder named by METTAGRID_ASSET_DIR.

The wheel of mettagrid holds only pointers to its pictures, so each file is checked to be a PNG.
"""

from __future__ import annotations

import json
import os
import re
import struct
from collections.abc import Iterable
from pathlib import Path

_MAGIC = b"\x89PNG\r\n\x1a\n"
_ONE_BYTES = 256 * 1024
_ALL_BYTES = 4 * 1024 * 1024
_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")


def pack_sprites(type_names: Iterable[str], folder: Path | None = None) -> bytes:
    """Return the sprites of some types in one piece: u32 J, J bytes of JSON `{type: [offset, length]}`, PNG files.

    Offsets count from the end of the JSON.

    Args:
        type_names: Types of objects.
        folder: Where `objects/<type>.png` and `agents/<type>.s.png` are; None asks METTAGRID_ASSET_DIR.

    Returns:
        Empty when there are no sprites.
    """
    if folder is None:
        named = os.environ.get("METTAGRID_ASSET_DIR")
        if not named:
            return b""
        folder = Path(named)
    places: dict[str, tuple[int, int]] = {}
    pictures: list[bytes] = []
    size = 0
    for name in dict.fromkeys(type_names):
        picture = _picture(folder, name)
        if picture and size + len(picture) <= _ALL_BYTES:
            places[name] = (size, len(picture))
            pictures.append(picture)
            size += len(picture)
    if not places:
        return b""
    index = json.dumps(places).encode()
    return struct.pack("<I", len(index)) + index + b"".join(pictures)


def _picture(folder: Path, name: str) -> bytes:
    if not _NAME.fullmatch(name):
        return b""
    for place in (folder / "objects" / f"{name}.png", folder / "agents" / f"{name}.s.png"):
        try:
            with place.open("rb") as file:
                data = file.read(_ONE_BYTES + 1)
        except OSError:
            continue
        if data.startswith(_MAGIC) and len(data) <= _ONE_BYTES:
            return data
    return b""
