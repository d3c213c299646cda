"""Damaging replay files at random, in the ways that broken writers, broken networks and attackers do."""

from __future__ import annotations

import gzip
import random
import re
import zlib

_NUMBER = re.compile(rb"-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?")
_WORD = re.compile(rb'"(?:[^"\\]|\\.)*"|true|false|null')
_LIST = re.compile(rb"\[[^\[\]{}]*\]")

VALUES = [
    b"null", b"true", b"false", b"-1", b"0", b"1", b"0.5", b"1.0", b"-0", b"1e3", b"1e999", b"-1e999", b"9" * 30,
    b"-" + b"9" * 30, b"2147483648", b"-2147483649", b"1000000000", b"65535", b'""', b'"x"', b'"\\ud800"', b"9" * 5000,
    b'"</script><script>alert(1)</script>"', b'"' + b"a" * 70_000 + b'"', b"[]", b"{}", b"[[]]", b"[null]",
    b"[[0,null]]", b"[[0,1],[0,2]]", b"[[5,1],[2,0]]", b"[[-3,1]]", b"[[999999999,1]]", b"[[0,[1,2]],[3,[4,5]]]",
    b"[[0,[[1,2]]]]", b"[3,3,5]", b"[1,2,3,4]", b'{"a":{"b":[1]}}', b'[[0,"x"],[1,{}]]', b"[[0,true,1]]",
    b"[[0,1e99],[1,2]]", b"[[0.0,1],[1.5,2]]", b"[[99999999999999999999,1]]", b"[[0,99999999999999999999]]",
    b'[[0,[]],[1,[[0,-5],[0,6]]]]',
]  # fmt: skip
TOKENS = [
    b"NaN",
    b"Infinity",
    b"-Infinity",
    b'"\xff\xfe"',
    b"[" * 3000 + b"]" * 3000,
    b"\x00",
    b"",
    b"01",
    b"1-2",
    b"tru",
]


def mutated(data: bytes, text: bytes, rng: random.Random) -> bytes:
    """Return a damaged form of a replay file, given as stored and as JSON text."""
    kind = rng.randrange(10)
    if kind == 0:
        return damaged_bytes(data, rng)
    for _ in range(rng.choice((1, 1, 1, 1, 2, 3, 10))):
        text = damaged_text(text, rng)
    if kind == 1:
        text = damaged_bytes(text, rng)
    return rng.choice((bytes, zlib.compress, gzip.compress))(text) if len(text) < 2_000_000 else text


def damaged_bytes(data: bytes, rng: random.Random) -> bytes:
    """Cut, flip, repeat or insert bytes."""
    at, size = rng.randrange(len(data) + 1), rng.choice((1, 2, 8, 100))
    return rng.choice(
        (
            data[:at],
            data[at:],
            data[:at] + rng.randbytes(size) + data[at + size :],
            data[:at] + rng.randbytes(size) + data[at:],
            data[:at] + data[at + size :],
            data[: at + size] + data[at:],
            b"\xef\xbb\xbf" + data,
            data + rng.randbytes(size),
            data + data,
        )
    )


def damaged_text(text: bytes, rng: random.Random) -> bytes:
    """Replace, jitter, remove or double one value at a random place."""
    pattern = rng.choice((_NUMBER, _NUMBER, _NUMBER, _WORD, _LIST))
    # Half of the time near the start, where the top-level keys and the first objects are.
    limit = len(text) if rng.random() < 0.5 else min(len(text), 4000)
    found = pattern.search(text, rng.randrange(max(limit, 1)))
    if found is None:
        return text
    old = found[0]
    odd = rng.choice((rng.choice(TOKENS), old + b"," + old))
    new = rng.choice(
        (rng.choice(VALUES), rng.choice(VALUES), rng.choice(VALUES), _jittered(old, rng), b"[" + old + b"]", odd)
    )
    return text[: found.start()] + new + text[found.end() :]


def _jittered(old: bytes, rng: random.Random) -> bytes:
    try:
        return str(int(old) + rng.choice((-1, 1, 1000, -1000))).encode()
    except ValueError:
        return {b"true": b"false", b"false": b"true"}.get(old, b'"' + old[1:3] + b'"')
