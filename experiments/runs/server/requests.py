"""Requests to a W&B server: a deadline for each call, retries with backoff, rate limits obeyed, no key in a message.

W&B's own client asks where a server refuses ours, and for every row of a long run.
"""

from __future__ import annotations

import base64
import http.client
import json
import random
import time
import urllib.error
import urllib.request
import zlib
from collections.abc import Callable, Mapping, Sequence
from email.message import Message
from typing import Any, TypeVar
from urllib.parse import urlsplit

from experiments.project.credentials import Credentials
from experiments.project.errors import StoreError
from experiments.project.files import parse_json, unset_empty

DEADLINE_S = 20.0
_DOWNLOAD_S = 60.0
_TRIES = 4
_FIRST_WAIT_S = 0.5
_LONGEST_WAIT_S = 8.0
_SOCKET_S = 10.0
_CHUNK = 1 << 16
_LARGEST = 1 << 28
_DEFAULT_LIMIT_S = 10.0
# After a failure, so long, every call fails at once: forty charts must not wait for forty deadlines.
_REST_S = 5.0
_CLIENT_S = 30
_PAGE = 10_000


Answer = TypeVar("Answer")


class QueryRefused(StoreError):  # noqa: N818 - the server's right, and it leads to another query
    """The server answered that it does not understand the query; another may do."""


class ServerBusy(StoreError):  # noqa: N818 - its state, which passes
    """The server could not answer in time or failed; a smaller request may succeed, or a later one."""


class _Again(Exception):  # noqa: N818 - one try failed; the next may not
    def __init__(self, why: str, wait_s: float = 0.0) -> None:
        super().__init__(why)
        self.wait_s = wait_s


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """A redirect would take the key to another host."""

    def redirect_request(self, *_: object, **__: object) -> None:
        return None


