from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from experiments.project.environment.kernels import kernel_environment
from experiments.project.environment.probing import probed
from experiments.project.environment.records import Blas, Machine
from experiments.project.values import replaced

PYTHON = Path(sys.executable)


@pytest.fixture
def here(tmp_path):
    return Machine.model_validate(probed([sys.executable], os.environ, tmp_path, tmp_path)["machine"])


def with_kernel(machine, *kernels):
    libraries = [replaced(each, kernel=kernels[at % len(kernels)]) for at, each in enumerate(machine.blas)]
    return replaced(machine, blas=tuple(libraries))


def test_the_kernel_of_this_cpu_needs_no_variable(here, tmp_path):
    assert kernel_environment(here, PYTHON, tmp_path) == {}


def test_another_kernel_that_this_cpu_can_run_is_asked_for_and_really_comes(here, tmp_path):
    recorded = with_kernel(here, "Nehalem")
    asked = kernel_environment(recorded, PYTHON, tmp_path)
    assert asked == {"OPENBLAS_CORETYPE": "Nehalem"}
    found = probed([sys.executable], os.environ | asked, tmp_path, tmp_path)["machine"]
    assert {each["kernel"] for each in found["blas"]} == {"Nehalem"}


def test_a_kernel_asked_for_in_this_shell_gives_way_to_the_recorded_one(here, tmp_path, monkeypatch):
    monkeypatch.setenv("OPENBLAS_CORETYPE", "Nehalem")
    [kernel] = {each.kernel for each in here.blas}
    assert kernel_environment(here, PYTHON, tmp_path) == {"OPENBLAS_CORETYPE": kernel}


@pytest.mark.parametrize("kernel", ["ARMV8", "NoSuchKernel", ""])
def test_a_kernel_that_this_cpu_does_not_have_is_not_asked_for(here, tmp_path, kernel):
    assert kernel_environment(with_kernel(here, kernel), PYTHON, tmp_path) == {}


def test_two_kernels_at_once_cannot_be_asked_for_and_none_is_none(here, tmp_path):
    assert kernel_environment(with_kernel(here, "Nehalem", "Haswell"), PYTHON, tmp_path) == {}
    assert kernel_environment(None, PYTHON, tmp_path) == {}
    assert kernel_environment(Machine(blas=(Blas(library="mkl", kernel="x"),)), PYTHON, tmp_path) == {}
