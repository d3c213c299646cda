"""The replay viewer as a notebook widget; all of its state is in traits, so that a saved page plays without Python."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

import anywidget
import traitlets

from widgets.replay.codec.cache import cached_encode
from widgets.replay.codec.encoded import Embed, Encoded
from widgets.replay.codec.errors import ReplayError, SourceError
from widgets.replay.codec.limits import Limits
from widgets.replay.codec.looks import side_by_side
from widgets.replay.codec.replay import Replay
from widgets.replay.codec.sources import Source, http_url, is_url
from widgets.replay.codec.wire import encode
from widgets.replay.pictures import pictures_of

_STATIC = Path(__file__).parent / "static"
_EMBED_BYTES = 16 * 1024 * 1024
_LABEL_CHARS = 200
_REQUEST_CHARS = 64
_DROPPED_CHARS = 32 * 1024 * 1024  # of base64
_NUMBER = r"-?\d{1,7}(\.\d{1,6})?"
_VIEW = re.compile(rf"{_NUMBER},{_NUMBER},{_NUMBER}(,follow)?")
SPEEDS = (0.1, 1000.0)
"""Least and largest number of steps played in a second."""


class _Player(anywidget.AnyWidget):  # type: ignore[misc]  # anywidget ships no types for its base
    """What a viewer of one replay and a comparison of two have in common."""

    # As texts: of a path anywidget watches the file, and that keeps every viewer in memory for ever.
    _esm = (_STATIC / "viewer.js").read_text(encoding="utf-8")
    _css = (_STATIC / "viewer.css").read_text(encoding="utf-8")

    kind = traitlets.Enum(["viewer", "compare"], "viewer").tag(sync=True)
    data = traitlets.Bytes(b"").tag(sync=True)
    data_b = traitlets.Bytes(b"").tag(sync=True)
    labels = traitlets.List(traitlets.Unicode(), [""]).tag(sync=True)
    step = traitlets.Int(0, min=0).tag(sync=True)
    selected = traitlets.Int(None, allow_none=True).tag(sync=True)
    playing = traitlets.Bool(False).tag(sync=True)
    speed = traitlets.Float(10.0, min=SPEEDS[0], max=SPEEDS[1]).tag(sync=True)
    view = traitlets.Unicode("").tag(sync=True)
    url = traitlets.Unicode("").tag(sync=True)
    height = traitlets.Int(720, min=200, max=4000).tag(sync=True)
    theme = traitlets.Enum(["auto", "light", "dark"], "auto").tag(sync=True)
    sprites = traitlets.Bytes(b"").tag(sync=True)
    message = traitlets.Unicode("").tag(sync=True)
    drops = traitlets.Bool(False).tag(sync=True)

    def __init__(self, *, cache_dir: Path | None, limits: Limits, embed: Embed, **traits: object) -> None:
        self._encoded: dict[str, Encoded] = {}
        self._cache_dir, self._limits, self._embed = cache_dir, limits, embed
        super().__init__(**traits)
        self.on_msg(self._answer)

    @traitlets.validate("step")  # type: ignore[untyped-decorator]
    def _step_inside(self, proposal: Mapping[str, int]) -> int:
        return min(proposal["value"], self.steps - 1) if self._encoded else proposal["value"]

    @traitlets.validate("view")  # type: ignore[untyped-decorator]
    def _view_readable(self, proposal: Mapping[str, str]) -> str:
        text = proposal["value"]
        if text and not _VIEW.fullmatch(text):
            raise traitlets.TraitError(f"view is {text[:60]!r}; it is 'x,y,scale', 'x,y,scale,follow' or empty (all)")
        return text

    @property
    def steps(self) -> int:
        """Number of steps that can be shown; 0 without a replay."""
        return max((int(encoded.header["steps"]) for encoded in self._encoded.values()), default=0)

    def embed_all(self) -> None:
        """Put texts and configuration into the page's data too, as a page needs that is to be saved without Python."""
        self._embed = "all"
        self._send_data()

    def _load(self, name: str, source: Replay | Encoded | Source | None) -> None:
        if source is None:
            self._encoded.pop(name, None)
        elif isinstance(source, Encoded):
            self._encoded[name] = source
        elif isinstance(source, Replay):
            self._encoded[name] = encode(source)
        else:
            self._encoded[name] = cached_encode(source, self._cache_dir, limits=self._limits)

    def _send_data(self) -> None:
        headers = [each.header for each in self._encoded.values()]
        looks = zip(self._encoded.items(), side_by_side(headers), strict=True)
        packed = {name: encoded.pack(self._embed, _EMBED_BYTES, looks=own) for (name, encoded), own in looks}
        with self.hold_sync():
            self.sprites = pictures_of(headers, self._cache_dir)
            self.data, self.data_b = packed.get("a", b""), packed.get("b", b"")
            self.step = self.step  # brings it inside the new replay

    def _answer(self, _widget: object, content: object, _buffers: object) -> None:
        """Answer the page's request for a chunk that is not embedded."""
        if not isinstance(content, dict) or content.get("type") != "chunk":
            return
        request, source, name = content.get("request"), content.get("source"), content.get("id")
        if not isinstance(request, str) or len(request) > _REQUEST_CHARS or source not in ("a", "b"):
            return
        answer = {"type": "chunk", "request": request, "source": source, "id": str(name)[:_REQUEST_CHARS]}
        encoded = self._encoded.get(source)
        if encoded is None or content.get("hash") not in (None, encoded.digest):
            self.send({**answer, "ok": False, "error": "another replay is shown now"})
            return
        try:
            piece = encoded.chunk(str(name))
        except KeyError:
            self.send({**answer, "ok": False, "error": "the replay has no such part"})
            return
        self.send({**answer, "ok": True}, buffers=[piece])


