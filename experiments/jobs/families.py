"""Families of designs: how many attempts at a claim were registered, and the level that leaves for the next one.

Whoever registers one candidate after the other against the same baseline, until one passes, makes as many attempts at
a false claim. So the k-th design of a family, those with the same baseline, metric and task, gets a share of the rule's
level: 6 / (pi² k²) of it, which over all k is the whole; which of two arms is called the baseline is no matter.
Source: alpha-spending, Foster & Stine 2008, "alpha-investing: a procedure for sequential control of expected false
discoveries"; the shares are those of the squares, whose sum is 1.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from experiments.jobs.controls.pooled import controls_of
from experiments.jobs.journal import KIND, Journal
from experiments.jobs.ledger.reading import LedgerReader
from experiments.jobs.rule import LEVEL, Rule
from experiments.jobs.selection import task_of
from experiments.project.look import counted
from experiments.runs.evaluations import measured
from experiments.types import KeptControl, Plan, TrainingJob, TrainingJobConfig


class _Design(NamedTuple):
    """A design by its digests.

    `turned` is the family that it would be of with its arms turned round, `kin` what its family has in common with
    those whose baseline has other settings.
    """

    family: str
    turned: str
    design: str
    kin: str


def level_of(number: int, level: float = LEVEL, control: KeptControl | None = None) -> float:
    """Return the error rate of the `number`-th design of a family that may use `level` in all.

    Args:
        control: That stands for its baseline; one that was chosen of several has a part of the level, as each has.
    """
    return level * 6 / (math.pi * number) ** 2 / (control.chosen_from if control is not None else 1)


def arms_of_rule(rule: Rule, arms: Sequence[str]) -> tuple[str, str] | None:
    """Return arm and baseline that a rule is about, among arms in their order; None where it does not say which."""
    baseline = rule.baseline or (arms[0] if arms else "")
    others = [name for name in arms if name != baseline]
    arm = rule.arm or (others[0] if len(others) == 1 else "")
    return (arm, baseline) if arm in arms and baseline in arms and arm != baseline else None


def configs_of(plan: Plan, ledger: LedgerReader) -> dict[str, TrainingJobConfig]:
    """Return the config of each arm of an experiment, those launched earlier first, as the page has them."""
    rows = ledger.rows(experiment=plan.experiment)
    controls = controls_of(ledger, [row.plan_key for row in rows]) + ([plan.control] if plan.control else [])
    earlier = {row.arm: row.config for row in rows if isinstance(row, TrainingJob) and row.arm}
    return {one.arm: one.config for one in controls} | earlier | {job.arm: job.config for job in plan.jobs}


def family_of(plan: Plan, journal: Journal, ledger: LedgerReader) -> dict[str, str]:
    """Return a design as it is recorded, with its family; empty where the rule does not say which arms it is about.

    A design is known by experiment, text, rule and what its arms compute; so a second launch of it, with more seeds, is
    no further attempt.
    """
    configs = configs_of(plan, ledger)
    about = arms_of_rule(journal.rule, list(configs)) if journal.rule is not None else None
    if about is None or journal.rule is None:
        return {}
    arm, baseline = (task_of(configs[name]) for name in about)
    curriculum, _, trainer = baseline
    metric = measured(journal.rule.metric)
    return {
        "family": _digest([metric, baseline]),
        "turned": _digest([metric, arm]),
        "design": _digest([plan.experiment, journal.digest, arm, baseline]),
        "kin": _digest([metric, curriculum, trainer]),
    }


def is_recorded(design: Mapping[str, str], ledger: LedgerReader) -> bool:
    """Return whether a design, from `family_of`, was recorded before."""
    own = _design(design)
    return any((own.family, own.design) == (each.family, each.design) for each in _designs(ledger))


def place_of(design: Mapping[str, str], ledger: LedgerReader) -> tuple[int, int]:
    """Return which design of its family one is or would be, and how many of its kin came before.

    Its kin are the designs of families whose baseline has other settings.
    """
    known, own = _designs(ledger), _design(design)
    return _number(known, own), _kin(known, own)


def recorded_place(ledger: LedgerReader, keys: Sequence[str]) -> tuple[int | None, int]:
    """Return the place of the design that was recorded with some plans; None where an earlier version recorded it."""
    own = _recorded_design(ledger, keys)
    return place_of(own, ledger) if own is not None else (None, 0)


def families_until(design: Mapping[str, str], ledger: LedgerReader) -> int:
    """Return of how many families claims were registered here until one of a design, from `family_of`, and with it."""
    known, own = _designs(ledger), _design(design)
    seen: set[str] = set()
    number = 0
    for each in [*itertools.takewhile(lambda each: each.design != own.design, known), own]:
        number += seen.isdisjoint({each.family, each.turned})
        seen |= {each.family, each.turned} - {""}
    return number


def recorded_families(ledger: LedgerReader, keys: Sequence[str]) -> int:
    """Return `families_until` of the design that was recorded with some plans; 0 where none was."""
    own = _recorded_design(ledger, keys)
    return families_until(own, ledger) if own is not None else 0


def families_words(families: int, level: float) -> str:
    """Return what is to be expected of so many families, as a sentence after another; empty for the first one.

    Each may make one false claim in `1 / level`, whatever is asked: whoever asks anew each night is told by this only.
    """
    if families < 2:
        return ""
    return (
        f" With it this project registered claims of {families:,} families: were there no difference in any, up to "
        f"{families * level:.2g} of them would be falsely decided."
    )


def kin_words(kin: int) -> str:
    """Return how many designs of its kin came before one, as a sentence after another; empty for none."""
    if not kin:
        return ""
    return f" Before it came {counted(kin, 'design')} of this metric and trainer whose baseline has other settings."


def _recorded_design(ledger: LedgerReader, keys: Sequence[str]) -> Mapping[str, Any] | None:
    events = ledger.events(plan_key=keys, kind=KIND)
    return next((each.data for each in sorted(events, key=lambda each: each.at) if each.data.get("family")), None)


def _digest(content: object) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def _design(data: Mapping[str, Any]) -> _Design:
    return _Design(*(str(data.get(name, "")) for name in _Design._fields))


def _designs(ledger: LedgerReader) -> list[_Design]:
    """Return every design that was recorded, oldest first."""
    found = [_design(event.data) for event in ledger.events(kind=KIND)]
    return [design for design in found if design.family and design.design]


def _number(designs: Sequence[_Design], own: _Design) -> int:
    """Return which design one is of its family, as baseline or as arm: "a above b" is "b below a" with other names."""
    numbers = []
    for task in filter(None, (own.family, own.turned)):
        known = list(dict.fromkeys(each.design for each in designs if task in (each.family, each.turned)))
        numbers.append(known.index(own.design) + 1 if own.design in known else len(known) + 1)
    return max(numbers)


def _kin(designs: Sequence[_Design], own: _Design) -> int:
    """Return how many designs came before one in other families of its kin."""
    before = itertools.takewhile(lambda each: each.design != own.design, designs)
    kin = (each for each in before if own.kin and each.kin == own.kin)
    return len({each.design for each in kin if own.family not in (each.family, each.turned)})
