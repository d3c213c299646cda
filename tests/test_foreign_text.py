"""Every place that shows, prints or sends a text of others, and what cleans it there: none may come in unseen."""

from __future__ import annotations

import ast
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from experiments.project.look import plain_logger

ROOT = Path(__file__).parents[1]
HOSTILE = "\x1b]0;title\x07\x1b[2J\x9b1m\u202eend\x08\x00\ud800\r<img src=x onerror=alert(1)>![a](http://h/i.png)$x$`b`"

# What marimo takes for Markdown. Of each module, what stands in it beside words of ours: numbers, names that are
# checked when they are given, Markdown of the notebook's author, and what `as_markdown` cleaned.
MARKDOWN = {
    "experiments/notebooks/export/head.py": {"text"},  # the journal's own Markdown, which `markup_html` sanitises
    "experiments/notebooks/export/draw/values.py": {"data"},  # of a value that says it is Markdown; sanitised as well
    "experiments/notebooks/parts.py": {"words"},
    "experiments/notebooks/replays.py": {
        "as_markdown(name)",
        "as_markdown(missing)",
        "_no_replay_words(experiment, ref_of(run).run)",
    },
    "experiments/notebooks/job_log.py": {"as_markdown(run)", "as_markdown(note)"},
    "experiments/notebooks/training.py": {"what", "command", "self.sentence()"},
}


def sources() -> Iterator[tuple[str, ast.AST]]:
    for folder in ("experiments", "apps", "widgets"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            name = path.relative_to(ROOT).as_posix()
            if not name.startswith(("experiments/scratch/", "experiments/log/")):
                yield name, ast.parse(path.read_text(encoding="utf-8"))


def calls(tree: ast.AST, *names: str) -> Iterator[ast.Call]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func) in names:
            yield node


def makes_html(tree: ast.AST) -> bool:
    taken = {
        one.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module == "experiments.notebooks.styles"
        for one in node.names
    }
    return "styled" in taken or any(calls(tree, "mo.Html"))


def parts(text: ast.expr) -> set[str]:
    """Return what stands in a text beside constants."""
    if isinstance(text, ast.Constant):
        return set()
    if isinstance(text, ast.JoinedStr):
        return set().union(*(parts(value) for value in text.values))
    if isinstance(text, ast.FormattedValue):
        return parts(text.value)
    if isinstance(text, ast.Call) and ast.unparse(text.func).endswith((".rstrip", ".strip")):
        return parts(text.func.value)  # type: ignore[attr-defined]
    return {ast.unparse(text)}


def test_only_these_texts_are_read_as_markdown():
    found = {name: set().union(*(parts(call.args[0]) for call in calls(tree, "mo.md"))) for name, tree in sources()}
    assert {name: texts for name, texts in found.items() if texts} == MARKDOWN


def test_every_logger_makes_plain_lines():
    made = {name for name, tree in sources() if any(calls(tree, "logging.getLogger", "getLogger"))}
    assert made == {"experiments/project/look.py"}


def test_no_text_of_others_becomes_html_by_another_way():
    """`mo.Html` and `styled` of a variable are looked at by hand: here is the list of who makes HTML at all."""
    made = {name for name, tree in sources() if makes_html(tree)}
    assert made == {
        *("apps/parts/comparing.py", "apps/parts/details.py", "apps/parts/logs.py"),
        "experiments/notebooks/forms/element.py",
        *(
            "experiments/notebooks/details.py",
            "experiments/notebooks/tables/differences.py",
            "experiments/notebooks/tables/groups.py",
        ),
        *("experiments/notebooks/export/draw/html.py", "experiments/notebooks/job_log.py"),
        *("experiments/notebooks/page.py", "experiments/notebooks/paper.py", "experiments/notebooks/parts.py"),
        "experiments/notebooks/version_0_1.py",
        *(
            "experiments/notebooks/replays.py",
            "experiments/notebooks/searching.py",
            "experiments/notebooks/styles.py",
            "experiments/notebooks/training.py",
        ),
    }


def test_what_a_logger_quotes_acts_on_no_terminal(capsys):
    logger = plain_logger("experiments.a_test")
    handler = logging.StreamHandler()
    logger.addHandler(handler)
    try:
        logger.warning("quoted %s", HOSTILE)
        try:
            raise RuntimeError(HOSTILE)  # noqa: TRY301
        except RuntimeError:
            logger.exception("failed over %r", HOSTILE)
    finally:
        logger.removeHandler(handler)
    printed = capsys.readouterr().err
    assert printed.count("onerror") == 3
    assert "RuntimeError" in printed
    assert not set(printed) & set("\x1b\x07\x08\x00\x9b\u202e\r\ud800")


@pytest.mark.parametrize(
    "text", [HOSTILE, "a_b*c*", "1. x", "# x", "[a](javascript:alert(1))", "\n\n    code", "&lt;b&gt;"]
)
def test_a_text_in_markdown_is_shown_as_it_is(text):
    import marimo as mo

    from experiments.notebooks.export.draw.sheet import words
    from experiments.notebooks.styles import as_markdown
    from experiments.project.look import printable

    made = mo.md(f"before {as_markdown(text)} after").text
    assert not any(markup in made for markup in ("<img", "<a ", "<em", "<code", "<b>", "<h1", "<li", "marimo-tex"))
    assert words(made).split() == f"before {printable(text)} after".split()
