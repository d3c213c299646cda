"""The address of a replay."""

from __future__ import annotations

import pytest

from experiments.runs.replay_files import Link, replay_links, replay_url, replays_at, step_of, stored_step

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


def test_each_link_of_a_page_of_replays_is_one_with_its_name_and_none_stands_twice():
    viewer = "https://metta-ai.github.io/metta/?replayUrl=https%3A%2F%2Fs3.example%2F"
    page = "".join(
        f"<a href='{viewer}{name}.json.z' target=_blank>episode {at}</a> | " for at, name in enumerate(["a", "b", "a"])
    )
    assert replay_links(f"<link rel='stylesheet' href='https://x.org/s.css'>{page}") == [
        Link("https://s3.example/a.json.z", "episode 0"),
        Link("https://s3.example/b.json.z", "episode 1"),
    ]


def test_the_pages_of_todays_metta_are_known_by_their_step():
    assert step_of("media/html/replays/all_120_c710960d5d681986576c.html") == 120
    assert step_of("media/html/other/all_120_c710960d5d681986576c.html") is None


def test_several_replays_of_a_step_have_a_key_and_words_each():
    one, two = replays_at(1_000, [Link("https://x.org/a", "arena"), Link("https://x.org/b")])
    assert (one.key, one.when) == (1_000, "W&B step 1,000, 1 arena")
    assert (two.key, two.when) == ((1_000, 1), "W&B step 1,000, 2")
    assert replays_at(1, [Link("https://x.org/a", "watch")])[0].when == "W&B step 1"
