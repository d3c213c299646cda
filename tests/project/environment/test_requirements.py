from __future__ import annotations

import pytest

from experiments.project.environment.records import Environment, Package
from experiments.project.environment.requirements import asked_for, places_in, projects_in, unread_manifests


def environment(**packages: Package) -> Environment:
    return Environment(python="3.11.7", implementation="CPython", packages=packages)


@pytest.fixture
def tree(tmp_path):
    """A checkout of a workspace: a package, one in the middle of being written, and one of others in a folder."""
    for name, text in {
        ".": '[project]\nname = "Study"\n',
        "packages/one": '[project]\nname = "one_of.ours"\n',
        "packages/broken": "[project\n",
        "packages/nameless": '[tool.ruff]\n[tool.uv]\nindex = "nonsense"\n',
        "node_modules/theirs": '[project]\nname = "theirs"\n',
    }.items():
        (tmp_path / name).mkdir(parents=True, exist_ok=True)
        (tmp_path / name / "pyproject.toml").write_text(text)
    return tmp_path


@pytest.mark.parametrize(
    ("package", "line"),
    [
        (Package(version="1.0+cu12"), "x==1.0+cu12"),
        (Package(version="1", source="git+abc", address="https://host/x"), "x @ git+https://host/x@abc"),
        (
            Package(version="1", source="git+abc", address="https://host/x#subdirectory=b"),
            "x @ git+https://host/x@abc#subdirectory=b",
        ),
        (Package(version="1", source="address", address="https://host/x.whl"), "x @ https://host/x.whl"),
    ],
)
def test_what_can_be_had_again_is_asked_for_by_its_exact_version_commit_or_file(package, line):
    assert asked_for(environment(x=package), None).lines == {"x": line}


def test_a_package_whose_sources_are_in_the_checkout_is_ours_and_else_it_is_lost(tree):
    packages = {
        "one-of-ours": Package(version="1", source="editable"),
        "study": Package(version="1", source="editable"),
    }
    found = asked_for(environment(**packages), tree)
    assert (found.ours, found.lost) == ({"one-of-ours": tree / "packages" / "one", "study": tree}, {})
    lost = asked_for(environment(**packages), None).lost
    assert lost["study"] == "study 1 was installed from a folder, whose sources are not in the snapshot"


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("local file", "was installed from a file of the machine on which it ran"),
        ("local folder", "was installed from a folder, whose sources are not in the snapshot"),
        ("git+abc", r"was installed from an address that is not recorded (git+abc)"),
    ],
)
def test_why_a_package_cannot_be_had_is_said(tree, source, words):
    assert asked_for(environment(x=Package(version="2", source=source)), tree).lost == {"x": f"x 2 {words}"}


def test_projects_are_found_wherever_they_lie_but_not_in_others_folders_and_none_stops_the_search(tree):
    assert projects_in(tree) == {"study": tree, "one-of-ours": tree / "packages" / "one"}


def test_only_sources_that_name_an_index_are_places(tree):
    assert places_in(tree) == {}
    (tree / "pyproject.toml").write_text(
        '[[tool.uv.index]]\nname = "cpu"\nurl = "https://host/cpu"\n'
        '[tool.uv.sources]\ntorch = [{ index = "cpu", marker = "x" }]\n'
        'own = { path = ".." }\nother = { git = "https://host" }\n'
    )
    found = places_in(tree)
    assert found["index"] == [{"name": "cpu", "url": "https://host/cpu"}]
    assert list(found["sources"]) == ["torch"]


def test_a_manifest_that_cannot_be_read_is_named_with_the_reason(tree):
    said = unread_manifests(tree)
    assert "'packages/broken/pyproject.toml' (Expected ']'" in said
    assert "nameless" not in said
    (tree / "packages" / "broken" / "pyproject.toml").unlink()
    assert unread_manifests(tree) == ""
