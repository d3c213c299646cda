"""Filling the command line of a trainer: words with placeholders, never a shell.

`{name}` stands for a value wherever it stands in a word, and what comes in is never looked at again, so that braces in
a value stay what they are. `{{name}}` is the text `{name}`; any other brace is itself.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping, Sequence

from experiments.project.errors import UsageError

PYTHON = "{python}"
"""A word of its own: the interpreter of whoever starts the job, which only the launcher knows."""

ARGS = "args"
"""The arguments, each a word, where a template does not want them behind its last one."""

ARGS_NO_HYPHENS = "args_no_hyphens"
"""The arguments as `key=value`, each a word, whatever the style that the recipe's are written in."""

ARGS_JSON = "args_json"
"""The arguments as one JSON object."""

_LISTS = (ARGS, ARGS_NO_HYPHENS)
_ARGUMENTS = (*_LISTS, ARGS_JSON)
PLACEHOLDERS = ("python", "run", "seed", "run_dir", "curriculum", *_ARGUMENTS)
"""What every template may hold, besides the fields of the recipe's config."""

# What people bring along from the commands of W&B's sweeps, and how it is said here.
_OF_SWEEPS = {
    "env": "Leave it out: the first word is looked for as a shell would",
    "interpreter": "Write {python}",
    "program": "Write the program's file",
    "args_no_boolean_flags": "Write {args}, with switch='present' of the trainer",
    "args_json_file": "Write {args_json}, which is the object itself",
}

# W&B's sweeps and Hydra write a dollar in front; what Hydra writes as ${{name}} stays Hydra's.
_MARK = re.compile(r"\{\{([A-Za-z_][\w.]*)\}\}|\$?\{([A-Za-z_][\w.]*)\}")


def names_in(words: Iterable[str]) -> set[str]:
    """Return the placeholders that some words hold."""
    return {name for word in words for match in _MARK.finditer(word) if (name := match[2])}


def filled(word: str, values: Mapping[str, str]) -> str:
    """Return a word with its placeholders filled, and what `{{name}}` stands for.

    Raises:
        KeyError: There is no value for one.
    """
    return _MARK.sub(lambda match: f"{{{match[1]}}}" if match[1] else values[match[2]], word)


def filled_words(
    template: Sequence[str], values: Mapping[str, str], arguments: Sequence[str], no_hyphens: Sequence[str] = ()
) -> tuple[str, ...]:
    """Return a command line; the arguments stand where the template says, else behind its last word.

    Args:
        no_hyphens: The arguments as `key=value`.
    """
    lists = {f"{{{ARGS}}}": arguments, f"{{{ARGS_NO_HYPHENS}}}": no_hyphens}
    words: list[str] = []
    for word in template:
        if (mark := word.removeprefix("$")) in lists:
            words += lists[mark]
        else:
            words.append(word if word == PYTHON else filled(word, values))
    return (*words, *(() if names_in(template).intersection(_ARGUMENTS) else arguments))


def check_template(
    trainer: str, words: Iterable[str], fields: Sequence[str] = (), *, variables: Mapping[str, str] | None = None
) -> None:
    """Refuse placeholders that nothing fills.

    Args:
        trainer: Its name, for the message.
        words: Of the command line.
        fields: Names of the recipe's config that may stand there.
        variables: Of its environment, where the arguments and the interpreter have no place.

    Raises:
        UsageError: Names the placeholder, the nearest that there is, and all of them.
    """
    known = [*PLACEHOLDERS, *fields]
    for word in words:
        for name in sorted(names_in([word])):
            if name not in known:
                raise UsageError(_unknown(trainer, word, name, known))
            if name in {"python", *_LISTS} and word.removeprefix("$") != f"{{{name}}}":
                raise UsageError(
                    f"trainer {trainer!r}: {{{name}}} is a word of its own, not a part of {word!r}. Write it as a word "
                    "by itself."
                )
    of_a_run = [name for name in known if name != "python" and name not in _ARGUMENTS]
    for word in (variables or {}).values():
        for name in sorted(names_in([word]) - {*of_a_run}):
            raise UsageError(_unknown(trainer, word, name, of_a_run))


def _unknown(trainer: str, word: str, name: str, known: Sequence[str]) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    meant = f"Did you mean {{{near[0]}}}? " if near else ""
    hint = f"{_OF_SWEEPS[name]}. " if name in _OF_SWEEPS else meant
    listed = " ".join(f"{{{one}}}" for one in known)
    return (
        f"trainer {trainer!r}: {{{name}}} in {word!r} is no placeholder. {hint}There are: {listed}. A name in braces "
        f"that is to stay is written {{{{{name}}}}}."
    )
