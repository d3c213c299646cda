"""The table of runs: one row a run, live numbers, small curves, and only the settings in which the runs differ.

    picked = run_table(experiment, tracked_jobs, ["overview/reward"])
    selected_runs(picked)          run names of the selected rows; none selected is an empty list

What is selected stays selected when the table is made again with newer data.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeAlias

import marimo as mo
import pandas as pd

from experiments.jobs.watch.snapshots import read_versions
from experiments.notebooks.charts.grids import matching
from experiments.notebooks.context import NotebookContext
from experiments.notebooks.styles import as_markdown
from experiments.notebooks.tables.sparklines import Sparkline, blocks, scale_of, thinned
from experiments.project import look
from experiments.project.errors import ExperimentsError
from experiments.project.look import counted
from experiments.project.standing import seed_number, uncounted_words
from experiments.project.state_words import TRACKER_WORDS
from experiments.project.tables import csv_text, latex_table
from experiments.results.logged import logged_metrics
from experiments.results.rows import RunRow, config_differences, run_rows, short_names
from experiments.results.scores import known_statuses
from experiments.runs.axes import counters_of
from experiments.runs.roles import metrics_of
from experiments.runs.store import REWARD_KEY, RunStore, columns_of
from experiments.types import JobRef

Settings: TypeAlias = Mapping[str, Mapping[str, str | float | bool | None]]
MAX_DIFFERENCES, MAX_CHOSEN = 12, 24
"""As many settings are shown at first, and as many columns as somebody chooses: a run may have 10,000 keys."""
_PAGE = 20
_KEPT_CURVES = 4_000
_OWN_COLUMNS = {"run_name", "arm", "seed", "verdict", "role", "steps", "sps", "time", "cost", "state"}
STATE_WORDS = {word: f"{sign.mark} {word}" for word, sign in look.STATES.items()}

_curves: dict[tuple[object, ...], list[float]] = {}
_guard = threading.Lock()  # the sessions of one server are threads of one process
_selected: weakref.WeakKeyDictionary[threading.Thread, dict[tuple[str, str], list[str]]] = weakref.WeakKeyDictionary()


def run_table(
    experiment: NotebookContext,
    jobs: Sequence[JobRef],
    metrics: Sequence[str] = (REWARD_KEY,),
    *,
    colours: Mapping[str, str] | None = None,
    selected: Iterable[str] | None = None,
    columns: str = "",
    then: Callable[[list[str]], None] | None = None,
) -> Any:
    """Return an interactive table of runs; its `.value` is a DataFrame with the selected rows, column `run_name`.

    Args:
        metrics: Keys that become a column with the latest value and one with a small curve.
        colours: Colour of each arm's curves; the accent of the page where None.
        selected: Run names to select; by default those that were selected in this table before.
        columns: Which settings and metrics become a column, as a pattern: `losses/*, batch`; empty for the settings in
            which runs differ.
        then: Called with the run names of each new selection.
    """
    place = (str(experiment.workspace.state), experiment.name)
    chosen = set(_selected.setdefault(threading.current_thread(), {}).get(place, []) if selected is None else selected)
    frame, curves = run_frame(experiment, jobs, metrics, columns)
    names = [str(name) for name in frame["run_name"]]

    def remember(value: Any) -> None:
        found = [str(name) for name in value["run_name"]]
        _selected.setdefault(threading.current_thread(), {})[place] = found
        if then is not None:
            then(found)

    return mo.ui.table(
        frame,
        selection="multi",
        initial_selection=[at for at, name in enumerate(names) if name in chosen],
        pagination=len(frame) > _PAGE,
        page_size=_PAGE if len(frame) > _PAGE else max(1, len(frame)),
        show_column_summaries=False,
        show_data_types=False,
        show_download=False,  # marimo's file would be run by a spreadsheet; see `table_downloads`
        max_columns=None,
        format_mapping=_formats(frame, curves, colours or {}),
        freeze_columns_left=["run_name"],
        text_justify_columns={str(name): "right" for name in frame.columns if is_number(frame[name])},
        header_tooltip=frame.attrs["tooltips"],
        hover_template="{{run_name}}",
        label=_caption(frame),
        on_change=remember,
    )


class CurveText(str):
    """A curve as text that knows whose it is: two runs may look the same in twenty marks."""

    __slots__ = ("arm", "run")
    arm: str
    run: str

    @classmethod
    def of(cls, run: str, arm: str, text: str) -> CurveText:
        """Return the text of one run's curve."""
        made = cls(text)
        made.run, made.arm = run, arm
        return made


