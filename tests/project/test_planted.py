"""The search for secrets finds them: without this, a scan that finds nothing would say nothing."""

from __future__ import annotations

import base64
import gzip
import io
import json
import sqlite3
import urllib.parse
import zipfile
import zlib

import pytest

from tests.fakes.planted import SECRETS, Finding, Scan

SECRET = SECRETS["database"]


def in_database(path, value):
    database = sqlite3.connect(path)
    database.execute("PRAGMA journal_mode=WAL")
    database.execute("CREATE TABLE t (a, b)")
    database.execute("INSERT INTO t VALUES (1, ?)", (value,))
    database.commit()
    return database


def zipped(text):
    """Return an archive whose bytes tell no time: they are part of a test's name."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo("inside.txt"), text, zipfile.ZIP_DEFLATED)
    return file.getvalue()


PAGE = b"<script>'" + base64.b64encode(gzip.compress(json.dumps({"a": SECRET}).encode(), mtime=0)) + b"'</script>"


@pytest.mark.parametrize(
    ("data", "way", "kind"),
    [
        (SECRET.encode(), "raw", "files"),
        (json.dumps({"a": SECRET}).encode(), "JSON", "files"),
        (json.dumps(SECRET, ensure_ascii=False).encode(), "JSON", "files"),
        (f"?key={urllib.parse.quote(SECRET)}&b=1".encode(), "percent", "files"),
        (f"?key={urllib.parse.quote_plus(SECRET)}".encode(), "percent", "files"),
        (SECRET.encode().hex().encode(), "hex", "files"),
        (SECRET.encode("utf-16"), "UTF-16", "files"),
        *((base64.b64encode(b"x" * before + SECRET.encode() + b"y"), "base64", "files") for before in range(3)),
        (base64.urlsafe_b64encode(f"ada:{SECRET}".encode()), "base64", "files"),
        (gzip.compress(SECRET.encode(), mtime=0), "raw", "gzip"),
        (zlib.compress(SECRET.encode()), "raw", "zlib"),
        (zlib.compress(gzip.compress(SECRET.encode(), mtime=0)), "raw", "gzip"),
        (zipped(SECRET), "raw", "zip members"),
        (PAGE, "JSON", "packed in text"),
        (base64.b64encode(zlib.compress(SECRET.encode() * 3)), "raw", "packed in text"),
    ],
)
def test_a_planted_secret_is_found(tmp_path, data, way, kind):
    (tmp_path / "deep" / "er").mkdir(parents=True)
    (tmp_path / "deep" / "er" / "file").write_bytes(data)
    scan = Scan(SECRETS)
    scan.folder(tmp_path)
    assert scan.found == {Finding("database", way, "deep/er/file")}
    assert scan.read[kind] > 0


def test_a_secret_in_a_row_is_found_also_before_the_write_ahead_log_is_merged(tmp_path):
    open_database = in_database(tmp_path / "a.sqlite", SECRET)
    scan = Scan(SECRETS)
    scan.folder(tmp_path)
    open_database.close()
    assert {finding.where for finding in scan.found} == {"a.sqlite", "a.sqlite-wal"}
    assert scan.read["rows of databases"] == 1


def test_a_secret_in_a_compressed_table_is_found(tmp_path):
    import pandas as pd

    pd.DataFrame({"note": [SECRET] * 100}).to_parquet(tmp_path / "a.parquet", compression="zstd")
    scan = Scan(SECRETS)
    scan.folder(tmp_path)
    assert {finding.secret for finding in scan.found} == {"database"}


def test_every_secret_is_another_and_none_is_found_where_none_is():
    assert len({*SECRETS.values()}) == len(SECRETS)
    scan = Scan(SECRETS)
    scan.texts(["nothing to see", "0123456789abcdef" * 100], "texts")
    assert (scan.found, scan.read["texts"]) == (set(), 2)
