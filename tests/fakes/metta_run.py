"""A stand-in for Metta's `tools/run.py`, as its public source says: calls, folders, W&B and replays; it learns nothing.

Positional words are the tool (`train arena`, `arena.train`) and `key=value`; an option that is not the runner's own is
refused. W&B is on by `WANDB_ENABLED` alone, and only where its host can be reached, offline mode included.
"""

from __future__ import annotations

import json
import os
import socket
import sys
import zlib
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

OWN_OPTIONS = {"-v", "--dry-run", "--list", "-h"}
DEFAULTS: dict[str, Any] = {
    "run": "default",
    "system": {"seed": 0},
    "training_env": {"seed": 0},
    "trainer": {"total_timesteps": 10_000_000_000, "optimizer": {"learning_rate": 0.001}},
    "initial_policy_uri": None,
    "group": None,
}


def usage(problem: str) -> None:
    """End as a usage error does."""
    sys.stderr.write(f"Error: {problem}\n")
    sys.exit(2)


def parse(words: list[str]) -> tuple[list[str], dict[str, Any], set[str]]:
    """Return the tool, the settings and the runner's own options."""
    config: dict[str, Any] = json.loads(json.dumps(DEFAULTS))
    tool: list[str] = []
    options: set[str] = set()
    for word in words:
        key, equals, value = word.partition("=")
        if word.startswith("-"):
            options.add(word)
            if word not in OWN_OPTIONS:
                usage(f"unknown option {word}")
        elif equals:
            *groups, name = key.split(".")
            inner = config
            for group in groups:
                inner = inner.get(group) if isinstance(inner.get(group), dict) else {}
            if name not in inner:
                usage(f"{key} is an argument neither of the tool nor of its config")
            try:
                inner[name] = json.loads(value)
            except ValueError:
                inner[name] = value
        else:
            tool.append(word)
    return tool, config, options


def can_reach_wandb() -> bool:
    """Tell whether W&B's host takes a connection, which is tried before anything is logged."""
    address = urlsplit(os.environ.get("WANDB_BASE_URL", "https://api.wandb.ai"))
    try:
        socket.create_connection((address.hostname or "", address.port or 443), timeout=5).close()
    except OSError:
        return False
    return True


def started(config: dict[str, Any]) -> Any:
    """Return the run that is logged to; None where nothing is."""
    if os.environ.get("WANDB_ENABLED", "").lower() not in {"1", "true"}:
        return None
    if not can_reach_wandb():
        sys.stderr.write("Warning: W&B cannot be reached; going on without logging\n")
        return None
    import wandb

    run = wandb.init(
        id=config["run"],
        name=config["run"],
        project=os.environ.get("WANDB_PROJECT", "metta"),
        entity=os.environ.get("WANDB_ENTITY"),
        group=config["group"],
        tags=["user:stand-in"],
        resume="allow",
        config={"TrainTool": config},
    )
    run.define_metric("*", step_metric="metric/agent_step")
    return run


def pages(replay_dir: Path, step: int) -> str:
    """Write a replay of each simulation, and return the page that links to them."""
    links = []
    for name in ("arena", "maze"):
        path = replay_dir / f"{step}-{name}.json.z"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(zlib.compress(json.dumps({"version": 4, "objects": [], "max_steps": step}).encode()))
        viewer = f"https://metta-ai.github.io/metta/mettascope/?replayUrl=https://softmax.example/{path.name}"
        links.append(f'<a href="{viewer}" target="_blank">{name}</a>')
    return " | ".join(links)


def main() -> None:
    """Train, as far as a folder, a tracker and a log can see."""
    tool, config, options = parse([word for word in sys.argv[1:] if word != "--"])
    if not tool:
        usage("name a tool, such as train arena")
    if "--dry-run" in options:
        return
    folder = Path(os.environ.get("DATA_DIR", "./train_dir")) / str(config["run"])
    checkpoints = folder / "checkpoints"
    checkpoints.mkdir(parents=True, exist_ok=True)
    state = folder / "trainer_state.pt"
    begin = json.loads(state.read_text())["step"] if state.exists() else 0
    run, total = started(config), int(config["trainer"]["total_timesteps"])
    for part in range(1, 11):
        step = total * part // 10
        if step <= begin:
            continue
        reward = (
            step / total * (1 + 100 * config["trainer"]["optimizer"]["learning_rate"]) + config["system"]["seed"] / 50
        )
        (checkpoints / f"policy_{step}.pt").write_text("weights")
        state.write_text(json.dumps({"step": step}))
        if run is not None:
            import wandb

            row: dict[str, Any] = {"metric/agent_step": step, "overview/reward": reward}
            row |= {"overview/steps_per_second": 5_000.0, "metric/epoch": part}
            if part % 5 == 0:
                row["replays/all"] = wandb.Html(pages(Path(os.environ.get("REPLAY_DIR", "replays")), step))
            run.log(row)
    if run is not None:
        run.finish()


if __name__ == "__main__":
    main()
