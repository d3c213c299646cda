"""What tells a cell that people left alone: the marks of all texts that the package ever gave a cell of that name.

`published.txt` has one line for each: the version, the cell's name, and the hash of its tokens, in which spacing, line
breaks, quotes and trailing commas do not count, and comments do. So no notebook needs a table of its own, and a cell
whose text is none of these is somebody's work. `python -m experiments.notebooks.marks` adds the lines of a template
that has changed.
"""

from __future__ import annotations

import ast
import functools
import hashlib
import importlib.metadata
import io
import keyword
import token
import tokenize
from collections.abc import Iterator, Mapping
from pathlib import Path

from experiments.notebooks.cells import Cell
from experiments.notebooks.template import DATA, template

FILE = Path(__file__).with_name("published.txt")
_LAYOUT = {token.INDENT, token.DEDENT, token.NEWLINE}
_DROPPED = {token.NL, token.ENCODING, token.ENDMARKER, token.TYPE_COMMENT}
_FSTRING_START = getattr(token, "FSTRING_START", -1)
_FSTRING_END = getattr(token, "FSTRING_END", -1)


@functools.cache
def published() -> Mapping[str, frozenset[str]]:
    """Return the marks of the texts that each cell ever had, by the cell's name."""
    found: dict[str, frozenset[str]] = {}
    for line in FILE.read_text(encoding="utf-8").splitlines():
        _, name, mark = line.split()
        found[name] = found.get(name, frozenset()) | {mark}
    return found


def is_published(cell: Cell) -> bool:
    """Tell whether a cell stands as the package wrote it, in this version or in one before."""
    return cell.kind == "cell" and hash_of(cell.body) in published().get(cell.name, ())


def unpublished() -> list[str]:
    """Return the lines that `published.txt` lacks of the template as it is."""
    version = importlib.metadata.version("experiments")
    return [
        f"{version} {cell.name} {hash_of(cell.body)}"
        for cell in template().cells
        if cell.name not in DATA and not is_published(cell)
    ]


def hash_of(body: str) -> str:
    """Return 12 hexadecimal digits for the tokens of indented lines of code.

    Lines that are not Python (what the editor keeps of a broken cell) are hashed as they stand.
    """
    try:
        tokens = "\x1f".join(_normalised(f"def _():\n{body}\n"))
    except (tokenize.TokenError, SyntaxError):
        tokens = body
    return hashlib.sha256(tokens.encode("utf-8", "surrogatepass")).hexdigest()[:12]


def _normalised(source: str) -> Iterator[str]:
    words = list(_words(source))
    brackets: list[tuple[bool, bool]] = []
    for index, (kind, text) in enumerate(words):
        after = words[index + 1][1] if index + 1 < len(words) else ""
        if text in {"(", "[", "{"} and kind == token.OP:
            previous = words[index - 1] if index else (token.OP, "")
            is_call = previous[1] in {")", "]"} or (previous[0] == token.NAME and not keyword.iskeyword(previous[1]))
            brackets.append(((text == "(" and is_call) or text == "{", False))
        elif text in {")", "]", "}"} and kind == token.OP and brackets:
            brackets.pop()
        elif text == "," and kind == token.OP and brackets:
            free, comma_before = brackets[-1]
            brackets[-1] = (free, True)
            # In `(a,)` and `x[a,]` the comma makes a tuple; anywhere else a formatter may add it.
            if after in {")", "]", "}"} and (free or comma_before):
                continue
        yield text


def _words(source: str) -> Iterator[tuple[int, str]]:
    """Yield type and text of each token that counts; an f-string is one token in every version of Python."""
    lines = source.split("\n")
    start: tuple[int, int] | None = None
    depth = 0
    for item in tokenize.generate_tokens(io.StringIO(source).readline):
        if item.type == _FSTRING_START:
            start = start if depth else item.start
            depth += 1
        if depth:
            depth -= item.type == _FSTRING_END
            if not depth and start is not None:
                yield token.STRING, _between(lines, start, item.end)
        elif item.type in _LAYOUT:
            yield item.type, token.tok_name[item.type]
        elif item.type == token.STRING:
            yield item.type, _string(item.string)
        elif item.type not in _DROPPED:
            yield item.type, item.string.rstrip()


def _between(lines: list[str], start: tuple[int, int], end: tuple[int, int]) -> str:
    if start[0] == end[0]:
        return lines[start[0] - 1][start[1] : end[1]]
    return "\n".join([lines[start[0] - 1][start[1] :], *lines[start[0] : end[0] - 1], lines[end[0] - 1][: end[1]]])


def _string(literal: str) -> str:
    """Return a string literal in one form, whatever its quotes; an f-string as it stands."""
    try:
        return repr(ast.literal_eval(literal))
    except (ValueError, SyntaxError):
        return literal


if __name__ == "__main__":
    with FILE.open("a", encoding="utf-8") as lines:
        lines.writelines(f"{line}\n" for line in unpublished())
