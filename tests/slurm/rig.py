"""A one-node Slurm with a SkyPilot server in front of it: found beside the checkout, brought up, and put away."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shlex
import shutil
import signal
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]
USER, PARTITION_USER_HOME = "slurmer", Path("/home/slurmer")
NODE_VENV = PARTITION_USER_HOME / "experiments-venv"
UP_S = 600
PACKAGES = ("mettagrid", "wandb", "numpy", "pydantic", "psutil", "msgspec", "tyro")


def rig_program() -> Path | None:
    """Return the rig's program; EXPERIMENTS_TEST_RIG names another one."""
    named = os.environ.get("EXPERIMENTS_TEST_RIG")
    found = [Path(named)] if named else sorted(ROOT.parent.glob("*/slurm-rig/rig"))
    return next((path for path in found if path.is_file()), None)


def why_not() -> str:
    """Return why the tests cannot run here; empty where they can."""
    if rig_program() is None:
        return "no Slurm rig lies beside the checkout (EXPERIMENTS_TEST_RIG may name one)"
    return "" if os.geteuid() == 0 else "the Slurm rig needs root"


class Rig:
    """The rig, as the environment of the session that started it sees it."""

    def __init__(self) -> None:
        program = rig_program()
        assert program is not None
        self.program = program
        # Beside a project, uv would take that project's constraints for the rig's own environment.
        self._base = {name: value for name, value in os.environ.items() if not name.startswith(("SKYPILOT_", "PYTEST"))}

    def run(self, *arguments: str, timeout_s: float = 120.0, check: bool = True) -> str:
        done = subprocess.run(
            [str(self.program), *arguments],
            cwd="/", env=self._base, capture_output=True, text=True, timeout=timeout_s, check=False,
        )  # fmt: skip
        assert not check or done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def is_up(self) -> bool:
        return self.run("status", check=False).count("ok  ") == 5

    def up(self, timeout_s: float = UP_S) -> None:
        self.run("up", timeout_s=timeout_s)

    def down(self) -> None:
        """Put the rig away with all its jobs; its `down` leaves the server's pool behind, 175 MB a process."""
        venv = self.environment()["SLURM_RIG_PYTHON"].removesuffix("/bin/python").encode()
        self.run("down", "--wipe", check=False)
        for entry in Path("/proc").iterdir():
            with contextlib.suppress(OSError):
                if entry.name.isdigit() and venv in (entry / "maps").read_bytes() and int(entry.name) != os.getpid():
                    os.kill(int(entry.name), signal.SIGKILL)

    def environment(self) -> dict[str, str]:
        lines = self.run("env").splitlines()
        pairs = (line.removeprefix("export ").partition("=") for line in lines)
        return {name: shlex.split(value)[0] for name, _, value in pairs}

    def server_pid(self) -> int:
        [line] = [line for line in self.run("status", check=False).splitlines() if " api " in line]
        return int(line.split("pid ")[1].split(",")[0])

    def prepare_node(self) -> None:
        """Give the node's user what our trainer needs, once for each set of versions."""
        constraints = (ROOT / "constraints.txt").read_bytes()
        stamp = NODE_VENV / hashlib.sha256(constraints).hexdigest()[:16]
        if stamp.exists():
            return
        shutil.rmtree(NODE_VENV, ignore_errors=True)
        copied = PARTITION_USER_HOME / "constraints.txt"
        copied.write_bytes(constraints)
        uv = "shim/uv-real"
        script = (
            f"cd && {uv} venv -q --python /usr/bin/python3.11 {NODE_VENV} && {uv} pip install -q --compile-bytecode "
            f"--python {NODE_VENV}/bin/python -c {copied} {' '.join(PACKAGES)} && touch {stamp}"
        )
        subprocess.run(["runuser", "-u", USER, "--", "bash", "-lc", script], cwd="/", check=True, timeout=300)
