"""Native code on the way of a page: none of it can end the process over what others wrote.

A panic of Rust is no `Exception` in Python (pyo3's `PanicException` is a `BaseException`), an abort of C++ is the end.
What reads texts and values of others is fuzzed here, in a child where it may abort, or runs in a child anyway.
"""

from __future__ import annotations

import ast
import contextlib
import random
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

from experiments.cli.curves import thinned
from experiments.jobs.watch.alerts import Alert
from experiments.jobs.watch.snapshots import Snapshot
from experiments.notebooks.export.record import LogRecord
from experiments.runs.thinning import bucket_means, min_max, rounded
from experiments.types import JobRef, Plan

ROOT = Path(__file__).parents[1]
# Compiled packages and who calls them. A new one belongs here together with a test of what others' data can do to it.
CALLERS = {
    "tsdownsample": {"experiments/runs/thinning.py"},
    "vl_convert": {
        "experiments/notebooks/charts/figures.py",  # in a child of its own
        "widgets/charts/bundle.py",  # bundles its own script, and reads nothing
    },
    "pyarrow": {
        "experiments/runs/cache.py",
        "experiments/runs/packs.py",
        "experiments/runs/relay.py",
        "experiments/runs/wandb_file/batches.py",
    },
}
SERIES = {
    "NaN": np.full(5000, np.nan),
    "infinite": np.r_[np.full(2500, -np.inf), np.full(2500, np.inf)],
    "with gaps": np.where(np.arange(5000) % 3, np.nan, 1.0),
    "tiny": np.full(5000, 5e-324),
    "huge": np.full(5000, -1.7e308),
    "backwards": np.arange(5000.0)[::-1],
    "apart": np.arange(10_000.0)[::2],
    "other end first": np.arange(5000.0).astype(">f8"),
    "none": np.empty(0),
    "one": np.ones(1),
    "three": np.ones(3),
}
JSON = {
    "deep": b"[" * 1_000_000,
    "deep objects": b'{"jobs":' * 100_000,
    "long number": b'{"at":' + b"9" * 5000 + b"}",
    "no number": b'{"at":1e999, "jobs":NaN}',
    "half a character": rb'{"jobs":[{"run_name":"\ud800"}], "\udfff":"\ud800"}',
    "no text": b"\xff\xfe\x00",
    "zeros": bytes(1000),
    "nothing": b"",
}


def test_compiled_packages_are_called_where_this_list_says():
    found: dict[str, set[str]] = {name: set() for name in CALLERS}
    for folder in ("experiments", "apps", "widgets"):
        for path in (ROOT / folder).rglob("*.py"):
            name = path.relative_to(ROOT).as_posix()
            if name.startswith(("experiments/scratch/", "experiments/log/")):
                continue
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                modules = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
                modules += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
                for module in modules:
                    found.get(module.split(".")[0], set()).add(name)
    assert found == CALLERS


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("values", SERIES.values(), ids=SERIES.keys())
@pytest.mark.parametrize("points", [0, 1, 2, 3, 5, 100, 4998, 4999, 5000, 10**9])
def test_no_series_makes_the_downsampler_panic(values, points):
    kept = min_max(values, points)
    assert len(kept) <= max(points, 4)
    assert not len(values) or (kept[0], kept[-1]) == (0, len(values) - 1)
    if points and len(values):
        steps, means = bucket_means(np.arange(float(len(values))), values, points)
        assert len(steps) == len(means) == len(rounded(means))


@pytest.mark.parametrize("values", SERIES.values(), ids=SERIES.keys())
@pytest.mark.parametrize("points", [4, 5, 100, 4998, 4999, 5000])
def test_no_series_makes_the_curve_of_a_command_panic(values, points):
    ref = JobRef(run="r")
    counted = np.arange(float(len(values)))
    for steps in (counted, counted[::-1], np.zeros(len(values)), values.astype(float)):
        found = thinned(ref, steps, values, points)
        assert len(found.steps) == len(found.values) <= points
        assert found.rows + found.not_finite == len(values)


@pytest.mark.parametrize("model", [Snapshot, Plan, JobRef, Alert, LogRecord])
@pytest.mark.parametrize("text", JSON.values(), ids=JSON.keys())
def test_no_json_makes_the_validator_panic(model, text):
    with contextlib.suppress(ValidationError):
        model.model_validate_json(text)


DAMAGED = """
import random, sys
from pathlib import Path

import experiments.runs.wandb_file.log as reading
from experiments.runs.offline.store import OfflineStore

cache = sys.modules["experiments.runs.cache"]
reading.MIN_BYTES = cache.MIN_BYTES = 1
runs, folder, seed = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
wanted = OfflineStore(runs, cache_dir=folder).history("r")[0].to_dict("list")
(file,) = folder.glob("*.parquet")
content, chance = file.read_bytes(), random.Random(seed)
for _ in range(40):
    damaged = bytearray(content)
    for _ in range(chance.choice([1, 3, 30])):
        damaged[chance.randrange(len(damaged))] = chance.randrange(256)
    for old in folder.glob("*"):
        old.unlink()
    file.write_bytes(damaged[: chance.choice([len(damaged), chance.randrange(len(damaged))])])
    found = OfflineStore(runs, cache_dir=folder).history("r")[0].to_dict("list")
    assert repr(found) == repr(wanted)
print("the same")
"""


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("seed", range(3))
def test_no_damage_to_a_cache_file_ends_a_process_or_changes_a_value(tmp_path, seed):
    from tests.fakes import wandb_files as fake

    log = fake.offline_run(tmp_path / "runs", "r").write(fake.run("r"))
    chance = random.Random(seed)
    log.log(*({"loss": chance.random(), "text": f"t{n}", "list": [n, None]} for n in range(200)))
    log.write(fake.exit_record(0))
    done = subprocess.run(
        [sys.executable, "-c", DAMAGED, str(tmp_path / "runs"), str(tmp_path / "cache"), str(seed)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "the same\n"), done.stderr