def selected_runs(element: Any) -> list[str]:
    """Return the names of the runs that are selected in a table; none where nothing is, or there is no table."""
    value = getattr(element, "value", None)
    if not isinstance(value, pd.DataFrame) or "run_name" not in value:
        return []
    return [str(name) for name in value["run_name"]]


def run_frame(
    experiment: NotebookContext,
    jobs: Sequence[JobRef],
    metrics: Sequence[str] = (REWARD_KEY,),
    columns: str | Sequence[str] = "",
) -> tuple[pd.DataFrame, dict[str, dict[str, list[float]]]]:
    """Return the data of a run table, and the curves of each metric by run name.

    Returns:
        Columns `run_name`, `arm`, `seed` (int64), `verdict`, and `role` where some run is no seed; one column for each
        setting in which runs differ (at most 12), or where `columns` is a pattern for each setting and metric that it
        finds (at most 24; `attrs["columns"]` says how many it finds); for each metric its
        latest value (float64) and `<metric> curve` (text: one mark a part, or why there is none: `not logged` by a run
        that ended, `no value yet`, `not a number`, `no run yet`, `no run found`, `not read`); `steps` (agent steps),
        `sps`, `time` (seconds), `cost` (USD, missing where unknown), and where it contradicts a verdict `state` (the
        tracker's word). `attrs["problem"]` says what could not be read, `attrs["uncounted"]` which runs are no seeds,
        `attrs["names"]` the setting or metric of a
        column, `attrs["code"]` in sentences where runs did not run the code that their plan recorded.
    """
    keys, problem = list(dict.fromkeys(metrics)), ""
    asked = columns.strip() if isinstance(columns, str) else list(columns)
    found = _named(asked, logged_metrics(experiment.run_infos(jobs))) if asked else []
    more = [key for key in found if key not in keys]
    try:
        rows = run_rows(
            jobs,
            experiment.store,
            statuses=known_statuses(experiment.workspace.state),
            metrics=[*keys, *more[:MAX_CHOSEN]],
        )
    except ExperimentsError as error:
        problem = str(error)
        rows = [RunRow(job.run, job.arm, job.seed, "unknown", job.role_words) for job in jobs]
    curves = {} if problem else {key: _curves_of(experiment, jobs, key) for key in keys}
    settings = _settings(rows, asked)
    kept = dict(list(settings.items())[: MAX_CHOSEN if asked else MAX_DIFFERENCES])
    frame, tooltips = _frame(rows, [*keys, *more[: max(0, MAX_CHOSEN - len(kept))]], curves, kept)
    code = experiment.code_words(jobs)
    frame.attrs = {"problem": problem, "tooltips": tooltips, "code": code, "uncounted": uncounted_words(jobs)}
    frame.attrs["columns"] = _columns_words(asked, len(settings) + len(more)) if isinstance(asked, str) else ""
    short = short_names(list(kept))
    frame.attrs["names"] = {short[key]: key for key in kept} | {key: key for key in more if key in frame}
    return frame, curves


def _named(asked: str | list[str], known: Sequence[str]) -> list[str]:
    """Return the names that a pattern finds, or those of a list that are known, in its order."""
    return matching(asked, known) if isinstance(asked, str) else [name for name in asked if name in set(known)]


def _settings(rows: Sequence[RunRow], asked: str | list[str]) -> Settings:
    """Return the settings that are shown, by dotted key, with the value of each run."""
    if not asked:
        return config_differences(rows)
    keys = _named(asked, list(dict.fromkeys(key for row in rows for key in row.config)))
    return {key: {row.run_name: row.config.get(key) for row in rows} for key in keys}


def _columns_words(columns: str, found: int) -> str:
    if not columns or 0 < found <= MAX_CHOSEN:
        return ""
    many = f"{counted(found, 'column')} match; the first {MAX_CHOSEN} are shown" if found else "no column matches"
    return f"{columns!r}: {many}"


def table_latex(frame: pd.DataFrame, *, caption: str = "", label: str = "") -> str:
    """Return a frame as a LaTeX table; curves are left out, numbers have three significant digits."""
    columns = [name for name in frame.columns if not str(name).endswith(" curve")]
    numeric = [is_number(frame[name]) for name in columns]
    rows = [
        [_plain(value, is_number=is_number) for value, is_number in zip(row, numeric, strict=True)]
        for row in frame[columns].itertuples(index=False, name=None)
    ]
    return latex_table([str(name) for name in columns], rows, numeric=numeric, caption=caption, label=label)


