"""What a log may not carry: secrets, absolute paths, and characters that make a text read as another."""

from __future__ import annotations

import html
import re
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from experiments.project.files import home_folder
from experiments.project.look import plain_text
from experiments.project.redaction import MASK, is_telling, mask_text

_JOINT = "\x1e"
_PART = r"[^\s/'\"<>|:*?`,;()\[\]{}\\]+"
_PATH = re.compile(rf"(?:file://)?(?<![\w.~$\\-])(?<!/)/({_PART})((?:/{_PART})+)/?|file:///({_PART})((?:/{_PART})*)/?")
_WINDOWS_PATH = re.compile(rf"(?<!\w)[A-Za-z]:\\{{1,2}}(?:{_PART}\\{{1,2}})*({_PART})")
# First folders of absolute paths on other machines: clusters, containers, laptops.
_FOLDER_NAMES = """
app data efs etc fsx gpfs home lib lustre media mnt nfs opt private proc root run scratch shared srv
storage sys tmp Users usr var vol Volumes work workspace workspaces
"""
_FIRST_FOLDERS = frozenset(_FOLDER_NAMES.split())


class Cleaner:
    """Takes out of every text what a log may not carry.

    Args:
        root: The project's folder: files in it are shown by their path from there. All other absolute paths lose
            everything but their last part.
    """

    def __init__(self, root: Path | None = None) -> None:
        known = [home_folder(), Path(sys.prefix), Path(tempfile.gettempdir())]
        roots = [] if root is None else [root, root.resolve()]
        self._first = _FIRST_FOLDERS | {path.parts[1] for path in known + roots if len(path.parts) > 1}
        longest_first = sorted({f"{path}/" for path in roots if len(path.parts) > 1}, key=len, reverse=True)
        either = "|".join(map(re.escape, longest_first))
        self._root = re.compile(rf"(?:file://)?(?<![\w.])(?:{either})") if either else None

    def text(self, value: object) -> str:
        """Return a value's text, to be shown or packed; not escaped."""
        return plain_text(self._private(str(value)))

    def texts(self, values: Sequence[str]) -> list[str]:
        """Return many texts as `text` would, looking for the secrets once."""
        unique = list(dict.fromkeys(values))
        parts = self._private(_JOINT.join(value.replace(_JOINT, " ") for value in unique)).split(_JOINT)
        if len(parts) != len(unique):  # a secret without an end reached over the joint
            parts = [self._private(value) for value in unique]
        cleaned = {value: plain_text(part) for value, part in zip(unique, parts, strict=True)}
        return [cleaned[value] for value in values]

    def html(self, value: object) -> str:
        """Return a value's text escaped for HTML, for elements and for quoted attributes."""
        return html.escape(self.text(value), quote=True)

    def json(self, value: Any) -> Any:
        """Return a JSON value with every text in it cleaned, and what stands under a telling name masked."""
        found = list(_texts_in(value))
        clean = dict(zip(found, self.texts(found), strict=True))

        def cleaned(part: Any, name: str = "") -> Any:
            if isinstance(part, str):
                return MASK if part and name and is_telling(name) else clean[part]
            if isinstance(part, Mapping):
                return {clean[str(key)]: cleaned(entry, str(key)) for key, entry in part.items()}
            return [cleaned(entry) for entry in part] if isinstance(part, (list, tuple)) else part

        return cleaned(value)

    def file(self, data: bytes) -> bytes | None:
        """Return the bytes of a file, cleaned where they are text; None where they hold a secret and are not."""
        try:
            return self.text(data.decode("utf-8")).encode()
        except UnicodeDecodeError:
            return None if self.holds_secret(data) else data

    def holds_secret(self, data: bytes) -> bool:
        """Say whether bytes that cannot be changed hold a secret in plain text."""
        text = data.decode("utf-8", errors="replace")
        return mask_text(text) != text

    def _private(self, text: str) -> str:
        if "/" in text:
            text = self._root.sub("", text) if self._root else text
            text = _PATH.sub(self._last_part, text)
        if ":\\" in text:
            text = _WINDOWS_PATH.sub(r"…\\\1", text)
        return mask_text(text)

    def _last_part(self, match: re.Match[str]) -> str:
        first, rest = (match[1], match[2]) if match[1] else (match[3], match[4])
        if not match[0].startswith("file:") and first not in self._first:
            return match[0]
        return f"…/{(first + rest).rsplit('/', 1)[-1]}"


def _texts_in(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for name, entry in value.items():
            yield str(name)
            yield from _texts_in(entry)
    elif isinstance(value, (list, tuple)):
        for entry in value:
            yield from _texts_in(entry)
