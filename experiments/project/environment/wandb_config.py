"""What a run's config in W&B says of what its job ran with, whatever the trainer tells W&B; standard library only.

The SDK adds the settings of a file to every run's config, from `WANDB_SWEEP_PARAM_PATH`: a sweep's agent uses it, and
by itself it makes no sweep. (`WANDB_CONFIG_PATHS`, which is meant for this, ends every program in wandb 0.31: the
variable is a text, and its setting must be a list.) Tried offline with wandb 0.16, 0.18, 0.22, 0.25 and 0.31, and with
a server with 0.31.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from experiments.project.files import write_bytes

KEY = "experiments"
"""Name of the block in a run's config; a trainer's own settings of that name stay beside it."""

FILE = "wandb-config.json"
VARIABLE = "WANDB_SWEEP_PARAM_PATH"

NAMES = (
    "snapshot",
    "commit",
    "code",
    "environment",
    "python",
    "cpu",
    "simd",
    "kernel",
    "threads",
    "gpus",
    "links",
    "design",
)
"""What may stand in the block."""


def config_block(code: Mapping[str, Any], design: str = "") -> dict[str, Any]:
    """Return what a config says of a job: only what is known of it.

    Args:
        code: Its code record, as `CodeRecord` has it.
        design: What was recorded before its launch as deciding, in words.
    """
    machine = code.get("machine") or {}
    libraries = machine.get("blas") or ()
    values = (
        *(code.get(name) for name in ("snapshot", "commit", "sha256", "environment", "python")),
        machine.get("cpu"),
        (machine.get("simd") or (None,))[-1],
        ", ".join(dict.fromkeys(each["kernel"] for each in libraries if each.get("kernel"))),
        max((each["threads"] for each in libraries if each.get("threads")), default=None),
        machine.get("gpus"),
        code.get("links"),
        design,
    )
    return {name: value for name, value in zip(NAMES, values, strict=True) if value}


def config_text(code: Mapping[str, Any], design: str = "") -> str:
    """Return the file that the SDK reads, as JSON."""
    return json.dumps({KEY: {"value": config_block(code, design)}})


def config_script(design: str) -> str:
    """Return the line of a node's script that has the SDK read what was recorded; empty where there is nothing.

    A node that cannot keep the file sets no variable, for the SDK ends a program whose file is missing.
    """
    if not design:
        return ""
    text = shlex.quote(config_text({}, design))
    return f'told=$(mktemp) && printf %s {text} > "$told" && export {VARIABLE}="$told"\n'


def write_config(run_dir: Path, code: Mapping[str, Any], design: str = "") -> dict[str, str]:
    """Write the block into a run's folder; return the variables with which the SDK reads it.

    Without the file there must be no variable, for the SDK ends a program whose file is missing. None is returned where
    the file cannot be written, so that a full disk costs the block and not the job.
    """
    path = run_dir / FILE
    try:
        write_bytes(path, config_text(code, design).encode(), lasting=False)
    except OSError:
        return {}
    return {VARIABLE: str(path)}
