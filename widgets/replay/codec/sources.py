"""Where replays come from: bytes, files, http(s) and public s3 addresses, read within limits of size and time.

A download leads only to public addresses, which is checked again at each redirect.
"""

from __future__ import annotations

import http.client
import ipaddress
import os
import re
import socket
import ssl
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from urllib.parse import SplitResult, quote, urljoin, urlsplit

from widgets.replay.codec.errors import SourceError
from widgets.replay.codec.limits import Limits

Source = str | Path | bytes | bytearray | memoryview

_SCHEME = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*://")
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")


def is_url(source: object) -> bool:
    """Whether `source` is an address rather than a path."""
    return isinstance(source, str) and _SCHEME.match(source) is not None


def read_source(source: Source, limits: Limits, *, allow_private: bool = False) -> bytes:
    """Return the bytes of a replay file.

    Args:
        source: The bytes themselves, a path, or an http, https or s3 address.
        limits: Bounds on size, and on the time of a download.
        allow_private: Whether an address may lead to this machine or a private network, and proxies may be used.

    Raises:
        SourceError: There is nothing to read, or reading failed.
        LimitError: There is more than the limits allow.
    """
    if isinstance(source, (bytes, bytearray, memoryview)):
        limits.check("compressed_bytes", memoryview(source).nbytes, f"the replay has {len(source):,} bytes")
        return bytes(source)
    if isinstance(source, str) and is_url(source):
        return download(http_url(source), limits, allow_private=allow_private)
    if not isinstance(source, (str, Path)):
        raise SourceError(f"{type(source).__name__!r} is no replay; give a path, an http(s) or s3 address, or bytes")
    return _read_file(Path(source), limits)


def http_url(url: str) -> str:
    """Return the http(s) address of `url`; an s3 address becomes that of the public bucket.

    Raises:
        SourceError: It is another kind of address.
    """
    parts = split(url)
    if parts.scheme in ("http", "https"):
        return url
    if parts.scheme != "s3":
        raise SourceError(f"replays do not load from {parts.scheme + '://...'!r}; they do from http, https and s3")
    key = parts.path.lstrip("/")
    if not _BUCKET.fullmatch(parts.netloc) or not key:
        raise SourceError(f"{shown(url)!r} is not an s3 address; it looks like s3://bucket/path/replay.json.z")
    # A dot in the bucket's name would not match the certificate of *.s3.amazonaws.com.
    host = "s3.amazonaws.com/" + parts.netloc if "." in parts.netloc else f"{parts.netloc}.s3.amazonaws.com"
    return f"https://{host}/{quote(key)}"


def split(url: str) -> SplitResult:
    """Return the parts of an address.

    Raises:
        SourceError: It is none. The reason is left out, for it may repeat a password.
    """
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        raise SourceError(f"{shown(url)!r} is not an address that can be read") from None
    return parts


