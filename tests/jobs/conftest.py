"""A fake SkyPilot for each test that asks for one."""

from __future__ import annotations

import pytest

from tests.fakes.skypilot import FakeSky, close_clients


@pytest.fixture
def sky(tmp_path, monkeypatch):
    monkeypatch.setenv("FAKE_SKY_DIR", str(tmp_path / "sky"))
    monkeypatch.setenv("SKYPILOT_API_SERVER_ENDPOINT", "http://ada:hunter2@fake:1")
    yield FakeSky(tmp_path / "sky")
    close_clients()
