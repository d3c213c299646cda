"""The JSON of a replay taken apart into undecoded pieces, without ever building its whole tree."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

import msgspec

from widgets.replay.codec import version1
from widgets.replay.codec.encoded import MAGIC
from widgets.replay.codec.errors import FormatError
from widgets.replay.codec.fields import FIELDS, STRUCTURE_KEYS, TOP_KEYS
from widgets.replay.codec.issues import IssueLog
from widgets.replay.codec.limits import MIB, Limits
from widgets.replay.codec.series import Raws
from widgets.replay.codec.values import BadValueError, as_int, decode_any, repair

Container = Literal["zlib", "gzip", "json"]

Text = bytes | bytearray
"""JSON text; inflated it is a bytearray, which grows without a second copy."""

_BOM = b"\xef\xbb\xbf"
_PIECE = 64 * 1024
_GZIP = b"\x1f\x8b"
_BITWORLD = b"BITWORLD"


def sniff(data: Text, what: str = "the file") -> Container:
    """Return the form of `data`, called `what` in errors, from its first bytes; a file's suffix is never asked.

    Raises:
        FormatError: It is neither zlib, gzip nor JSON text.
    """
    if data[:2] == _GZIP:
        return "gzip"
    if len(data) >= 2 and data[0] & 0x0F == 8 and data[0] >> 4 <= 7 and (data[0] << 8 | data[1]) % 31 == 0:
        return "zlib"
    text = data[:64].removeprefix(_BOM).lstrip()
    if text[:1] in (b"{", b"[", b"n", b"t", b"f", b'"') or text[:1].isdigit():
        return "json"
    if not data:
        raise FormatError(f"{what} is empty (0 bytes); a replay is JSON text, plain or compressed with zlib or gzip")
    if data[: len(MAGIC)] == MAGIC:
        raise FormatError(
            f"{what} is a .replay, encoded for the viewer's page alone; give the .json, .json.z or .json.gz behind it"
        )
    if data[: len(_BITWORLD)] == _BITWORLD:
        raise FormatError(f"{what} is a BitWorld recording, not a MettaGrid replay; watch it in BitWorld's own viewer")
    raise FormatError(
        f"{what} begins with {bytes(data[:8])!r}, which is neither zlib, gzip nor JSON; "
        "a replay is a .json, .json.z or .json.gz file"
    )


def inflate(data: bytes, limits: Limits, log: IssueLog) -> Text:
    """Return the JSON text in `data`, without a byte order mark.

    Raises:
        FormatError: The compressed data are damaged, cut short or compressed twice.
        LimitError: The text is longer than `limits.inflated_bytes`.
    """
    limits.check("compressed_bytes", len(data), f"the file has {len(data):,} bytes")
    container = sniff(data)
    text = data if container == "json" else _inflated(data, container, limits, log)
    limits.check("inflated_bytes", len(text), f"the replay's JSON has {len(text):,} bytes")
    if text.startswith(_BOM):
        log.add("(file)", "begins with a byte order mark", severity="note")
        text = text[len(_BOM) :]
    return text


def _inflated(data: bytes, container: Container, limits: Limits, log: IssueLog) -> Text:
    text = bytearray()
    view = memoryview(data)
    start, end = 0, 0
    try:
        while True:  # a gzip file may have several members, one after the other
            inflater = zlib.decompressobj(wbits=31 if container == "gzip" else 15)
            end = start
            while end < len(data) and not inflater.eof:
                # A piece inflates to 64 MB at most: deflate's best is 1032 to 1.
                text += inflater.decompress(view[end : end + _PIECE])
                end = min(end + _PIECE, len(data))
                if len(text) > limits.inflated_bytes:
                    limits.check("inflated_bytes", len(text), f"the replay's JSON has {len(text):,} bytes or more")
            end -= len(inflater.unused_data)
            if not inflater.eof or container != "gzip" or data[end : end + 2] != _GZIP:
                break
            start = end
    except zlib.error as error:
        raise FormatError(f"the {container} data are damaged: {error}; fetch or record the replay again") from error
    if not inflater.eof:
        raise FormatError(
            f"the {container} data are cut short: {len(data):,} bytes gave {len(text):,} bytes of JSON and no end; "
            "fetch or record the replay again"
        )
    log.add("(file)", "bytes after the end of the compressed data are ignored", len(data) - end)
    inner = sniff(text[:64], f"the text in the {container} data")
    if inner != "json":
        raise FormatError(f"the {container} data hold {inner} data again; a replay is compressed once")
    return text


_REPAIR_BYTES = 64 * MIB
NEWEST_VERSION = 4

_Maybe = msgspec.Raw | msgspec.UnsetType
_TOP_KEYS = ("version", *sorted((TOP_KEYS | version1.TOP_KEYS) - {"version"}))  # others are noted as unexpected
_Top = msgspec.defstruct("_Top", [(key, _Maybe, msgspec.UNSET) for key in _TOP_KEYS])
_StrictTop = msgspec.defstruct("_StrictTop", [], bases=(_Top,), forbid_unknown_fields=True)
_Anything = msgspec.defstruct("_Anything", [])


@dataclass(frozen=True, slots=True)
class Document:
    """A replay file, taken apart.

    Attributes:
        version: Version of the format, at least 1.
        top: Undecoded top-level values by key, without the objects.
        item_names: Names of the items.
        count: Number of objects.
        columns: Undecoded values of the objects by key.
    """

    version: int
    top: dict[str, msgspec.Raw]
    item_names: list[str]
    count: int
    columns: dict[str, Raws]


def parse(text: Text, limits: Limits, log: IssueLog) -> Document:
    """Take the JSON of a replay apart.

    Raises:
        FormatError: It is no JSON, or not the JSON of a replay.
        LimitError: It holds more objects than the limits allow.
    """
    top = _top(text, log)
    version = _version(top, log)
    usual = version1.OBJECTS_KEY if version == version1.VERSION else "objects"
    key = next((key for key in (usual, "objects", version1.OBJECTS_KEY) if key in top), None)
    if key is None:
        known = f"'objects' (version 1: '{version1.OBJECTS_KEY}')"
        raise FormatError(f"the JSON has no {known}; it has {sorted(top)[:8]}")
    objects = top.pop(key)
    item_names = names(top, ("item_names", version1.ITEMS_KEY), limits, log)
    if version == version1.VERSION and not item_names:
        item_names = list(version1.DEFAULT_ITEMS)
    count, columns = _objects(objects, key, _object_keys(version, item_names), text.count(b"{"), limits)
    return Document(version, top, item_names, count, columns)


def _top(text: Text, log: IssueLog) -> dict[str, msgspec.Raw]:
    try:
        return _as_dict(_decode_top(text, log))
    except RecursionError as error:
        raise FormatError("the JSON is nested too deeply to be a replay") from error
    except msgspec.ValidationError as error:
        raise FormatError(f"not a replay: {error}; a replay is an object with 'version' and 'objects'") from error
    except (msgspec.DecodeError, ValueError) as error:
        if len(text) > _REPAIR_BYTES:
            raise FormatError(f"the text is not valid JSON: {error}") from error
        return _repaired_top(text, log, error)


def _decode_top(text: Text, log: IssueLog) -> msgspec.Struct:
    try:
        return msgspec.json.decode(text, type=_StrictTop)
    except msgspec.ValidationError as error:
        found = re.search("unknown field `(.*)`", str(error), re.DOTALL)
        if found is None:
            raise
        log.add("(top)", "unexpected key", example=found[1])
        return msgspec.json.decode(text, type=_Top)


def _repaired_top(text: Text, log: IssueLog, first: Exception) -> dict[str, msgspec.Raw]:
    """Try again with NaN, infinities and broken characters replaced, which some writers leave in a file."""
    try:
        top = _as_dict(_decode_top(repair(bytes(text)), log))
    except (msgspec.DecodeError, ValueError, RecursionError):
        raise FormatError(f"the text is not valid JSON: {first}") from first
    log.add("(file)", "not valid JSON until repaired (NaN, infinities and broken characters)", 1, str(first), "error")
    return top


def _as_dict(top: msgspec.Struct) -> dict[str, msgspec.Raw]:
    found = msgspec.structs.asdict(top)
    return {key: value for key, value in found.items() if value is not msgspec.UNSET}


def _version(top: dict[str, msgspec.Raw], log: IssueLog) -> int:
    if "version" not in top:
        log.add("version", "missing; guessed from the other keys", severity="error")
        return version1.VERSION if version1.OBJECTS_KEY in top else NEWEST_VERSION
    value = decoded(top["version"])
    version = as_int(value)
    if version is None or version < 1:
        raise FormatError(f"version is {str(value)[:40]!r}; known are 1 to {NEWEST_VERSION}")
    if version > NEWEST_VERSION:
        log.add("version", f"newer than {NEWEST_VERSION}, read on best effort", example=version)
    return version


def decoded(raw: msgspec.Raw) -> object:
    """Return the decoded value, or None when it cannot be decoded."""
    try:
        return decode_any(raw)
    except BadValueError:
        return None


def excerpt(raw: msgspec.Raw) -> str:
    """Return the beginning of an undecoded value, for messages."""
    return bytes(raw)[:80].decode("utf-8", "replace")


def names(top: dict[str, msgspec.Raw], keys: tuple[str, ...], limits: Limits, log: IssueLog) -> list[str]:
    """Return the first list of names under `keys`; what is not a name becomes empty."""
    key = next((key for key in keys if key in top), None)
    if key is None:
        return []
    limits.check("config_bytes", len(memoryview(top[key])), f"{key} has {len(memoryview(top[key])):,} bytes")
    value = decoded(top[key])
    if not isinstance(value, list):
        log.add(key, "is not a list of names", 1, excerpt(top[key]), "error")
        return []
    limits.check("names", len(value), f"{key} has {len(value):,} entries")
    wrong = [entry for entry in value if not isinstance(entry, str)]
    log.add(key, "an entry is not a name", len(wrong), lambda: str(wrong[0]), "error")
    found = [str(entry)[: limits.name_chars] if isinstance(entry, str) else "" for entry in value]
    if key == "action_names":
        return [version1.RENAMED_ACTIONS.get(name, name) for name in found]
    return found


def _object_keys(version: int, item_names: list[str]) -> tuple[str, ...]:
    keys = {key for field in FIELDS for key in field.all_keys} | {*STRUCTURE_KEYS, *version1.OBJECT_KEYS}
    if version == version1.VERSION:
        keys |= {key for item in item_names for key in version1.item_keys(item)}
    return tuple(sorted(keys))


def _objects(
    raw: msgspec.Raw, path: str, keys: tuple[str, ...], braces: int, limits: Limits
) -> tuple[int, dict[str, Raws]]:
    """Decode the list of objects one level deep: the values of the known keys stay undecoded, others are skipped."""
    limits.check("points", braces, f"the replay has {braces:,} JSON objects")
    try:
        count = braces
        if braces > limits.objects:
            count = len(msgspec.json.decode(raw, type=list[_Anything]))  # type: ignore[valid-type]
            limits.check("objects", count, f"the replay has {count:,} objects")
        slots = count * len(keys)
        limits.check("object_slots", slots, f"{count:,} objects with {len(keys):,} possible keys each are {slots:,}")
        objects = msgspec.json.decode(raw, type=list[_object_type(keys)])  # type: ignore[misc]
    except msgspec.ValidationError as error:
        raise FormatError(f"{path}: {error}; every entry must be an object") from error
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise FormatError(f"{path}: {error}") from error
    return len(objects), dict(_columns(objects, keys))


@lru_cache(maxsize=4)
def _object_type(keys: tuple[str, ...]) -> type[msgspec.Struct]:
    attributes = [f"f{at}" for at in range(len(keys))]
    fields = [(attribute, _Maybe, msgspec.UNSET) for attribute in attributes]
    return msgspec.defstruct("_Object", fields, rename=dict(zip(attributes, keys, strict=True)), gc=False)


def _columns(objects: list[Any], keys: tuple[str, ...]) -> Iterable[tuple[str, Raws]]:
    for key, values in zip(keys, zip(*map(msgspec.structs.astuple, objects), strict=True), strict=False):
        missing = values.count(msgspec.UNSET)
        if missing == 0:
            yield key, Raws(range(len(values)), values)
        elif missing < len(values):
            rows = [row for row, value in enumerate(values) if value is not msgspec.UNSET]
            yield key, Raws(rows, [values[row] for row in rows])
