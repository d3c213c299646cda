"""What evaluations of a run's checkpoints found: files in the run's folder, and the metrics that they make.

In `evaluations/<id>/` are `request.json`, written before the job that plays is launched, and `rows.json`, written by
that job: a list of rows, one a map or more, each with its `map` and numbers. A metric `eval/64-maps/return` is the mean
of `return` over 64 maps, at the step of each checkpoint that was played on so many.
"""

from __future__ import annotations

import math
import os
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import Field, ValidationError

from experiments.project.errors import StoreError
from experiments.project.files import parse_json, real_number
from experiments.project.look import counted
from experiments.project.values import Frozen
from experiments.runs.axes import ROW_STEP, as_numbers

if TYPE_CHECKING:
    import pandas as pd

    Rows = tuple[pd.DataFrame, dict[str, tuple[int, ...]]]

EVALUATIONS = "evaluations"
"""Folder of a run that holds them."""
KEPT = "checkpoints"
"""Folder in it with the checkpoints that were played, each under the hash of its content."""
REQUEST, ROWS = "request.json", "rows.json"
MAP = "map"
"""Key of a row that says which map was played."""
_NOT_OWN, _SHOWN = "evaluated by code that is not known to be the run's own", 12
_CHOSEN = "which of them count was chosen after the launch"
_KEY = re.compile(r"eval/([1-9]\d{0,8})-maps/(.+)")


class EvaluationRequest(Frozen):
    """One checkpoint of a run, to be played on so many maps by some code.

    Attributes:
        id: Hash of the checkpoint's content, the maps, the code and the command: equal ones are one evaluation.
        checkpoint: Name of its file or folder.
        step: Of the checkpoint, by its name.
        sha256: Of its content.
        maps: How many.
        code: Snapshot that plays, or the hash of the working tree where the run itself ran in it.
        is_own_code: Whether it is known to be what the run ran.
        command: Template of the command line.
        counter: Counter of the run that `step` is of; empty where its trainer names none.
        at: Unix seconds.
    """

    id: str = Field(pattern=r"^[0-9a-f]{16}$")
    run: str
    checkpoint: str
    step: int = Field(ge=0)
    sha256: str
    maps: int = Field(ge=1)
    code: str
    is_own_code: bool = True
    command: tuple[str, ...]
    counter: str = ""
    at: float

    @property
    def played_by(self) -> tuple[str, tuple[str, ...]]:
        """What has to be the same where numbers of several checkpoints are put side by side."""
        return self.code, self.command


@dataclass(frozen=True)
class Evaluation:
    """What is known of one evaluation.

    Attributes:
        rows: What was found, a row for each episode; none where it has found nothing yet.
        problem: Why what it wrote cannot be taken for a result; empty where nothing is wrong.
    """

    request: EvaluationRequest
    rows: tuple[Mapping[str, Any], ...] = ()
    problem: str = ""

    @property
    def metrics(self) -> dict[str, tuple[float, ...]]:
        """Numbers of each metric, one a row that has it."""
        names = dict.fromkeys(name for row in self.rows for name in row if name != MAP)
        found = {name: tuple(n for row in self.rows if (n := _number(row.get(name))) is not None) for name in names}
        return {name: numbers for name, numbers in found.items() if numbers}


@dataclass(frozen=True)
class Evaluations:
    """All evaluations of a run.

    Attributes:
        held: By step, then by maps, then by the time they were asked for.
        problems: What else is in the folder and cannot be read, one sentence each.
    """

    held: tuple[Evaluation, ...] = ()
    problems: tuple[str, ...] = ()

    def chosen(self, maps: int) -> tuple[list[Evaluation], list[str]]:
        """Return what is put side by side of the evaluations on so many maps, and what that leaves out.

        Those of other code or another command than the last that was asked for are left out: they are other measures.
        Which is the last is chosen by whoever asks, unless one command was ever used and the run's own code counts.
        """
        done = [one for one in self.held if one.request.maps == maps and one.rows]
        if not done:
            return [], []
        last = max(done, key=lambda one: one.request.at).request.played_by
        same = [one for one in done if one.request.played_by == last]
        notes = []
        if left := len(done) - len(same):
            what = f"{counted(left, 'evaluation')} on {counted(maps, 'map')}"
            notes.append(f"{what} by other code or another command left out")
            if len({one.request.command for one in done}) > 1 or not all(one.request.is_own_code for one in same):
                notes.append(_CHOSEN)
        if not all(one.request.is_own_code for one in same):
            notes.append(f"{_NOT_OWN} ({last[0][:_SHOWN]})")
        return same, notes

    def latest(self) -> dict[str, float]:
        """Return the metrics of the last checkpoint that was evaluated, of each number of maps."""
        found: dict[str, float] = {}
        for maps in dict.fromkeys(one.request.maps for one in self.held):
            for one in self.chosen(maps)[0]:
                found |= {metric_key(maps, name): mean(numbers) for name, numbers in one.metrics.items()}
        return found


