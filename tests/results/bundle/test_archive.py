"""A bundle has the same bytes each time, and one that was changed or climbs out writes nothing."""

from __future__ import annotations

import gzip
import io
import tarfile

import pytest

from experiments.project.errors import UsageError
from experiments.results.bundle.archive import (
    MANIFEST,
    Content,
    DamagedBundle,
    FileEntry,
    Manifest,
    read_some,
    unpack,
    verified,
    write_archive,
)

CONTENTS = {"b/two.txt": Content(b"two"), "a.txt": Content(b"one"), "b/%C3%A9 x": Content(b"")}


@pytest.fixture
def bundle(tmp_path):
    path = tmp_path / "x.tar.gz"
    write_archive(path, "study", CONTENTS)
    return path


def rewritten(path, change):
    """Write a bundle again with its members changed by `change`, which gets and returns (TarInfo, bytes) pairs."""
    with tarfile.open(path) as tar:
        members = [(member, tar.extractfile(member).read()) for member in tar]
    with tarfile.open(path, "w:gz") as tar:
        for member, data in change(members):
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))


def added(name, data=b"evil", **fields):
    def change(members):
        member = tarfile.TarInfo(name)
        for key, value in fields.items():
            setattr(member, key, value)
        return [*members, (member, data)]

    return change


def refused(path, match, tmp_path):
    before = sorted(place for place in tmp_path.rglob("*"))
    with pytest.raises(DamagedBundle, match=match):
        verified(path)
    assert sorted(place for place in tmp_path.rglob("*")) == before


def test_what_was_written_is_read_back_whole(bundle, tmp_path):
    manifest = verified(bundle)
    assert list(manifest.files) == sorted(CONTENTS)
    assert read_some(bundle, ["a.txt"]) == {"a.txt": b"one"}
    unpack(bundle, manifest, tmp_path / "out")
    assert (tmp_path / "out" / "b" / "two.txt").read_bytes() == b"two"


def test_the_same_content_gives_the_same_bytes_whatever_its_order_and_place(bundle, tmp_path):
    other = tmp_path / "elsewhere" / "other-name.tar.gz"
    (tmp_path / "a file").write_bytes(b"one")
    write_archive(other, "study", {**dict(reversed(CONTENTS.items())), "a.txt": Content(tmp_path / "a file")})
    assert other.read_bytes() == bundle.read_bytes()
    data = gzip.decompress(bundle.read_bytes())
    assert str(tmp_path).encode() not in data


def test_a_changed_file_is_named_with_both_hashes(bundle, tmp_path):
    rewritten(bundle, lambda members: [(m, b"TWO" if m.name == "b/two.txt" else data) for m, data in members])
    refused(bundle, r"'b/two.txt' has sha256 [0-9a-f]{64}, and its manifest says [0-9a-f]{64}", tmp_path)


def test_a_file_too_much_and_a_file_too_few_are_named(bundle, tmp_path):
    rewritten(bundle, added("more.txt"))
    refused(bundle, "'more.txt' is not in its manifest", tmp_path)
    write_archive(bundle, "study", CONTENTS)
    rewritten(bundle, lambda members: [pair for pair in members if pair[0].name != "a.txt"])
    refused(bundle, "'a.txt' is missing", tmp_path)


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("../evil", {}),
        ("b/../../evil", {}),
        ("/etc/evil", {}),
        ("b/./evil", {}),
        ("..\\evil", {}),
        ("link", {"type": tarfile.SYMTYPE, "linkname": "/etc/passwd"}),
        ("link", {"type": tarfile.LNKTYPE, "linkname": "a.txt"}),
        ("pipe", {"type": tarfile.FIFOTYPE}),
        ("folder", {"type": tarfile.DIRTYPE}),
        ("a.txt", {}),
    ],
)
def test_what_climbs_out_or_is_no_plain_file_is_refused_before_anything_is_written(bundle, tmp_path, name, fields):
    rewritten(bundle, added(name, b"" if fields else b"evil", **fields))
    refused(bundle, "is refused for", tmp_path)


def test_a_manifest_that_names_a_way_out_does_not_help_the_file_there(bundle, tmp_path):
    evil = Manifest(format=1, experiment="x", files={"../evil": FileEntry(sha256="0" * 64, size=4)})
    rewritten(bundle, lambda members: [(members[0][0], evil.text()), *added("../evil")([])])
    refused(bundle, "leads elsewhere", tmp_path)


def test_a_cut_file_and_what_is_no_bundle_are_said_to_be_so(bundle, tmp_path):
    bundle.write_bytes(bundle.read_bytes()[:-30])
    refused(bundle, "was cut", tmp_path)
    bundle.write_bytes(b"no archive at all")
    refused(bundle, "is no bundle", tmp_path)
    with tarfile.open(bundle, "w:gz"):
        pass
    refused(bundle, "is empty", tmp_path)


def test_a_later_format_is_refused(bundle, tmp_path):
    later = Manifest(format=2, experiment="x", files={})
    rewritten(bundle, lambda members: [(members[0][0], later.text())])
    refused(bundle, "format 2; this version reads 1", tmp_path)


def test_what_changed_after_it_was_verified_leaves_no_folder(bundle, tmp_path):
    manifest = verified(bundle)
    rewritten(bundle, lambda members: [(m, b"TWO" if m.name == "b/two.txt" else data) for m, data in members])
    with pytest.raises(DamagedBundle, match="changed while it was read"):
        unpack(bundle, manifest, tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == [bundle.name]


def test_a_name_that_would_not_come_back_is_not_written(tmp_path):
    with pytest.raises(UsageError, match="cannot go into a bundle"):
        write_archive(tmp_path / "x.tar.gz", "study", {"a/../b": Content(b"")})
    assert list(tmp_path.iterdir()) == []


def test_the_manifest_comes_first_and_members_have_no_time_and_no_owner(bundle):
    with tarfile.open(bundle) as tar:
        members = tar.getmembers()
    assert members[0].name == MANIFEST
    assert {(m.mtime, m.uid, m.gid, m.uname, m.gname, m.mode) for m in members} == {(0, 0, 0, "", "", 0o644)}
