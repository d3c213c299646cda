"""What a paper needs of an experiment: figure, table with intervals, and methods sentence, all from the same data.

    kit = paper_kit(runs, Choice("overview/reward"))
    kit.svg, kit.png, kit.latex, kit.csv, kit.methods

Nothing is read from a network: the figure is drawn by vl-convert, without a browser.
"""

from __future__ import annotations

import copy
import html
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import marimo as mo

from experiments.jobs.journal import BLANK, Journal
from experiments.jobs.watch.snapshots import read_versions
from experiments.notebooks.charts.curves import CurveOptions, axis_note, bands_of, learning_curves
from experiments.notebooks.charts.figures import FigureError, draw
from experiments.notebooks.charts.runs import RunCurve, origin_words, read_runs
from experiments.notebooks.charts.scores import NOT_COMPARED, comparable, of_search
from experiments.notebooks.charts.theme import words_of
from experiments.notebooks.context import NotebookContext
from experiments.notebooks.controls import DEFAULTS, Choice, choice_of
from experiments.notebooks.shared import standings
from experiments.notebooks.styles import styled, warning
from experiments.notebooks.verdict import judged
from experiments.project import look
from experiments.project.errors import ExperimentsError
from experiments.project.standing import role_words
from experiments.project.tables import csv_text, latex_table
from experiments.results.claims import UNREGISTERED, Claimed
from experiments.statistics import (
    Comparison,
    Estimate,
    Options,
    Scores,
    compare_arms,
    describe,
    methods_sentence,
    noise_floor,
    summarise,
)
from experiments.types import JobRef

WIDTH, HEIGHT = 640, 360
PNG_SCALE = 3.0
HEADINGS = (
    *("arm", "runs", "score", "95 % interval", "difference", "95 % interval of it", "p (Holm)", "P(higher), 95 %"),
    "claim",
)


@dataclass(frozen=True)
class PaperKit:
    """Figure, table and sentence of one metric.

    Attributes:
        svg: The figure; empty where there is nothing to draw.
        png: The same at three times its size in points.
        latex: The table, for booktabs.
        csv: The same numbers with all their digits.
        methods: Seeds, scores, intervals and what they assume, tests, x-axis, smoothing.
        claims: What is claimed, and of which kind that is: registered or exploratory.
        origin: Where the rows come from.
        rows: The table's cells as text.
        problem: Why something is missing.
    """

    svg: str
    png: bytes
    latex: str
    csv: str
    methods: str
    origin: str
    rows: tuple[tuple[str, ...], ...] = ()
    problem: str = ""
    claims: str = ""


def paper_kit(
    runs: Sequence[RunCurve], chosen: Choice = DEFAULTS, *, pool_codes: bool = False, claimed: Claimed | None = None
) -> PaperKit:
    """Return what a paper needs of one metric; runs without a value are counted, in table, figure and sentence.

    Args:
        runs: Every run that was planned, from `charts.read_runs`; arms are compared with the first.
        chosen: Metric, score, statistic, and the smoothing of the figure's lines.
        pool_codes: Whether something may be claimed of runs of different code.
        claimed: The verdict by the study's rule; None where it has none: then every comparison is exploratory.
    """
    kit = paper_words(runs, chosen, pool_codes=pool_codes, claimed=claimed)
    return with_figure(kit, runs, _options(chosen)) if runs else kit


