"""Seeds until decided: a design whose seeds are launched in batches, as the ledger has it.

All that later batches need is recorded with the first: its plan has the configs, its provenance the code. A batch is
recorded in one transaction with its plan, so whoever is killed when, each is launched once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import Field, ValidationError

from experiments.jobs.journal import Journal
from experiments.jobs.ledger import Ledger, open_ledger
from experiments.jobs.ledger.reading import LedgerReader
from experiments.jobs.rule import ANY_TIME, FEWEST, Rule
from experiments.project.errors import LedgerError, UsageError, reasons
from experiments.project.values import Frozen
from experiments.project.workspace import Workspace

UNTIL_DECIDED = "until-decided"
"""What a person writes in the place of a number of seeds."""

OPENED, BATCH, ENDED = "until_decided", "batch", "until_ended"
"""Kinds of the ledger's events."""


class Batched(Frozen):
    """A design that goes on until it is decided.

    Attributes:
        plan_key: Of its first batch, which has the configs of all.
        batch: How many seeds of each arm follow at once, where the rule looks at any time; it looks at given numbers
            of seeds otherwise, and each batch goes to the next of them.
        budget: Name of the budget that its batches draw on; of designs of earlier versions all but the first.
        places: W&B places of the jobs, as settings.
    """

    experiment: str
    plan_key: str
    batch: int = Field(ge=1)
    budget: str
    train_command: tuple[str, ...]
    places: dict[str, str] = Field(default_factory=dict)
    wandb_mode: Literal["offline", "online"] = "offline"


@dataclass(frozen=True)
class Course:
    """A design that goes on by itself, and what became of it so far.

    Attributes:
        plan_keys: Of its batches, oldest first.
        ended: Why it ended; empty while it goes on.
    """

    batched: Batched
    plan_keys: tuple[str, ...]
    ended: str = ""


def first_batch(rule: Rule | None, batch: int | None, most: int | None) -> int:
    """Return how many seeds of each arm a design begins with that goes on until it is decided.

    Args:
        batch: How many seeds follow at once, as asked; None for what the rule needs.
        most: The most seeds of each arm, as asked; None for those that the rule plans.

    Raises:
        UsageError: The rule allows no look before its end, or plans another number of seeds.
    """
    if rule is None or rule.looks is None:
        raise UsageError(
            "seeds until decided need a rule that looks before its end, written before the launch: looks=(4, 6, 8, 10, "
            "12) in the recipe's rule, or looks='any time' with seeds, floor and ceiling."
        )
    if most is not None and most != rule.planned:
        raise UsageError(
            f"--max-seeds {most} is not what the rule plans: {rule.planned} seeds of each arm. Leave it out, or change "
            "the rule before anything is launched."
        )
    if rule.looks == ANY_TIME:
        return max(FEWEST, batch or 0)
    if batch is not None:
        raise UsageError(
            f"--batch-seeds {batch} does not go with looks={rule.looks!r}: each batch goes to the next look."
        )
    return int(rule.looks[0])


def seeds_of_first_batch(
    workspace: Workspace,
    experiment: str,
    journal: Journal,
    *,
    batch: int | None = None,
    most: int | None = None,
    control: Sequence[int] | None = None,
) -> tuple[int, ...]:
    """Return the seeds of the first batch: the first numbers, or the first of the control that stands for the baseline.

    Args:
        batch: See `first_batch`.
        most: See `first_batch`.
        control: The seeds of a control; None without one.

    Raises:
        UsageError: There is no hypothesis, a rule that does not look before its end, or a design of this name already.
    """
    if not journal.is_written:
        raise UsageError(
            "seeds until decided need a hypothesis beside the rule, written before the launch: hypothesis = '...' in "
            "the recipe, or in the notebook's cell journal."
        )
    if workspace.settings.in_place:
        raise UsageError("seeds until decided run one snapshot from the first batch to the last, so none in place.")
    number = first_batch(journal.rule, batch, most)
    with open_ledger(workspace, read_only=True) as ledger:
        course = next((one for one in courses(ledger) if one.batched.experiment == experiment), None)
        is_there = course is not None and ledger.has_plan(course.batched.plan_key)
    if course is not None and is_there:
        stands = f"has ended ({course.ended})" if course.ended else "goes on by itself (experiments step)"
        raise UsageError(
            f"experiment {experiment!r} {stands}: its seeds are not launched once more. Give another design a name of "
            f"its own, as the first word: {experiment}-2"
        )
    return tuple(control[:number]) if control is not None else tuple(range(number))


def open_batches(ledger: Ledger, batched: Batched, by: str) -> None:
    """Record that a design goes on until it is decided; one that does so already stays as it is."""
    if not any(course.batched.plan_key == batched.plan_key and not course.ended for course in courses(ledger)):
        ledger.add_event(OPENED, plan_key=batched.plan_key, by=by, batched=batched.model_dump(mode="json"))


def batch_event(batched: Batched) -> tuple[str, Mapping[str, Any]]:
    """Return the event of a further batch, for the transaction that records its plan."""
    return BATCH, {"of": batched.plan_key}


def end_batches(ledger: Ledger, batched: Batched, why: str) -> None:
    """Record that no further batch follows, and why."""
    ledger.add_event(ENDED, plan_key=batched.plan_key, why=why)


def courses(ledger: LedgerReader) -> list[Course]:
    """Return every design that goes on, or went on, by itself, oldest first.

    Raises:
        LedgerError: A record cannot be read; to leave it out would be to launch its batches again.
    """
    opened: dict[str, Batched] = {}
    keys: dict[str, list[str]] = {}
    ended: dict[str, str] = {}
    # In the order in which they were recorded, which is not that of their times where a clock was set back.
    for event in ledger.events(kind={OPENED, BATCH, ENDED}):
        if "unreadable" in event.data or event.plan_key is None:
            raise LedgerError(
                f"an event of seeds until decided ({event.kind}) cannot be read in the ledger. Rebuild it from what "
                "was told beside it: experiments doctor --rebuild"
            )
        if event.kind == OPENED:
            opened[event.plan_key] = _batched(event.data)
            keys.setdefault(event.plan_key, [event.plan_key])
            ended.pop(event.plan_key, None)
        elif event.kind == BATCH:
            batches = keys.setdefault(str(event.data["of"]), [str(event.data["of"])])
            batches += [event.plan_key] if event.plan_key not in batches else []
        else:
            ended[event.plan_key] = str(event.data.get("why") or "ended")
    return [Course(each, tuple(keys[key]), ended.get(key, "")) for key, each in opened.items()]


def _batched(data: Mapping[str, Any]) -> Batched:
    try:
        return Batched.model_validate(data.get("batched"))
    except ValidationError as error:
        raise LedgerError(f"the record of seeds until decided cannot be read ({reasons(error)}).") from error
