"""Where W&B keeps a key."""

from __future__ import annotations

import pytest

from experiments.project.credentials import credentials_present, find_credentials

KEY = "k" * 40


@pytest.fixture
def env(tmp_path):
    return {"HOME": str(tmp_path)}


def test_without_a_key_there_are_no_credentials(env, tmp_path):
    assert not credentials_present(env, tmp_path)
    assert find_credentials(env, tmp_path).base_url.startswith("https://")


def test_the_environment_comes_first(env, tmp_path):
    found = find_credentials({**env, "WANDB_API_KEY": KEY, "WANDB_BASE_URL": "http://h:1/"}, tmp_path)
    assert (found.key, found.base_url, found.host) == (KEY, "http://h:1", "h:1")


def test_netrc_is_read_for_the_servers_host(env, tmp_path):
    (tmp_path / ".netrc").write_text(f"machine other login user password no\nmachine h:1 login user password {KEY}\n")
    assert not credentials_present(env, tmp_path)
    assert find_credentials({**env, "WANDB_BASE_URL": "http://h:1"}, tmp_path).key == KEY
    assert (
        find_credentials({**env, "NETRC": str(tmp_path / "none"), "WANDB_BASE_URL": "http://h:1"}, tmp_path).key is None
    )


def test_a_key_saved_under_the_old_host_name_is_found(env, tmp_path):
    (tmp_path / ".netrc").write_text(f"machine api.wandb.ai login user password {KEY}\n")
    assert credentials_present(env, tmp_path)


def test_settings_files_name_server_entity_and_project(env, tmp_path):
    user = tmp_path / ".config" / "wandb" / "settings"
    user.parent.mkdir(parents=True)
    user.write_text(f"[default]\nbase_url = http://own\napi_key = {KEY}\nentity = me\nproject = p%1\n")
    local = tmp_path / "work" / "wandb" / "settings"
    local.parent.mkdir(parents=True)
    local.write_text("[default]\nproject = mine\n")
    found = find_credentials(env, tmp_path / "work")
    assert (found.base_url, found.key, found.entity, found.project) == ("http://own", KEY, "me", "mine")


def test_a_key_is_never_shown(env, tmp_path):
    assert KEY not in repr(find_credentials({**env, "WANDB_API_KEY": KEY}, tmp_path))


def test_an_identity_token_counts_as_credentials(env, tmp_path):
    assert credentials_present({**env, "WANDB_IDENTITY_TOKEN_FILE": "/t"}, tmp_path)


@pytest.mark.parametrize("text", ["\x00machine", "machine h:1 password", 'machine "'])
def test_a_broken_netrc_is_no_key(env, tmp_path, text):
    (tmp_path / ".netrc").write_text(text)
    assert not credentials_present({**env, "WANDB_BASE_URL": "http://h:1"}, tmp_path)
