from __future__ import annotations

import base64

import pytest

from experiments.jobs.tokens import new_token
from experiments.project.errors import LaunchError
from experiments.project.settings import Settings
from experiments.project.snapshots import refusals, take
from experiments.project.snapshots.store import REFS
from tests.fakes.repositories import commit_all, git, repository, write

SETTINGS = Settings()
KEY = "-----BEGIN {}PRIVATE KEY-----\n{}\n-----END {}PRIVATE KEY-----\n"
PLANTED = "planted-value-0123456789"


@pytest.fixture
def folder(tmp_path):
    return repository(tmp_path / "p")


def refused(folder, settings=SETTINGS) -> str:
    """Return why no snapshot is taken; nothing of it is left in the repository."""
    before = git(folder, "count-objects", "-v")
    with pytest.raises(LaunchError) as error:
        take(folder, folder / ".experiments", settings)
    assert git(folder, "count-objects", "-v") == before
    assert git(folder, "for-each-ref", REFS) == ""
    return str(error.value)


def key(kind="") -> str:
    return KEY.format(kind, base64.b64encode(bytes(range(48))).decode(), kind)


def test_large_files_are_listed_with_their_sizes_and_what_to_do(folder):
    for name, size in (("one.bin", 11_500_000), ("two.bin", 12_500_000), ("small.bin", 10)):
        (folder / name).write_bytes(bytes(size))
    said = refused(folder)
    assert "two.bin (12.5 MB), one.bin (11.5 MB)" in said
    assert "small.bin" not in said
    assert ".gitignore" in said
    assert "snapshot_links" in said
    assert "snapshot_max_file_mb" in said
    (folder / ".gitignore").write_text("one.bin\n", encoding="utf-8")
    assert take(folder, folder / ".experiments", Settings(snapshot_max_file_mb=20)).file_count == 5


def test_files_that_are_too_many_together_are_refused(folder, monkeypatch):
    (folder / "data").mkdir()
    for number in range(4):
        (folder / "data" / f"{number}.bin").write_bytes(bytes(400_000))
    said = refused(folder, Settings(snapshot_max_mb=1))
    assert "1.6 MB in all, and 1 MB are allowed" in said
    monkeypatch.setattr(refusals, "MAX_FILES", 5)
    assert "6 files, and 5 are allowed; most of them in data (4)" in refused(folder)
    assert take(folder, folder / ".experiments", Settings(snapshot_links=("data",))).file_count == 2


def test_a_large_file_that_is_committed_counts_only_in_all(folder):
    (folder / "weights.bin").write_bytes(bytes(2_000_000))
    commit_all(folder)
    assert take(folder, folder / ".experiments", Settings(snapshot_max_file_mb=1)).file_count == 3
    assert "2.0 MB in all" in refused_all(folder)


def refused_all(folder) -> str:
    with pytest.raises(LaunchError) as error:
        take(folder, folder / ".experiments", Settings(snapshot_max_mb=1))
    return str(error.value)


@pytest.mark.parametrize(
    "name",
    [
        *(".env", ".env.local", ".envrc", "sub/.ENV", "server.pem", "tls.key", "id_rsa", "id_ed25519", "id_rsa.old"),
        *("id_deploy", "credentials", "credentials.json", "Credentials.csv"),
    ],
)
def test_files_named_as_secrets_are_refused(folder, name):
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_text("x\n", encoding="utf-8")
    said = refused(folder)
    assert f"{name} (its name)" in said
    assert ".gitignore" in said


@pytest.mark.parametrize(
    "name",
    [".env.example", ".env.sample", ".env.template", "id_rsa.pub", "id_maps.py", "id_to_name.json", "credentials.py"],
)
def test_files_that_only_sound_like_it_are_taken(folder, name):
    (folder / name).write_text("x\n", encoding="utf-8")
    assert take(folder, folder / ".experiments", SETTINGS).file_count == 3


def test_a_setting_adds_names(folder):
    (folder / "keys").mkdir()
    (folder / "keys" / "a.txt").write_text("x\n", encoding="utf-8")
    (folder / "b.token").write_text("x\n", encoding="utf-8")
    said = refused(folder, Settings(snapshot_secrets=("keys/*", "*.token")))
    assert "b.token (its name), keys/a.txt (its name)" in said


@pytest.mark.parametrize("kind", ["", "RSA ", "EC ", "OPENSSH ", "ENCRYPTED "])
def test_a_private_key_in_any_file_is_refused_and_not_quoted(folder, kind):
    write(folder, notes=f"text\n{key(kind)}")
    said = refused(folder)
    assert "notes.py (a private key in it)" in said
    assert "AAEC" not in said


def test_values_known_here_are_refused_and_not_quoted(folder, monkeypatch):
    monkeypatch.setenv("SOME_API_KEY", PLANTED)
    write(folder, a=f"client = Client('{PLANTED}')\n")
    said = refused(folder)
    assert "a.py (the value of a secret of yours in it)" in said
    assert PLANTED not in said


def test_the_token_of_a_permit_is_refused_whoever_knows_it_and_not_quoted(folder):
    (folder / "permit.txt").write_text(f"{(token := new_token('night'))}\n", encoding="utf-8")
    said = refused(folder)
    assert "permit.txt (the token of a permit in it)" in said
    assert token not in said


def test_a_short_value_of_a_telling_variable_is_a_word_of_sources(folder, monkeypatch):
    monkeypatch.setenv("KEY_BACKEND", "keyring")
    write(folder, a="import keyring\n")
    assert take(folder, folder / ".experiments", SETTINGS).changed_count == 1


def test_what_is_committed_as_it_is_is_not_asked_about_and_neither_are_further_edits_beside_it(folder, monkeypatch):
    monkeypatch.setenv("SOME_API_KEY", PLANTED)
    write(folder, test_keys=f"KEY = '''{key()}'''\nVALUE = '{PLANTED}'\n")
    (folder / "ca.pem").write_text("public\n", encoding="utf-8")
    commit_all(folder)
    assert take(folder, folder / ".experiments", SETTINGS).changed_count == 0
    write(folder, test_keys=f"# a new test\nKEY = '''{key()}'''\nVALUE = '{PLANTED}'\n")
    assert take(folder, folder / ".experiments", SETTINGS).changed_count == 1


def test_another_key_beside_a_committed_one_is_refused(folder):
    write(folder, test_keys=f"KEY = '''{key()}'''\n")
    commit_all(folder)
    write(folder, test_keys=f"KEY = '''{key()}'''\nREAL = '''{key('RSA ')}'''\n")
    assert "test_keys.py (a private key in it)" in refused(folder)


def test_a_secret_that_a_link_points_at_is_not_read(folder, tmp_path):
    (tmp_path / "outside").write_text(key(), encoding="utf-8")
    (folder / "link").symlink_to(tmp_path / "outside")
    assert take(folder, folder / ".experiments", SETTINGS).file_count == 3


def test_a_secret_without_a_repository_is_refused_too(tmp_path):
    write(tmp_path, notes=key())
    with pytest.raises(LaunchError, match=r"notes\.py \(a private key in it\)"):
        take(tmp_path, tmp_path / ".experiments", SETTINGS)
