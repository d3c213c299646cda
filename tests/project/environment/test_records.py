"""Package sets that are brought from another project, or a bundle."""

from __future__ import annotations

import pytest

from experiments.project.environment.probing import stored
from experiments.project.environment.records import bring_environment, read_environment
from experiments.project.errors import ExperimentsError

SET = {"python": "3.11.7", "implementation": "CPython", "packages": {"six": {"version": "1.16.0"}}}


@pytest.fixture
def places(tmp_path):
    return tmp_path / "source", tmp_path / "state"


def test_a_package_set_is_brought_whole_also_where_a_killed_process_left_half_of_it(places):
    source, state = places
    name = stored(SET, source)
    bring_environment(name, source, state)
    assert read_environment(state, name).packages["six"].version == "1.16.0"
    file = state / "packages" / f"{name}.json"
    file.write_bytes(file.read_bytes()[:20])
    bring_environment(name, source, state)
    assert read_environment(state, name).python == "3.11.7"


def test_a_damaged_one_takes_the_place_of_no_whole_one_and_a_missing_one_is_said(places):
    source, state = places
    name = stored(SET, state)
    stored(SET, source)
    (source / "packages" / f"{name}.json").write_text("{}")
    bring_environment(name, source, state)
    assert read_environment(state, name).python == "3.11.7"
    bring_environment("0" * 16, source, state)
    with pytest.raises(ExperimentsError, match="is not in this project"):
        read_environment(state, "0" * 16)
