from __future__ import annotations

import ast
import datetime as dt
import enum
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field, SecretStr

from experiments.notebooks.literals import from_source, to_source
from experiments.project.errors import NotebookError
from experiments.types import JobRef, TrainingJobConfig

TEXTS = st.text(st.characters(exclude_categories=[])) | st.sampled_from(
    [
        '"',
        "'",
        '"""',
        "'''",
        "\\",
        "\\'",
        "a\nb",
        "\r",
        "\x00",
        "\u202e",
        "{x}",
        '")\nimport os #',
        "\u2028",
        "é\ud800",
        "\\N{DASH}",
    ]
)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXTS | st.binary()
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(TEXTS | st.integers(), inner, max_size=4)
        | st.frozensets(SCALARS, max_size=3)
    ),
    max_leaves=12,
)


class Mode(enum.Enum):
    FAST = "fast"
    SLOW = "slow"


@dataclass(frozen=True)
class Point:
    x: int
    y: int = 0
    tags: list[str] = field(default_factory=list)


class Inner(BaseModel):
    model_config = ConfigDict(frozen=True)
    lr: float = 1e-3
    steps: int = 10


class Outer(BaseModel):
    name: str
    inner: Inner = Inner()
    mode: Mode = Mode.FAST
    where: Path = Path("runs")
    point: Point = Point(1)
    key: SecretStr | None = None
    renamed: int = Field(1, alias="other")
    anything: object = None


def evaluated(source, imports):
    """Evaluate source with exactly the names that it says it needs."""
    known = {"Mode": Mode, "Point": Point, "Inner": Inner, "Outer": Outer, "Path": Path, "JobRef": JobRef}
    known |= {"datetime": dt.datetime, "date": dt.date, "timedelta": dt.timedelta}
    return eval(source, {item.bound: known[item.bound] for item in imports})


@given(VALUES)
def test_a_literal_evaluates_to_its_value(value):
    source, imports = to_source(value)
    assert evaluated(source, imports) == value
    assert repr(evaluated(source, imports)) == repr(value) or isinstance(value, frozenset) or "frozenset" in source


@given(TEXTS, TEXTS, TEXTS)
def test_texts_of_users_enter_a_model_as_data(run, arm, tracker):
    ref = JobRef(run=run, arm=arm, tracker=tracker)
    source, imports = to_source([ref], name="jobs")
    assert evaluated(source, imports) == [ref]
    assert max(map(len, source.split("\n"))) <= 120
    (call,) = ast.parse(source, mode="eval").body.elts
    assert JobRef.model_validate(from_source(call)) == ref


@pytest.mark.parametrize(
    "value",
    [
        Outer(name="a"),
        Outer(
            name="a", inner=Inner(lr=0.1), mode=Mode.SLOW, where=Path("/x y/'z'"), point=Point(2, tags=["a"]), other=3
        ),
        Point(1, 2),
        {Mode.FAST: [Inner(), Inner(steps=1)]},
        dt.datetime(2024, 1, 2, tzinfo=dt.UTC),
        dt.timedelta(days=1, microseconds=5),
        float("inf"),
        -0.0,
        (1,),
        set(),
        "x" * 1000,
        "word " * 100,
    ],
)
def test_models_and_other_values_evaluate_to_themselves(value):
    source, imports = to_source(value, name="config")
    assert evaluated(source, imports) == value
    assert max(map(len, source.split("\n"))) <= 120


def test_only_what_differs_from_the_defaults_is_written_one_value_a_line():
    assert to_source(Outer(name="a", inner=Inner(steps=3)), name="config")[0] == (
        'Outer(\n    name="a",\n    inner=Inner(steps=3),\n)'
    )


def test_a_value_of_another_type_than_its_default_is_written_even_if_equal():
    assert to_source(Outer(name="a", anything=False))[0] == 'Outer(\n    name="a",\n    anything=False,\n)'


def test_strings_have_the_quotes_of_ruff():
    assert to_source(["a", 'say "a"', "it's", 'it\'s "a"'])[0] == (
        '[\n    "a",\n    \'say "a"\',\n    "it\'s",\n    \'it\\\'s "a"\',\n]'
    )


def test_sets_are_written_in_one_order():
    code = "from experiments.notebooks.literals import to_source; print(to_source({'a', 'b', 'c', 'd'})[0])"
    runs = {
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, env={"PYTHONHASHSEED": seed}, check=True
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(runs) == 1


def test_the_import_of_a_class_says_where_it_is():
    _, imports = to_source(TrainingJobConfig(curriculum="a"))
    assert [(item.module, item.name, item.is_file) for item in imports] == [
        ("experiments.types", "TrainingJobConfig", False)
    ]


class Doubling(BaseModel):
    value: int

    def model_post_init(self, _):
        self.value *= 2


class Local(BaseModel):
    inner: object = None


def made_inside_a_function():
    class Hidden(BaseModel):
        pass

    return Hidden()


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (Outer(name="a", key=SecretStr("hunter2")), "config.key is a secret"),
        (Outer(name="a", anything=["rate=1", "hub.token=hunter2"]), r"config.anything\[1\] holds a secret"),
        (Outer(name="a", anything={"api_key": "hunter2"}), r"config.anything\['api_key'\] is a secret"),
        (Outer(name="see https://ada:hunter2@example.org"), r"config.name holds a secret \('see https://ada:\*\*\*@"),
        (Local(inner=object()), "config.inner = <object"),
        ([1, {"a": 1j}], r"config\[1\]\['a'\] = 1j"),
        (Doubling(value=1), "config would come back as another value"),
        (made_inside_a_function(), "made inside a function"),
    ],
)
def test_what_has_no_literal_is_refused_with_its_place(value, said):
    with pytest.raises(NotebookError, match=said) as refused:
        to_source(value, name="config")
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize("source", ["open('x')()", "f(1, 2)", "x", "[x]", "{**x}", "f(*x)", "1 + x", "f(**{})"])
def test_reading_refuses_what_is_no_literal(source):
    with pytest.raises(ValueError):  # noqa: PT011 - any: the caller says what it read
        from_source(ast.parse(source, mode="eval").body)


def test_reading_gives_the_data_of_calls():
    source, _ = to_source(Outer(name="a", inner=Inner(lr=0.5), mode=Mode.SLOW, where=Path("b")), name="config")
    data = from_source(ast.parse(source, mode="eval").body)
    assert data == {"name": "a", "inner": {"lr": 0.5}, "mode": "slow", "where": "b"}
    assert Outer.model_validate(data).mode is Mode.SLOW