def paper_words(
    runs: Sequence[RunCurve], chosen: Choice = DEFAULTS, *, pool_codes: bool = False, claimed: Claimed | None = None
) -> PaperKit:
    """Return the kit without its figure, which takes a tenth of the time; arguments as in `paper_kit`."""
    if not runs:
        return PaperKit("", b"", "", "", "No runs.", "", problem="There is no run to write about yet.")
    metric, smoothing = chosen.metric, chosen.smoothing
    scores = list(summarise([run.curve for run in runs], chosen.summary).values())
    estimates = [describe(arm, chosen.statistic) for arm in scores]
    comparisons = compare_arms(
        comparable(scores),
        "iqm" if chosen.statistic == "iqm" else "mean",
        higher_is_better=not chosen.summary.lower_score_is_better,
        pool_codes=pool_codes,
    )
    decided = claimed.about(metric, chosen.summary, chosen.statistic) if claimed is not None else None
    claims = _claims(claimed, comparisons, decided)
    # The claim of a design rests on its interval at its own level, and on no p-value beside it.
    told = [
        replace(decided, p_adjusted=None, improvement=one.improvement) if decided and _same(one, decided) else one
        for one in comparisons
    ]
    unit = next((run.curve.unit for run in runs if len(run.curve.steps)), "")
    bands = list(bands_of(runs, _options(chosen)).values())
    half_life = f"half-life {100 * smoothing:.3g} % of the x-axis" if smoothing > 0 else ""
    methods = methods_sentence(scores, [*estimates, *told, *bands], x_axis=unit, smoothing=half_life)
    if of_search(scores):
        methods = f"{methods} {NOT_COMPARED}."
    if (noise := noise_floor(scores)) is not None:
        methods = f"{methods} {noise.sentence()}."
    origin = origin_words(runs)
    kinds = [_kind(one, claimed, decided) for one in comparisons]
    rows = tuple(_table_row(arm, estimate, told, kinds) for arm, estimate in zip(scores, estimates, strict=True))
    what = f"{words_of(metric)}, {chosen.summary.words}; {_named(chosen.statistic)} over seeds"
    numeric = (False, False, *[True] * (len(HEADINGS) - 3), False)
    caption = " ".join(filter(None, [_sentence(what), claims, methods, _sentence(origin)]))
    return PaperKit(
        "",
        b"",
        latex_table(HEADINGS, rows, numeric=numeric, caption=caption, label=f"tab:{metric.replace('/', '-')}"),
        _csv(
            scores, estimates, [(one, f"{kind}; {one.reason}") for one, kind in zip(told, kinds, strict=True)], metric
        ),
        methods,
        origin,
        rows,
        claims=claims,
    )


def _same(one: Comparison, other: Comparison) -> bool:
    return (one.arm, one.baseline) == (other.arm, other.baseline)


def _kind(one: Comparison, claimed: Claimed | None, decided: Comparison | None) -> str:
    """Return of which kind a comparison of the table is; the verdict's own tells what was decided."""
    if claimed is None or decided is None or not _same(one, decided):
        return "exploratory"
    return f"{claimed.judgement.decision}, {claimed.kind}"


def _claims(claimed: Claimed | None, comparisons: Sequence[Comparison], decided: Comparison | None) -> str:
    """Return the verdict by the rule with its kind, and that all other comparisons are exploratory, in sentences."""
    rule = claimed.judgement.rule if claimed is not None else None
    verdict = f"{rule.sentence} {claimed.words}" if claimed is not None and rule is not None else ""
    others = [one for one in comparisons if decided is None or not _same(one, decided)]
    which = "The others are" if len(others) < len(comparisons) else "The comparisons of the table are"
    return " ".join(filter(None, [verdict, f"{which} exploratory: {UNREGISTERED}" if others else ""]))


def with_figure(kit: PaperKit, runs: Sequence[RunCurve], options: CurveOptions) -> PaperKit:
    """Return a kit with its figure drawn; its methods say what the figure's axis leaves out or cuts."""
    svg, png, problem = figure(runs, options)
    note = axis_note(runs, options)
    methods = f"{kit.methods} In the figure: {note[0].lower()}{note[1:]}." if svg and note else kit.methods
    return replace(kit, svg=svg, png=png, methods=methods, problem=problem)


