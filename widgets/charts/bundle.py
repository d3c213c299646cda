"""Vega's JavaScript for pages without a network, made once by vl-convert and kept on disk."""

from __future__ import annotations

import contextlib
import gzip
import os
import threading
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path

_LOCK = threading.Lock()


def vega_script(cache_dir: Path | None = None) -> bytes:
    """Return a gzipped classic script that defines `vegaEmbed` on the page, and no more than `vega` and `vegaLite`.

    Args:
        cache_dir: Folder that keeps it; making it takes about two seconds. A folder that cannot be written is left
            alone.
    """
    with _LOCK:  # sessions of one server are threads: they wait for one of them
        return _script(cache_dir)


@lru_cache(maxsize=4)
def _script(cache_dir: Path | None) -> bytes:
    import vl_convert

    path = None if cache_dir is None else cache_dir / f"vega-{version('vl-convert-python')}.js.gz"
    if path is not None and path.is_file():
        return path.read_bytes()
    # Its top-level names would be the page's own without a function around them.
    script = vl_convert.javascript_bundle()  # type: ignore[call-arg]  # its stub lacks the default
    packed = gzip.compress(f"(() => {{{script}\n}})();".encode(), mtime=0)
    if path is not None:
        _keep(path, packed)
    return packed


def _keep(path: Path, packed: bytes) -> None:
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_bytes(packed)
        temporary.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            temporary.unlink()
