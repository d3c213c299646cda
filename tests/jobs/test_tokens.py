from __future__ import annotations

import os

import pytest

from experiments.jobs.tokens import TOKEN, TOKEN_FILE, digest_of, name_in, new_token, save, token_here, without_token
from experiments.project.errors import LaunchRefused
from experiments.project.redaction import mask_text


@pytest.fixture
def token():
    return new_token("night-2")


def test_a_token_names_its_permit_and_no_two_are_alike(token):
    assert name_in(token) == "night-2"
    assert new_token("night-2") != token
    assert digest_of(token) != digest_of(new_token("night-2"))


@pytest.mark.parametrize(
    "text",
    ["", "night", "permit.night.short", "permit..x", f"permit.a\nb.{'x' * 43}", f"permit.<b>.{'x' * 43}", None, 3],
)
def test_what_is_no_token_is_refused_and_not_repeated(text, monkeypatch):
    with pytest.raises(LaunchRefused, match="is none") as refused:
        name_in(text)
    assert not text or str(text) not in str(refused.value).replace("night", "")


def test_a_token_is_masked_in_every_text_wherever_it_came_from(token):
    assert token not in mask_text(f"the agent printed {token} into its log")


def test_a_process_has_the_token_of_its_environment_or_of_the_file_that_this_names(token, monkeypatch, tmp_path):
    assert token_here() is None
    save(token, tmp_path / "permit")
    monkeypatch.setenv(TOKEN_FILE, str(tmp_path / "permit"))
    assert token_here() == token
    other = new_token("other")
    monkeypatch.setenv(TOKEN, other)
    assert token_here() == other


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o666])
def test_a_file_that_others_can_read_or_write_gives_no_leave(token, monkeypatch, tmp_path, mode):
    path = tmp_path / "permit"
    save(token, path)
    path.chmod(mode)
    monkeypatch.setenv(TOKEN_FILE, str(path))
    with pytest.raises(LaunchRefused, match=rf"mode {mode:o}.*permit end"):
        token_here()


def test_a_file_of_somebody_else_gives_no_leave(token, monkeypatch, tmp_path):
    save(token, tmp_path / "permit")
    monkeypatch.setenv(TOKEN_FILE, str(tmp_path / "permit"))
    monkeypatch.setattr(os, "getuid", lambda: os.geteuid() + 1)
    with pytest.raises(LaunchRefused, match="by others"):
        token_here()


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"permit", b"x" * 100_000])
def test_a_file_that_holds_no_token_gives_no_leave(monkeypatch, tmp_path, content):
    path = tmp_path / "permit"
    path.touch(0o600)
    path.write_bytes(content)
    monkeypatch.setenv(TOKEN_FILE, str(path))
    with pytest.raises(LaunchRefused, match=r"experiments permit"):
        token_here()


@pytest.mark.parametrize("place", ["missing", "."])
def test_a_file_that_is_none_gives_no_leave(monkeypatch, tmp_path, place):
    monkeypatch.setenv(TOKEN_FILE, str(tmp_path / place))
    with pytest.raises(LaunchRefused, match="cannot be read"):
        token_here()


def test_a_token_is_saved_for_its_owner_alone_and_over_nothing(token, tmp_path):
    save(token, tmp_path / "permit")
    assert (tmp_path / "permit").stat().st_mode & 0o777 == 0o600
    with pytest.raises(FileExistsError):
        save(token, tmp_path / "permit")


def test_a_trainer_inherits_no_leave(token):
    assert without_token({TOKEN: token, TOKEN_FILE: "/permit", "PATH": "/bin"}) == {"PATH": "/bin"}
