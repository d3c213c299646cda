"""Secrets of many kinds, planted where users have theirs, and the search for them in everything that was written."""

from __future__ import annotations

import base64
import gzip
import hashlib
import html
import io
import json
import re
import shlex
import sqlite3
import string
import urllib.parse
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path

_HEX, _WORD = "0123456789abcdef", string.ascii_letters + string.digits
# gzip, zip and a page's or notebook's packed parts begin like this once they are base64.
_PACKED = re.compile(rb"(?:H4sI|UEsDB|eN[opqrst]|eJ[w-z]|eA[E])[A-Za-z0-9+/]{20,}={0,2}")
_DEEPEST = 4


def made(name: str, length: int, letters: str = _WORD) -> str:
    """Return a secret that looks random and is the same in every run."""
    return "".join(letters[byte % len(letters)] for byte in hashlib.shake_256(name.encode()).digest(length))


SECRETS: Mapping[str, str] = {
    "wandb variable": made("wandb variable", 40, _HEX),
    "netrc": made("netrc", 40, _HEX),
    "wandb settings": made("wandb settings", 40, _HEX),
    "aws": made("aws", 34) + "/+a/b+",
    "hugging face": "hf_" + made("hugging face", 34),
    "github": "ghp_" + made("github", 36),
    "database": f"p&ä\"'<{made('database', 12)}>\\ z",
    "config field": made("config field", 24),
    "typed field": made("typed field", 24),
    "typed argument": made("typed argument", 24),
    "git remote": made("git remote", 24),
    "alert variable": made("alert variable", 24),
    "settings file": made("settings file", 24),
    "printed": "sk-" + made("printed", 40),
    "sky server": made("sky server", 24),
}
"""By where each is planted."""


def spellings(secret: str) -> dict[bytes, str]:
    """Return the ways in which a secret can be written, each with the name of the way."""
    raw = secret.encode()
    texts = [
        (secret, "raw"),
        (json.dumps(secret)[1:-1], "JSON"),
        (json.dumps(secret, ensure_ascii=False)[1:-1], "JSON"),
        (repr(secret)[1:-1], "Python"),
        (ascii(secret)[1:-1], "Python"),
        (html.escape(secret), "HTML"),
        (urllib.parse.quote(secret), "percent"),
        (urllib.parse.quote(secret, safe=""), "percent"),
        (urllib.parse.quote_plus(secret), "percent"),
        (shlex.quote(secret).strip("'"), "shell"),
        (raw.hex(), "hex"),
    ]
    ways = {text.encode(): way for text, way in reversed(texts)}
    ways[secret.encode("utf-16-le")] = "UTF-16"
    for before in range(3):
        # Letters at the edges hold bits of their neighbours; those between them are the secret's own.
        coded = base64.b64encode(b"\0" * before + raw)
        whole = coded[-(-before * 4 // 3) : (before + len(raw)) // 3 * 4]
        ways[whole] = ways[whole.replace(b"+", b"-").replace(b"/", b"_")] = "base64"
    return ways


@dataclass(frozen=True)
class Finding:
    """A secret that was found: which, how it is written, and where (path from the scanned folder, or what was said)."""

    secret: str
    way: str
    where: str


@dataclass
class Scan:
    """A search for secrets.

    Attributes:
        secrets: Values by name.
        read: How many things of each kind were read.
        found: What was found, once for each place.
    """

    secrets: Mapping[str, str]
    read: Counter[str] = field(default_factory=Counter)
    found: set[Finding] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._names = {
            way: (name, how) for name, value in self.secrets.items() for way, how in spellings(value).items()
        }
        longest_first = sorted(self._names, key=len, reverse=True)
        self._needles = re.compile(b"|".join(map(re.escape, longest_first)))

    def folder(self, folder: Path) -> None:
        """Read every file below a folder."""
        for path in sorted(folder.rglob("*")):
            if path.is_file() and not path.is_symlink():
                self.file(path, str(path.relative_to(folder)))

    def file(self, path: Path, where: str) -> None:
        """Read one file: as it is, unpacked, and a database row by row."""
        with suppress(FileNotFoundError):
            data = path.read_bytes()
            self.read["files"] += 1
            self.read[f"files {path.suffix or path.name}"] += 1
            self.data(data, where)
            if data.startswith(b"SQLite format 3\0"):
                self._rows(path, where)

    def data(self, data: bytes, where: str, depth: int = 0) -> None:
        """Read bytes, and what is packed in them."""
        self.read["bytes"] += len(data)
        for match in self._needles.finditer(data):
            name, way = self._names[match[0]]
            self.found.add(Finding(name, way, where))
        if depth < _DEEPEST:
            for kind, part in _packed(data):
                self.read[kind] += 1
                self.data(part, where, depth + 1)

    def texts(self, texts: Iterable[str], where: str) -> None:
        """Read texts that are in no file, such as command lines."""
        for text in texts:
            self.read[where] += 1
            self.data(text.encode("utf-8", "surrogateescape"), where)

    def _rows(self, path: Path, where: str) -> None:
        """Read the rows of a database, which also lie in its write-ahead log."""
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
            for (table,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
                for row in database.execute(f'SELECT * FROM "{table}"'):
                    self.read["rows of databases"] += 1
                    for value in row:
                        self.data(value if isinstance(value, bytes) else str(value).encode(), where, depth=1)


def _packed(data: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield what is packed in bytes, each with its kind."""
    if data.startswith(b"\x1f\x8b"):
        with suppress(OSError, EOFError, zlib.error):
            yield "gzip", gzip.decompress(data)
    elif data[:1] == b"\x78":
        with suppress(zlib.error):
            yield "zlib", zlib.decompressobj().decompress(data)
    elif data.startswith(b"PK\x03\x04"):
        with suppress(zipfile.BadZipFile), zipfile.ZipFile(io.BytesIO(data)) as archive:
            for name in archive.namelist():
                yield "zip members", archive.read(name)
    elif data.startswith(b"PAR1"):
        import pyarrow.parquet as pq

        yield "parquet", json.dumps(pq.read_table(io.BytesIO(data)).to_pylist(), default=str).encode()
    for match in _PACKED.finditer(data):
        with suppress(ValueError):
            yield "packed in text", base64.b64decode(match[0] + b"=" * (-len(match[0]) % 4))
