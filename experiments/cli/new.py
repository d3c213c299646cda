"""The command that begins a recipe."""

from __future__ import annotations

import importlib.machinery
import keyword
import re
import shlex
import sys
import tomllib
from pathlib import Path
from typing import Annotated

import tyro

from experiments.cli.envelope import Answer, Shown
from experiments.cli.flags import Flag
from experiments.cli.terminal import agrees, say
from experiments.project.errors import UsageError
from experiments.project.settings import project_root
from experiments.project.workspace import Workspace
from experiments.types import NAME_PATTERN, suggest_name

TEMPLATE = Path(__file__).with_name("new_recipe.py")
_MARK = "[tool.experiments]\n"
_LIVE = "\n[tool.marimo.runtime]\nauto_instantiate = true # a notebook runs when it is opened\n"


class NewRecipe(Shown):
    """A recipe that was written.

    Attributes:
        run: Command that runs it; with `--dry-run` it shows what it would launch.
        project: The file that marks this folder as a project, where it was none before.
    """

    recipe: str
    run: str
    project: str | None


def new(
    name: tyro.conf.Positional[Annotated[str, tyro.conf.arg(metavar="NAME")]],
    *,
    trainer: Annotated[str | None, tyro.conf.arg(metavar="COMMAND", help_behavior_hint="")] = None,
    read_help: Flag = False,
) -> Answer[NewRecipe]:
    """Write a recipe to begin with into experiments/recipes of this project.

    Args:
        name: Name of the experiment and of its file, such as my_study.
        trainer: Command line of a program that trains, such as 'python train.py --seed {seed}'; without it, the
            recipe is for the reference trainer.
        read_help: With --trainer: run that program once with --help, and make each option that it names a field of the
            recipe, and so a flag. Without it you are asked on a terminal, and elsewhere the program is not run.
    """
    check_recipe_name(name)
    if read_help and trainer is None:
        raise UsageError(
            "--read-help reads the help of the program that trains, and none is named. Name it: --trainer 'python "
            "train.py --seed {seed}'. What this command takes: experiments new --help"
        )
    text = recipe_text_for(name, trainer, may_run=read_help) if trainer is not None else None
    made = _mark_root(Path.cwd())
    workspace = Workspace.find(Path.cwd())
    path = workspace.root / "experiments" / "recipes" / f"{name}.py"
    write_recipe(path, name, text)
    found = NewRecipe(
        recipe=workspace.shown(path),
        run=shlex.join(["uv", "run", workspace.shown(path)]),
        project=workspace.shown(made) if made is not None else None,
    )
    return Answer(found, _print)


def _print(found: NewRecipe) -> None:
    say(f"recipe: {found.recipe}")
    if found.project is not None:
        say(f"project: {found.project} marks this folder as one; its state will be in .experiments/")
    say(f"see what it would launch: {found.run} --dry-run")
    say(f"launch it: {found.run}")


def recipe_text_for(name: str, command: str, *, may_run: bool) -> str:
    """Return the text of a recipe for a program that exists.

    Args:
        may_run: Whether it may be run once with `--help`; where a person can be asked, that person is.

    Raises:
        UsageError: The command line cannot be that of a trainer.
    """
    from experiments.cli.new_trainer import HelpError, help_of, options_in, recipe_text, spelled_as, trainer_of_command

    trainer = trainer_of_command(name, command)
    asked = f"Run {command} --help once, to make each option that it names a flag of the recipe?"
    if not (may_run or (sys.stdin.isatty() and agrees(asked))):
        say(
            "the program was not run, so its options are not known: name them as fields of the config, or write the "
            "recipe under another name with --read-help, which runs it once with --help"
        )
        return recipe_text(name, _class_name(name), trainer, command, [])
    try:
        said = help_of(trainer, Path.cwd())
    except HelpError as error:
        say(f"its options are not known, for its help could not be read ({command} --help): {error}")
        say("name them as fields of the config, or mend that and write the recipe anew")
        return recipe_text(name, _class_name(name), trainer, command, [])
    known = spelled_as(said, trainer)
    options, others = options_in(said, known)
    say(f"options found in its help: {', '.join(option.name for option in options) or 'none'}")
    if others:
        say(f"left out, for they are given behind a -- only: {', '.join(others)}")
    return recipe_text(name, _class_name(name), known, command, options)


def check_recipe_name(name: str) -> None:
    """Refuse a name that cannot be that of an experiment and of a Python module.

    Raises:
        UsageError: It cannot; the message suggests a name.
    """
    if not (re.fullmatch(NAME_PATTERN, name) and name.isidentifier()):
        rule = "Allowed: 1 to 40 of a-z, 0-9 and '_', starting with a letter"
        raise UsageError(f"recipe name {name!r} cannot name a Python file and a run. {rule}. Try {_near(name)!r}.")
    if keyword.iskeyword(name) or name in sys.stdlib_module_names or _is_module(name):
        raise UsageError(f"recipe name {name!r} is a word or a module of Python already. Try {name + '_study'!r}.")


def write_recipe(path: Path, name: str, text: str | None = None) -> None:
    """Write a recipe under a name, the template where no text is given; a file that is there is never replaced.

    Raises:
        UsageError: There is such a file, or the folder cannot be written.
    """
    if text is None:
        text = TEMPLATE.read_text(encoding="utf-8").replace("NewRecipe", _class_name(name)).replace("new_recipe", name)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
        path.chmod(path.stat().st_mode | 0o111)
    except FileExistsError:
        raise UsageError(f"recipe {str(path)!r} exists already. Edit it, or choose another name.") from None
    except OSError as error:
        raise UsageError(f"recipe {str(path)!r} cannot be written: {error.strerror}. Work in another folder.") from None


def _mark_root(folder: Path) -> Path | None:
    """Make the working folder a project where it lies in none; return the file that says so.

    A recipe's project is found from its file upwards: without a mark it would be the recipe's own folder.

    Raises:
        UsageError: The folder cannot be written.
    """
    root = project_root(folder)
    path = root / "pyproject.toml"
    if (root / ".git").exists() or _has_table(path):
        return None
    try:
        before = path.read_text(encoding="utf-8") if path.exists() else ""
        # Of a file that is there, only what is needed is changed.
        text = f"{before.rstrip()}\n\n{_MARK}" if before.strip() else _MARK + _LIVE
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{str(path)!r} cannot be written: {error.strerror}. Work in another folder.") from None
    return path


def _has_table(path: Path) -> bool:
    try:
        return "experiments" in tomllib.loads(path.read_text(encoding="utf-8")).get("tool", {})
    except FileNotFoundError:
        return False
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{str(path)!r} is not valid TOML: {error}. Mend it and run the command again.") from None


def _near(name: str) -> str:
    near = re.sub(r"[^a-z0-9_]+", "_", suggest_name(re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name))).strip("_")
    near = near if near[:1].isalpha() else f"study_{near}".rstrip("_")
    return near[:40]


def _class_name(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("_") if part)


def _is_module(name: str) -> bool:
    """Say whether an installed package has the name; what lies in the working folder does not count."""
    places = [place for place in sys.path if place and Path(place).resolve() != Path.cwd()]
    return importlib.machinery.PathFinder.find_spec(name, places) is not None
