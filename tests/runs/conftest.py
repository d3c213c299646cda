"""A W&B server of our own, and credentials for it."""

from __future__ import annotations

import pytest

from experiments.project.credentials import Credentials
from experiments.runs.server.store import OnlineStore
from tests.fakes.wandb_schema import ENTITY
from tests.fakes.wandb_server import FakeWandb


class Clock:
    """Seconds that pass only when someone sleeps."""

    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now

    def sleep(self, seconds):
        self.now += seconds


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def server():
    with FakeWandb() as server:
        yield server


@pytest.fixture
def credentials(server):
    return Credentials(server.base_url, server.key, "the test", entity=ENTITY, project="p")


@pytest.fixture
def store(credentials, clock):
    return OnlineStore(credentials=credentials, ticks=clock, sleep=clock.sleep)
