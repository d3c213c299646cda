"""The block of a run's config in W&B: the real SDK, offline and with a server of the tests' own."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from experiments.project.environment.probing import probed
from experiments.project.environment.wandb_config import FILE, KEY, NAMES, VARIABLE, config_block, write_config
from experiments.results.rows import flat_config
from experiments.runs.offline.store import OfflineStore
from experiments.runs.store import RunQuery
from tests.fakes.wandb_server import KEY as API_KEY
from tests.fakes.wandb_server import FakeWandb

TRAINER = """
import wandb
run = wandb.init(project="p", config={config})
run.config.update({{"later": 2}})
run.log({{"loss": 1.0}})
run.finish()
"""


@pytest.fixture
def code(tmp_path):
    return {"commit": "c" * 40, "sha256": "d" * 64} | probed([sys.executable], os.environ, tmp_path, tmp_path)


def train(folder, config='{"lr": 1}', **variables):
    environment = os.environ | {"WANDB_RUN_ID": "run-1", "WANDB_DIR": str(folder)} | variables
    subprocess.run(
        [sys.executable, "-c", TRAINER.format(config=config)], cwd=folder, env=environment, check=True, timeout=120
    )


def test_the_block_says_what_is_known_and_nothing_else(code):
    assert config_block({}) == config_block({"machine": None, "python": ""}) == {}
    block = config_block(code)
    assert set(block) <= set(NAMES)
    assert (block["environment"], block["code"]) == (code["environment"], "d" * 64)
    assert block["kernel"] == code["machine"]["blas"][0]["kernel"]
    assert config_block({}, "abc: b above a") == {"design": "abc: b above a"}


@pytest.mark.parametrize(
    "config", ['{"lr": 1}', '__import__("argparse").Namespace(lr=1)', '{"lr": 1, "experiments": {"own": 1}}']
)
def test_any_trainer_s_offline_run_has_the_block_beside_its_own_settings(tmp_path, code, config):
    run_dir = tmp_path / "runs" / "with spaces, and commas"
    run_dir.mkdir(parents=True)
    train(run_dir, config, WANDB_MODE="offline", **write_config(run_dir, code))
    [info] = OfflineStore(tmp_path / "runs").find(RunQuery())
    assert info.config["experiments"].items() >= config_block(code).items()
    assert (info.config["lr"], info.config["later"]) == (1, 2)


def test_a_run_on_a_server_has_it_as_well_and_is_in_no_sweep(tmp_path, code):
    with FakeWandb() as server:
        variables = {"WANDB_BASE_URL": server.base_url, "WANDB_API_KEY": API_KEY, "WANDB_MODE": "online"}
        train(tmp_path, **variables, **write_config(tmp_path, code))
        [run] = server.runs.values()
    assert run.config[KEY]["environment"] == code["environment"]


def test_a_disk_that_takes_no_file_costs_the_block_and_not_the_job(tmp_path, code):
    (tmp_path / FILE).mkdir()
    assert write_config(tmp_path, code) == {}
    assert write_config(tmp_path / "gone", code) == {}


def test_the_file_is_the_sdks_form_and_is_named_by_the_variable(tmp_path, code):
    [(name, path)] = write_config(tmp_path, code).items()
    assert name == VARIABLE
    assert json.loads((tmp_path / FILE).read_text()) == {KEY: {"value": config_block(code)}}
    assert path == str(tmp_path / FILE)


def test_what_we_add_is_no_setting_of_the_run(code):
    config = {"lr": 1, "experiments": config_block(code) | {"own": 1}}
    assert flat_config(config) == {"lr": 1, "experiments.own": 1}
