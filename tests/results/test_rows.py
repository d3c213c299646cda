from __future__ import annotations

from experiments.results.rows import RunRow, config_differences


def test_a_name_and_a_seed_are_no_difference_wherever_a_config_keeps_them():
    rows = [
        RunRow(
            f"r{seed}", "a", seed, "succeeded",
            config={"TrainTool.run": f"r{seed}", "TrainTool.system.seed": seed, "seed": seed, "lr": 0.1 * seed},
        )
        for seed in (1, 2)
    ]  # fmt: skip
    assert config_differences(rows) == {"lr": {"r1": 0.1, "r2": 0.2}}


def test_a_setting_that_equals_some_seed_only_is_a_difference():
    found = {1: 1, 2: 1, 3: 4}
    rows = [RunRow(f"r{seed}", "a", seed, "succeeded", config={"layers": found[seed]}) for seed in found]
    assert list(config_differences(rows)) == ["layers"]
