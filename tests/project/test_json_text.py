"""JSON of others is data or a ValueError, whatever it says."""

from __future__ import annotations

import ast
import json
import math
from pathlib import Path

import pytest

from experiments.project.json_text import parse_json, real_number

ROOT = Path(__file__).parents[2]
# What they read our own processes wrote; the bridge is a program of its own, without our package.
OWN = {
    "experiments/notebooks/forms/kinds.py",
    "experiments/project/json_text.py",
    "experiments/jobs/launchers/sky/bridge.py",
    "experiments/notebooks/export/run/child.py",
    "experiments/notebooks/export/run/process.py",
    "experiments/notebooks/charts/figures.py",
}
NO_JSON = ["", "[" * 100_000, '{"a":' * 100_000, b"\xff", b"\x00", "9" * 5000, "{", "nan", '"\x1b"']


@pytest.mark.parametrize("text", NO_JSON, ids=range(len(NO_JSON)))
def test_what_is_no_json_or_too_deep_is_a_value_error(text):
    with pytest.raises(ValueError, match=r"."):
        parse_json(text)


def test_a_half_of_a_character_is_a_replacement_sign():
    found = parse_json(r'{"\ud800": ["a\udfffb", "\ud83d\ude00"], "c": NaN}')
    assert found.pop("c") != 0
    assert found == {"\ufffd": ["a\ufffdb", "\U0001f600"]}
    json.dumps(found, ensure_ascii=False).encode()


def test_a_number_beyond_all_floats_is_infinite():
    assert real_number(10**5000) == parse_json("1e999") == math.inf
    assert real_number(-(10**400)) == -math.inf
    assert real_number(2**53) == 2.0**53


def test_json_of_others_is_read_by_this_one_function():
    found = set()
    for path in [*(ROOT / "experiments").rglob("*.py"), *(ROOT / "apps").rglob("*.py")]:
        name = path.relative_to(ROOT).as_posix()
        if not name.startswith(("experiments/scratch/", "experiments/log/")):
            calls = (node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call))
            found |= {name for call in calls if ast.unparse(call.func) in {"json.loads", "json.load"}}
    assert found <= OWN