def shown(url: str) -> str:
    """Return an address as it may appear in messages: without user, password, query and fragment."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return "(an address that cannot be read)"
    query = "?..." if parts.query else ""
    return f"{parts.scheme}://{host}{port}{parts.path}{query}"


def _read_file(path: Path, limits: Limits) -> bytes:
    try:
        if path.is_dir():
            raise SourceError(f"{str(path)!r} is a folder; give the path of a replay file in it")
        if path.exists() and not path.is_file():
            raise SourceError(f"{str(path)!r} is not a regular file")
        with path.open("rb") as file:
            data = file.read(limits.compressed_bytes + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise SourceError(f"cannot read {str(path)!r}: {reason}") from error
    limits.check("compressed_bytes", len(data), f"{str(path)!r} has {len(data):,} bytes or more")
    return data


_REDIRECTS = 5
_PIECE = 256 * 1024
_QUIET_SECONDS = 20.0
_AGENT = "experiments-replay/1"

_HINTS = {
    401: "it needs a login; use a presigned address, or fetch the file yourself",
    403: "it is not public; use a presigned address, or fetch the file yourself",
    404: "there is no such file",
}


def download(url: str, limits: Limits, *, allow_private: bool = False) -> bytes:
    """Return the bytes behind an http(s) address.

    Raises:
        SourceError: The address is not allowed, or the server or the network fails.
        LimitError: The file is larger, or the download takes longer, than the limits allow.
    """
    deadline = time.monotonic() + limits.download_seconds
    for _ in range(_REDIRECTS + 1):
        found = _Request(url, limits, deadline, allow_private=allow_private).fetch()
        if isinstance(found, bytes):
            return found
        url = _redirected(url, found)
    raise SourceError(f"{shown(url)!r} redirects more than {_REDIRECTS} times")


def _redirected(url: str, target: str) -> str:
    try:
        following = urljoin(url, target)
    except ValueError:
        raise SourceError(f"{shown(url)!r} redirects to what is not an address") from None
    old, new = split(url).scheme, split(following).scheme
    if new not in ("http", "https") or (old == "https" and new != "https"):
        raise SourceError(f"{shown(url)!r} redirects to {new!r}, which is not followed; give the final address")
    return following


class _Request:
    """One request to one address."""

    def __init__(self, url: str, limits: Limits, deadline: float, *, allow_private: bool) -> None:
        self.parts = _checked(url)
        self.name = shown(url)
        self.limits = limits
        self.deadline = deadline
        self.allow_private = allow_private
        self.late = False

    def fetch(self) -> bytes | str:
        """Return the file, or the address of a redirect."""
        connection = self._connection()
        timer = threading.Timer(max(self.deadline - time.monotonic(), 0.0), self._give_up, [connection])
        timer.daemon = True
        timer.start()
        try:
            path = (self.parts.path or "/") + (f"?{self.parts.query}" if self.parts.query else "")
            connection.request("GET", path, headers={"User-Agent": _AGENT, "Accept-Encoding": "identity"})
            response = connection.getresponse()
            if response.status in (301, 302, 303, 307, 308):
                return self._location(response)
            if response.status != 200:
                hint = _HINTS.get(response.status, f"the server said {response.reason[:80]!r}")
                raise SourceError(f"cannot load {self.name!r}: status {response.status}; {hint}")
            return self._read(response)
        except (OSError, http.client.HTTPException, ValueError, AttributeError) as error:
            # The timer ends a read that hangs by closing its socket, which shows as any of these.
            if self.late or time.monotonic() >= self.deadline:
                self._refuse_time()
            raise SourceError(f"cannot load {self.name!r}: {_reason(error)}") from error
        finally:
            timer.cancel()
            connection.close()

    def _give_up(self, connection: http.client.HTTPConnection) -> None:
        self.late = True
        sock = connection.sock
        if sock is not None:
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)

    def _refuse_time(self) -> None:
        seconds = self.limits.download_seconds
        self.limits.check("download_seconds", seconds + 1, f"{self.name!r} takes longer than {seconds:g} s to load")

    def _location(self, response: http.client.HTTPResponse) -> str:
        target = response.getheader("Location")
        if not target:
            raise SourceError(f"cannot load {self.name!r}: it redirects nowhere (status {response.status})")
        return target

    def _read(self, response: http.client.HTTPResponse) -> bytes:
        told = response.length or 0
        self.limits.check("compressed_bytes", told, f"{self.name!r} has {told:,} bytes")
        pieces: list[bytes] = []
        size = 0
        while piece := response.read1(_PIECE):
            size += len(piece)
            self.limits.check("compressed_bytes", size, f"{self.name!r} has {size:,} bytes or more")
            if self.late or time.monotonic() > self.deadline:
                self._refuse_time()
            pieces.append(piece)
        if self.late:  # a closed socket reads as the end
            self._refuse_time()
        if size < told:
            raise SourceError(f"cannot load {self.name!r}: the connection ended after {size:,} of {told:,} bytes")
        return b"".join(pieces)

    def _connection(self) -> http.client.HTTPConnection:
        secure = self.parts.scheme == "https"
        host, port = self.parts.hostname or "", self.parts.port or (443 if secure else 80)
        proxy = os.environ.get(f"{self.parts.scheme}_proxy") if self.allow_private else None
        if proxy:
            return _through(urlsplit(proxy), host, port, secure=secure)
        if secure:
            return _DirectSecure(host, port, self._connect)
        return _Direct(host, port, self._connect)

    def _connect(self, host: str, port: int) -> socket.socket:
        """Connect to the very address that was checked, so that a second look-up cannot lead elsewhere."""
        error: Exception | None = None
        for address in self._addresses(host, port):
            remaining = max(self.deadline - time.monotonic(), 0.01)
            try:
                connected = socket.create_connection((address, port), min(_QUIET_SECONDS, remaining))
            except OSError as problem:
                error = problem
            else:
                connected.settimeout(_QUIET_SECONDS)
                return connected
        raise error or OSError("no address")

    def _addresses(self, host: str, port: int) -> list[str]:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
        if not self.allow_private:
            for address in addresses:
                if not is_public(address):
                    raise SourceError(
                        f"{self.name!r} leads to {address}, which is not a public address; "
                        "load with allow_private=True if that is what you want"
                    )
        return addresses


def is_public(address: str) -> bool:
    """Whether an IP address belongs to the public internet."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    mapped = getattr(ip, "ipv4_mapped", None) or getattr(ip, "sixtofour", None)
    if mapped is not None:
        ip = mapped
    if isinstance(ip, ipaddress.IPv6Address) and (ip.teredo is not None or ip in _TRANSLATED):
        return False
    return ip.is_global and not ip.is_multicast


_TRANSLATED = ipaddress.IPv6Network("64:ff9b::/96")


class _Direct(http.client.HTTPConnection):
    """A connection whose socket comes from `connect`."""

    def __init__(self, host: str, port: int, connect: Callable[[str, int], socket.socket]) -> None:
        super().__init__(host, port)
        self._connect_to = connect

    def connect(self) -> None:
        self.sock = self._connect_to(self.host, self.port)


class _DirectSecure(_Direct):
    """The same, encrypted, with the certificate checked against the host's name."""

    default_port = 443

    def connect(self) -> None:
        plain = self._connect_to(self.host, self.port)
        try:
            self.sock = ssl.create_default_context().wrap_socket(plain, server_hostname=self.host)
        except BaseException:
            plain.close()
            raise


def _through(proxy: SplitResult, host: str, port: int, *, secure: bool) -> http.client.HTTPConnection:
    connection: http.client.HTTPConnection
    if secure:
        connection = http.client.HTTPSConnection(proxy.hostname or "", proxy.port or 3128, timeout=_QUIET_SECONDS)
    else:
        connection = http.client.HTTPConnection(proxy.hostname or "", proxy.port or 3128, timeout=_QUIET_SECONDS)
    connection.set_tunnel(host, port)
    return connection


def _checked(url: str) -> SplitResult:
    parts = split(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.port == 0:
        raise SourceError(f"{shown(url)!r} is not an http(s) address")
    if parts.username is not None or parts.password is not None:
        raise SourceError(f"{shown(url)!r} holds a user name or password; use a presigned address instead")
    if any(ord(char) <= 32 or ord(char) > 126 for char in url):
        raise SourceError(f"{shown(url)!r} holds spaces or special characters; percent-encode them")
    return parts


def _reason(error: Exception) -> str:
    if isinstance(error, socket.gaierror):
        return "the host's name cannot be resolved"
    if isinstance(error, TimeoutError):
        return "no answer in time"
    return str(error)[:200] or type(error).__name__
