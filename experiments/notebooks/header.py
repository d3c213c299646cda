"""The block of comments at the top of a generated notebook: what made it, and a hash of each generated cell.

    # /// experiments
    # experiment = "my_arena"
    # recipe = "experiments/recipes/arena_experiment.py"
    # remake = "uv run experiments/recipes/arena_experiment.py my_arena --no-launch"
    #
    # [cells]
    # config = "0a1b2c3d4e5f"
    # ///

It is TOML in comments, as PEP 723 has it, so that it stands beside a `script` block and any TOML reader opens it. The
hash of a cell is of its tokens: spacing, line breaks, quotes and trailing commas do not count, comments do.

We write no `script` block of our own. One with dependencies makes `marimo edit` ask on every start whether to run the
notebook in a new environment (the default is yes, and a package called `experiments` would come from the index), and
any at all makes `uv run notebook.py` leave the project's environment. One that a user adds is kept.
"""

from __future__ import annotations

import ast
import hashlib
import io
import keyword
import re
import token
import tokenize
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from experiments.errors import NotebookError

_BLOCK = re.compile(r"^# /// experiments[ \t]*\n(?P<lines>(?:#(?: .*)?\n)*?)# ///[ \t]*$", re.MULTILINE)
_LAYOUT = {token.INDENT, token.DEDENT, token.NEWLINE}
_DROPPED = {token.NL, token.ENCODING, token.ENDMARKER, token.TYPE_COMMENT}
_FSTRING_START = getattr(token, "FSTRING_START", -1)
_FSTRING_END = getattr(token, "FSTRING_END", -1)


@dataclass(frozen=True)
class Header:
    """What a generated notebook says of its origin.

    Attributes:
        experiment: Name of the experiment.
        recipe: The recipe's file, from the project root.
        remake: Command that writes this file again.
        cells: Hash of each generated cell as the generator wrote it, in order; `setup` is the setup block. The entry of
            `jobs` is that of the empty list, so that a new job changes one place in the file.
    """

    experiment: str
    recipe: str
    remake: str
    cells: Mapping[str, str] = field(default_factory=dict)


def write_header(header: Header) -> str:
    """Return the block, without a line break at its end."""
    lines = [f"{name} = {_toml(getattr(header, name))}" for name in ("experiment", "recipe", "remake")]
    lines += ["", "[cells]", *(f"{_key(name)} = {_toml(digest)}" for name, digest in header.cells.items())]
    return "\n".join(["# /// experiments", *(f"# {line}" if line else "#" for line in lines), "# ///"])


def read_header(comments: str) -> Header | None:
    """Return what the block in `comments` says, or None where there is no block.

    Raises:
        NotebookError: There is a block, but it is damaged.
    """
    block = _BLOCK.search(comments)
    if block is None:
        return None
    toml = "\n".join(line[2:] for line in block["lines"].split("\n"))
    try:
        table = tomllib.loads(toml)
        cells = {str(name): str(digest) for name, digest in table.get("cells", {}).items()}
        return Header(str(table["experiment"]), str(table["recipe"]), str(table["remake"]), cells)
    except (tomllib.TOMLDecodeError, KeyError, AttributeError) as error:
        raise NotebookError(f"the '# /// experiments' block is damaged: {error}.") from None


def replace_header(comments: str, header: Header) -> str:
    """Return the comments of a notebook with our block replaced, or added at their end, and the rest kept."""
    block = write_header(header)
    if _BLOCK.search(comments):
        return _BLOCK.sub(lambda _: block, comments, count=1)
    return f"{comments.rstrip()}\n\n{block}".lstrip()


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


def _key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else _toml(name)


def _toml(text: str) -> str:
    return '"' + "".join(map(_toml_character, text)) + '"'


def _toml_character(character: str) -> str:
    if character in '"\\':
        return "\\" + character
    if " " <= character <= "~":
        return character
    return f"\\U{ord(character):08X}"
