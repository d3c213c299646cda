"""What an interpreter has installed and what this machine computes with, printed as JSON.

Run by its path with the trainer's own interpreter and environment, `python probe.py [THREADPOOLCTL]`, because that
interpreter need not have Experiments. It needs the standard library of Python 3.9; of numpy, scipy and threadpoolctl
it asks what is there. `THREADPOOLCTL` is the file of a threadpoolctl for an interpreter that has none of its own.
"""

from __future__ import annotations

import sys

if __name__ == "__main__":
    # The folder of this file is no part of what the trainer can import.
    sys.path[:] = [place for place in sys.path if place != __file__.rpartition("/")[0]]

import contextlib
import csv
import ctypes
import hashlib
import importlib.util
import json
import os
import platform
import re
import shutil
import site
import subprocess
import urllib.parse
from collections.abc import Iterable
from pathlib import Path
from typing import Any

ASKED = (
    *("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS", "BLIS_NUM_THREADS"),
    *("VECLIB_MAXIMUM_THREADS", "OPENBLAS_CORETYPE", "BLIS_ARCH_TYPE", "MKL_CBWR", "MKL_ENABLE_INSTRUCTIONS"),
    *("NPY_DISABLE_CPU_FEATURES", "NPY_ENABLE_CPU_FEATURES", "PYTHONHASHSEED"),
    *("CUDA_VISIBLE_DEVICES", "CUBLAS_WORKSPACE_CONFIG", "NVIDIA_TF32_OVERRIDE"),
)
"""Variables that ask for other threads, kernels or devices, and so for other numbers."""

_GPU_DEADLINE_S = 3.0
_DRIVER = Path("/proc/driver/nvidia")


def read_all(threadpoolctl: str | None = None) -> dict[str, Any]:
    """Return the package set as `environment`, the `machine`, and what the first depends on.

    That is `watched`, when each place changed last that decides what is installed, and `variables`, likewise.
    """
    environment, places = read_packages()
    # Where nothing is installed yet, something may be: a folder that is missing has the time 0.
    places |= {sys.executable, str(Path(sys.prefix) / "pyvenv.cfg"), *site.getsitepackages()}
    variables = {}
    if site.ENABLE_USER_SITE:
        places.add(site.getusersitepackages())
        variables["HOME"] = os.environ.get("HOME", "")
    return {
        "environment": environment,
        "machine": read_machine(threadpoolctl),
        "watched": {place: changed(place) for place in sorted(places)},
        "variables": variables,
    }


def changed(place: str) -> int:
    """Return when `place` changed last, in nanoseconds; 0 where it cannot be looked at."""
    try:
        return Path(place).stat().st_mtime_ns
    except OSError:
        return 0


def read_packages() -> tuple[dict[str, Any], set[str]]:
    """Return the package set, and the folders in which it is installed.

    The set is `python`, `implementation` and `packages`, each distribution that can be imported, by normalised name. It
    has a `version`; `content`, the start of a sha256 over the hashes of the files that it brought, so that two builds
    of one version differ; and `source` where it is from no index: "editable", "git+<commit>", "local folder",
    "local file" or "address", of the second and the last with the `address`. What is editable has no content: its code
    lies elsewhere.
    """
    from importlib import metadata  # a job's supervisor loads this module as well, and asks for no packages itself

    packages: dict[str, Any] = {}
    places = set()
    sources = {os.path.realpath(part) for part in os.environ.get("PYTHONPATH", "").split(os.pathsep) if part}
    for each in metadata.distributions():
        record, place = each.read_text("RECORD"), str(each.locate_file(""))
        # A folder of sources may hold what a build left behind, which is no sign that anything is installed.
        if record is None and os.path.realpath(place) in sources:
            continue
        name = normalised(each.metadata["Name"] or "")
        if name and name not in packages:  # the first on the path is the one that is imported
            packages[name] = _package(each.version, record, each.read_text("direct_url.json"))
            places.add(place)
    found = {
        "python": platform.python_version(),
        "implementation": platform.python_implementation(),
        "packages": dict(sorted(packages.items())),
    }
    return found, places