def metric_key(maps: int, name: str) -> str:
    """Return the key of a metric of evaluations: `eval/64-maps/return`."""
    return f"eval/{maps}-maps/{name}"


def is_of_evaluations(key: str) -> bool:
    """Return whether a metric may be one of evaluations, by its key."""
    return _KEY.fullmatch(key) is not None


def measured(key: str) -> str:
    """Return what a metric measures: the same for evaluations on however many maps, else the metric itself."""
    return _KEY.sub(r"eval/maps/\2", key) if is_of_evaluations(key) else key


def other_code(note: str) -> str:
    """Return which code evaluated a run, from what is said of its rows; empty for the run's own."""
    found = re.search(rf"{_NOT_OWN} \((.*?)\)", note)
    return found[1] if found else ""


def were_chosen(note: str) -> bool:
    """Return whether a run was evaluated in several ways of which one was chosen, from what is said of its rows."""
    return _CHOSEN in note


def mean(numbers: Sequence[float]) -> float:
    """Return the mean; NaN where any is NaN."""
    return math.fsum(numbers) / len(numbers) if all(map(math.isfinite, numbers)) else sum(numbers) / len(numbers)


def read_evaluations(run_dir: Path) -> Evaluations:
    """Return what was evaluated of a run; nothing where it has no such folder.

    Raises:
        OSError: The folder is there and cannot be read.
    """
    try:
        names = sorted(os.listdir(run_dir / EVALUATIONS))  # noqa: PTH208 - also asked in every poll
    except FileNotFoundError:
        return Evaluations()
    held, problems = [], []
    for name in names:
        if name == KEPT or name.startswith("."):
            continue
        folder = run_dir / EVALUATIONS / name
        try:
            request = EvaluationRequest.model_validate(parse_json((folder / REQUEST).read_bytes()))
        except (OSError, ValueError, ValidationError) as error:
            reason = str(error).splitlines()[0]
            problems.append(f"what was asked for in {str(folder)!r} cannot be read ({reason})")
            continue
        held.append(_with_rows(request, folder / ROWS))
    held.sort(key=lambda one: (one.request.step, one.request.maps, one.request.at))
    return Evaluations(tuple(held), tuple(problems))


def signature(run_dir: Path) -> str:
    """Return a text that changes whenever an evaluation of a run is asked for or has ended; empty without any."""
    folder = f"{run_dir}/{EVALUATIONS}"
    try:
        # A file that is renamed into a folder changes the folder's time.
        times = [os.stat(f"{folder}/{name}").st_mtime_ns for name in sorted(os.listdir(folder))]  # noqa: PTH116, PTH208
    except OSError:
        return ""
    return "+".join(map(str, times))


def evaluations_in(folders: Iterable[Path]) -> Evaluations:
    """Return the evaluations in the first of a run's folders that has any.

    Raises:
        StoreError: They cannot be read.
    """
    for folder in folders:
        try:
            found = read_evaluations(folder)
        except OSError as error:
            raise StoreError(f"the evaluations in {str(folder)!r} cannot be read ({error}).") from error
        if found != Evaluations():
            return found
    return Evaluations()