def figure(runs: Sequence[RunCurve], options: CurveOptions) -> tuple[str, bytes, str]:
    """Return the learning curves for print as SVG and PNG, in light colours on white; empty with a reason otherwise."""
    chart = learning_curves(runs, replace(options, dark=False))
    spec = _for_print(chart.to_dict())
    try:
        return draw(spec, "svg").decode(), draw(spec, "png", scale=PNG_SCALE), ""
    except FigureError as error:
        return "", b"", str(error)


def paper_part(
    experiment: NotebookContext, jobs: Sequence[JobRef], controls: Any = None, journal: Journal = BLANK
) -> mo.Html | None:
    """Return methods sentence and results table of a notebook's jobs, and, folded, the figure and the files to save.

    Args:
        controls: What the reader chose above the charts.
        journal: Hypothesis and rule.
    """
    if not jobs:
        return None
    chosen, state = choice_of(controls), experiment.workspace.state
    has_rule = journal.rule is not None and journal.is_written
    try:
        claimed = judged(experiment, jobs, journal)[1] if has_rule else None
        jobs = experiment.with_unlaunched(jobs)
    except ExperimentsError as error:
        return warning(error)
    runs = read_runs(
        jobs,
        chosen.metric,
        store=experiment.store,
        statuses=standings(experiment, jobs),
        versions=read_versions(state / "live"),
        place=str(state),
        codes=experiment.code_marks(jobs),
    )
    words = paper_words(runs, chosen, pool_codes=experiment.pool_codes, claimed=claimed)

    def files() -> mo.Html:
        return files_view(with_figure(words, runs, _options(chosen)), f"{experiment.name}-{_file_part(chosen.metric)}")

    said = filter(None, (words.claims, words.methods, _sentence(words.origin)))
    return mo.vstack(
        [
            _html_table(words.rows),
            styled("".join(f'<p class="small muted">{html.escape(text)}</p>' for text in said)),
            # Drawn only when somebody opens it: the first figure of a process costs seconds.
            mo.accordion({"Figure and files": files}, lazy=True),
        ],
        gap=0.75,
    )


def files_view(kit: PaperKit, name: str) -> mo.Html:
    """Return the figure and what can be saved of a kit."""
    files = [
        ("Save figure (SVG)", kit.svg.encode(), f"{name}.svg", "image/svg+xml"),
        ("Save figure (PNG)", kit.png, f"{name}.png", "image/png"),
        ("Save table (LaTeX)", kit.latex.encode(), f"{name}.tex", "text/x-tex"),
        ("Save table (CSV)", kit.csv.encode(), f"{name}.csv", "text/csv"),
    ]
    buttons = [
        mo.download(data, filename=file, mimetype=kind, label=label) for label, data, file, kind in files if data
    ]
    parts: list[Any] = [mo.hstack(buttons, justify="start", wrap=True)]
    if kit.problem:
        parts.append(mo.Html(f"<p>{html.escape(kit.problem)}</p>"))
    if kit.png:
        parts.insert(0, mo.image(kit.png, alt=f"Figure: {name}", width=WIDTH, rounded=False))
    return mo.vstack(parts, gap=1)


def _table_row(
    arm: Scores, estimate: Estimate, comparisons: Sequence[Comparison], kinds: Sequence[str]
) -> tuple[str, ...]:
    found = zip(comparisons, kinds, strict=True)
    comparison, kind = next(((one, kind) for one, kind in found if one.arm == arm.arm), (None, ""))
    row = (arm.arm, str(estimate.count), _number(estimate.value), _bounds(estimate))
    if comparison is None:
        word = "baseline" if any(one.baseline == arm.arm for one in comparisons) else look.MISSING
        return (*row, word, "", "", "", "")
    difference = comparison.difference
    p_value = _p_cell(comparison)
    bounds = difference.interval.bounds
    level = "" if difference.interval.level == Options().level else f" ({difference.interval.percent})"
    ends = f"{_number(bounds[0])} to {_number(bounds[1])}{level}" if bounds else look.MISSING
    chance, sure = comparison.improvement.value, comparison.improvement.interval.bounds
    higher = f"{_number(chance)} ({_number(sure[0])} to {_number(sure[1])})" if sure else _number(chance)
    return (*row, _number(difference.value), ends, p_value, higher, kind)


