"""Ask what runs a job, right before it starts: quickly, once for all jobs of a sweep; standard library only.

The answer is kept in the user's cache by what decides it: the program, the variables that change packages or numbers,
the processors that may be used, this boot of the machine; and as long as no folder of packages changed.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import itertools
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from experiments.project.code_tree import PACKAGES
from experiments.project.environment import probe
from experiments.project.files import boot_id, home_folder, locked, parse_json, read_json, write_json

DEADLINE_S = 15.0
"""Seconds that an answer may take; half of one where the machine has nothing else to do."""

FOLDER = "packages"
"""Folder of a project's state with a file for each package set, by its hash."""

_VERSION = 2
"""Counted up whenever the probe answers otherwise, so that no answer of a former one is taken."""
_PROBE = probe.__file__
PYTHON = re.compile(r"(python|pypy)[\d.]*$")
# These change which interpreter, which packages or which libraries a program gets.
_DECIDING = re.compile(r"(PYTHON|UV_|CONDA_|LD_)\w+|VIRTUAL_ENV|PATH")
# Options of Python that hide packages from it.
_ISOLATING = re.compile("-[ESIPs]+")
_UV_OPTIONS = {"--active", "--no-sync", "--frozen", "--locked", "--no-project"}
_MOST_WRAPPED = 4


class NoInterpreter(ValueError):  # noqa: N818 - what is the case, and no error of anybody
    """Nobody can tell which interpreter runs a command; the text says why."""


def probed(command: Sequence[str], env: Mapping[str, str], cwd: Path, state: Path) -> dict[str, Any]:
    """Return what runs a job as JSON values for its record; what cannot be had is a reason, never an exception.

    Args:
        command: The trainer's command line.
        env: The whole environment that it gets.
        cwd: Where it starts.
        state: The project's state, which gets the package set under its hash.

    Returns:
        `environment`, the hash of the package set; `machine`; `python` and `packages`, the versions of those that can
        change a result, both empty where the trainer's interpreter is not known; `environment_reason`, why not.
    """
    try:
        found = _answer(interpreter(command, env, cwd), env, cwd)
        environment = found["environment"]
        name = stored(environment, state)
    except NoInterpreter as error:
        return _unknown(str(error))
    except subprocess.TimeoutExpired:
        return _unknown(f"its interpreter gave no answer within {DEADLINE_S:g} s")
    except subprocess.CalledProcessError as error:
        said = error.stderr.strip().splitlines()
        return _unknown(f"its interpreter gave no answer: {said[-1] if said else f'exit code {error.returncode}'}")
    except (OSError, ValueError, LookupError, TypeError) as error:
        return _unknown(f"its interpreter gave no answer: {error}")
    versions = {each: environment["packages"][each]["version"] for each in PACKAGES if each in environment["packages"]}
    return {
        "environment": name,
        "machine": found["machine"],
        "python": environment["python"],
        "packages": versions,
        "environment_reason": "",
    }


def _unknown(reason: str) -> dict[str, Any]:
    return {"environment": None, "machine": None, "python": "", "packages": {}, "environment_reason": reason}