class ReplayViewer(_Player):
    """Shows one replay: map, timeline, agents, traces, objects.

    `step`, `selected` (an object's id), `playing`, `speed` (steps a second) and `view` (the camera) follow the page and
    lead it. The wire format of `data` is described in widgets/replay/codec/wire.py.

    Args:
        source: A replay, encoded or not, a path, an http, https or s3 address, bytes of a file, or None for none yet.
        label: Title shown above the map; the replay's own by default.
        cache_dir: Folder of encoded replays (`widgets.replay.codec.cache`).
        limits: Bounds on everything; `Limits.large` for files that one trusts.
        embed: `steps` fetches texts and configuration when their panel opens; `all` puts them into the page at once.
        traits: `step`, `selected`, `height`, `theme` and so on; `drops` opens files that are dropped on the page.

    Raises:
        ReplayError: The source cannot be opened.
    """

    def __init__(
        self,
        source: Replay | Encoded | Source | None = None,
        *,
        label: str = "",
        cache_dir: Path | None = None,
        limits: Limits = Limits.default,
        embed: Embed = "steps",
        **traits: object,
    ) -> None:
        super().__init__(cache_dir=cache_dir, limits=limits, embed=embed)
        self.show(source, label=label)
        for name, value in traits.items():
            _set(self, name, value)

    def show(self, source: Replay | Encoded | Source | None, *, label: str = "") -> None:
        """Show another replay, at the same step when it has that.

        Raises:
            ReplayError: The source cannot be opened; the one shown stays.
        """
        self._load("a", source)
        self.message = ""
        self.labels = [_label(label, self._encoded.get("a"))]
        self.url = public_url(source)
        self._send_data()

    def _answer(self, widget: object, content: object, buffers: object) -> None:
        if isinstance(content, dict) and content.get("type") == "file" and self.drops:
            self._open(str(content.get("name"))[:_LABEL_CHARS], content.get("data"))
        else:
            super()._answer(widget, content, buffers)

    def _open(self, name: str, data: object) -> None:
        """Show a file that was dropped on the page; one that cannot be opened leaves what is shown."""
        try:
            if not isinstance(data, str) or len(data) > _DROPPED_CHARS:
                raise SourceError(f"it has more than {_DROPPED_CHARS * 3 // 4:,} bytes; give its path instead")
            self.show(base64.b64decode(data, validate=True), label=name)
        except (ReplayError, binascii.Error) as error:
            self.send({"type": "file", "error": f"{name!r} cannot be opened: {error}"})


class ReplayCompare(_Player):
    """Shows two replays side by side, locked to the same step, with the differences in reward and inventory.

    Args:
        a: The replay on the left, as for `ReplayViewer`.
        b: The replay on the right.
        labels: Titles of the two.
        cache_dir: Folder of encoded replays (`widgets.replay.codec.cache`).
        limits: Bounds on everything.
        embed: As for `ReplayViewer`.
        traits: `step`, `height`, `theme` and so on.

    Raises:
        ReplayError: A source cannot be opened.
    """

    def __init__(
        self,
        a: Replay | Encoded | Source,
        b: Replay | Encoded | Source,
        *,
        labels: tuple[str, str] = ("", ""),
        cache_dir: Path | None = None,
        limits: Limits = Limits.default,
        embed: Embed = "steps",
        **traits: object,
    ) -> None:
        super().__init__(cache_dir=cache_dir, limits=limits, embed=embed, kind="compare")
        self._load("a", a)
        self._load("b", b)
        self.labels = [_label(label, self._encoded[name]) for label, name in zip(labels, "ab", strict=True)]
        self._send_data()
        for name, value in traits.items():
            _set(self, name, value)


_OPEN_TRAITS = ("step", "selected", "playing", "speed", "view", "height", "theme", "url", "message", "drops")


def _set(player: _Player, name: str, value: object) -> None:
    if name not in _OPEN_TRAITS:
        raise TypeError(f"{type(player).__name__} has no option {name!r}; it has {', '.join(_OPEN_TRAITS)}")
    setattr(player, name, value)


def _label(given: str, encoded: Encoded | None) -> str:
    return (given or ("" if encoded is None else str(encoded.header["label"])))[:_LABEL_CHARS]


def public_url(source: object) -> str:
    """Return the http(s) address of a source that anyone may open, or nothing.

    An address with a query is left out: it may be presigned, and a page is passed on.
    """
    if not isinstance(source, str) or not is_url(source):
        return ""
    url = http_url(source)
    parts = urlsplit(url)
    return "" if parts.query or parts.username or parts.fragment else url
