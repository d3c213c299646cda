"""A recipe for a program that exists: its command line is typed, its options are read from its `--help`."""

from __future__ import annotations

import dataclasses
import itertools
import keyword
import math
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, get_args

from pydantic import ValidationError

from experiments.cli.options import RunOptions
from experiments.project.errors import UsageError, reasons
from experiments.project.trainers.template import PYTHON, check_template, filled_words
from experiments.project.trainers.value import Trainer, sets_seed
from experiments.project.trainers.words import Style, same_key
from experiments.types import BaseExperimentConfig, TrainingJobConfig

TEMPLATE = Path(__file__).with_name("new_trainer_recipe.py")
_PATIENCE_S = 60
_MOST = 20
_OPTION = re.compile(r"^[\s│|*]*(?:-\w(?:[ ,]+[A-Z_]+)?, ?)?--(?:\[no\])?([A-Za-z][\w.-]*)")
# `--lr LR`, `--lr=LR`, absl's `--lr: text`; a help that is laid out as a table has its types in a column of their own.
_METAVAR = re.compile(
    r"[ =]([^\s/]\S*)|(:)"
    r"|\s{2,}(?:-\w\s+)?(TEXT|INTEGER|FLOAT|PATH|FILE|FILENAME|DIRECTORY|BOOLEAN|\[\w+(?:\|\w+)+\])(?=\s|$)"
)
_SEVERAL = re.compile(r" \[[^\]]*\.\.\.\]")
_PAIR = re.compile(r"--\[no\]|[ ,/|]+--no[-_]", re.IGNORECASE)
_DEFAULT = re.compile(r"[(\[]default[:=]? *([^)\]]*)[)\]]", re.IGNORECASE)
_FRAME = " │|╭╮╰╯─"
_TAKEN = (
    frozenset(BaseExperimentConfig.model_fields)
    | frozenset(item.name for item in dataclasses.fields(RunOptions))
    | frozenset(TrainingJobConfig.model_fields)
    | {"help", "version"}
)
# A line of a recipe is at most this long, and what surrounds a description takes its part.
_LONGEST = 60
_PLACE = '    number: int | None = Field(None, description="One of its arguments; None leaves it to the program.")\n'

Kind = Literal["int", "float", "str", "bool"]


class HelpError(Exception):
    """A program does not say its options; the message is why."""


@dataclass(frozen=True)
class Option:
    """One option that a program's help names.

    Attributes:
        name: As a field of a config is called.
        default: What the help says that it is; None where it says nothing.
        is_bare: It is a switch, and none switches it off.
    """

    name: str
    kind: Kind
    default: int | float | str | bool | None = None
    description: str = ""
    is_bare: bool = False

    @property
    def line(self) -> str:
        """The field as a line of Python."""
        annotation = self.kind if self.default is not None else f"{self.kind} | None"
        return (
            f"    {self.name}: {annotation} = Field({_literal(self.default)}, description={_literal(self.description)})"
        )


def trainer_of_command(name: str, command: str) -> Trainer:
    """Return the trainer that a typed command line describes, in the style that its words show.

    Raises:
        UsageError: It holds an unknown placeholder, is not told its seed, or its program does not exist.
    """
    try:
        words = Trainer.model_validate({"name": name, "command": command}).command
        trainer = Trainer(name=name, command=words, style=_style_of(words), dashes=_has_dashes(words))
    except ValidationError as error:
        raise UsageError(f"--trainer: {reasons(error)}.") from None
    check_template(name, trainer.command)
    if not trainer.passes_seed:
        raise UsageError(
            f"--trainer {command!r} does not say where the seed goes, and seeds are what a recipe repeats. Write "
            "{seed} there: --trainer 'python train.py --seed {seed}'"
        )
    program = trainer.command[0]
    if program != PYTHON and shutil.which(program) is None:
        raise UsageError(f"--trainer {command!r}: {program!r} is no program here. Check its first word.")
    return trainer


