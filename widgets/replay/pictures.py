"""The game's own pictures for a replay: those of its types and items, cut small and joined into one atlas.

They come from where they are, nothing is fetched: the folder that METTAGRID_ASSET_DIR names, the folder of the viewer
in mettagrid's wheel (in most wheels its files are pointers of Git LFS, no pictures, and are passed over), or the
large atlas beside it (`renderer/assets/atlas.png` with `atlas.json`, `{name: [x, y, width, height]}`). Cutting that one
takes a second and 270 MB, so its small form is kept by the wheel's version.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import io
import json
import os
import re
import struct
import tempfile
from collections.abc import Iterable, Mapping
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Any

from PIL import Image

SIDE = 64
"""Pixels of a picture's side: the largest cell that a map shows is 96, most are below 48."""

_COLUMNS = 16
# Empty pixels beside each picture: a browser that enlarges one mixes in what is next to it.
_GAP = 2
_LARGEST = 256 * 1024
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}")
_WALLS = ("0", "n", "w", "s", "e", "nw", "ns", "ne", "ws", "we", "se", "nws", "nwe", "nse", "wse", "nwse", "fill")
_AGENTS = {"agent.n": "agents/agent.n", "agent.s": "agents/agent.s", "agent.w": "agents/agent.w"} | {
    "agent.e": "agents/agent.e",
    "frozen": "agents/frozen",
}
_KEPT = ("objects/", "resources/", "agents/agent", "agents/frozen")
_QUALITY = 90

Cut = Mapping[str, Image.Image]
"""Pictures of `SIDE` pixels by their name in the wheel, such as `objects/altar`."""


def pictures_of(headers: Iterable[Mapping[str, Any]], cache_dir: Path | None = None) -> bytes:
    """Return the pictures of some replays in one piece: u32 J, J bytes of JSON `{key: [x, y]}`, an image (WebP).

    A key is `type:NAME`, `item:NAME`, `agent.n` and so on for the ways that an agent faces, `frozen`, or `wall.nw` for
    a wall that is joined to others in the north and west. Every picture has `SIDE` pixels a side.

    Args:
        headers: Headers of encoded replays.
        cache_dir: Where the small form of the wheel's atlas is kept between processes; None keeps it in this one.

    Returns:
        Empty when none of their types or items has a picture.
    """
    wheel, folders = _wheel(cache_dir), _folders()
    found: dict[str, Image.Image] = {}
    for key, places in _wanted(headers).items():
        picture = next((each for place in places for each in [_picture(place, folders, wheel)] if each), None)
        if picture is not None:
            found[key] = picture
    return _packed(found) if any(key.startswith(("type:", "item:", "wall.")) for key in found) else b""


def _wanted(headers: Iterable[Mapping[str, Any]]) -> dict[str, list[str]]:
    """Return what to look for, and under which names."""
    wanted: dict[str, list[str]] = {}
    for header in headers:
        for name in filter(None, header["type_names"]):
            wanted[f"type:{name}"] = [f"objects/{each}" for each in _spellings(name)]
        for name in filter(None, header["item_names"]):
            wanted[f"item:{name}"] = [f"resources/{each}" for each in _spellings(name)]
        if "wall" in header["type_names"]:
            wanted |= {f"wall.{ways}": [f"objects/wall.{ways}"] for ways in _WALLS}
        wanted |= {key: [place] for key, place in _AGENTS.items()}
    return wanted


def _spellings(name: str) -> list[str]:
    """Return a name, and as it is without what stands before a colon: "c:hub" is a hub."""
    bare = name.rpartition(":")[2]
    return list(dict.fromkeys([name, bare, bare.replace(".", "_")]))


def _picture(place: str, folders: list[Path], wheel: Cut) -> Image.Image | None:
    folder, _, name = place.partition("/")
    if not _NAME.fullmatch(name):
        return None
    for root in folders:
        for file in (root / folder / f"{name}.png", root / "agents" / f"{name}.s.png"):
            found = _opened(file)
            if found is not None:
                return found
    return wheel.get(place)


