"""What somebody with a permit can make of a night: many attempts to make one of twenty equal arms look better."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fakes import night
from tests.share import share

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def lived(tmp_path_factory):
    command = [sys.executable, night.__file__, str(tmp_path_factory.mktemp("night")), str(share(500, 250)), "2"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=Path(night.__file__).parents[2])
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_it_uses_what_its_permit_covers_and_no_job_more(lived):
    assert lived["drawn"] == lived["handed"] == night.JOBS
    assert lived["refused"]["LaunchError"] > share(100, 40)


def test_no_job_is_launched_twice(lived):
    assert lived["twice"] == 0
    assert lived["tried"]["again"] > 10


def test_no_claim_is_registered_whose_seeds_had_chosen_it(lived):
    late = [claim for claim in lived["claims"] if claim["chose"]]
    assert len(late) > 10
    assert not [claim for claim in late if claim["decision"]]


def test_none_of_the_equal_arms_is_called_better(lived):
    decisions = [claim["decision"] for claim in lived["claims"] if claim["decision"]]
    assert len(decisions) >= share(5, 3)
    assert "confirmed" not in decisions
