"""A project whose user has secrets everywhere, and commands run in it that keep all that they say."""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.fakes.answers import data_in
from tests.fakes.planted import SECRETS

ROOT = Path(__file__).parents[2]
ENV = {
    "WANDB_API_KEY": SECRETS["wandb variable"],
    "AWS_SECRET_ACCESS_KEY": SECRETS["aws"],
    "HF_TOKEN": SECRETS["hugging face"],
    "GITHUB_TOKEN": SECRETS["github"],
    "DB_PASSWORD": SECRETS["database"],
    "STUDY_API_KEY": SECRETS["config field"],
    "EXPERIMENTS_ALERT_COMMAND": f"/usr/bin/env true --token {SECRETS['alert variable']}",
}
RECIPE = '''
    import os

    from pydantic import Field, SecretStr

    from experiments.experiment import Experiment
    from experiments.types import BaseExperimentConfig, TrainingJobConfig


    class StudyConfig(BaseExperimentConfig):
        """A study."""

        api_key: str = Field(default_factory=lambda: os.environ.get("STUDY_API_KEY", ""), description="The owner's.")
        hub: SecretStr = Field(default_factory=lambda: SecretStr(os.environ.get("HF_TOKEN", "")), description="Hub.")
        steps: int = Field(768, ge=1, description="Agent steps.")


    class Study(Experiment):
        config: StudyConfig

        def launch_training_runs(self):
            small = ("trainer.num_envs=2", "trainer.log_interval=768", "trainer.evaluation.maps=1")
            arms = {"good": (*small, f"trainer.total_timesteps={self.config.steps}"), "bad": ("ends=badly",)}
            more = self.config.additional_args
            return [
                self.launch_training_run_from_config(
                    arm, TrainingJobConfig(curriculum="arena/basic", additional_args=(*arguments, *more))
                )
                for arm, arguments in arms.items()
            ]


    if __name__ == "__main__":
        Study.main(StudyConfig, name="study")
'''
TRAIN = f"""
    echo "logging in with $STUDY_API_KEY"
    cat keys.txt
    case "$*" in *ends=badly*) echo "Error: $STUDY_API_KEY was refused" >&2; exit 3;; esac
    exec {shlex.quote(sys.executable)} -P -m experiments.trainer "$@"
"""
# Every program that Python starts tells its command line, however short it lives.
TELL_COMMANDS = """
    import json, os, sys

    def told(event, arguments):
        if event in {"subprocess.Popen", "os.exec", "os.posix_spawn", "os.system"}:
            with open(os.environ["COMMANDS_TOLD"], "a") as file:
                file.write(json.dumps([str(part) for part in arguments[:2]]) + "\\n")

    sys.addaudithook(told)
"""


