"""Ask for the BLAS kernel that a job computed with, where this CPU has it.

A library chooses its kernel as it starts, by the CPU or by a variable; a name that it does not know, or that the CPU
cannot run, changes nothing and is not said. So the variable is tried, and the kernel read back.
"""

from __future__ import annotations

import os
from pathlib import Path

from experiments.project.environment.probing import probed
from experiments.project.environment.records import KERNEL_VARIABLE, Machine

__all__ = ["kernel_environment"]


def kernel_environment(machine: Machine | None, python: Path, state: Path) -> dict[str, str]:
    """Return the variables with which `python` computes with the recorded kernel here; for a job's own process only.

    Empty where it does so anyhow, where nobody recorded a kernel or more than one, and where this CPU cannot: compare
    what the job then records.

    Args:
        machine: As it was recorded.
        python: The interpreter of the new job.
        state: The project's state.
    """
    wanted = _kernels(machine)
    if len(set(wanted.values())) != 1 or _kernels_here(python, state, {}) == wanted:
        return {}
    asked = {KERNEL_VARIABLE: next(iter(wanted.values()))}
    return asked if _kernels_here(python, state, asked) == wanted else {}


def _kernels(machine: Machine | None) -> dict[str, str]:
    """Return the kernel of OpenBLAS for each package that brings one."""
    libraries = (machine.blas if machine else None) or ()
    return {each.package or "": each.kernel for each in libraries if each.library == "openblas" and each.kernel}


def _kernels_here(python: Path, state: Path, asked: dict[str, str]) -> dict[str, str]:
    found = probed([str(python)], os.environ | asked, state.absolute(), state)["machine"]
    return _kernels(Machine.model_validate(found) if found else None)
