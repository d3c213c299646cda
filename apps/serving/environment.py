"""What the server's process knows of its user: nothing that opens an account."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from experiments.jobs.permits import READ_ONLY
from experiments.project.files import home_folder

CLEAN = "EXPERIMENTS_SERVED"
"""Variable that is 1 in a process whose environment `clean_environment` made."""

_KEPT = frozenset(
    {"PATH", "LANG", "LANGUAGE", "TZ", "TMPDIR", "TEMP", "TMP", "TERM", "VIRTUAL_ENV", "LD_LIBRARY_PATH", "SYSTEMROOT"}
)
_KEPT_PREFIXES = ("LC_", "PYTHON", "EXPERIMENTS_", "WANDB_BASE_URL", "WANDB_ENTITY", "WANDB_PROJECT", "OMP_", "MKL_")
_DROPPED = frozenset({"EXPERIMENTS_ALERT_COMMAND", "EXPERIMENTS_SKY_PYTHON"})


def clean_environment(environ: Mapping[str, str], home: Path) -> dict[str, str]:
    """Return the environment of a process that serves pages: an allow-list, read-only, with an empty home.

    W&B, SkyPilot, the clouds, Kubernetes and git all find their credentials in variables or under the home folder.
    """
    kept = {
        name: value
        for name, value in environ.items()
        if (name in _KEPT or name.startswith(_KEPT_PREFIXES)) and name not in _DROPPED
    }
    user = environ.get("EXPERIMENTS_USER") or environ.get("USER") or environ.get("LOGNAME")
    return {
        **kept,
        **({"USER": user} if user else {}),
        "PYTHONUSERBASE": environ.get("PYTHONUSERBASE") or _user_base(environ),
        "HOME": str(home),
        "XDG_CONFIG_HOME": str(home / ".config"),
        "NETRC": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        READ_ONLY: "1",
        CLEAN: "1",
    }


def is_clean(environ: Mapping[str, str]) -> bool:
    """Say whether a process was started with an environment that `clean_environment` made."""
    return environ.get(CLEAN) == "1" and environ.get(READ_ONLY) == "1"


def make_home(state: Path) -> Path:
    """Return an empty home folder for the server, with the config that its pages want of marimo."""
    home = state / "serve" / "home"
    config = home / ".config" / "marimo"
    config.mkdir(mode=0o700, parents=True, exist_ok=True)
    (config / "marimo.toml").write_text(
        "[runtime]\nauto_instantiate = true\nauto_reload = 'off'\non_cell_change = 'autorun'\n", encoding="utf-8"
    )
    return home


def _user_base(environ: Mapping[str, str]) -> str:
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    base = Path(environ.get("HOME") or home_folder()) / ".local"
    return str(base) if (base / "lib" / version).is_dir() else os.devnull
