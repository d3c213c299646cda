"""Putting a log in its place: whole or not at all, and never over another one in silence."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from experiments.notebooks.export.placing import (
    check_writable,
    draft_of,
    is_kept_name,
    kept_name,
    put_in_place,
    target_of,
    write_draft,
)
from experiments.notebooks.export.record import LogRecord, with_record
from experiments.project.errors import NotebookError, UsageError

ROOT = Path(__file__).parents[3]


def page(created="2026-11-22T14:05:01+00:00"):
    return with_record(b"<title>A</title>", LogRecord(title="A", experiment="a", created=created))


def write(path, content, *, keep_old):
    draft = draft_of(path)
    write_draft(draft, content)
    return put_in_place(draft, path, keep_old=keep_old)


def test_a_log_lies_in_the_project_under_its_experiments_name(tmp_path):
    assert target_of(tmp_path, "arena", None) == tmp_path / "experiments" / "log" / "arena.html"
    assert target_of(tmp_path, "index", None).name == "index-log.html"


def test_a_name_that_is_no_page_is_refused(tmp_path):
    with pytest.raises(UsageError, match=r"does not end in \.html"):
        target_of(tmp_path, "a", Path("notebook.py"))
    with pytest.raises(UsageError, match="is a folder"):
        target_of(tmp_path, "a", tmp_path)


def test_the_log_before_is_kept_by_its_own_time(tmp_path):
    path = tmp_path / "a.html"
    assert write(path, page(), keep_old=True) is None
    kept = write(path, page("2026-11-23T00:00:00+00:00"), keep_old=True)
    assert kept == tmp_path / "a.2026-11-22T140501Z.html"
    assert kept.read_bytes() == page()
    assert path.read_bytes() != page()
    assert is_kept_name(kept)
    assert not is_kept_name(path)


def test_two_logs_of_one_second_are_both_kept(tmp_path):
    path = tmp_path / "a.html"
    for _ in range(3):
        write(path, page(), keep_old=True)
    assert sorted(found.name for found in tmp_path.iterdir()) == [
        *("a.2026-11-22T140501Z-2.html", "a.2026-11-22T140501Z.html", "a.html"),
    ]


def test_a_page_of_another_origin_is_kept_by_its_files_time(tmp_path):
    path = tmp_path / "a.html"
    path.write_text("<html>mine</html>")
    os.utime(path, (0, 0))
    assert kept_name(path).name == "a.1970-01-01T000000Z.html"
    kept = write(path, page(), keep_old=True)
    assert kept.read_text() == "<html>mine</html>"


def test_a_folder_that_cannot_be_written_is_named_with_the_way_out(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(NotebookError, match=r"cannot be written.*-o FILE\.html"):
        check_writable(tmp_path / "file" / "log")


def test_a_full_disk_leaves_the_old_log_and_no_rest(tmp_path):
    path = tmp_path / "a.html"
    write(path, page(), keep_old=True)
    # The system takes no more than so many bytes in a file, as a disk with so much room does.
    code = (
        "import resource, signal, sys; from pathlib import Path\n"
        "from experiments.notebooks.export.placing import draft_of, write_draft\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "write_draft(draft_of(Path(sys.argv[1])), b'x' * 100_000)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(path)], cwd=ROOT, capture_output=True, text=True)
    assert "NotebookError: the log cannot be written" in done.stderr
    assert [found.name for found in tmp_path.iterdir()] == ["a.html"]
    assert path.read_bytes() == page()