class LeakyProject:
    """The project, its user's home folder, and what its commands said.

    Attributes:
        top: Folder of everything: all that is written lies below.
    """

    def __init__(self, top: Path) -> None:
        self.top, self.root, self.home, self.said = top, top / "study", top / "home", top / "said"
        self.state = self.root / ".experiments"
        self.notebook = self.root / "experiments" / "scratch" / "study_nb.py"
        self.told = top.parent / f"{top.name}-commands.jsonl"
        for folder in (self.root, self.home, self.said, top / "tmp", top / "hook", top / "share"):
            folder.mkdir(parents=True)
        self._plant()

    def _plant(self) -> None:
        words = ["/bin/sh", "-c", textwrap.dedent(TRAIN), "sh", "run={run}"]
        words += ["trainer.curriculum={curriculum}", "seed={seed}"]
        self._write("study/pyproject.toml", f"[tool.experiments]\ntrain_command = {json.dumps(words)}\n")
        self._write("study/study.py", RECIPE)
        self._write("study/keys.txt", f"the service's key is {SECRETS['printed']}\n")
        self._write("study/hub.py", "KEY = None\n")
        self._write("hook/sitecustomize.py", TELL_COMMANDS)
        self._write("home/.netrc", f"machine api.wandb.ai\n  login user\n  password {SECRETS['netrc']}\n", mode=0o600)
        self._write("home/.config/wandb/settings", f"[default]\napi_key = {SECRETS['wandb settings']}\n")
        command = [sys.executable, "-c", "", "--token", SECRETS["settings file"]]
        self._write("home/.config/experiments/settings.toml", f"alert_command = {json.dumps(command)}\n")
        git = ["git", "-c", "user.name=ada", "-c", "user.email=ada@example.org", "-c", "init.defaultBranch=main"]
        self._write("study/.gitignore", ".experiments/\nexperiments/\nkeys.txt\n__pycache__/\n")
        remote = f"https://ada:{SECRETS['git remote']}@git.invalid/study.git"
        for words_ in (["init", "-q"], ["add", "."], ["commit", "-qm", "first"], ["remote", "add", "origin", remote]):
            subprocess.run([*git, *words_], cwd=self.root, env={**os.environ, "HOME": str(self.home)}, check=True)
        self._write("study/hub.py", f"KEY = '{SECRETS['github']}'\n")

    def _write(self, name: str, text: str, mode: int = 0o644) -> None:
        path = self.top / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text), encoding="utf-8")
        path.chmod(mode)

    def environment(self, **more: str) -> dict[str, str]:
        """Return the environment of the user's shell."""
        return {
            **{name: os.environ[name] for name in ("PATH", "LANG", "VIRTUAL_ENV") if name in os.environ},
            "HOME": str(self.home),
            "TMPDIR": str(self.top / "tmp"),
            "PYTHONPATH": f"{self.top / 'hook'}:{ROOT}",
            "PYTHONWARNINGS": "ignore",
            "COMMANDS_TOLD": str(self.told),
            "CI": "true",
            "EXPERIMENTS_USER": "ada",
            "EXPERIMENTS_WANDB_MODE": "offline",
            # A snapshot is refused, for there is a secret in the changes.
            "EXPERIMENTS_IN_PLACE": "true",
            "WANDB_ERROR_REPORTING": "false",
            **ENV,
            **more,
        }

    def recipe(self, *words: str, code: int = 0, **more: str) -> str:
        """Run the recipe; keep and return what it said."""
        return self._run(words, ["study.py"], code, more)

    def command(self, *words: str, code: int = 0, **more: str) -> str:
        """Run `experiments ...`; keep and return what it said."""
        return self._run(words, ["-m", "experiments.cli"], code, more)

    def jobs(self) -> list[dict[str, object]]:
        """Return what `experiments status` says of every job."""
        return data_in(self.command("status", "--json"))["jobs"]

    def wait_for_end(self, timeout_s: float = 120.0) -> list[dict[str, object]]:
        """Wait until every job has ended."""
        deadline = time.monotonic() + timeout_s
        while True:
            jobs = self.jobs()
            if not {job["verdict"] for job in jobs} & {"pending", "running"}:
                return jobs
            assert time.monotonic() < deadline, jobs
            time.sleep(0.5)

    def keep(self, name: str, text: str | bytes) -> None:
        """Keep what somebody said or was shown, to be searched with the rest."""
        data = text.encode("utf-8", "surrogateescape") if isinstance(text, str) else text
        number = len(list(self.said.iterdir()))
        (self.said / f"{number:03d} {name}").write_bytes(data)

    def commands_told(self) -> list[str]:
        """Return the command line of every program that one of ours started."""
        return self.told.read_text().splitlines()

    def _run(self, words: Sequence[str], start: Sequence[str], code: int, more: dict[str, str]) -> str:
        done = subprocess.run(
            [sys.executable, *start, *words],
            cwd=self.root,
            env=self.environment(**more),
            capture_output=True,
            stdin=subprocess.DEVNULL,
            timeout=300,
            check=False,
        )
        name = f"{Path(start[-1]).stem} {words[0] if words else ''}".replace("/", "_")
        self.keep(f"{name} stdout", done.stdout)
        self.keep(f"{name} stderr", done.stderr)
        assert done.returncode == code, (words, done.returncode, done.stdout[-2000:], done.stderr[-2000:])
        return done.stdout.decode()


@contextlib.contextmanager
def command_lines_seen(home: Path) -> Iterator[set[str]]:
    """Yield the command lines of all processes of a user, which everybody on a machine can read, as they are seen."""
    seen: set[str] = set()
    over = threading.Event()
    needle = f"HOME={home}".encode()

    def look() -> None:
        while not over.wait(0.05):
            for entry in Path("/proc").iterdir():
                with contextlib.suppress(OSError):
                    if entry.name.isdigit() and needle in (entry / "environ").read_bytes():
                        seen.add((entry / "cmdline").read_bytes().decode("utf-8", "replace").replace("\0", " "))

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield seen
    finally:
        over.set()
        thread.join()