def table_downloads(element: Any, name: str) -> mo.Html | None:
    """Return buttons that save all rows of a run table; nothing where there is no table."""
    frame = getattr(element, "data", None)
    if not isinstance(frame, pd.DataFrame) or not len(frame):
        return None
    return downloads(frame[[column for column in frame.columns if not str(column).startswith("_marimo")]], name)


def csv_of(frame: pd.DataFrame) -> str:
    """Return a frame as a CSV file with every digit; what is missing is an empty cell."""
    filled = frame.astype(object).where(frame.notna(), "")
    return csv_text([list(frame.columns), *filled.itertuples(index=False, name=None)])


def downloads(frame: pd.DataFrame, name: str) -> mo.Html:
    """Return buttons that save a frame as CSV, with every digit, and as a LaTeX table."""
    return mo.hstack(_buttons(name, lambda write: write(frame)), justify="start", wrap=True)


def later_downloads(frame: Callable[[], pd.DataFrame], name: str) -> list[Any]:
    """Return the same buttons for a page; a press makes the file of what `frame` returns then. Hold them meanwhile."""
    return _buttons(name, lambda write: lambda: write(frame()))


def _buttons(name: str, data: Callable[[Callable[[pd.DataFrame], bytes]], Any]) -> list[Any]:
    def latex(frame: pd.DataFrame) -> bytes:
        return table_latex(frame, caption=name, label=f"tab:{name}").encode()

    def csv(frame: pd.DataFrame) -> bytes:
        return csv_of(frame).encode()

    return [
        mo.download(data(csv), filename=f"{name}.csv", mimetype="text/csv", label="Save as CSV"),
        mo.download(data(latex), filename=f"{name}.tex", mimetype="text/x-tex", label="Save as LaTeX"),
    ]


def _frame(
    rows: Sequence[RunRow],
    metrics: Sequence[str],
    curves: Mapping[str, Mapping[str, list[float]]],
    settings: Settings,
) -> tuple[pd.DataFrame, dict[str, str]]:
    short = short_names(list(settings))
    data: dict[str, Any] = {
        "run_name": [row.run_name for row in rows],
        "arm": [row.arm for row in rows],
        "seed": [row.seed for row in rows],
        "verdict": [STATE_WORDS.get(row.verdict, row.verdict) for row in rows],
    }
    tooltips = {"verdict": "from the scheduler's word and the tracker's"}
    if any(row.role for row in rows):
        data["role"] = [row.role or "seed" for row in rows]
        tooltips["role"] = "only seeds count; see the noise floor for the others"
    for key, values in settings.items():
        name = _free(short[key], [*data, *metrics])
        data[name] = [values.get(row.run_name) for row in rows]
        tooltips[name] = f"setting {key}"
    numbers = ["steps", "sps", "time", "cost"]
    for key in metrics:
        name = _free(key, data)
        numbers.append(name)
        data[name] = [row.metrics.get(key) for row in rows]
        tooltips[name] = f"latest value of {key}"
        if key not in curves and curves:
            continue
        shown = curves.get(key, {})
        low, high = scale_of(list(shown.values()))
        spark = _free(f"{key} curve", data)
        texts = [_spark(shown.get(row.run_name), low, high, row.missing.get(key, "")) for row in rows]
        named = [CurveText.of(row.run_name, row.arm, text) for row, text in zip(rows, texts, strict=True)]
        data[spark] = pd.Series(named, dtype=object)
        tooltips[spark] = f"{key} over the run; one scale for all rows, {look.quantity(low)} to {look.quantity(high)}"
    data |= {
        "steps": [row.steps for row in rows],
        "sps": [row.sps for row in rows],
        "time": [row.duration_s for row in rows],
        "cost": [row.cost for row in rows],
    }
    tooltips |= {
        "steps": "agent steps",
        "sps": "latest agent steps per second",
        "time": "seconds since the run began",
        "cost": "USD so far, an estimate where the prices are known",
    }
    if any(row.state and TRACKER_WORDS.get(row.state) != row.verdict for row in rows):
        data["state"] = [row.state for row in rows]
        tooltips["state"] = "the tracker's own word"
    frame = pd.DataFrame(data)
    return frame.astype(dict.fromkeys(numbers, "float64") | {"seed": "int64"}), tooltips


