"""What `experiments replay` prints, by its bytes."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from experiments import cli
from tests.fakes.cases import CASES
from tests.widgets.replays import shipped

MAPS = {path: found for path in shipped() if (found := path.with_name(path.name + ".map.txt")).exists()}


@pytest.mark.parametrize("replay", MAPS, ids=lambda path: path.name)
def test_the_map_command_prints_mettagrids_own_maps_byte_for_byte(replay, capfdbinary):
    assert cli.run(["replay", "map", str(replay)]) == 0
    assert capfdbinary.readouterr() == (MAPS[replay].read_bytes(), b"")


def test_a_map_written_by_a_shell_is_the_file_that_mettagrid_ships(tmp_path):
    replay, wanted = next(iter(MAPS.items()))
    with (tmp_path / "out.txt").open("wb") as out:
        subprocess.run([sys.executable, "-m", "experiments.cli", "replay", "map", str(replay)], stdout=out, check=True)
    assert (tmp_path / "out.txt").read_bytes() == wanted.read_bytes()


def test_inspect_prints_lines_and_one_json_document(capfdbinary):
    file = str(CASES / "replays" / "07-nan-reward.json.z")
    assert cli.run(["replay", "inspect", file]) == 0
    text = capfdbinary.readouterr().out
    assert b"NaN at step 5 of agent 0\n" in text
    assert text.endswith(b"\n")
    assert not text.endswith(b"\n\n")
    assert cli.run(["replay", "inspect", file, "--json"]) == 0
    text = capfdbinary.readouterr().out
    found = json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
    assert found["data"]["rewards"] == {"min": None, "mean": None, "max": None}
    assert text.endswith(b"}\n")
