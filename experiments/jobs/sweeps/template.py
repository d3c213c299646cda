"""The config of a trial from its values, without the recipe: recorded once, with a hole wherever a value goes.

Trials come for hours after a search was started, and a recipe may be edited meanwhile. So it is asked once, at the
start: for every combination of the choices, and at several points of each range. What changes with a number has to be
that number, in a text or as itself; a recipe that makes something else of it is refused then.
"""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Literal, TypeAlias

from experiments.jobs.sweeps.ranges import Choices, Range, Value, words
from experiments.project.errors import UsageError
from experiments.project.values import Frozen
from experiments.types import TrainingJobConfig

Make: TypeAlias = Callable[[Mapping[str, Value]], TrainingJobConfig]
"""What a recipe makes of the values of a trial."""

MOST_CASES = 256
_PROBES = 8
_FORMS: dict[str, Callable[[Any], Any]] = {"value": lambda v: v, "text": str, "short": lambda v: f"{v:g}"}


class IdleSettingError(UsageError):
    """A setting is searched that no job is told of: all of its trials would be one."""

    def __init__(self, setting: str) -> None:
        super().__init__(f"--search {setting!r}: the recipe tells no job of it, so all values are one. Leave it out.")
        self.setting = setting


class Hole(Frozen):
    """Where a value goes.

    Attributes:
        path: Keys and places in the config's JSON.
        before: What stands before it in a text.
        after: What stands behind it.
        form: As itself, as Python writes it, or in six digits.
    """

    path: tuple[str | int, ...]
    setting: str
    before: str = ""
    after: str = ""
    form: Literal["value", "text", "short"] = "text"

    def filled(self, value: Value) -> Any:  # noqa: ANN401 - whatever stands there
        """Return what stands there with this value."""
        written = _FORMS[self.form](value)
        return written if self.form == "value" else f"{self.before}{written}{self.after}"


class Case(Frozen):
    """One combination of the choices, with the config of a point in all ranges."""

    values: dict[str, Value]
    config: dict[str, Any]
    holes: tuple[Hole, ...]


class Template(Frozen):
    """The configs of all trials of a search."""

    cases: tuple[Case, ...]

    def config(self, values: Mapping[str, Value]) -> TrainingJobConfig:
        """Return the config of a trial.

        Raises:
            ValueError: It is not of this search.
        """
        fitting = (case for case in self.cases if all(values.get(name) == v for name, v in case.values.items()))
        if (case := next(fitting, None)) is None:
            raise ValueError(f"no config was recorded for {words(values)}")
        content = case.config
        for hole in case.holes:
            content = _put(content, hole.path, hole.filled(values[hole.setting]))
        return TrainingJobConfig.model_validate(content)


def make_template(space: Mapping[str, Range | Choices], make: Make) -> Template:
    """Return the template of what a recipe makes of the settings of a search.

    Args:
        space: What may be tried of each.
        make: Asks the recipe.

    Raises:
        UsageError: A setting reaches no job, or the recipe makes of a number what cannot be made without it.
    """
    choices = {name: each.values for name, each in space.items() if isinstance(each, Choices)}
    ranges = {name: each for name, each in space.items() if isinstance(each, Range)}
    if (number := math.prod(map(len, choices.values()))) > MOST_CASES:
        raise UsageError(
            f"--search has {number:,} combinations of listed values, and at most {MOST_CASES} are taken down. List "
            "fewer, or give ranges: learning_rate=log:1e-4..1e-1"
        )
    combinations = [dict(zip(choices, each, strict=True)) for each in itertools.product(*choices.values())]
    template = Template(cases=tuple(_case(combination, ranges, make) for combination in combinations))
    _check(template, ranges, make)
    _refuse_idle(template, choices, ranges)
    return template


def _case(values: dict[str, Value], ranges: Mapping[str, Range], make: Make) -> Case:
    middle = {name: each.at(0.5) for name, each in ranges.items()}
    config = _json(make({**values, **middle}))
    holes: list[Hole] = []
    for name, each in ranges.items():
        ends = [(end, _json(make({**values, **middle, name: end}))) for end in (each.at(0.0), each.at(1.0))]
        holes += _holes(name, (middle[name], config), ends)
    paths = [hole.path for hole in holes]
    if twice := next((path for path in paths if paths.count(path) > 1), None):
        names = " and ".join(repr(hole.setting) for hole in holes if hole.path == twice)
        raise UsageError(f"{names} stand in one argument of the trainer. Give each an argument of its own.")
    return Case(values=values, config=config, holes=tuple(holes))


