"""The token of a permit that a person granted: what it looks like, and where a process finds the one that it was given.

A token names its permit and holds a secret, of which the ledger keeps a hash. Whoever has it may do what the permit
covers, so it is looked for in the environment or in a file that nobody else can read, and never on a command line.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import stat
from collections.abc import Mapping
from pathlib import Path

from experiments.project.errors import LaunchRefused

TOKEN = "EXPERIMENTS_PERMIT_TOKEN"  # noqa: S105 - the name of a variable
TOKEN_FILE = "EXPERIMENTS_PERMIT_FILE"  # noqa: S105 - the name of a variable
_SHAPE = re.compile(r"permit\.([A-Za-z0-9][A-Za-z0-9_\-]{0,63})\.([A-Za-z0-9_\-]{43})")
_ASK = "Ask a person to grant one on a terminal: uv run experiments permit --jobs 10"


def new_token(name: str) -> str:
    """Return a token of a permit that nobody can guess."""
    return f"permit.{name}.{secrets.token_urlsafe(32)}"


def name_in(token: str) -> str:
    """Return the name of the permit that a token is of.

    Raises:
        LaunchRefused: It is no token.
    """
    found = _SHAPE.fullmatch(token) if isinstance(token, str) else None
    if found is None:
        raise LaunchRefused(f"what was given as the token of a permit is none. {_ASK}")
    return found[1]


def digest_of(token: str) -> str:
    """Return what the ledger keeps of a token, in hex."""
    return hashlib.sha256(token.encode()).hexdigest()


def token_here() -> str | None:
    """Return the token that this process was given by its environment, or by a file that this names; None without.

    Raises:
        LaunchRefused: It is no token; or the file cannot be read, or others can read it, too.
    """
    if text := os.environ.get(TOKEN, "").strip():
        name_in(text)
        return text
    if not (path := os.environ.get(TOKEN_FILE, "").strip()):
        return None
    token = _in_file(Path(path).expanduser())
    name_in(token)
    return token


def without_token(environment: Mapping[str, str]) -> dict[str, str]:
    """Return what a trainer inherits of an environment: no leave to launch."""
    return {name: value for name, value in environment.items() if name not in {TOKEN, TOKEN_FILE}}


def save(token: str, path: Path) -> None:
    """Write a token into a new file that nobody else can read.

    Raises:
        FileExistsError: Something is there.
        OSError: It cannot be written.
    """
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(f"{token}\n")


def _in_file(path: Path) -> str:
    try:
        with path.open(encoding="utf-8") as file:
            found = os.fstat(file.fileno())
            if not stat.S_ISREG(found.st_mode):
                raise LaunchRefused(f"{TOKEN_FILE}={str(path)!r} is no file. {_ASK}")
            if found.st_uid != os.getuid() or found.st_mode & 0o077:
                raise LaunchRefused(
                    f"{TOKEN_FILE}={str(path)!r} can be read or written by others (mode {found.st_mode & 0o777:o}), so "
                    f"its permit is not used. End it, and grant another: uv run experiments permit end NAME"
                )
            return file.read(1024).strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is no text"
        raise LaunchRefused(f"{TOKEN_FILE}={str(path)!r} cannot be read: {reason}. {_ASK}") from None
