"""`experiments permit`: a person allows a program or an agent so much, and until when."""

from __future__ import annotations

import shlex
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

import tyro

from experiments.cli import budget as budgets
from experiments.cli.budget import granted_as, read_moment
from experiments.cli.envelope import Answer, Shown
from experiments.cli.terminal import ask_a_person, console, say
from experiments.jobs.ledger import Granted, Limits, open_ledger
from experiments.jobs.ledger.budgets import Budget, limits_words
from experiments.jobs.ledger.granted import ACTS, Act, new
from experiments.project.errors import UsageError
from experiments.project.names import check_name
from experiments.project.workspace import Workspace


class Permit(Shown):
    """A permit, and what is drawn from it.

    Attributes:
        recipes: Files of the recipes that it covers; empty for any.
    """

    may: tuple[Act, ...]
    recipes: tuple[str, ...]
    budget: budgets.Granted


class Permits(Shown):
    """Permits, oldest first.

    Attributes:
        token: Of the one that was granted now, which is shown this once; null where it was saved to a file.
        file: Where it was saved.
    """

    permits: tuple[Permit, ...]
    token: str | None = None
    file: str | None = None


def permit(
    action: tyro.conf.Positional[Literal["grant", "list", "end"]] = "grant",
    which: tyro.conf.Positional[Annotated[str | None, tyro.conf.arg(metavar="[NAME]", help_behavior_hint="")]] = None,
    *,
    name: Annotated[str | None, tyro.conf.arg(metavar="NAME", help_behavior_hint="")] = None,
    jobs: Annotated[int | None, tyro.conf.arg(metavar="N", help_behavior_hint="")] = None,
    gpu_hours: Annotated[float | None, tyro.conf.arg(metavar="HOURS", help_behavior_hint="")] = None,
    usd: Annotated[float | None, tyro.conf.arg(metavar="DOLLARS", help_behavior_hint="")] = None,
    until: Annotated[str | None, tyro.conf.arg(metavar="TIME", help_behavior_hint="")] = None,
    recipes: Annotated[tuple[Path, ...], tyro.conf.arg(metavar="[FILE ...]", help_behavior_hint="")] = (),
    may: Annotated[str, tyro.conf.arg(metavar="ACT,...")] = "launch,retry,cancel",
    save: Annotated[Path | None, tyro.conf.arg(metavar="FILE", help_behavior_hint="")] = None,
) -> Answer[Permits]:
    """Allow a program or an agent to launch, within limits; print the token that it needs.

    Whoever has the token in EXPERIMENTS_PERMIT_TOKEN launches with it: each job draws on the permit, and ledger, pages
    and notes say that it was launched so. A permit is granted on a terminal, by a person who types yes.

    Args:
        action: grant makes a permit, list shows every one, end stops anything from being done with it.
        which: With list and end: which permit.
        name: What it is called; the day where no name is given.
        jobs: How many jobs it covers.
        gpu_hours: How many GPU hours these may take; jobs need max_runtime_hours then.
        usd: How many dollars, by their highest price.
        until: When it ends, such as 2030-12-01T08:00.
        recipes: Files of the recipes that it covers; any where none is named.
        may: What it covers, of launch, cancel and retry; cancel and retry of jobs that draw on it or are its recipes'.
        save: Write the token into a new file that nobody else can read, instead of showing it.
    """
    workspace = Workspace.find(Path.cwd())
    if action == "list":
        return _list(workspace, which)
    if action == "end":
        return _end(workspace, which)
    if which is not None:
        raise UsageError(f"a permit is granted a name by --name {shlex.quote(which)}. Write it so.")
    limits = Limits(jobs, gpu_hours, usd, None if until is None else read_moment("until", until))
    return _grant(workspace, name, limits, recipes, _acts(may), save)


def _acts(may: str) -> tuple[Act, ...]:
    words = [word.strip() for word in may.split(",") if word.strip()]
    if unknown := [word for word in words if word not in ACTS]:
        raise UsageError(f"a permit covers {', '.join(ACTS)}, and not {unknown[0]!r}. Name some of these: --may launch")
    if not words:
        raise UsageError("a permit that covers nothing is none. Name what it covers: --may launch,cancel,retry")
    return tuple(act for act in ACTS if act in words)