def _holes(name: str, middle: tuple[Value, Any], ends: Sequence[tuple[Value, Any]]) -> list[Hole]:
    """Return where a number stands, from the configs at three values of it."""
    found = []
    for path, leaf in _leaves(middle[1]):
        others = [_at(config, path) for _, config in ends]
        if all(other == leaf for other in others):
            continue
        points = [(middle[0], leaf), *zip([value for value, _ in ends], others, strict=True)]
        hole = next((hole for hole in _candidates(name, path, *points[0]) if _fits(hole, points)), None)
        if hole is None:
            raise _not_plain(name, points[1])
        found.append(hole)
    return found


def _candidates(name: str, path: tuple[str | int, ...], value: Value, leaf: Any) -> Iterator[Hole]:  # noqa: ANN401
    if not isinstance(leaf, str):
        yield Hole(path=path, setting=name, form="value")
        return
    for form in ("text", "short"):
        written = str(_FORMS[form](value))
        at = leaf.find(written)
        while at >= 0:
            yield Hole(path=path, setting=name, before=leaf[:at], after=leaf[at + len(written) :], form=form)
            at = leaf.find(written, at + 1)


def _fits(hole: Hole, points: Sequence[tuple[Value, Any]]) -> bool:
    return all(hole.filled(value) == leaf for value, leaf in points)


def _check(template: Template, ranges: Mapping[str, Range], make: Make) -> None:
    """Ask the recipe at further points: the corners, and some that were drawn."""
    drawn = random.Random(0)  # noqa: S311 - any points do
    for case in template.cases if ranges else ():
        shares = [*_corners(len(ranges)), *([drawn.random() for _ in ranges] for _ in range(_PROBES))]
        for point in shares:
            values = case.values | {
                name: each.at(share) for (name, each), share in zip(ranges.items(), point, strict=True)
            }
            if template.config(values) != (made := make(values)):
                raise UsageError(
                    f"the recipe makes of {words(values)} what cannot be made without it later "
                    f"({' '.join(made.additional_args)[:120]}). Pass each setting on as it is, or list its values: "
                    f"{next(iter(ranges))}=A,B,C"
                )


def _corners(count: int) -> Iterator[tuple[float, ...]]:
    yield from itertools.islice(itertools.product((0.0, 1.0), repeat=count), 16)


def _refuse_idle(template: Template, choices: Mapping[str, Sequence[Value]], ranges: Mapping[str, Range]) -> None:
    """Refuse a setting that no job is told: all of its trials would be one."""
    told = {hole.setting for case in template.cases for hole in case.holes}
    for name in choices:
        by_rest: dict[str, list[Any]] = {}
        for case in template.cases:
            rest = repr({other: value for other, value in case.values.items() if other != name})
            by_rest.setdefault(rest, []).append(case.config)
        told |= {name} if any(config != group[0] for group in by_rest.values() for config in group) else set()
    if idle := next((name for name in (*choices, *ranges) if name not in told), None):
        raise IdleSettingError(idle)


def _not_plain(name: str, point: tuple[Value, Any]) -> UsageError:
    return UsageError(
        f"the recipe makes {str(point[1])[:120]!r} of {name} {point[0]}, not the number itself, so later trials could "
        f"not be made without the recipe. Pass it on as it is, or list its values: {name}=A,B,C"
    )


def _json(config: TrainingJobConfig) -> dict[str, Any]:
    return config.model_dump(mode="json")


def _leaves(content: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], Any]]:  # noqa: ANN401
    pairs = content.items() if isinstance(content, dict) else enumerate(content) if isinstance(content, list) else None
    if pairs is None:
        yield path, content
        return
    for key, inner in pairs:
        yield from _leaves(inner, (*path, key))


def _at(content: Any, path: Sequence[str | int]) -> Any:  # noqa: ANN401 - any JSON
    for key in path:
        try:
            content = content[key]
        except (KeyError, IndexError, TypeError):
            return None
    return content


def _put(content: Any, path: Sequence[str | int], leaf: Any) -> Any:  # noqa: ANN401 - any JSON
    """Return JSON values with another leaf; what was given stays as it is."""
    if not path:
        return leaf
    copy: Any = dict(content) if isinstance(content, dict) else list(content)
    copy[path[0]] = _put(copy[path[0]], path[1:], leaf)
    return copy