def digest(environment: Mapping[str, Any]) -> str:
    """Return the hash by which a package set is known."""
    text = json.dumps(environment, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def stored(environment: Mapping[str, Any], state: Path) -> str:
    """Keep a package set in a project's state, once; return its hash."""
    name = digest(environment)
    path = state / FOLDER / f"{name}.json"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        write_json(path, environment)
    return name


def interpreter(command: Sequence[str], env: Mapping[str, str], cwd: Path) -> list[str]:
    """Return the words that start the Python of a command as it does: its own, those of its script, or of uv.

    Raises:
        NoInterpreter: It starts none, or one that only its program knows.
        CalledProcessError, TimeoutExpired: uv does not say which.
    """
    words = list(command)
    for _ in range(_MOST_WRAPPED):
        if not words:
            break
        program = _program(words[0], env, cwd)
        kind = Path(words[0]).name
        if PYTHON.match(kind):
            return [program, *itertools.takewhile(_ISOLATING.fullmatch, words[1:])]
        if kind == "env" and len(words) > 1:
            words = words[2:] if words[1] == "-S" else words[1:]
        elif kind == "uv":
            asked = [program, "run", *_of_uv(words[1:], cwd), "python", "-c", "import sys; print(sys.executable)"]
            return [_run(asked, env, cwd).splitlines()[-1]]
        else:
            words = _shebang(Path(program))
    raise NoInterpreter(f"{' '.join(command[:1])!r} is no Python program, so its packages are not recorded")


def _program(word: str, env: Mapping[str, str], cwd: Path) -> str:
    if "/" in word:
        # Not resolved: a venv's interpreter is known by the link's own place.
        return os.path.join(cwd, word)  # noqa: PTH118
    found = shutil.which(word, path=env.get("PATH"))
    if found is None:
        raise NoInterpreter(f"{word!r} is not on the trainer's PATH, so its packages are not recorded")
    return found


def _of_uv(words: list[str], cwd: Path) -> list[str]:
    """Return the options of `uv run` that decide the environment."""
    options = list(itertools.takewhile(_UV_OPTIONS.__contains__, words[1:]))
    rest = words[1 + len(options) :]
    if words[:1] != ["run"] or not rest or rest[0].startswith("-"):
        raise NoInterpreter(f"only uv knows the interpreter of {shlex.join(['uv', *words[:3]])!r}")
    if rest[0].endswith(".py") and "# /// script" in (cwd / rest[0]).read_text(encoding="utf-8", errors="replace"):
        raise NoInterpreter(f"{rest[0]!r} names its own packages, which only uv knows")
    return options


def _shebang(program: Path) -> list[str]:
    with program.open("rb") as file:
        line = file.readline(512)
    return shlex.split(line[2:].decode("utf-8", "surrogateescape")) if line.startswith(b"#!") else []


def _answer(words: Sequence[str], env: Mapping[str, str], cwd: Path) -> dict[str, Any]:
    """Return what the probe says, from the cache where nothing changed that decides it."""
    path = cache_folder() / f"{_key(words, env)}.json"
    if kept := _kept(path, env):
        return kept
    with contextlib.ExitStack() as turn:
        # Of many jobs that start at once one asks. A cache saves time only: without one each asks for itself.
        with contextlib.suppress(OSError):
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            turn.enter_context(locked(path.with_suffix(".lock"), wait_s=DEADLINE_S))
        if kept := _kept(path, env):
            return kept
        said = _run([*words, _PROBE, *_own_threadpoolctl()], env, cwd).splitlines()
        if not said:
            raise ValueError("it printed nothing")
        found: dict[str, Any] = parse_json(said[-1])  # what an interpreter's own start prints stands before
        with contextlib.suppress(OSError):
            write_json(path, found)
    return found


def _kept(path: Path, env: Mapping[str, str]) -> dict[str, Any] | None:
    with contextlib.suppress(OSError, ValueError, LookupError, TypeError, AttributeError):
        kept = read_json(path)
        if kept is not None and _holds(kept, env):
            return kept
    return None


def _holds(kept: Mapping[str, Any], env: Mapping[str, str]) -> bool:
    places, variables = kept["watched"], kept["variables"]
    return all(probe.changed(place) == at for place, at in places.items()) and all(
        env.get(name, "") == value for name, value in variables.items()
    )


def cache_folder() -> Path:
    """Return where answers are kept; `EXPERIMENTS_CACHE` overrides."""
    if folder := os.environ.get("EXPERIMENTS_CACHE"):
        return Path(folder) / "probes"
    return Path(os.environ.get("XDG_CACHE_HOME") or home_folder() / ".cache") / "experiments" / "probes"


def _key(words: Sequence[str], env: Mapping[str, str]) -> str:
    decides = {name: value for name, value in env.items() if name in probe.ASKED or _DECIDING.fullmatch(name)}
    affinity = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
    everything = [_VERSION, list(words), decides, affinity, boot_id()]
    return hashlib.sha256(json.dumps(everything, sort_keys=True).encode()).hexdigest()[:32]


def _own_threadpoolctl() -> list[str]:
    spec = importlib.util.find_spec("threadpoolctl")
    return [spec.origin] if spec is not None and spec.origin else []


def _run(command: Sequence[str], env: Mapping[str, str], cwd: Path) -> str:
    """Return what a program prints; end it with all that it started when its time is over."""
    with subprocess.Popen(
        command,
        cwd=cwd,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            said, told = process.communicate(timeout=DEADLINE_S)
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)
            raise
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command, said, told)
    return said
