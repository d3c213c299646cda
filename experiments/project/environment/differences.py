"""What differs between the environments and machines of two jobs, and what of it is likely to give other numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from experiments.project.environment.records import (
    KERNEL_VARIABLE,
    Blas,
    Environment,
    Machine,
    Package,
    read_environment,
)
from experiments.project.look import counted

__all__ = ["Conditions", "Difference", "explained_differences"]

Kind = Literal["package", "python", "kernel", "blas", "simd", "gpu", "cpu", "libc", "asked", "threads", "unknown"]

_NUMERICAL = {
    *("numpy", "scipy", "torch", "jax", "jaxlib", "tensorflow", "numba", "triton", "cupy", "mettagrid", "pufferlib"),
    *(
        "gymnasium",
        "pettingzoo",
        "stable-baselines3",
        "threadpoolctl",
        "pandas",
        "scikit-learn",
        "einops",
        "flash-attn",
    ),
}
"""Packages whose code computes what a run logs."""

_WEIGHTS: dict[Kind, int] = {
    "package": 90,
    "kernel": 80,
    "python": 70,
    "blas": 65,
    "gpu": 60,
    "simd": 50,
    "libc": 45,
    "cpu": 40,
    "asked": 30,
    "threads": 20,
    "unknown": 0,
}
_OTHER_PACKAGE = 35


@dataclass(frozen=True)
class Conditions:
    """What one job ran in; None where it is not recorded."""

    environment: Environment | None = None
    machine: Machine | None = None

    @classmethod
    def recorded(cls, state: Path, environment: str | None, machine: Machine | None) -> Conditions:
        """Return the conditions of a job whose record has this hash and this machine.

        Raises:
            ExperimentsError: The package set is not there any more, or was changed.
        """
        return cls(read_environment(state, environment) if environment else None, machine)


@dataclass(frozen=True)
class Difference:
    """One thing that differs.

    Attributes:
        words: A clause that goes on after "identical, though" and after "differs;", the first value first.
        weight: How likely it gives other numbers; only the order counts.
        name: Of the package or variable, where it is one.
        a: Of the first, as text; empty where it has none.
        b: Of the second.
    """

    kind: Kind
    words: str
    weight: int
    name: str = ""
    a: str = ""
    b: str = ""


def explained_differences(a: Conditions, b: Conditions) -> list[Difference]:
    """Return every recorded difference that could explain other numbers, most likely first.

    What is recorded of one job only stands last, as `unknown`.
    """
    found = [*_of_environments(a.environment, b.environment), *_of_machines(a.machine, b.machine)]
    return sorted(found, key=lambda each: -each.weight)


def _of_environments(a: Environment | None, b: Environment | None) -> Iterator[Difference]:
    if a is None or b is None:
        yield from _unknown("the package set", a, b)
        return
    yield from _if_other("python", "Python", *(f"{each.implementation} {each.python}" for each in (a, b)))
    for name in sorted(a.packages.keys() | b.packages.keys()):
        old, new = a.packages.get(name), b.packages.get(name)
        if old != new:
            yield _of_package(name, old, new)


def _of_package(name: str, a: Package | None, b: Package | None) -> Difference:
    weight = _WEIGHTS["package"] if name in _NUMERICAL or name.startswith("nvidia-") else _OTHER_PACKAGE
    old, new = (each.version if each else "not installed" for each in (a, b))
    if a is None or b is None or old != new:
        return Difference("package", f"the version of {name} differs ({old} and {new})", weight, name, old, new)
    builds = [" ".join(part for part in (each.source, each.content) if part) or "unknown" for each in (a, b)]
    words = f"the build of {name} {old} differs ({builds[0]} and {builds[1]})"
    return Difference("package", words, weight, name, *(f"{old} ({build})" for build in builds))


def _of_machines(a: Machine | None, b: Machine | None) -> Iterator[Difference]:
    if a is None or b is None:
        yield from _unknown("the machine", a, b)
        return
    if a.blas is None or b.blas is None:
        yield from _unknown("the BLAS library", a.blas, b.blas)
    else:
        yield from _of_libraries(a.blas, b.blas)
    for kind, what, read in _READ:
        yield from _if_other(kind, what, read(a), read(b))
    # Who has the kernel by itself and who asked for it compute alike.
    same_kernels = {KERNEL_VARIABLE} if a.kernels and a.kernels == b.kernels else set()
    for name in sorted((a.asked.keys() | b.asked.keys()) - same_kernels):
        kind = "threads" if name.endswith("_THREADS") else "asked"
        old, new = (_asked(name, each.asked.get(name)) for each in (a, b))
        yield from _if_other(kind, f"the variable {name}", old, new, name)


def _asked(name: str, value: str | None) -> str:
    """Return what a variable asks for in a computation: of several devices of one kind it is all the same which."""
    if value is None:
        return "not set"
    if name != "CUDA_VISIBLE_DEVICES":
        return value
    return "no device" if value in {"", "-1"} else counted(value.count(",") + 1, "device")


_READ: tuple[tuple[Kind, str, Callable[[Machine], str]], ...] = (
    ("simd", "the newest instruction set that numpy uses", lambda one: one.simd[-1] if one.simd else ""),
    ("cpu", "the CPU", lambda one: " ".join(part for part in (one.cpu, one.architecture) if part)),
    ("libc", "the C library", lambda one: one.libc or ""),
    ("gpu", "the GPU", lambda one: ", ".join(one.gpus) or "none" if one.gpus is not None else ""),
    ("gpu", "the driver of the GPU", lambda one: one.driver or ""),
    ("threads", "the number of processors allowed", lambda one: str(one.cores_allowed or "")),
)


def _of_libraries(a: Sequence[Blas], b: Sequence[Blas]) -> Iterator[Difference]:
    """Return what differs between the libraries that each package computes with, once for all packages alike."""
    old, new = ({each.package or "the system": each for each in side} for side in (a, b))
    read: tuple[tuple[Kind, str, Callable[[Blas], str]], ...] = (
        ("kernel", "the BLAS kernel", lambda one: one.kernel or ""),
        ("blas", "the BLAS library", lambda one: " ".join(part for part in (one.library, one.version) if part)),
        ("threads", "the number of BLAS threads", lambda one: str(one.threads or "")),
    )
    for kind, what, value in read:
        names: dict[tuple[str, str], list[str]] = {}
        for name in old.keys() & new.keys():
            names.setdefault((value(old[name]), value(new[name])), []).append(name)
        for pair, of in sorted(names.items()):
            yield from _if_other(kind, f"{what} of {' and '.join(sorted(of))}", *pair)
    for name in sorted(old.keys() ^ new.keys()):
        yield from _if_other(
            "blas",
            f"the BLAS library of {name}",
            *(side[name].library if name in side else "none" for side in (old, new)),
        )


def _if_other(kind: Kind, what: str, a: str, b: str, name: str = "") -> Iterator[Difference]:
    if a != b:
        words = f"{what} differs ({a or 'not known'} and {b or 'not known'})"
        yield Difference(kind if a and b else "unknown", words, _WEIGHTS[kind if a and b else "unknown"], name, a, b)


def _unknown(what: str, a: object, b: object) -> Iterator[Difference]:
    if (a is None) != (b is None):
        words = f"{what} of the {'first' if a is None else 'second'} is not recorded"
        yield Difference("unknown", words, _WEIGHTS["unknown"])