def help_of(trainer: Trainer, folder: Path) -> str:
    """Run a program once with `--help` and return what it says.

    Args:
        folder: Where it is run.

    Raises:
        HelpError: It could not be run, did not end, failed, or said nothing; says which and, where it failed, its own
            last line.
    """
    with tempfile.TemporaryDirectory() as place:
        values = {"run": "help", "seed": "0", "run_dir": place, "curriculum": "help", "args_json": "{}"}
        words = [*filled_words(trainer.command, values, ()), "--help"]
        environment = {**os.environ, "WANDB_MODE": "disabled", "COLUMNS": "200"}
        words = [sys.executable if word == PYTHON else word for word in words]
        try:
            done = subprocess.run(
                words, cwd=folder, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                timeout=_PATIENCE_S, check=False, errors="replace",
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            raise HelpError(f"it did not end within {_PATIENCE_S} s") from None
        except OSError as error:
            raise HelpError(f"it could not be run: {error.strerror}") from None
    said = done.stdout if done.stdout.strip() else done.stderr
    if done.returncode and not any(_OPTION.match(line) for line in said.splitlines()):
        last = [line.strip() for line in f"{done.stdout}\n{done.stderr}".splitlines() if line.strip()]
        raise HelpError(f"it ended with exit code {done.returncode}{': ' if last else ''}{''.join(last[-1:])[:200]}")
    if not said.strip():
        raise HelpError("it said nothing")
    return said


def options_in(text: str, trainer: Trainer) -> tuple[list[Option], list[str]]:
    """Return the options that a help names and a recipe may have as fields, in their order; and those left out of them.

    A field is one value, spelled as the others are: what takes several values, has underscores where they have dashes,
    or a name that Python or a config has for something else, can be given behind a `--`.
    """
    lines = text.splitlines()
    starts = [at for at, line in enumerate(lines) if _OPTION.match(line)]
    given = {each.key for each in trainer.read(trainer.command)}
    found: dict[str, Option] = {}
    others: list[str] = []
    for at, end in itertools.pairwise([*starts, len(lines)]):
        # What stands behind two spaces is its description, and so is what stands on the next line.
        whole = "  ".join(line.strip(_FRAME) for line in lines[at:end])
        option, spelled = _option(whole), _spelled(whole)
        key = option.name
        is_negation = key.removeprefix("no_") in found and key.startswith("no_")
        if not key.isidentifier() or key in _TAKEN | given or sets_seed(key, trainer) or is_negation:
            continue
        is_other = _SEVERAL.search(whole) or ("_" if trainer.dashes else "-") in spelled or _cannot_be_a_field(key)
        if is_other or len(found) == _MOST:
            others.append(f"--{spelled}")
        else:
            found.setdefault(key, option)
    return list(found.values()), others


def recipe_text(name: str, class_name: str, trainer: Trainer, command: str, options: Sequence[Option]) -> str:
    """Return the recipe's text: the template with the command line and the options in their places."""
    # What was typed or read comes in after the names: it stays what it is.
    text = TEMPLATE.read_text(encoding="utf-8").replace("NewRecipe", class_name).replace("new_recipe", name)
    if _says_nothing_for_false(options):
        options = [replace(option, default=False) if option.is_bare else option for option in options]
    if options:
        text = text.replace(_PLACE, "".join(f"{option.line}\n" for option in options))
    text = text.replace('command="train --seed {seed}"', f"command={_literal(command)}")
    text = text.replace('style="--key value"', f'style="{trainer.style}"')
    dashes = trainer.dashes
    present = '        switch="present",\n' if _says_nothing_for_false(options) else ""
    return text.replace("        dashes=True,\n", f"{'        dashes=True,' + chr(10) if dashes else ''}{present}")


def spelled_as(text: str, trainer: Trainer) -> Trainer:
    """Return a trainer with the style that its help shows, where the command line did not."""
    if "powered by hydra" in text.lower():
        return Trainer(**{**dict(trainer), "style": "hydra", "dashes": False})
    names = [match[1].removeprefix("no-") for line in text.splitlines() if (match := _OPTION.match(line))]
    dashes = sum("-" in name for name in names) >= sum("_" in name for name in names)
    return Trainer(**{**dict(trainer), "dashes": dashes}) if trainer.style.startswith("--") and names else trainer


def _says_nothing_for_false(options: Sequence[Option]) -> bool:
    """Tell whether switches are said for true alone; where some have a `--no-`, all are left to the program."""
    switches = [option for option in options if option.kind == "bool"]
    return bool(switches) and all(option.is_bare for option in switches)


def _cannot_be_a_field(key: str) -> bool:
    is_annotation = key in {*get_args(Kind), "Field"}
    return keyword.iskeyword(key) or is_annotation or hasattr(BaseExperimentConfig, key)


def _spelled(whole: str) -> str:
    match = _OPTION.match(whole)
    return match[1] if match else ""


def _option(whole: str) -> Option:
    match = _OPTION.match(whole)
    assert match is not None
    name, rest = same_key(match[1]), whole[match.end() :]
    is_pair = _PAIR.search(whole[: match.end()] + rest[:1]) is not None or _PAIR.match(rest) is not None
    metavar = None if is_pair else _METAVAR.match(rest)
    said = _DEFAULT.search(whole)
    default = said[1].strip(" '\"") if said else None
    kind = "bool" if metavar is None else _kind_of((metavar[1] or metavar[3] or "").strip("[]<>"), default)
    words = _DEFAULT.sub("", rest[metavar.end() :] if metavar else re.sub(r"^[ ,/|]+--\S+", "", rest))
    words = re.sub(r"\s+", " ", re.sub(r"\((?:required|optional)\)", "", words)).strip(f"{_FRAME},.:")
    description = words[:_LONGEST].strip() or f"Option --{match[1]} of the program"
    return Option(name, kind, _value(kind, default), f"{description}.", is_bare=kind == "bool" and not is_pair)


def _kind_of(metavar: str, default: str | None) -> Kind:
    """Return the kind of an option that takes a value; true and false are texts there, for nobody knows which words."""
    word = metavar.lower()
    if "float" in word:
        return "float"
    if word in {"int", "integer", "n"}:
        return "int"
    for kind, reads in (("int", int), ("float", float)):
        try:
            reads((default or "").replace(",", ""))
        except ValueError:
            continue
        return "int" if kind == "int" else "float"
    return "str"


def _value(kind: Kind, default: str | None) -> int | float | str | bool | None:
    if default is None or default in {"None", "unset", "required", ""}:
        return None
    try:
        if kind == "bool":
            return default.lower() == "true"
        number = int(default) if kind == "int" else float(default) if kind == "float" else None
    except ValueError:
        return None
    if number is None:
        return default
    return number if math.isfinite(number) else None


def _style_of(words: Sequence[str]) -> Style:
    seeds = [word for word in words if "{seed}" in word]
    if seeds and seeds[0].startswith("-"):
        return "--key=value" if "=" in seeds[0] else "--key value"
    return "key=value" if seeds and "=" in seeds[0] else "--key value"


def _has_dashes(words: Sequence[str]) -> bool:
    return any("-" in word[2:].partition("=")[0] for word in words if word.startswith("--"))


def _literal(value: object) -> str:
    """Return a value as Python has it, texts in double quotes as the recipes have them."""
    if not isinstance(value, str):
        return repr(value)
    text = repr(value)
    return text if '"' in value else f'"{text[1:-1]}"' if text[0] == "'" and "\\'" not in text else text
