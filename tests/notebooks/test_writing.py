from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from experiments.notebooks.writing import back_up, check_writable, one_writer, write_whole
from experiments.project.errors import NotebookError


def test_a_file_keeps_its_mode_and_a_link_its_target(tmp_path):
    path = tmp_path / "a_nb.py"
    path.write_text("old")
    path.chmod(0o640)
    write_whole(path, "new")
    assert (path.read_text(), path.stat().st_mode & 0o777) == ("new", 0o640)


def test_a_new_file_has_the_mode_that_the_user_asks_of_new_files(tmp_path):
    code = (
        "import os; os.umask(0o027)\nfrom pathlib import Path\nfrom experiments.notebooks.writing import write_whole\n"
    )
    subprocess.run([sys.executable, "-c", f"{code}write_whole(Path('a_nb.py'), '')"], cwd=tmp_path, check=True)
    assert (tmp_path / "a_nb.py").stat().st_mode & 0o777 == 0o640


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_write_that_fails_leaves_the_file_and_nothing_else(tmp_path, monkeypatch):
    path = tmp_path / "a_nb.py"
    path.write_text("old")
    with pytest.raises(UnicodeEncodeError):
        write_whole(path, "\ud800")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_full_disk_is_said_and_leaves_the_file(tmp_path):
    """A limit on the size of files stands in for a full disk: the same error path, without root."""
    path = tmp_path / "a_nb.py"
    path.write_text("old")
    code = (
        "import resource, signal, sys; from pathlib import Path\nfrom experiments.project.errors import NotebookError\n"
        "from experiments.notebooks.writing import write_whole\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN); resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "try: write_whole(Path(sys.argv[1]), 'x' * 5000)\nexcept NotebookError as error: print(error)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True)
    assert "cannot be written: File too large. Name another folder" in done.stdout
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_killed_writer_frees_the_folder(tmp_path):
    code = (
        "import sys, time; from pathlib import Path\nfrom experiments.notebooks.writing import one_writer\n"
        "with one_writer(Path(sys.argv[1])):\n    print('held', flush=True)\n    time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", code, str(tmp_path / "a_nb.py")], stdout=subprocess.PIPE) as holder:
        assert holder.stdout.readline() == b"held\n"
        os.kill(holder.pid, signal.SIGKILL)
    with one_writer(tmp_path / "a_nb.py"):
        pass


def test_a_folder_that_takes_no_file_is_refused():
    # Not even root may make a file there.
    with pytest.raises(NotebookError, match="cannot be written"):
        check_writable(Path("/proc/self/a_nb.py"))


def test_backups_take_the_next_free_name(tmp_path):
    path = tmp_path / "a_nb.py"
    path.write_text("1")
    assert [back_up(path).name for _ in range(3)] == ["a_nb.py.bak", "a_nb.py.bak.1", "a_nb.py.bak.2"]
