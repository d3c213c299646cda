"""What was recorded of a job's environment and machine, read back."""

from __future__ import annotations

import contextlib
from pathlib import Path

from pydantic import Field, ValidationError

from experiments.project.environment.probing import FOLDER, digest
from experiments.project.errors import ExperimentsError, reasons
from experiments.project.files import read_json, write_bytes
from experiments.project.look import counted
from experiments.project.values import Frozen

__all__ = [
    "KERNEL_VARIABLE",
    "Blas",
    "Environment",
    "Machine",
    "Package",
    "bring_environment",
    "package_words",
    "read_environment",
]


KERNEL_VARIABLE = "OPENBLAS_CORETYPE"
"""Variable that asks OpenBLAS for a kernel."""


class Package(Frozen):
    """One installed distribution.

    Attributes:
        content: Start of a sha256 over the hashes of the files that it brought; None where it lists none, and where it
            is editable, for then its code is the snapshot's.
        source: Where it is from if not from an index: "editable", "git+<commit>", "local folder", "local file",
            "address".
        address: Of a repository or a file that anybody may read, without a login.
    """

    version: str
    content: str | None = None
    source: str = ""
    address: str = ""


class Environment(Frozen):
    """All that an interpreter had installed; see `probe.read_packages`.

    Attributes:
        python: Its version, as in "3.11.7".
        implementation: As in "CPython".
        packages: By normalised name.
    """

    python: str
    implementation: str
    packages: dict[str, Package] = Field(default_factory=dict)

    @property
    def hash(self) -> str:
        """The name by which it is recorded."""
        packages = {name: package.model_dump(exclude_defaults=True) for name, package in self.packages.items()}
        return digest({"python": self.python, "implementation": self.implementation, "packages": packages})


class Blas(Frozen):
    """A library of linear algebra, as it was right after its start.

    Attributes:
        kernel: The code for one family of CPUs that it chose; other kernels round otherwise.
        threads: How many it began with; a trainer may set another number.
        package: The package that brought it; None for one of the system.
    """

    library: str
    version: str | None = None
    kernel: str | None = None
    threads: int | None = None
    package: str | None = None

    def sentence(self) -> str:
        """Return it in words, as in "numpy: openblas 0.3.31, kernel SkylakeX, 2 threads"."""
        library = " ".join(part for part in (self.library, self.version) if part)
        parts = [library, self.kernel and f"kernel {self.kernel}", self.threads and counted(self.threads, "thread")]
        return f"{self.package or 'system'}: {', '.join(part for part in parts if part)}"


class Machine(Frozen):
    """What a job computed with; None where nobody could tell.

    Attributes:
        cpu: The model's name.
        architecture: As in "x86_64".
        cores: Logical ones of the machine.
        cores_allowed: Of these, how many the job might use.
        libc: The C library, whose functions such as exp round in their own way.
        simd: Groups of instructions that numpy uses there, lowest first.
        blas: One for each package that brings one.
        asked: Variables that asked for threads, kernels or devices.
        gpus: Name of each of NVIDIA's; None where its driver gave no answer.
        driver: Of the GPUs.
    """

    cpu: str | None = None
    architecture: str | None = None
    cores: int | None = None
    cores_allowed: int | None = None
    libc: str | None = None
    simd: tuple[str, ...] | None = None
    blas: tuple[Blas, ...] | None = None
    asked: dict[str, str] = Field(default_factory=dict)
    gpus: tuple[str, ...] | None = None
    driver: str | None = None

    @property
    def kernels(self) -> str:
        """The kernels of its libraries, as in "SkylakeX"; empty where none is known."""
        return ", ".join(dict.fromkeys(each.kernel for each in self.blas or () if each.kernel))

    def lines(self) -> list[tuple[str, str]]:
        """Return what a person wants to know of it, as (label, text); nothing of what is not known."""
        cores = "" if self.cores_allowed is None else f"{self.cores_allowed} of {self.cores} cores allowed"
        blas = "; ".join(each.sentence() for each in self.blas or ())
        gpu = None if self.gpus is None else ", ".join(self.gpus) or "none"
        rows: list[tuple[str, list[str | None]]] = [
            ("cpu", [self.cpu, self.architecture, cores, f"up to {self.simd[-1]}" if self.simd else "", self.libc]),
            ("blas", [blas]),
            ("gpu", [gpu, self.driver and f"driver {self.driver}"]),
            ("asked for", [f"{name}={value}" for name, value in self.asked.items()]),
        ]
        said = [(label, ", ".join(part for part in parts if part)) for label, parts in rows]
        return [(label, text) for label, text in said if text]


def package_words(state: Path, name: str | None, reason: str = "") -> str:
    """Return one sentence on a recorded package set, or why there is none; empty where nobody recorded anything.

    Args:
        name: Its hash.
        reason: Why it was not recorded.
    """
    if name is None:
        return f"not recorded: {reason}" if reason else ""
    try:
        found = read_environment(state, name)
    except ExperimentsError as error:
        return str(error)
    return f"{counted(len(found.packages), 'package')} on {found.implementation} {found.python} ({name})"


def bring_environment(name: str, source: Path, state: Path) -> None:
    """Copy a recorded package set from another state folder, or a bundle's, where this one does not have it whole."""
    path = source / FOLDER / f"{name}.json"
    with contextlib.suppress(ExperimentsError):
        read_environment(state, name)
        return
    if path.is_file():
        (state / FOLDER).mkdir(parents=True, exist_ok=True)
        write_bytes(state / FOLDER / path.name, path.read_bytes())


def read_environment(state: Path, name: str) -> Environment:
    """Return the package set that is recorded under a hash.

    Raises:
        ExperimentsError: It is not there, cannot be read, or is no longer what was recorded.
    """
    path = state / FOLDER / f"{name}.json"
    try:
        found = read_json(path)
        environment = Environment.model_validate(found) if found is not None else None
    except ValidationError as error:
        raise ExperimentsError(f"the package set {name} cannot be read: {reasons(error)}.") from error
    except (OSError, ValueError) as error:
        raise ExperimentsError(f"the package set {name} cannot be read: {error}.") from error
    if environment is None:
        raise ExperimentsError(f"the package set {name} is not in this project. It would be in {path.parent}.")
    if environment.hash != name:
        raise ExperimentsError(
            f"the package set {name} was changed since it was recorded: it is {environment.hash} now."
        )
    return environment
