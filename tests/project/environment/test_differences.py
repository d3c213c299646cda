from __future__ import annotations

import pytest

from experiments.project.environment.differences import Conditions, explained_differences
from experiments.project.environment.records import Blas, Environment, Machine, Package
from experiments.project.values import replaced

PACKAGES = Environment(
    python="3.11.7",
    implementation="CPython",
    packages={"numpy": Package(version="2.4.6", content="aa"), "rich": Package(version="15.0.0", content="bb")},
)
LIBRARIES = tuple(
    Blas(library="openblas", version="0.3.31", kernel="SkylakeX", threads=2, package=name)
    for name in ("numpy", "scipy")
)
MACHINE = Machine(
    cpu="AMD EPYC", architecture="x86_64", cores=2, cores_allowed=2, libc="glibc 2.36", simd=("X86_V2", "X86_V4"),
    blas=LIBRARIES, gpus=(),
)  # fmt: skip
BEFORE = Conditions(PACKAGES, MACHINE)


def packages(**changed: Package | None) -> Conditions:
    found = {name: each for name, each in (PACKAGES.packages | changed).items() if each is not None}
    return Conditions(replaced(PACKAGES, packages=found), MACHINE)


def machine(**fields) -> Conditions:
    return Conditions(PACKAGES, replaced(MACHINE, **fields))


def libraries(**fields):
    return tuple(replaced(each, **fields) for each in LIBRARIES)


def words(a: Conditions, b: Conditions) -> list[str]:
    return [each.words for each in explained_differences(a, b)]


def test_equal_conditions_explain_nothing():
    assert explained_differences(BEFORE, BEFORE) == explained_differences(Conditions(), Conditions()) == []


@pytest.mark.parametrize(
    ("after", "kind", "said"),
    [
        (packages(numpy=Package(version="2.4.5")), "package", "the version of numpy differs (2.4.6 and 2.4.5)"),
        (packages(numpy=None), "package", "the version of numpy differs (2.4.6 and not installed)"),
        (packages(jax=Package(version="1")), "package", "the version of jax differs (not installed and 1)"),
        (
            packages(numpy=Package(version="2.4.6", content="cc", source="address")),
            "package",
            "the build of numpy 2.4.6 differs (aa and address cc)",
        ),
        (
            Conditions(replaced(PACKAGES, python="3.12.1"), MACHINE),
            "python",
            "Python differs (CPython 3.11.7 and CPython 3.12.1)",
        ),
        (
            machine(blas=libraries(kernel="Haswell")),
            "kernel",
            "the BLAS kernel of numpy and scipy differs (SkylakeX and Haswell)",
        ),
        (
            machine(blas=(LIBRARIES[0], replaced(LIBRARIES[1], kernel="Zen"))),
            "kernel",
            "the BLAS kernel of scipy differs (SkylakeX and Zen)",
        ),
        (
            machine(blas=libraries(version="0.3.30")),
            "blas",
            "the BLAS library of numpy and scipy differs (openblas 0.3.31 and openblas 0.3.30)",
        ),
        (machine(blas=LIBRARIES[:1]), "blas", "the BLAS library of scipy differs (openblas and none)"),
        (
            machine(blas=libraries(threads=1)),
            "threads",
            "the number of BLAS threads of numpy and scipy differs (2 and 1)",
        ),
        (machine(asked={"OMP_NUM_THREADS": "1"}), "threads", "the variable OMP_NUM_THREADS differs (not set and 1)"),
        (machine(asked={"PYTHONHASHSEED": "1"}), "asked", "the variable PYTHONHASHSEED differs (not set and 1)"),
        (machine(simd=("X86_V2",)), "simd", "the newest instruction set that numpy uses differs (X86_V4 and X86_V2)"),
        (machine(cores_allowed=1), "threads", "the number of processors allowed differs (2 and 1)"),
        (machine(cpu="Intel Xeon"), "cpu", "the CPU differs (AMD EPYC x86_64 and Intel Xeon x86_64)"),
        (machine(libc="musl 1.2"), "libc", "the C library differs (glibc 2.36 and musl 1.2)"),
        (machine(gpus=("H200", "H200")), "gpu", "the GPU differs (none and H200, H200)"),
        (machine(gpus=None), "unknown", "the GPU differs (none and not known)"),
        (machine(blas=None), "unknown", "the BLAS library of the second is not recorded"),
        (Conditions(PACKAGES, None), "unknown", "the machine of the second is not recorded"),
    ],
)
def test_each_difference_is_named_with_both_values(after, kind, said):
    [found] = explained_differences(BEFORE, after)
    assert (found.kind, found.words) == (kind, said)


def test_what_is_likelier_to_change_numbers_stands_first_and_what_is_unknown_last():
    after = Conditions(
        replaced(packages(numpy=Package(version="2.4.5"), rich=Package(version="14")).environment, python="3.12.1"),
        replaced(MACHINE, blas=libraries(kernel="Haswell", threads=1), simd=("X86_V2",), cpu="Intel", gpus=None),
    )
    found = [each.kind for each in explained_differences(BEFORE, after)]
    assert found == ["package", "kernel", "python", "simd", "cpu", "package", "threads", "unknown"]


def test_a_package_set_that_one_job_lacks_is_said_of_the_one_that_lacks_it():
    assert words(Conditions(None, MACHINE), BEFORE) == ["the package set of the first is not recorded"]


def test_the_order_of_libraries_and_of_packages_does_not_matter():
    turned = Conditions(packages().environment, replaced(MACHINE, blas=LIBRARIES[::-1]))
    assert explained_differences(BEFORE, turned) == []


def test_a_kernel_that_was_asked_for_is_no_difference_to_the_same_one_by_itself():
    assert words(BEFORE, machine(asked={"OPENBLAS_CORETYPE": "SkylakeX"})) == []
    other = machine(asked={"OPENBLAS_CORETYPE": "Haswell"}, blas=libraries(kernel="Haswell"))
    assert [each.kind for each in explained_differences(BEFORE, other)] == ["kernel", "asked"]


def test_it_is_all_the_same_which_devices_of_a_machine_a_run_was_given():
    first, other, none = (
        machine(asked={"CUDA_VISIBLE_DEVICES": value}) for value in ("GPU-a,GPU-b", "GPU-c,GPU-d", "")
    )
    assert words(first, other) == []
    assert words(first, none) == ["the variable CUDA_VISIBLE_DEVICES differs (2 devices and no device)"]
