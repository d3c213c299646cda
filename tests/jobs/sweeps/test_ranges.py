from __future__ import annotations

from typing import Annotated, Literal

import pytest

from experiments.jobs.sweeps.ranges import Choices, Range, parse_search, words
from experiments.project.errors import UsageError
from experiments.types import BaseExperimentConfig, Control, Field


class Inner(BaseExperimentConfig):
    clip: float = Field(0.2, gt=0, lt=1)


class Config(BaseExperimentConfig):
    rate: Annotated[float, Control("log_slider")] = Field(0.001, ge=1e-5, le=0.1)
    batch: int = Field(256, ge=1, le=4096)
    kind: Literal["adam", "muon"] = "adam"
    anneal: bool = True
    name: str = "x"
    sizes: tuple[int, ...] = (64, 64)
    inner: Inner = Inner()


def parsed(*texts):
    return parse_search(texts, Config())


def test_a_range_by_factors_a_plain_one_and_values_are_told_apart():
    found = parsed("rate=log:1e-4..1e-1", "batch=16..64", "kind=adam,muon", "inner.clip=0.1..0.3")
    assert found["rate"] == Range(low=1e-4, high=0.1, log=True, at_least=1e-5, at_most=0.1)
    assert (found["batch"].low, found["batch"].high, found["batch"].whole) == (16, 64, True)
    assert found["kind"] == Choices(values=("adam", "muon"))
    assert found["inner.clip"].whole is False


def test_values_have_the_type_of_their_field():
    assert parsed("batch=256,512")["batch"].values == (256, 512)
    assert parsed("anneal=true,false")["anneal"].values == (True, False)
    assert parsed("rate=0.001,0.01")["rate"].values == (0.001, 0.01)


def test_a_field_alone_has_the_range_of_its_own_bounds():
    found = parsed("rate", "batch", "kind", "anneal", "inner.clip")
    assert (found["rate"].low, found["rate"].high, found["rate"].log) == (1e-5, 0.1, True)
    assert (found["batch"].low, found["batch"].high, found["batch"].log) == (1, 4096, False)
    assert found["kind"].values == ("adam", "muon")
    assert found["anneal"].values == (False, True)
    assert 0 < found["inner.clip"].low < 1e-300


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is not 'field=low..high'"),
        ("rate=", "is not 'field=low..high'"),
        ("=1..2", "is not 'field=low..high'"),
        ("rate=a..b", "'a' is no number"),
        ("rate=1e-3..nan", "'nan' is no number"),
        ("rate=1..", "'' is no number"),
        ("rate=0.1..0.01", "0.1..0.01 is no range"),
        ("rate=0.01..0.01", "0.01..0.01 is no range"),
        ("rate=log:0..0.1", "begins above 0"),
        ("rate=log:1e-3..1e3", "rate 1000"),
        ("batch=1.5..3", "batch 1.5"),
        ("batch=256", "give two or more values"),
        ("batch=256,256", "give two or more values"),
        ("batch=256,many", "batch 'many'"),
        ("ratte=1..2", "Did you mean 'rate'?"),
        ("name", "does not say its own range"),
        ("name=1..2", "holds no number"),
        ("sizes=[1],[2]", "sizes"),
        ("description=a,b", "no trainer is told that"),
    ],
)
def test_what_is_no_range_is_refused_in_one_sentence_that_names_it(text, said):
    with pytest.raises(UsageError, match=r"\S") as refused:
        parsed(text)
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_field_that_is_named_twice_is_refused():
    with pytest.raises(UsageError, match="names 'rate' twice"):
        parsed("rate=1e-3..1e-2", "rate=1e-4..1e-3")


def test_values_have_four_digits_and_stay_within_their_range():
    rate = Range(low=1e-4, high=0.1, log=True)
    assert rate.value(0.00123456) == 0.001235
    assert (rate.value(0.2), rate.at(0), rate.at(0.5), rate.at(1)) == (0.1, 1e-4, 0.003162, 0.1)
    assert Range(low=1, high=9, whole=True).value(3.7) == 4


@pytest.mark.parametrize(
    ("space", "value", "edge", "wider"),
    [
        (Range(low=1e-4, high=0.1, log=True), 0.0001, "low", "log:1e-05..0.1"),
        (Range(low=1e-4, high=0.1, log=True), 0.08, "high", "log:0.0001..1"),
        (Range(low=1e-4, high=0.1, log=True, at_most=0.5), 0.08, "high", "log:0.0001..0.5"),
        (Range(low=0, high=1), 0.95, "high", "0..1.5"),
        (Range(low=0, high=1, at_most=1), 0.95, "high", None),
        (Range(low=2, high=8, whole=True, at_least=1), 2, "low", "1..8"),
        (Choices(values=(128, 256, 512)), 512, "high", "128,256,512,1024"),
        (Choices(values=(0.1, 0.2, 0.4)), 0.1, "low", "0.05,0.1,0.2,0.4"),
    ],
)
def test_a_value_at_the_end_of_its_range_has_a_wider_one(space, value, edge, wider):
    assert space.edge(value) == edge
    found = space.wider(edge)
    assert (found.text if found is not None else None) == wider


@pytest.mark.parametrize(
    ("space", "value"),
    [
        (Range(low=1e-4, high=0.1, log=True), 0.003),
        (Range(low=0, high=1), 0.5),
        (Choices(values=(128, 256, 512)), 256),
        (Choices(values=(256, 512)), 512),
        (Choices(values=("a", "b", "c")), "c"),
        (Choices(values=(False, True)), True),
    ],
)
def test_a_value_in_between_or_of_no_order_is_at_no_end(space, value):
    assert space.edge(value) is None


def test_settings_are_said_as_people_type_them():
    assert words({"rate": 3e-4, "batch": 256, "anneal": False, "kind": "adam"}) == (
        "rate 0.0003, batch 256, anneal false, kind adam"
    )