def with_evaluations(
    keys: Sequence[str] | None, folders: Iterable[Path], read: Callable[[Sequence[str] | None], Rows]
) -> tuple[pd.DataFrame, dict[str, tuple[int, ...]], list[str]]:
    """Return what `read` has of a run's metrics, with those of evaluations where they are asked for by name.

    They are no rows that its trainer logged: whoever asks for all of these gets none of them.

    Raises:
        StoreError: Evaluations cannot be read.
    """
    if keys is None or not any(map(is_of_evaluations, keys)):
        return *read(keys), []
    found = evaluations_in(folders)
    counters = {one.request.counter for one in found.held} - {"", ROW_STEP, *keys}
    frame, nan_steps = read([*keys, *sorted(counters)])
    frame, more, notes = joined(frame, keys, found)
    shown = frame.drop(columns=[key for key in counters if key in frame])
    return shown, nan_steps | more, [*notes, *found.problems]


def joined(
    frame: pd.DataFrame, keys: Iterable[str], evaluations: Evaluations
) -> tuple[pd.DataFrame, dict[str, tuple[int, ...]], list[str]]:
    """Return a run's rows with those of the metrics of evaluations that were asked for.

    A row of an evaluation stands behind the last that the run logged up to the step of its checkpoint.

    Args:
        frame: The run's rows, with the counter that the checkpoints' steps are of.
        keys: Metrics. One that the run itself has logged stays as it is.

    Returns:
        The rows; where a metric is NaN in them; what is to be said of them.
    """
    import pandas as pd

    rows: list[dict[str, float]] = []
    notes: list[str] = []
    for key in keys:
        match = _KEY.fullmatch(key)
        if match is None or key in frame:
            continue
        chosen, said = evaluations.chosen(int(match[1]))
        found = [(one.request, one.metrics[match[2]]) for one in chosen if match[2] in one.metrics]
        if not found:
            continue
        if not all(request.counter for request, _ in found):
            notes.append(f"{key} stands over no steps: the trainer names no counter. Name it: Metrics(step='KEY')")
            continue
        notes += said
        rows += [
            {ROW_STEP: _row_step(frame, request), request.counter: float(request.step), key: mean(numbers)}
            for request, numbers in found
        ]
    if not rows:
        return frame, {}, notes
    more = pd.DataFrame(rows).astype({ROW_STEP: "int64"})
    nan_steps = {
        key: tuple(int(row[ROW_STEP]) for row in rows if key in row and math.isnan(row[key]))
        for key in dict.fromkeys(name for row in rows for name in row)
    }
    whole = pd.concat([frame, more], ignore_index=True).sort_values(ROW_STEP, kind="stable", ignore_index=True)
    return whole, {key: steps for key, steps in nan_steps.items() if steps}, list(dict.fromkeys(notes))


def _row_step(frame: pd.DataFrame, request: EvaluationRequest) -> int:
    """Return W&B's step of the last row that a run had logged when it saved a checkpoint; 0 before its first."""
    if request.counter == ROW_STEP:
        return request.step
    if request.counter not in frame:
        return 0
    before = frame.loc[as_numbers(frame[request.counter]) <= request.step, ROW_STEP]
    return int(before.max()) if len(before) else 0


def _with_rows(request: EvaluationRequest, path: Path) -> Evaluation:
    try:
        rows = parse_json(path.read_bytes())
    except FileNotFoundError:
        return Evaluation(request)
    except (OSError, ValueError) as error:
        return Evaluation(request, problem=f"{str(path)!r} cannot be read ({error})")
    problem = _problem_of(rows, request.maps)
    return Evaluation(request, problem=f"{str(path)!r} {problem}") if problem else Evaluation(request, tuple(rows))


def _problem_of(rows: object, maps: int) -> str:
    """Return why a JSON value is no result; empty where it is one."""
    if not isinstance(rows, list) or not rows or not all(isinstance(row, dict) for row in rows):
        return 'is no list of rows, such as [{"map": 7, "return": 1.5}]'
    played = Counter(str(row[MAP]) for row in rows if isinstance(row.get(MAP), (int, str)))
    if played.total() < len(rows):
        return f"has rows that do not say their {MAP!r}"
    if len(played) != maps:
        return f"has rows of {counted(len(played), 'map')}, and {maps} were asked for"
    if not any(_number(value) is not None for row in rows for name, value in row.items() if name != MAP):
        return "has no number in its rows"
    return ""


def _number(value: object) -> float | None:
    return real_number(value) if isinstance(value, (int, float)) else None
