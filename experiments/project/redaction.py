"""The one place that takes secrets out of what is recorded or shown.

A secret is known by its value: what environment variables with a telling name hold, and the passwords of netrc, where
W&B keeps its key. Beside these, addresses lose their passwords and signatures, tokens of well-known shapes go, and so
does what stands under a telling name in JSON or on a command line. Text of source code is not searched for telling
names: `token = next(tokens)` is no secret.
"""

from __future__ import annotations

import contextlib
import functools
import json
import netrc
import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

from experiments.project.credentials import find_credentials
from experiments.project.errors import UsageError
from experiments.project.files import home_folder

MASK = "***"
MIN_LENGTH = 6
"""Characters below which a value is no secret: masking `true` or `1` would only garble."""
SHORTEST_SECRET = 12
"""Characters of the shortest secret that is looked for in sources, where a shorter one also stands as a word."""

_JOINT = "\x1e"
_TELLING_VARIABLE = re.compile(r"KEY|TOKEN|SECRET|PASSW|PASSPHRASE|CREDENTIAL", re.IGNORECASE)
_TELLING_NAME = re.compile(
    r"(?:^|[_.\-])(?:(?:api|access|private)_?-?key|token|secret|passw(?:or)?d|passphrase|credentials?|pat)$",
    re.IGNORECASE,
)
_WORD_OF_A_LANGUAGE_MODEL = re.compile(r"(?:bos|eos|pad|unk|sep|cls|mask|stop)[_\-]token$", re.IGNORECASE)
_PLAIN = re.compile(r"|[-+]?\d{1,11}|[-+]?\d*\.\d+|true|false|yes|no|none|null", re.IGNORECASE)
_ADDRESS = re.compile(r"(?P<scheme>(?:https?)?://)(?P<user>[^\s/@:'\"<>]*)(?P<password>:[^\s/@'\"<>]*)?@")
_PARAMETER = re.compile(
    r"(?P<name>[?&](?:[\w\-]{0,40}(?:token|secret|password|signature|credential|api_?key|accesskey)[\w\-]{0,40}|sig|key)=)"
    r"[^&\s'\"<>#]+",
    re.IGNORECASE,
)
_HEADER = re.compile(
    r"(?P<name>\bauthorization['\"]?\s*[:=]\s*['\"]?(?:basic|bearer|token)\s+)[\w.~+/=\-]+", re.IGNORECASE
)
_SHAPES = re.compile(
    r"\b(?:gh[pousr]_[A-Za-z0-9]{30,}|github_pat_\w{30,}|glpat-[\w\-]{20,}|hf_[A-Za-z0-9]{30,}|sk-[\w\-]{20,}"
    r"|xox[abprs]-[\w\-]{10,}|AKIA[0-9A-Z]{16}|wandb_v\d_\w{20,}|permit\.[\w\-]{1,64}\.[\w\-]{43})"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)",
    re.DOTALL,
)


_ask_elsewhere: Callable[[str], str] | None = None


def mask_elsewhere(ask: Callable[[str], str]) -> None:
    """Have another process mask the texts of this one, which holds no key and so cannot know one when it sees it."""
    global _ask_elsewhere  # noqa: PLW0603 - a process has its keys, or gave them up for good
    _ask_elsewhere = ask


def mask_text(text: str) -> str:
    """Return `text` with `***` in the place of every secret."""
    if _ask_elsewhere is not None:
        return _ask_elsewhere(text)
    if (known := _known(_secrets())) is not None:
        text = known.sub(MASK, text)
    if "://" in text:
        text = _ADDRESS.sub(_without_password, text)
        text = _PARAMETER.sub(rf"\g<name>{MASK}", text)
    return _SHAPES.sub(MASK, _HEADER.sub(rf"\g<name>{MASK}", text))


def known_secrets_in(data: bytes, *, at_least: int) -> frozenset[bytes]:
    """Return the secrets that this process knows and that stand in a file's bytes, as they are spelled there.

    Args:
        data: The file's bytes.
        at_least: Characters of the shortest secret that is looked for.
    """
    known = _known_bytes(_secrets(), at_least)
    return frozenset(known.findall(data)) if known is not None else frozenset()


def mask_texts(texts: Sequence[str]) -> list[str]:
    """Return many texts as `mask_text` would, looking for the secrets once."""
    masked = mask_text(_JOINT.join(texts)).split(_JOINT)
    # Another number: a text holds the joint itself, or a secret without an end reached over it.
    return masked if len(masked) == len(texts) else [mask_text(text) for text in texts]


