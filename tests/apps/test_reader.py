"""The process that has the keys: nobody reads them out of it."""

from __future__ import annotations

import ctypes
import os

import pytest

from apps.serving.reader import keep_memory_private


@pytest.mark.parametrize(("is_private", "reads"), [(False, True), (True, False)])
def test_another_process_of_the_same_user_reads_the_environment_only_where_it_is_not_kept_private(is_private, reads):
    holder = os.fork()
    if holder == 0:
        if os.geteuid() == 0:
            os.setgid(65_534)
            os.setuid(65_534)
        ctypes.CDLL(None).prctl(4, 1, 0, 0, 0)  # as a process is that did not change its user
        if is_private:
            keep_memory_private()
        os._exit(_read_by_a_child(os.getpid()))
    assert (os.waitstatus_to_exitcode(os.waitpid(holder, 0)[1]) == 0) is reads


def _read_by_a_child(pid):
    child = os.fork()
    if child == 0:
        ctypes.CDLL(None).prctl(4, 1, 0, 0, 0)
        try:
            with open(f"/proc/{pid}/environ", "rb") as file:  # noqa: PTH123 - a forked child does little
                os._exit(0 if file.read() else 1)
        except OSError:
            os._exit(1)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
