"""The server's token, the cookie that it is traded for, and how often a client may try."""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
import stat
import time
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path

from itsdangerous import BadSignature, TimestampSigner

from apps.serving.allowance import Allowance
from experiments.project.errors import UsageError

COOKIE_VALID_S = 30 * 86_400
_TRIES = 10
_TRY_EVERY_S = 6.0
_KEPT_CLIENTS = 1_024


def token_file(state: Path) -> Path:
    """Return where the token of a project's server is kept."""
    return state / "serve" / "token"


def load_token(state: Path, *, renew: bool = False) -> str:
    """Return the token of a project's server, making it at first; nobody but its owner can read the file.

    Args:
        renew: Make another one, which ends every session.

    Raises:
        UsageError: The file cannot be kept from others, or cannot be written.
    """
    path = token_file(state)
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if renew:
            path.unlink(missing_ok=True)
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        except FileExistsError:
            return _read(path)
        token = secrets.token_urlsafe(32)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(token)
    except OSError as error:
        raise UsageError(
            f"the token file {str(path)!r} cannot be used ({error.strerror}). Make its folder writable for you alone, "
            "or serve to this machine only: experiments serve --no-token"
        ) from None
    return token


def _read(path: Path) -> str:
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    with os.fdopen(descriptor, encoding="ascii", errors="replace") as file:
        found = os.fstat(descriptor)
        token = file.read(1_000).strip()
    others = stat.S_IRWXG | stat.S_IRWXO
    if found.st_mode & others or found.st_uid != os.geteuid() or len(token) < 32:
        raise UsageError(
            f"the token in {str(path)!r} could have been read or set by others. Make another one: delete the file"
        )
    return token


class Sessions:
    """Makes and checks session cookies; they hold no token, outlive a restart and end when the token changes."""

    def __init__(self, token: str, *, clock: Callable[[], float] = time.time) -> None:
        self._token = hashlib.sha256(token.encode()).digest()
        self._signer = _Signer(token, salt="session cookie", digest_method=hashlib.sha256)
        self._signer.clock = clock

    def is_token(self, text: str) -> bool:
        """Say whether `text` is the token, in a time that does not tell how near it came."""
        return hmac.compare_digest(hashlib.sha256(text.encode()).digest(), self._token)

    def new_cookie(self) -> str:
        """Return the value of a new session cookie."""
        return self._signer.sign(secrets.token_urlsafe(12)).decode()

    def is_valid(self, cookie: str) -> bool:
        """Say whether a cookie was made here and has not run out."""
        try:
            self._signer.unsign(cookie, max_age=COOKIE_VALID_S)
        except BadSignature:
            return False
        return True


class _Signer(TimestampSigner):
    clock: Callable[[], float]

    def get_timestamp(self) -> int:
        """Return the time that signatures are made and judged at, in Unix seconds."""
        return int(self.clock())


class Tries:
    """Lets a client try a token ten times, then once every six seconds; forgets the clients seen longest ago."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._left: OrderedDict[str, Allowance] = OrderedDict()

    def wait_s(self, client: str) -> float:
        """Return the seconds until `client` may try; 0 where it may now."""
        left = self._left[client].left() if client in self._left else _TRIES
        return max(0.0, (1 - left) * _TRY_EVERY_S)

    def failed(self, client: str) -> None:
        """Count a wrong token."""
        self._left.setdefault(client, Allowance(_TRIES, 1 / _TRY_EVERY_S, self._clock)).take(1)
        self._left.move_to_end(client)
        while len(self._left) > _KEPT_CLIENTS:
            self._left.popitem(last=False)