def _opened(file: Path) -> Image.Image | None:
    """Return a picture of the right size, or None where there is no file, or no picture in it."""
    with suppress(OSError, ValueError, Image.DecompressionBombError):
        if file.stat().st_size <= _LARGEST:
            return _fitted(Image.open(file, formats=("PNG",)).convert("RGBA"))
    return None


def _fitted(picture: Image.Image) -> Image.Image:
    return picture.resize((SIDE, SIDE), Image.Resampling.LANCZOS)


def _folders() -> list[Path]:
    named = os.environ.get("METTAGRID_ASSET_DIR")
    root = _root()
    shipped = [] if root is None else [root / "nim" / "mettascope" / "data"]
    return ([Path(named)] if named else []) + shipped


def _root() -> Path | None:
    spec = importlib.util.find_spec("mettagrid")
    places = spec.submodule_search_locations if spec else None
    return Path(places[0]) if places else None


def _wheel(cache_dir: Path | None) -> Cut:
    root = _root()
    return {} if root is None else _wheel_pictures(root / "renderer" / "assets", cache_dir)


@lru_cache(maxsize=2)
def _wheel_pictures(assets: Path, cache_dir: Path | None) -> Cut:
    """Return what the wheel's atlas and the files beside it hold, from the cache where it was cut before."""
    version = importlib.metadata.version("mettagrid")
    place = None if cache_dir is None else cache_dir / f"mettagrid-{version}-{SIDE}.pictures"
    if place is not None:
        with suppress(OSError, ValueError, LookupError, struct.error):
            return _unpacked(place.read_bytes())
    found = _cut(assets)
    if place is not None and found:
        _store(place, _packed(found, lossless=True))
    return found


def _cut(assets: Path) -> Cut:
    found: dict[str, Image.Image] = {}
    for file in sorted(assets.glob("*.png")):
        if file.stem != "atlas":
            small = _opened(file)
            found |= {} if small is None else {f"objects/{file.stem}": small}
    with suppress(OSError, ValueError, TypeError, Image.DecompressionBombError):
        entries = json.loads((assets / "atlas.json").read_text(encoding="utf-8"))
        sheet = Image.open(assets / "atlas.png", formats=("PNG",)).convert("RGBA")
        for name, (x, y, width, height) in entries.items():
            if name.startswith(_KEPT):
                found[name.removesuffix(".png")] = _fitted(sheet.crop((x, y, x + width, y + height)))
    return found


def _packed(pictures: Cut, *, lossless: bool = False) -> bytes:
    rows = -(-len(pictures) // _COLUMNS)
    pitch = SIDE + _GAP
    sheet = Image.new("RGBA", (min(_COLUMNS, len(pictures)) * pitch, rows * pitch))
    places: dict[str, tuple[int, int]] = {}
    for at, (key, picture) in enumerate(pictures.items()):
        places[key] = (at % _COLUMNS * pitch, at // _COLUMNS * pitch)
        sheet.paste(picture, places[key])
    file = io.BytesIO()
    sheet.save(file, "WEBP", lossless=lossless, exact=lossless, quality=_QUALITY)
    index = json.dumps(places).encode()
    return struct.pack("<I", len(index)) + index + file.getvalue()


def _unpacked(data: bytes) -> Cut:
    (length,) = struct.unpack_from("<I", data)
    sheet = Image.open(io.BytesIO(data[4 + length :]), formats=("WEBP",)).convert("RGBA")
    places = json.loads(data[4 : 4 + length])
    return {name: sheet.crop((x, y, x + SIDE, y + SIDE)) for name, (x, y) in places.items()}


def _store(place: Path, data: bytes) -> None:
    """Write by rename; a cache that cannot be written is made again."""
    with suppress(OSError):
        place.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=place.parent, prefix=".pictures-", delete=False) as file:
            file.write(data)
        Path(file.name).replace(place)