def _grant(
    workspace: Workspace,
    name: str | None,
    limits: Limits,
    recipes: Sequence[Path],
    may: Sequence[Act],
    save: Path | None,
) -> Answer[Permits]:
    from experiments.jobs.covering import recipe_word
    from experiments.jobs.permits import person_permit
    from experiments.jobs.tokens import digest_of, new_token
    from experiments.jobs.tokens import save as save_token

    if missing := [path for path in recipes if not path.is_file()]:
        raise UsageError(f"there is no recipe {str(missing[0])!r}. Name the file of one: --recipes study.py")
    if save is not None and (save.exists() or save.is_symlink()):
        raise UsageError(f"{str(save)!r} is there already. Name a new file: --save FILE")
    with open_ledger(workspace, read_only=True) as ledger:
        taken = {budget.name for budget in ledger.budgets()}
    if name is None:
        day = time.strftime("%Y-%m-%d")
        name = next(word for word in (day, *(f"{day}-{n}" for n in range(2, len(taken) + 3))) if word not in taken)
    token = new_token(check_name("permit", name))
    typed = shlex.join(["experiments", "permit", "--name", name])
    granted = new(name, digest_of(token), may, [recipe_word(path, workspace.root) for path in recipes], typed)
    say(f"Permit {name}: {limits_words(limits)}; may {granted.sentence}.", to_stderr=True)
    person_permit(f"grant permit {name!r}")
    ask_a_person(f"grant permit {name!r}", "Whoever has its token may do this in your name.")
    with open_ledger(workspace) as ledger:
        ledger.grant_permit(granted, limits)
    if save is not None:
        save_token(token, save)
    [now] = _found(workspace, name)

    def words(answer: Permits) -> None:
        if answer.token is not None:
            say(answer.token)
            say("Hand it over as the variable EXPERIMENTS_PERMIT_TOKEN; it is not shown again.", to_stderr=True)
        elif save is not None:
            say(f"Its token is in {save}: export EXPERIMENTS_PERMIT_FILE={shlex.quote(str(save.absolute()))}")
        say(f"End it: uv run experiments permit end {name}", to_stderr=True)

    shown = token if save is None else None
    return Answer(Permits(permits=(_as(*now),), token=shown, file=None if save is None else str(save)), words)


def _found(workspace: Workspace, name: str | None) -> list[tuple[Granted, Budget]]:
    with open_ledger(workspace, read_only=True) as ledger:
        known = {budget.name: budget for budget in ledger.budgets()}
        found = [(one, known[one.name]) for one in ledger.permits(name)]
    if name is not None and not found:
        raise UsageError(f"there is no permit {name!r}. See them: experiments permit list")
    return found


def _list(workspace: Workspace, name: str | None) -> Answer[Permits]:
    found = _found(workspace, name)

    def words(_: Permits) -> None:
        console().print(_table(found)) if found else say("No permit was granted.")

    return Answer(Permits(permits=tuple(_as(*each) for each in found)), words)


def _as(granted: Granted, budget: Budget) -> Permit:
    return Permit(may=granted.may, recipes=granted.recipes, budget=granted_as(budget))


def _table(found: Sequence[tuple[Granted, Budget]]) -> object:
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="dim")
    for heading in ("permit", "may", "used", "not ended", "granted"):
        table.add_column(heading, overflow="fold")
    for one, budget in found:
        granted = time.strftime("%Y-%m-%d %H:%M", time.localtime(one.granted_at))
        table.add_row(one.name, one.sentence, budget.sentence, str(budget.reserved), granted)
    return table


def _end(workspace: Workspace, name: str | None) -> Answer[Permits]:
    from experiments.jobs.permits import person_permit

    if name is None:
        raise UsageError("which permit? Name it: experiments permit end NAME. See them: experiments permit list")
    person_permit(f"end permit {name!r}")
    _found(workspace, name)
    with open_ledger(workspace) as ledger:
        was_open = ledger.end_budget(name, "ended by a person")
    [now] = _found(workspace, name)

    def words(_: Permits) -> None:
        say(f"Permit {name} is ended." if was_open else f"Permit {name} had ended already.")

    running = now[1].reserved
    more = f"of its jobs {running} have not ended. End them too: uv run experiments budget end {name} --cancel"
    return Answer(Permits(permits=(_as(*now),)), words, notes=[more] if running else [])
