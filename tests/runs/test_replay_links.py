"""The address of a replay."""

from __future__ import annotations

import pytest

from experiments.runs.replay_links import replay_url, step_of

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
        ("", None),
    ],
)  # fmt: skip
def test_only_addresses_of_replays_are_taken(html, url):
    assert replay_url(html) == url


def test_wandb_names_the_step_in_the_file():
    assert step_of("media/html/replays/link_120_c710960d5d681986576c.html") == 120
    assert step_of("media/html/other.html") is None