class Server:
    """The GraphQL door of one W&B server.

    Attributes:
        requests: HTTP requests made so far.
    """

    def __init__(
        self,
        credentials: Credentials,
        *,
        deadline_s: float = DEADLINE_S,
        ticks: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.credentials = credentials
        self.requests = 0
        self._deadline_s = deadline_s
        self._ticks = ticks
        self._sleep = sleep
        self._not_before = 0.0
        self._failed: tuple[float, str] | None = None
        self._opener = urllib.request.build_opener(_NoRedirects)

    def execute(self, query: str, variables: Mapping[str, Any]) -> dict[str, Any]:
        """Return the data of one GraphQL query.

        Raises:
            QueryRefused: The server does not understand it.
            ServerBusy: It gave no whole answer in time, or asks to wait longer than there is time.
            StoreError: It refuses the key, or there is none.
        """
        key = self.credentials.key
        if not key:
            raise StoreError(f"no W&B key for {self.credentials.host!r} was found. Log in first: wandb login")
        request = urllib.request.Request(  # noqa: S310 - the scheme is checked below
            f"{self.credentials.base_url}/graphql",
            data=json.dumps({"query": query, "variables": dict(variables)}, allow_nan=False).encode(),
            headers={
                "Authorization": "Basic " + base64.b64encode(f"api:{key}".encode()).decode(),
                "Content-Type": "application/json",
                "Accept-Encoding": "gzip",
                "User-Agent": "experiments",
            },
        )
        if self._failed is not None and self._ticks() < self._failed[0]:
            raise StoreError(self._failed[1])
        try:
            answer = self._with_retries(request, self._deadline_s, _json_object)
        except QueryRefused:
            raise
        except StoreError as error:
            self._failed = (self._ticks() + _REST_S, str(error))
            raise
        self._failed = None
        return _data_of(answer, self._hidden)

    def download(self, url: str) -> bytes:
        """Return the bytes of a run's file; the key goes only to the server itself.

        Raises:
            ServerBusy: They did not come in time.
            StoreError: The server refuses, or the address is not http(s).
        """
        try:
            request = urllib.request.Request(url)  # noqa: S310 - the scheme is checked below
            is_own = urlsplit(url)[:2] == urlsplit(self.credentials.base_url)[:2]
        except ValueError:
            raise StoreError(
                f"{self.credentials.host} names {self._hidden(url)[:80]!r} for a file, which is no address."
            ) from None
        if self.credentials.key and is_own:
            token = base64.b64encode(f"api:{self.credentials.key}".encode()).decode()
            request.add_header("Authorization", "Basic " + token)
        return self._with_retries(request, _DOWNLOAD_S, lambda body: body)

    def _with_retries(
        self, request: urllib.request.Request, deadline_s: float, read: Callable[[bytes], Answer]
    ) -> Answer:
        if urlsplit(request.full_url).scheme not in ("http", "https"):
            raise StoreError(f"address {self._hidden(request.full_url)!r} is not http or https. Check WANDB_BASE_URL.")
        end = self._ticks() + deadline_s
        for tried in range(1, _TRIES + 1):
            self._wait_for_limit(end)
            try:
                return read(self._once(request, end))
            except _Again as again:
                backoff = min(_LONGEST_WAIT_S, _FIRST_WAIT_S * 2 ** (tried - 1))
                pause = max(again.wait_s, backoff * random.uniform(0.5, 1))  # noqa: S311 - jitter, not a secret
                if tried == _TRIES or self._ticks() + pause >= end:
                    raise ServerBusy(
                        f"{self.credentials.host} did not answer ({self._hidden(str(again))}) in {tried} "
                        f"tr{'y' if tried == 1 else 'ies'} within {deadline_s:.0f} s. It is asked again later."
                    ) from None
            self._sleep(pause)
        raise AssertionError("the last try raises")

    def _wait_for_limit(self, end: float) -> None:
        wait = self._not_before - self._ticks()
        if wait <= 0:
            return
        if self._not_before >= end:
            raise ServerBusy(
                f"{self.credentials.host} limits the rate of requests: the next is allowed in {wait:.0f} s. "
                "Nothing was sent; it is asked again then."
            )
        self._sleep(wait)

    def _once(self, request: urllib.request.Request, end: float) -> bytes:
        self.requests += 1
        try:
            with self._opener.open(request, timeout=min(_SOCKET_S, max(0.05, end - self._ticks()))) as response:
                self._note_limit(response.headers, default_s=0.0)
                return self._body(response, end)
        except urllib.error.HTTPError as error:
            with error:
                raise self._failure(error) from None
        except (OSError, http.client.HTTPException) as error:
            reason = getattr(error, "reason", error)
            raise _Again(str(reason) or type(reason).__name__) from None

    def _body(self, response: http.client.HTTPResponse, end: float) -> bytes:
        """Read a whole body within the deadline, however slowly it drips."""
        parts: list[bytes] = []
        got = 0
        while part := response.read1(_CHUNK):
            parts.append(part)
            got += len(part)
            if self._ticks() > end:
                raise _Again("its answer came too slowly")
            if got > _LARGEST:
                raise StoreError(f"{self.credentials.host} sent more than {_LARGEST >> 20} MB. Ask for fewer runs.")
        length = response.headers.get("Content-Length")
        if length is not None and length != str(got):
            raise _Again(f"only {got} of {length[:20]} bytes came")
        body = b"".join(parts)
        return self._unpacked(body) if response.headers.get("Content-Encoding") == "gzip" else body

    def _unpacked(self, body: bytes) -> bytes:
        """Return what a gzip body holds, of which a few bytes can stand for a terabyte."""
        inflater = zlib.decompressobj(wbits=31)
        try:
            found = inflater.decompress(body, _LARGEST + 1)
        except zlib.error as error:
            raise _Again(f"its answer is no gzip ({error})") from None
        if len(found) > _LARGEST:
            raise StoreError(f"{self.credentials.host} sent more than {_LARGEST >> 20} MB. Ask for fewer runs.")
        if not inflater.eof:
            raise _Again("its gzip answer ends within")
        return found

    def _failure(self, error: urllib.error.HTTPError) -> Exception:
        host, code = self.credentials.host, error.code
        if code in (401, 403):
            return StoreError(
                f"{host} refuses the W&B key from {self.credentials.source or 'the caller'} ({code}). "
                f"Log in again: wandb login --relogin --host {self.credentials.base_url}"
            )
        if code == 429:
            self._note_limit(error.headers, default_s=_DEFAULT_LIMIT_S)
            return _Again("too many requests (429)", max(0.0, self._not_before - self._ticks()))
        if code >= 500:
            return _Again(f"status {code}")
        if 300 <= code < 400:
            return StoreError(f"{host} says that it moved ({code}). Set WANDB_BASE_URL to its address of the API.")
        return QueryRefused(f"{host} does not understand the request (status {code}).")

    def _note_limit(self, headers: Message, default_s: float) -> None:
        """Remember when the next request is allowed, as the headers say or `default_s` from now."""
        try:
            spent = float(headers.get("RateLimit-Remaining") or 1) <= 0
            wait = float(headers.get("Retry-After") or headers.get("RateLimit-Reset") or default_s)
        except ValueError:
            spent, wait = False, default_s
        if (spent or default_s) and wait > 0:
            self._not_before = max(self._not_before, self._ticks() + min(wait, 600.0))

    def _hidden(self, text: str) -> str:
        key = self.credentials.key
        return text.replace(key, "***") if key else text


def _json_object(body: bytes) -> dict[str, Any]:
    try:
        answer = parse_json(body)
    except ValueError:
        answer = None
    if not isinstance(answer, dict):
        raise _Again(f"its answer of {len(body)} bytes is not JSON")
    return answer


def _data_of(answer: Mapping[str, Any], hidden: Callable[[str], str]) -> dict[str, Any]:
    data = answer.get("data")
    if isinstance(data, dict) and any(value is not None for value in data.values()):
        return data
    errors = answer.get("errors")
    if isinstance(errors, list) and errors:
        first = errors[0]
        text = first.get("message") if isinstance(first, dict) else first
        raise QueryRefused(f"the server refuses the query: {hidden(str(text))[:300]}.")
    if isinstance(data, dict):
        return data
    raise QueryRefused("the server's answer holds neither data nor errors.")


def read_run(
    credentials: Credentials, path: str, keys: Sequence[str], samples: int
) -> tuple[Mapping[str, Any], dict[str, list[dict[str, Any]]]] | None:
    """Return a run's fields as GraphQL names them and sampled rows of each metric; None where there is no such run.

    Raises:
        StoreError: The server cannot be reached or refuses.
    """
    run = _run(credentials, path)
    if run is None:
        return None
    try:
        run.load(force=True)
        rows = {key: run.history(keys=[key], samples=samples, pandas=False) for key in keys}
    except Exception as error:  # noqa: BLE001 - W&B's client raises whatever its parts do
        raise _failure(credentials, error) from None
    names = ("name", "state", "tags", "group", "notes", "createdAt", "heartbeatAt", "historyLineCount", "displayName")
    node = {name: run._attrs.get(name) for name in names}  # noqa: SLF001 - the public names differ between versions
    node["config"], node["summaryMetrics"] = dict(run.config), dict(run.summary_metrics or {})
    node["user"] = run._attrs.get("user")  # noqa: SLF001
    return node, rows


def scan_history(credentials: Credentials, path: str) -> list[dict[str, Any]]:
    """Return every row of a run as W&B's JSON holds it.

    Raises:
        StoreError: There is no such run, or the server cannot be reached.
    """
    run = _run(credentials, path)
    if run is None:
        raise StoreError(f"run {path!r} is not on {credentials.host}. The runs that are: experiments runs")
    try:
        # With keys, W&B returns only the rows that have all of them.
        return list(run.scan_history(page_size=_PAGE))
    except Exception as error:  # noqa: BLE001 - W&B's client raises whatever its parts do
        raise _failure(credentials, error) from None


def _run(credentials: Credentials, path: str) -> Any:  # noqa: ANN401 - W&B has no types
    unset_empty()
    import wandb

    try:
        overrides = {"base_url": credentials.base_url}
        api = wandb.Api(overrides=overrides, timeout=_CLIENT_S, api_key=credentials.key)
        api.flush()
        return api.run(path)
    except ValueError:
        return None
    except Exception as error:  # noqa: BLE001 - W&B's client raises whatever its parts do
        if "could not find run" in str(error).lower():
            return None
        raise _failure(credentials, error) from None


def _failure(credentials: Credentials, error: Exception) -> StoreError:
    text = str(error) or type(error).__name__
    if credentials.key:
        text = text.replace(credentials.key, "***")
    return StoreError(f"{credentials.host} did not answer W&B's client: {text[:300]}. It is asked again later.")