def mask_json(value: Any) -> Any:  # noqa: ANN401 - any JSON, returned in kind
    """Return a JSON value without secrets: texts and keys masked, and whatever text stands under a telling name.

    Tuples come back as lists, and a model or any other object as its masked `str`.
    """
    if isinstance(value, str):
        return mask_text(value)
    if value is None or isinstance(value, (bool, int, float)):
        return value
    if isinstance(value, Mapping):
        return {mask_text(str(name)): _masked_entry(str(name), entry) for name, entry in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [mask_json(entry) for entry in value]
    return mask_text(str(value))


def mask_command(arguments: Sequence[str]) -> tuple[str, ...]:
    """Return a command line without secrets: `--api-key VALUE`, `wandb.token=VALUE` and `WANDB_API_KEY=VALUE` too.

    A number or a switch is no secret, whatever its name: `sampling.max_token=512`.
    """
    masked = mask_texts(arguments)
    follows = False
    for at, argument in enumerate(arguments):
        name, equals, value = argument.partition("=")
        telling = is_telling(name.lstrip("-"))
        if follows and not argument.startswith("-") and not _PLAIN.fullmatch(argument):
            masked[at] = MASK
        elif equals and telling and not _PLAIN.fullmatch(value):
            masked[at] = f"{mask_text(name)}={MASK}"
        follows = telling and not equals and argument.startswith("-")
    return tuple(masked)


def is_telling(name: str) -> bool:
    """Say whether a setting's name says that its value is a secret, such as `api_key`, `hub-token` or `db.password`."""
    return _TELLING_NAME.search(name) is not None and _WORD_OF_A_LANGUAGE_MODEL.search(name) is None


def _masked_entry(name: str, entry: Any) -> Any:  # noqa: ANN401 - any JSON
    return MASK if is_telling(name) and isinstance(entry, str) and entry else mask_json(entry)


def _without_password(match: re.Match[str]) -> str:
    user = match["user"] or ""
    if match["password"] is not None:
        return f"{match['scheme']}{user}:{MASK}@"
    # A web address with a user alone carries a token there; `ssh://git@host` carries a name.
    return f"{match['scheme']}{MASK}@" if match["scheme"].startswith("http") and user != "git" else match[0]


def _secrets() -> frozenset[str]:
    values = {value for name, value in os.environ.items() if _TELLING_VARIABLE.search(name) and _is_secret(value)}
    places = ("HOME", "NETRC", "WANDB_BASE_URL", "WANDB_CONFIG_DIR", "WANDB_DIR")
    return frozenset(values | _kept_in_files(tuple((name, os.environ.get(name, "")) for name in places)))


def _is_secret(value: str) -> bool:
    """Say whether a telling variable's value is worth hiding: a word or the path of a key file is not."""
    if len(value) < MIN_LENGTH or (value.startswith(("/", "~")) and len(value) < 4096 and Path(value).exists()):
        return False
    return not value.isdigit() or len(value) >= 2 * MIN_LENGTH


@functools.lru_cache(maxsize=8)
def _kept_in_files(places: tuple[tuple[str, str], ...]) -> frozenset[str]:
    """Return the passwords of netrc and W&B's own key; read once, for a command starts hundreds of times."""
    environ = dict(places)
    path = Path(environ["NETRC"] or Path(environ["HOME"] or home_folder()) / ".netrc")
    found: set[str] = set()
    with contextlib.suppress(OSError, UnicodeDecodeError, netrc.NetrcParseError):
        found = {password for _, _, password in netrc.netrc(str(path)).hosts.values() if password}
    with contextlib.suppress(UsageError):  # W&B's address is none, so there is no key for it
        if key := find_credentials({name: value for name, value in environ.items() if value}).key:
            found.add(key)
    return frozenset(value for value in found if len(value) >= MIN_LENGTH)


@functools.lru_cache(maxsize=8)
def _known(secrets: frozenset[str]) -> re.Pattern[str] | None:
    """Return what finds any of the secrets, also as JSON, addresses and shells write them; the longest first."""
    spellings = {spelling for secret in secrets for spelling in _spellings(secret)}
    ordered: Iterable[str] = sorted(spellings, key=len, reverse=True)
    return re.compile("|".join(map(re.escape, ordered))) if spellings else None


@functools.lru_cache(maxsize=8)
def _known_bytes(secrets: frozenset[str], at_least: int) -> re.Pattern[bytes] | None:
    spellings = {spelling for secret in secrets if len(secret) >= at_least for spelling in _spellings(secret)}
    return re.compile(b"|".join(re.escape(os.fsencode(one)) for one in sorted(spellings))) if spellings else None


def _spellings(secret: str) -> set[str]:
    return {secret, quote(secret, safe=""), quote_plus(secret), json.dumps(secret)[1:-1], secret.replace("'", "'\\''")}


def without_login(url: str) -> str:
    """Return a repository's address without a password or token; `git@` of ssh stays."""
    return re.sub(r"^(https?://)[^/@]*@", r"\1", url)