def normalised(name: str) -> str:
    """Return the form of a distribution's name that is equal for all ways to write it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _package(version: str, record: str | None, direct_url: str | None) -> dict[str, str]:
    found = {"version": version}
    told = _source(json.loads(direct_url)) if direct_url else {}
    if told.get("source") != "editable" and record and (content := _content(record)):
        found["content"] = content
    return found | told


def _source(direct_url: dict[str, Any]) -> dict[str, str]:
    """Return where a distribution came from that is from no index; the address only where anybody may have it.

    Source: https://packaging.python.org/en/latest/specifications/direct-url-data-structure/
    """
    url = urllib.parse.urlsplit(str(direct_url.get("url", "")))
    if "dir_info" in direct_url:
        return {"source": "editable" if direct_url["dir_info"].get("editable") else "local folder"}
    if url.scheme == "file":
        is_repository = "vcs_info" in direct_url
        return {"source": _commit(direct_url) if is_repository else "local file"}
    found = {"source": _commit(direct_url) if "vcs_info" in direct_url else "address"}
    if url.scheme == "https" and url.hostname:
        # Without a login, and without a query, which may hold one.
        host = url.hostname + (f":{url.port}" if url.port else "")
        address = urllib.parse.urlunsplit(("https", host, url.path, "", ""))
        part = direct_url.get("subdirectory")
        found["address"] = f"{address}#subdirectory={part}" if part else address
    return found


def _commit(direct_url: dict[str, Any]) -> str:
    told = direct_url["vcs_info"]
    return f"{told.get('vcs', 'git')}+{told.get('commit_id', '')}"


def _content(record: str) -> str | None:
    """Return what tells one build of a distribution from another; None where nothing does.

    What an installer writes differs from one environment to the next: programs name its interpreter, and the metadata
    say who installed it, and when.
    """
    lines = sorted(
        f"{row[0]},{row[1]}" for row in csv.reader(record.splitlines()) if len(row) > 1 and _is_of_build(row)
    )
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16] if lines else None


def _is_of_build(row: list[str]) -> bool:
    path, digest = row[:2]
    top = path.partition("/")[0]
    is_program = path.startswith(("../", "/")) and {"bin", "Scripts"} & set(path.split("/"))
    return bool(digest) and not top.endswith(".dist-info") and not path.endswith(".pyc") and not is_program


def read_machine(threadpoolctl: str | None = None) -> dict[str, Any]:
    """Return what computes here; what nobody could tell is left out.

    Args:
        threadpoolctl: File of that module, for an interpreter that has none.
    """
    found = {
        "cpu": _cpu(),
        "architecture": platform.machine() or None,
        "cores": os.cpu_count(),
        "cores_allowed": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else None,
        "libc": " ".join(platform.libc_ver()).strip() or None,
        "simd": _simd(),
        "blas": _blas(threadpoolctl),
        "asked": {name: os.environ[name][:200] for name in ASKED if os.environ.get(name)},
        **_gpus(),
    }
    return {name: value for name, value in found.items() if value is not None}


def _cpu() -> str | None:
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return _said("sysctl", "-n", "machdep.cpu.brand_string")
    found = re.search(r"^(?:model name|Model|cpu model)\s*:\s*(.+)$", text, re.MULTILINE)
    return found[1].strip() if found else None


def _simd() -> list[str] | None:
    """Return the groups of instructions that numpy uses on this CPU, lowest first; None without numpy."""
    try:
        import numpy as np

        said = np.show_config(mode="dicts")["SIMD Extensions"]
        return [*said.get("baseline", ()), *said.get("found", ())]
    except (ImportError, TypeError, KeyError):  # numpy before 1.26 prints its configuration only
        return None


def _blas(file: str | None) -> list[dict[str, Any]] | None:
    """Return the BLAS libraries of numpy and scipy as they are right after their start; None where nobody can ask.

    The number of threads is what each begins with: a trainer may set another.
    """
    pools = _module("threadpoolctl", file)
    if pools is None:
        return None
    for library in _brought_by("scipy"):
        # To import scipy.linalg takes 0.3 s, and the library chooses its kernel either way.
        with contextlib.suppress(OSError):  # what cannot be loaded computes nothing
            ctypes.CDLL(library)
    return [
        {
            "library": pool["internal_api"],
            "version": pool["version"],
            "kernel": pool.get("architecture"),
            "threads": pool["num_threads"],
            "package": _owner(pool["filepath"]),
        }
        for pool in sorted(pools.threadpool_info(), key=lambda pool: str(_owner(pool["filepath"])))
        if pool["user_api"] == "blas"
    ]


def _module(name: str, file: str | None) -> Any:  # noqa: ANN401 - a module
    spec = importlib.util.find_spec(name) or (importlib.util.spec_from_file_location(name, file) if file else None)
    if spec is None or spec.loader is None:
        return None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def _brought_by(package: str) -> Iterable[str]:
    spec = importlib.util.find_spec(package)
    for place in (spec.submodule_search_locations or ()) if spec else ():
        for folder in (Path(place).parent / f"{package}.libs", Path(place) / ".dylibs"):
            yield from map(str, sorted(folder.glob("*openblas*")))


def _owner(library: str) -> str | None:
    folder = Path(library).parent
    if folder.name == ".dylibs":
        return folder.parent.name
    return folder.name.removesuffix(".libs") if folder.name.endswith(".libs") else None


def _gpus() -> dict[str, Any]:
    """Return NVIDIA's `gpus` and `driver`: none where there is no driver, nothing where it gives no answer."""
    if shutil.which("nvidia-smi") is None:
        # A container may have the driver without its program.
        return {} if _DRIVER.exists() else {"gpus": []}
    said = _said("nvidia-smi", "--query-gpu=name,driver_version", "--format=csv,noheader")
    if said is None:
        return {}
    rows = [[part.strip() for part in row] for row in csv.reader(said.splitlines()) if len(row) == 2]
    return {"gpus": [row[0] for row in rows], "driver": rows[0][1] if rows else None}


def _said(*command: str) -> str | None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=_GPU_DEADLINE_S)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip() or None


if __name__ == "__main__":
    sys.stdout.write(json.dumps(read_all(*sys.argv[1:2])) + "\n")