def _p_cell(comparison: Comparison) -> str:
    if not comparison.claim.is_final:
        return comparison.verdict
    return look.MISSING if comparison.p_adjusted is None else f"{comparison.p_adjusted:.2g}"


def _bounds(estimate: Estimate) -> str:
    bounds = estimate.interval.bounds
    return f"{_number(bounds[0])} to {_number(bounds[1])}" if bounds else look.MISSING


def _csv(
    scores: Sequence[Scores],
    estimates: Sequence[Estimate],
    comparisons: Sequence[tuple[Comparison, str]],
    metric: str,
) -> str:
    """Return one row an arm and one a run, with all digits and with the reason where a number is missing."""
    rows: list[Sequence[object]] = [
        ("metric", "arm", "seed", "run", "statistic", "value", "low", "high", "note"),
    ]
    for arm, estimate in zip(scores, estimates, strict=True):
        low, high = estimate.interval.bounds or ("", "")
        note = f"{estimate.count.sentence}; {estimate.interval.words}"
        rows.append((metric, arm.arm, "", "", estimate.statistic, _digits(estimate.value), low, high, note))
        for run in (*arm.runs, *arm.beside):
            said = [role_words(run.role, run.replicate) or "left aside"] if run in arm.beside else []
            note = "; ".join([*said, run.reason or run.outcome])
            rows.append((metric, arm.arm, run.seed, run.run, arm.what, _digits(run.value), "", "", note))
    for one, note in comparisons:
        low, high = one.difference.interval.bounds or ("", "")
        name = f"difference to {one.baseline}"
        rows.append((metric, one.arm, "", "", name, _digits(one.difference.value), low, high, note))
    return csv_text(rows)


def _for_print(spec: dict[str, Any]) -> dict[str, Any]:
    """Return a spec of fixed size on white; a caption belongs into the paper's text, and the page's own links out."""
    found = copy.deepcopy(spec)
    _fix_widths(found)
    found.pop("title", None)
    found["background"] = "white"
    found.setdefault("config", {})["background"] = "white"
    return found


def _fix_widths(node: object) -> None:
    if isinstance(node, dict):
        if node.get("width") == "container":
            node["width"] = WIDTH
        for name, value in node.items():
            if name not in {"data", "datasets"}:
                _fix_widths(value)
    elif isinstance(node, list):
        for value in node:
            _fix_widths(value)


def _html_table(rows: Sequence[Sequence[str]]) -> mo.Html:
    def line(tag: str, cells: Sequence[str]) -> str:
        sided = (' class="number"' if 2 <= at < len(cells) - 1 else "" for at in range(len(cells)))
        inner = (f"<{tag}{side}>{html.escape(cell)}</{tag}>" for side, cell in zip(sided, cells, strict=True))
        return f"<tr>{''.join(inner)}</tr>"

    body = "".join(line("td", row) for row in rows)
    return styled(f'<div class="wide"><table><thead>{line("th", HEADINGS)}</thead><tbody>{body}</tbody></table></div>')


def _options(chosen: Choice) -> CurveOptions:
    return CurveOptions(metric=chosen.metric, statistic=chosen.statistic, smoothing=chosen.smoothing, height=HEIGHT)


def _named(statistic: str) -> str:
    return "interquartile mean" if statistic == "iqm" else statistic


def _number(value: float | None) -> str:
    return look.quantity(value)


def _digits(value: float | None) -> object:
    return "" if value is None else value


def _sentence(text: str) -> str:
    text = text.strip()
    return f"{text[:1].upper()}{text[1:]}{'' if text.endswith('.') else '.'}" if text else ""


def _file_part(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9_-]+", "-", text).strip("-") or "metric"