def _curves_of(experiment: NotebookContext, jobs: Sequence[JobRef], metric: str) -> dict[str, list[float]]:
    """Return the thinned curve of each run that can be read; one whose data did not change is not read again."""
    versions = read_versions(experiment.workspace.state / "live")
    store, found = experiment.store, {}
    for job in jobs:
        key = (str(experiment.workspace.state), job.run, metric, versions.get(job.run))
        with _guard:
            known = _curves.get(key) if job.run in versions else None
        curve = _curve(store, job, metric) if known is None else known
        if curve is None:
            continue
        found[job.run] = curve
        with _guard:
            _curves[key] = curve
            while len(_curves) > _KEPT_CURVES:
                del _curves[next(iter(_curves))]
    return found


def _spark(points: list[float] | None, low: float, high: float, missing: str) -> str:
    """Return a curve as text; without one, why there is none."""
    return blocks(points, low, high) if points else missing if points is not None or missing else "not read"


def _curve(store: RunStore, job: JobRef, metric: str) -> list[float] | None:
    """Return the thinned curve of a run; None where it cannot be read."""
    try:
        # What a chart of it asks for as well: then the rows are read once for both.
        found, _ = columns_of(store, job.run, [*counters_of(metrics_of(job).step), metric])
    except ExperimentsError:
        return None
    values = found.get(metric)
    return [] if values is None or values.dtype == object else thinned(values)


def _formats(
    frame: pd.DataFrame, curves: Mapping[str, Mapping[str, list[float]]], colours: Mapping[str, str]
) -> dict[str, Callable[..., Any] | str]:
    """Return how each column is shown; what is selected, sorted, filtered and saved is the data itself."""
    formats: dict[str, Callable[..., Any] | str] = {
        "run_name": _name_end,
        "seed": lambda value: seed_number(int(value)),
        "time": lambda value: look.duration(_number(value)),
        "cost": lambda value: look.MISSING if _number(value) is None else f"${value:,.2f}",
        "steps": _three_digits,
        "sps": _three_digits,
    }
    fixed = {"run_name", "arm", "seed", "verdict", "role", "state", *formats}
    for name in frame.columns:
        if str(name) not in fixed and is_number(frame[name]):
            formats[str(name)] = _three_digits
        elif str(name) not in fixed and not str(name).endswith(" curve"):
            formats[str(name)] = _setting
    for key, shown in curves.items():
        if f"{key} curve" in frame:
            formats[f"{key} curve"] = _drawer(shown, colours)
    return formats


def is_number(column: pd.Series) -> bool:
    """Tell whether a column is of numbers; pandas takes truth values for numbers."""
    return bool(pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column))


def _setting(value: object) -> object:
    """Return a setting as people read it."""
    if pd.api.types.is_bool(value):
        return "yes" if value else "no"
    return look.MISSING if value is None else value


def _drawer(curves: Mapping[str, list[float]], colours: Mapping[str, str]) -> Callable[[object], Any]:
    """Return what draws a cell of curves."""
    low, high = scale_of(list(curves.values()))
    accent = f"light-dark({look.LIGHT.accent}, {look.DARK.accent})"

    def draw(text: object) -> Any:
        if not isinstance(text, CurveText) or not (points := curves.get(text.run)):
            return str(text) or look.MISSING
        return Sparkline(points, low, high, str(text), colours.get(text.arm, accent))

    return draw


def _caption(frame: pd.DataFrame) -> str:
    """Return what has to be known of the rows; how many there are says the table itself."""
    if frame.attrs["problem"]:
        return f"{counted(len(frame), 'run')}, not read: {as_markdown(frame.attrs['problem'])}"
    return "; ".join(
        map(as_markdown, filter(None, [frame.attrs["columns"], frame.attrs["uncounted"], *frame.attrs["code"]]))
    )


def _name_end(name: object, keep: int = 28) -> str:
    """Return a run name whose end can be seen: arm and seed differ there."""
    text = str(name)
    return text if len(text) <= keep else f"…{text[-keep:]}"


def _free(name: str, taken: Iterable[str]) -> str:
    """Return a column name that no other column has; one without letters gets some."""
    found = name or "(empty)"
    while found in taken or found in _OWN_COLUMNS:
        found += " "
    return found


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, (int, float)) and value == value else None  # noqa: PLR0124 - NaN


def _three_digits(value: object) -> str:
    return look.quantity(_number(value))


def _plain(value: object, *, is_number: bool) -> str:
    if value is None or value != value:  # noqa: PLR0124 - NaN
        return look.MISSING
    return look.quantity(_number(value)) if is_number else str(_setting(value))
