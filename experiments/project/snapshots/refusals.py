"""What never goes into a snapshot: files that are too large, and secrets.

Everything is refused in one error that names the files, for a snapshot without them would not be what runs. What is
committed already, as it is, is not asked about: git has it, so a snapshot makes it neither larger nor more public, and
tests with made-up keys would otherwise stop every launch.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from fnmatch import fnmatchcase

from experiments.project.errors import LaunchError
from experiments.project.redaction import SHORTEST_SECRET, known_secrets_in
from experiments.project.settings import Settings
from experiments.project.snapshots.listing import is_built

MAX_FILES = 50_000
_SHOWN = 5
_KEY = re.compile(rb"-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----[^\n]*\n?[^\n]*")
_PERMIT = re.compile(rb"\bpermit\.[\w\-]{1,64}\.[\w\-]{43}")
_SOURCES = (".py", ".pyi", ".js", ".ts", ".rs", ".go", ".c", ".h", ".cc", ".cpp", ".hpp", ".java", ".md", ".rst")
_TEMPLATES = (".example", ".sample", ".template")
_SSH = ("id_rsa", "id_dsa", "id_ecdsa", "id_ed25519", "id_xmss")


def refuse_large(files: Mapping[bytes, int], is_tracked: Callable[[bytes], bool], settings: Settings) -> None:
    """Check the number and sizes of the files.

    Args:
        files: Bytes of each.
        is_tracked: Whether git tracks that file.
        settings: Whose limits count.

    Raises:
        LaunchError: There are too many, one is too large, or all together are.
    """
    limit, limit_of_all = settings.snapshot_max_file_mb * 1e6, settings.snapshot_max_mb * 1e6
    # A large file that git tracks cannot be ignored any more, and what is built is; they count as part of the whole.
    large = [(name, size) for name, size in files.items() if size > limit and not (is_tracked(name) or is_built(name))]
    said = []
    if large:
        said.append(f"larger than {settings.snapshot_max_file_mb:g} MB: {_sizes(large)}")
    if (total := sum(files.values())) > limit_of_all:
        said.append(
            f"{total / 1e6:,.1f} MB in all, and {settings.snapshot_max_mb:g} MB are allowed; the largest: "
            + _sizes(files.items())
        )
    if len(files) > MAX_FILES:
        said.append(f"{len(files):,} files, and {MAX_FILES:,} are allowed; most of them in {_crowded(files)}")
    if said:
        raise LaunchError(
            f"no snapshot of the code can be taken: {'; '.join(said)}. Add what is no code to .gitignore, name a "
            "folder that trainers read in the setting snapshot_links, raise snapshot_max_file_mb or snapshot_max_mb in "
            "[tool.experiments], or run the working tree itself, which nobody can reproduce: --in-place."
        )


def refuse_secret_names(names: Iterable[bytes], settings: Settings) -> None:
    """Check the names of files that are not committed as they are.

    Raises:
        LaunchError: Some are named as secrets are.
    """
    _refuse({name: "its name" for name in names if _is_secret_name(name, settings.snapshot_secrets)})


def refuse_secret_contents(contents: Iterable[tuple[bytes, bytes, Callable[[], bytes]]]) -> None:
    """Check the contents of files that are not committed as they are.

    Args:
        contents: Name, content, and what returns the content that is committed under that name.

    Raises:
        LaunchError: Some hold a private key, the token of a permit, or the value of a secret that is known here, and
            did not at the commit.
    """
    found = {}
    for name, content, committed in contents:
        keys, values = _secrets_in(content)
        if not keys | values:
            continue
        old_keys, old_values = _secrets_in(committed())
        if new_keys := keys - old_keys:
            permits = all(map(_PERMIT.fullmatch, new_keys))
            found[name] = "the token of a permit in it" if permits else "a private key in it"
        elif values - old_values:
            found[name] = "the value of a secret of yours in it"
    _refuse(found)


def _secrets_in(content: bytes) -> tuple[frozenset[bytes], frozenset[bytes]]:
    keys = frozenset(_KEY.findall(content)) | frozenset(_PERMIT.findall(content))
    return keys, known_secrets_in(content, at_least=SHORTEST_SECRET)


def _refuse(found: Mapping[bytes, str]) -> None:
    if found:
        shown = ", ".join(f"{_shown(name)} ({why})" for name, why in list(found.items())[:_SHOWN])
        raise LaunchError(
            f"a snapshot of the code would hold secrets: {shown}{_more(len(found))}. Add them to .gitignore or take "
            "the secret out. A file that only looks like one: commit it (git add, git commit), and it is not asked "
            "about again."
        )


def _is_secret_name(name: bytes, further: Iterable[str]) -> bool:
    path = name.decode("utf-8", "backslashreplace").lower()
    base = path.rpartition("/")[2]
    if any(fnmatchcase(text, pattern.lower()) for pattern in further for text in (base, path)):
        return True
    if base.startswith(".env"):
        return not base.endswith(_TEMPLATES)
    if base.endswith((*_SOURCES, ".pub")):
        return False
    return (
        base.endswith((".pem", ".key"))
        or base.startswith(("credentials", *_SSH))
        # The names of other keys have no suffix; `id_to_name.json` is none.
        or (base.startswith("id_") and "." not in base)
    )


def _sizes(files: Iterable[tuple[bytes, int]]) -> str:
    ordered = sorted(files, key=lambda file: -file[1])
    return ", ".join(f"{_shown(name)} ({size / 1e6:,.1f} MB)" for name, size in ordered[:_SHOWN]) + _more(len(ordered))


def _crowded(files: Iterable[bytes]) -> str:
    counts: dict[bytes, int] = {}
    for name in files:
        folder = name.rpartition(b"/")[0]
        counts[folder] = counts.get(folder, 0) + 1
    ordered = sorted(counts.items(), key=lambda folder: -folder[1])
    return ", ".join(f"{_shown(name or b'.')} ({count:,})" for name, count in ordered[:_SHOWN])


def _shown(name: bytes) -> str:
    text = name.decode("utf-8", "backslashreplace")
    return text if text.isprintable() and " " not in text else ascii(text)


def _more(count: int) -> str:
    return f" and {count - _SHOWN} more" if count > _SHOWN else ""
