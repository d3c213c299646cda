from __future__ import annotations

import base64
import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.project.redaction import MASK, is_telling, mask_command, mask_json, mask_text

KEY = "0123456789abcdef0123456789abcdef01234567"


@pytest.mark.parametrize(
    "name", ["WANDB_API_KEY", "MY_TOKEN", "client_secret", "DB_PASSWORD", "SSH_PASSPHRASE", "AWS_SECRET_ACCESS_KEY"]
)
def test_the_value_of_a_variable_with_a_telling_name_is_masked_wherever_it_stands(monkeypatch, name):
    monkeypatch.setenv(name, 'p@ss w0rd/"x"')
    for text in ('p@ss w0rd/"x"', json.dumps('p@ss w0rd/"x"'), "p%40ss%20w0rd%2F%22x%22", "p%40ss+w0rd%2F%22x%22"):
        assert mask_text(f"before {text} after").startswith("before ")
        assert "w0rd" not in mask_text(f"before {text} after")


def test_the_longer_of_two_secrets_is_masked_whole(monkeypatch):
    monkeypatch.setenv("A_TOKEN", "hunter2")
    monkeypatch.setenv("B_TOKEN", "hunter2-and-more")
    assert mask_text("hunter2-and-more, hunter2") == f"{MASK}, {MASK}"


def test_words_numbers_and_files_are_no_secrets(monkeypatch, tmp_path):
    monkeypatch.setenv("TOKENIZERS_PARALLELISM", "false")
    monkeypatch.setenv("KEY_COUNT", "1000")
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path))
    text = f"false 1000 {tmp_path}"
    assert mask_text(text) == text


def test_wandbs_key_is_found_in_netrc(monkeypatch, tmp_path):
    netrc = tmp_path / "netrc"
    netrc.write_text(f"machine api.wandb.ai\n  login user\n  password {KEY}\n", encoding="utf-8")
    monkeypatch.setenv("NETRC", str(netrc))
    assert mask_text(f"logging in with {KEY}") == f"logging in with {MASK}"


def test_wandbs_key_is_found_in_its_settings(monkeypatch, tmp_path):
    (tmp_path / "settings").write_text(f"[default]\napi_key = {KEY}\n", encoding="utf-8")
    monkeypatch.setenv("WANDB_CONFIG_DIR", str(tmp_path))
    assert mask_json({"log": [f"key {KEY}"]}) == {"log": [f"key {MASK}"]}


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("https://ada:secret1@host/x", "https://ada:***@host/x"),
        ("https://ghs_x@github.com/a.git", "https://***@github.com/a.git"),
        ("postgres://u:p@h:1/db and redis://:p@h", "postgres://u:***@h:1/db and redis://:***@h"),
        ("ssh://git@host/repo https://git@host/repo", "ssh://git@host/repo https://git@host/repo"),
        ("s3.url/r?X-Amz-Signature=abc&v=1&sig=de#t", "s3.url/r?X-Amz-Signature=abc&v=1&sig=de#t"),
        ("https://h/r?X-Amz-Signature=abc&v=1&sig=de#t", "https://h/r?X-Amz-Signature=***&v=1&sig=***#t"),
        ("Authorization: Bearer abc.def", "Authorization: Bearer ***"),
        ("'Authorization': 'Basic " + base64.b64encode(b"api:key").decode(), "'Authorization': 'Basic ***"),
        (f"token ghp_{'a' * 36}.", "token ***."),
        ("-----BEGIN RSA PRIVATE KEY-----\nMII\n-----END RSA PRIVATE KEY-----\nnext", "***\nnext"),
        ("-----BEGIN PRIVATE KEY-----\ncut off", "***"),
    ],
)
def test_addresses_headers_and_known_tokens_are_masked(text, masked):
    assert mask_text(text) == masked


@pytest.mark.parametrize(
    "text", ["token = next(tokens)", f"commit {KEY}", "http://host:80/a@b", "a@b.c", "password policy: long", "://@"]
)
def test_ordinary_text_stays(text):
    assert mask_text(text) == text


def test_json_is_masked_by_name_and_by_value(monkeypatch):
    monkeypatch.setenv("X_TOKEN", "hunter2-hunter2")
    value = {"api_key": "k", "nested": [{"db.password": "p", "key": "plan"}], "hunter2-hunter2": ("a", 1, None, True)}
    expected = {"api_key": MASK, "nested": [{"db.password": MASK, "key": "plan"}], MASK: ["a", 1, None, True]}
    assert mask_json(value) == expected


def test_a_command_line_is_masked_by_name_and_by_value(monkeypatch):
    monkeypatch.setenv("X_TOKEN", "hunter2-hunter2")
    command = [
        "run",
        "--api-key",
        "abc",
        "--token=def",
        "wandb.token=g",
        "A_PASSWORD=h i",
        "x=hunter2-hunter2",
        "--token",
    ]
    assert mask_command(command) == (
        *("run", "--api-key", MASK, f"--token={MASK}", f"wandb.token={MASK}", f"A_PASSWORD={MASK}", f"x={MASK}"),
        "--token",
    )
    plain = ("train", "--tokens", "5", "trainer.total_timesteps=2e6", "--keys", "a", "--token", "--next")
    plain += ("sampling.max_token=512", "use_token=true", "loss.token=-0.5", "token=", "--token", "7")
    assert mask_command(plain) == plain


@pytest.mark.parametrize(
    ("name", "telling"),
    [("hub-token", True), ("secret", True), ("WANDB_API_KEY", True), ("apikey", True), ("pad_token", False),
     ("token_count", False), ("sort_key", False), ("keyboard", False)],
)  # fmt: skip
def test_a_name_tells_of_a_secret_by_its_last_word(name, telling):
    assert is_telling(name) is telling


@given(st.text(max_size=40), st.text(max_size=40))
def test_no_text_breaks_it_and_no_secret_comes_through(before, after):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PROPERTY_TOKEN", "hunter2-hunter2")
        assert "hunter2-hunter2" not in mask_text(before + "hunter2-hunter2" + after)


@pytest.mark.parametrize("piece", ["a.", "?token", "://a", "://a:b", "-----BEGIN A", "authorization: ", "gh", "&x-"])
def test_a_megabyte_of_anything_is_masked_in_moments(piece):
    text = "http://h/?" + piece * (1_000_000 // len(piece))
    start = time.process_time()
    mask_text(text)
    assert time.process_time() - start < 5
