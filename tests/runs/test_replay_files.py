"""The address of a replay."""

from __future__ import annotations

import pytest

from experiments.runs.replay_files import replay_url, step_of, stored_step

WANDB_HEAD = '<base target="_blank"><link rel="stylesheet" href="https://host/normalize.css" />'


@pytest.mark.parametrize(
    ("html", "url"),
    [
        (WANDB_HEAD + '<a href="https://h/r.json.z">r</a>', "https://h/r.json.z"),
        ('<a target="_blank" href="https://v/?replayUrl=https%3A%2F%2Fh%2Fr.json.z&amp;play=true">r</a>', "https://h/r.json.z"),
        ("<A HREF='s3://bucket/r.json.z'>r</A>", "s3://bucket/r.json.z"),
        (WANDB_HEAD, None),
        ('<a href="javascript:alert(1)">r</a>', None),
        ('<a href="https://v/?replayUrl=javascript:alert(1)">r</a>', None),
        ('<a href="http://[x">r</a><a href="https://h/r.json.z">r</a>', "https://h/r.json.z"),
        ('<a href="https://h/r.json.z&#10;">r</a>', None),
        ("", None),
    ],
)  # fmt: skip
def test_only_addresses_of_replays_are_taken(html, url):
    assert replay_url(html) == url


def test_wandb_names_the_step_in_the_file():
    assert step_of("media/html/replays/link_120_c710960d5d681986576c.html") == 120
    assert step_of("media/html/other.html") is None


@pytest.mark.parametrize("digits", ["9" * 5000, "\u0663", "\xb3", "", "1_0", "-1"])
def test_what_is_no_step_in_a_name_is_none(digits):
    assert stored_step(f"replays/step_{digits}.json.z") is None
    assert step_of(f"media/html/link_{digits}_0a.html") is None


@pytest.mark.timeout(10)
def test_a_page_of_half_links_is_read_once_and_not_once_a_link():
    assert replay_url("<a " * 400_000) is None
