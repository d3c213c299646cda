"""What every test starts from: a clean environment, no account, no network beyond loopback."""

from __future__ import annotations

import os
import signal

import pytest

from experiments.jobs import permits

# Where the tests run in a shell's background, Ctrl-C is ignored, and every process that they start would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)

_PREFIXES = ("WANDB_", "EXPERIMENTS_", "SKYPILOT_", "METTAGRID_")


def pytest_collection_modifyitems(config, items):
    """Begin with the files whose tests may take longest, where the order is ours: several workers end together."""
    if config.getoption("loadscopereorder", default=True):
        return
    longest: dict[object, float] = {}
    for item in items:
        mark = item.get_closest_marker("timeout")
        longest[item.path] = max(longest.get(item.path, 0.0), mark.args[0] if mark is not None else 0.0)
    items.sort(key=lambda item: -longest[item.path])


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport():
    """Let what a test printed be text: a worker cannot hand over half a character, which the odd ones of us print."""
    report = yield
    report.sections = [(name, text.encode("utf-8", "backslashreplace").decode()) for name, text in report.sections]
    return report


@pytest.fixture(autouse=True)
def clean_environ(monkeypatch, tmp_path_factory):
    """No setting of the developer's own machine reaches a test, and nothing of a test reaches an account."""
    for name in list(os.environ):
        if name.startswith(_PREFIXES):
            monkeypatch.delenv(name)
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    monkeypatch.setenv("NETRC", str(home / ".netrc"))
    monkeypatch.setenv("WANDB_ERROR_REPORTING", "false")
    monkeypatch.setenv("WANDB_SILENT", "true")
    monkeypatch.setenv("EXPERIMENTS_USER", "tester")
    # A process that was seen to be read-only stays so; this one runs other tests after it.
    monkeypatch.setattr(permits, "_latched", False)
    # What an interpreter has installed is asked once for all tests: each has a home of its own, and the answer is long.
    monkeypatch.setenv("EXPERIMENTS_CACHE", str(tmp_path_factory.getbasetemp() / "cache"))
