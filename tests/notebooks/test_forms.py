from __future__ import annotations

import datetime as dt
import enum
import html
import threading
import uuid
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal

import marimo as mo
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field, SecretStr, create_model, field_validator, model_validator

from experiments.notebooks.forms import config_form, form_problems, form_view, read_form
from experiments.notebooks.forms.kinds import join_tags, split_tags
from experiments.project.errors import UsageError
from experiments.types import BaseExperimentConfig, Control


class Colour(enum.Enum):
    RED = "red"
    BLUE = 3


class Optimizer(BaseModel):
    """How the weights move."""

    lr: float = Field(3e-4, gt=0, le=1, description="Step size.")
    kind: Literal["adam", "muon"] = "adam"


class Config(BaseModel):
    steps: int = Field(100, ge=1)
    layers: int = Field(2, ge=1, le=8)
    tags: tuple[str, ...] = ("a", "b")
    seed: int | None = None
    spot: bool = False
    optimizer: Optimizer = Optimizer()
    extra: Optimizer | None = None

    @model_validator(mode="after")
    def _layers_fit(self) -> Config:
        if self.layers > self.steps:
            raise ValueError(f"layers={self.layers} is more than steps={self.steps}")
        return self


def edited(config, /, **raws):
    """Return a form as a browser would leave it; a double underscore stands for the dot of a path, `_set` for `?`."""
    form = config_form(config, name=uuid.uuid4().hex)
    names = {key.replace(".", "__").replace("?", "_set"): key for key in form}
    form._update({names[name]: raw for name, raw in raws.items()})
    return form


TEXT = st.text(st.characters(codec="utf-8"), max_size=12)
FIELDS = {
    "text": (str, TEXT),
    "area": (Annotated[str, Control("text_area")], TEXT),
    "flag": (bool, st.booleans()),
    "whole": (int, st.integers()),
    "number": (float, st.floats(allow_nan=False)),
    "bounded": (Annotated[int, Field(ge=-5, le=90)], st.integers(-5, 90)),
    "slider": (Annotated[float, Field(ge=0, le=1), Control("slider")], st.floats(0, 1)),
    "log": (Annotated[float, Field(gt=0, le=1), Control("log_slider")], st.floats(1e-6, 1)),
    "choice": (Literal["a", 1, "1"] | None, st.sampled_from(["a", 1, "1", None])),
    "colour": (Colour, st.sampled_from(Colour)),
    "maybe_colour": (Colour | None, st.none() | st.sampled_from(Colour)),
    "maybe_flag": (bool | None, st.none() | st.booleans()),
    "maybe_text": (str | None, st.none() | TEXT),
    "maybe_whole": (Annotated[int, Field(ge=0)] | None, st.none() | st.integers(0)),
    "tags": (tuple[str, ...], st.lists(TEXT, max_size=4).map(tuple)),
    "list": (list[str], st.lists(TEXT, max_size=4)),
    "set": (set[str], st.sets(TEXT, max_size=4)),
    "numbers": (list[int], st.lists(st.integers(), max_size=3)),
    "mapping": (dict[str, float], st.dictionaries(TEXT, st.floats(allow_nan=False), max_size=3)),
    "keyed": (dict[int, tuple[int, str]], st.dictionaries(st.integers(), st.tuples(st.integers(), TEXT), max_size=2)),
    "either": (int | str, st.integers() | TEXT),
    "raw": (bytes, st.binary(max_size=6)),
    "anything": (Any, st.none() | st.integers() | st.lists(TEXT, max_size=2)),
    "path": (Path, TEXT.filter(lambda text: "\x00" not in text).map(Path)),
    "day": (dt.date, st.dates()),
    "span": (dt.timedelta | None, st.none() | st.timedeltas(dt.timedelta(-999), dt.timedelta(999))),
    "exact": (Decimal, st.decimals(allow_nan=False, allow_infinity=False, places=3)),
    "nested": (Optimizer, st.builds(Optimizer, lr=st.floats(1e-9, 1), kind=st.sampled_from(["adam", "muon"]))),
    "maybe_nested": (Optimizer | None, st.none() | st.builds(Optimizer, lr=st.floats(1e-9, 1))),
    "several": (list[Optimizer], st.lists(st.builds(Optimizer, lr=st.floats(1e-9, 1)), max_size=2)),
}


@st.composite
def two_configs(draw):
    """Return two configs of one class that nobody has seen before."""
    names = draw(st.lists(st.sampled_from(sorted(FIELDS)), min_size=1, max_size=6, unique=True))
    inner = create_model("Inner", **{name: (FIELDS[name][0], ...) for name in names[1:]})
    model = create_model("Generated", first=(FIELDS[names[0]][0], ...), inner=(inner, ...))

    def config():
        return model(first=draw(FIELDS[names[0]][1]), inner=inner(**{n: draw(FIELDS[n][1]) for n in names[1:]}))

    return config(), config()


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(two_configs())
def test_inputs_carry_a_whole_config_and_nothing_of_another(pair):
    config, other = pair
    form = config_form(config)
    assert read_form(form, config) is config
    assert read_form(form, other) == config


@given(st.lists(TEXT | st.text('a," \\\n', max_size=5)))
def test_tags_hold_any_text(items):
    assert split_tags(join_tags(items)) == items


def test_tags_are_written_as_people_write_them():
    assert split_tags(' ppo, big lr ,, 5" nail, "a, b",') == ["ppo", "big lr", '5" nail', "a, b"]


@pytest.mark.parametrize(
    ("raws", "problems"),
    [
        ({"optimizer__lr": "2"}, {"optimizer.lr": "Input should be less than or equal to 1"}),
        ({"layers": 99, "steps": "100"}, {"layers": "Input should be less than or equal to 8"}),
        ({"layers": None}, {"layers": "Input should be a valid integer"}),
        ({"steps": "1.5"}, {"steps": "Input should be a valid integer, got a number with a fractional part"}),
        ({"steps": "3", "layers": 4}, {"": "layers=4 is more than steps=3"}),
        (
            {"steps": "many", "optimizer__lr": ""},
            {
                "steps": "Input should be a valid integer, unable to parse string as an integer",
                "optimizer.lr": "Input should be a valid number, unable to parse string as a number",
            },
        ),
    ],
)
def test_pydantic_is_the_judge_and_its_words_stand_at_the_field(raws, problems):
    form = edited(config := Config(), **raws)
    assert form_problems(form, config) == problems
    for text in problems.values():
        assert text in form_view(form).text


def test_the_error_names_every_field_that_needs_a_change():
    form = edited(config := Config(), steps="0", optimizer__lr="2")
    with pytest.raises(UsageError, match=r"(?s)steps: Input should be greater.*optimizer.lr: Input should be less"):
        read_form(form, config)


@pytest.mark.parametrize(("typed", "value"), [("2e6", 2_000_000), ("1_000", 1000), (" 7 ", 7), ("1e22", 10**22)])
def test_a_whole_number_may_be_written_as_people_write_it(typed, value):
    assert read_form(edited(config := Config(), steps=typed), config).steps == value


def test_an_optional_value_is_set_and_unset_by_its_switch():
    base = Config()
    assert read_form(edited(base, seed="5"), base).seed is None
    assert read_form(edited(base, seed_set=True, seed="5"), base).seed == 5
    assert read_form(edited(set_ := Config(seed=5), seed_set=False), set_).seed is None
    assert read_form(edited(base, extra_set=True, extra__lr="0.5"), base).extra == Optimizer(lr=0.5)
    assert "was not set" in form_view(edited(base, seed_set=True, seed="5")).text


def test_an_unchanged_field_is_not_judged_again_and_not_listed_as_set():
    class Sloppy(BaseModel):
        name: str = None  # type: ignore[assignment]
        size: int = None  # type: ignore[assignment]
        part: Optimizer = None  # type: ignore[assignment]
        steps: int = 1

    config = Sloppy()
    changed = read_form(edited(config, steps="2"), config)
    assert (changed.name, changed.part, changed.steps, changed.model_fields_set) == (None, None, 2, {"steps"})
    assert read_form(edited(config, size="3"), config).size == 3


def test_hidden_extra_and_aliased_fields_come_through():
    class Odd(BaseModel):
        model_config = ConfigDict(extra="allow", strict=True)
        kept: Annotated[int, Control("hidden")] = 1
        rate: float = Field(0.1, alias="learning-rate")
        days: tuple[dt.date, ...] = ()

    config = Odd.model_validate({"kept": 7, "learning-rate": 0.5, "note": "hello"})
    form = edited(config, rate="1", days='["2026-01-31"]')
    assert "kept" not in form
    changed = read_form(form, config)
    assert (changed.kept, changed.rate, changed.days, changed.note) == (7, 1.0, (dt.date(2026, 1, 31),), "hello")
    assert form_problems(edited(config, rate="x"), config) == {"rate": "Input should be a valid number"}


def test_a_model_that_holds_itself_and_a_subclass_are_edited_as_they_are():
    class Node(BaseModel):
        size: int = 1
        below: Node | None = None

    class Wide(Node):
        width: int = 2

    Node.model_rebuild(_types_namespace={"Node": Node})
    config = Node(below=Wide(width=5))
    changed = read_form(edited(config, below__width="6"), config)
    assert changed == Node(below=Wide(width=6))
    assert read_form(edited(config, below__below_set=True, below__below='{"size": 4}'), config).below.below.size == 4


def test_what_no_input_can_hold_is_shown_and_kept():
    class Strange(BaseModel):
        model_config = ConfigDict(arbitrary_types_allowed=True)
        call: Any = print
        lock: threading.Thread = threading.Thread()
        long: list[int] = list(range(20_000))
        lone: str = "\ud800"
        steps: int = 1

    config = Strange()
    changed = read_form(edited(config, steps="2"), config)
    assert (changed.call, changed.lock, changed.lone, changed.steps) == (print, config.lock, "\ud800", 2)
    assert changed.long == config.long
    assert len(form_view(config_form(config)).text) < 20_000


def test_a_secret_stays_out_of_the_page_and_may_be_replaced():
    class Account(BaseModel):
        key: SecretStr = SecretStr("hunter2-hunter2")
        keys: list[SecretStr] = [SecretStr("hunter2-again")]
        api_key: str = "hunter2-by-its-name"

    config = Account()
    form = edited(config)
    assert "hunter2" not in form.text + form_view(form).text
    assert read_form(edited(config, key="swordfish"), config).key.get_secret_value() == "swordfish"
    assert read_form(edited(config, api_key="swordfish"), config).api_key == "swordfish"
    assert read_form(form, config) is config


def test_nothing_in_a_config_is_markup_on_the_page():
    class Loud(BaseModel):
        """<script>doc()</script>"""

        text: str = Field("<script>value()</script>", description="<script>help()</script> {braces}")

    page = form_view(edited(config := Loud(), text="</textarea><script>typed()</script>")).text
    assert "<script>" not in page
    assert "<script>" not in config_form(config).text


def test_a_validator_that_fails_in_its_own_way_leaves_the_page_standing():
    class Broken(BaseModel):
        steps: int = 1

        @field_validator("steps")
        @classmethod
        def _divides(cls, value: int) -> int:
            return 10 // value

    assert form_problems(edited(config := Broken(), steps="0"), config)[""].startswith("ZeroDivisionError")


def test_making_the_form_again_keeps_what_was_typed_until_the_code_says_otherwise():
    name = uuid.uuid4().hex
    config_form(Config(), name=name)._update({"steps": "7", "optimizer.lr": "0.5"})
    again = config_form(Config(), name=name)
    assert read_form(again, Config()) == Config(steps=7, optimizer=Optimizer(lr=0.5))
    later = Config(steps=200)
    assert read_form(config_form(later, name=name), later) == Config(steps=200, optimizer=Optimizer(lr=0.5))
    assert read_form(config_form(Config(), name=name, reset=True), Config()) == Config()
    assert config_form(Config(), name="another").value["steps"] == "100"


def test_a_session_does_not_see_what_another_one_typed():
    name = uuid.uuid4().hex
    config_form(Config(), name=name)._update({"steps": "7"})
    seen = []
    thread = threading.Thread(target=lambda: seen.append(config_form(Config(), name=name).value["steps"]))
    thread.start()
    thread.join()
    assert seen == ["100"]


def test_a_submitted_form_is_read_too_and_is_the_config_before():
    config = Config()
    form = mo.ui.form(config_form(config, name=uuid.uuid4().hex))
    assert read_form(form, config) is config
    form._update({**{key: e._value_frontend for key, e in form.element.elements.items()}, "steps": "7"})
    assert read_form(form, config).steps == 7


class Recipe(BaseExperimentConfig):
    curriculum: str = Field("arena", description="Curriculum.")
    wandb_tags: tuple[str, ...] = ("own",)
    lr: float = Field(0.01, gt=0, description="Step size.")


def test_a_recipes_own_fields_come_first_and_what_every_experiment_has_is_folded_behind_them():
    """A default of the recipe's own makes a field that every experiment has no field of the recipe's."""
    text = form_view(config_form(Recipe(), name=uuid.uuid4().hex)).text
    own, folded = text.split('<details class="xf-group xf-further">')
    shown = [name for name in Recipe.model_fields if f"<code>{name}</code>" in own]
    behind = [name for name in Recipe.model_fields if f"<code>{name}</code>" in folded]
    assert shown == ["curriculum", "lr"]
    assert behind == [name for name in BaseExperimentConfig.model_fields if name != "sections"]
    assert "wandb_entity" in folded.partition("</summary>")[0]


def test_what_was_changed_or_is_refused_behind_the_fold_is_counted_at_it():
    form = edited(Recipe(), description="New.", additional_args="no\0word", lr="0.02")
    summary = form_view(form).text.split("xf-further")[-1].partition("</summary>")[0]
    assert ">2 changed<" in summary
    assert ">1 to change<" in summary


@pytest.mark.parametrize("config", [BaseExperimentConfig(), Config()])
def test_a_config_whose_fields_are_all_of_a_kind_is_not_folded(config):
    assert '<details class="xf-group xf-further">' not in form_view(config_form(config, name=uuid.uuid4().hex)).text


def test_every_recipe_config_has_a_form_with_its_help():
    form = config_form(config := BaseExperimentConfig(), name=uuid.uuid4().hex)
    assert read_form(form, config) is config
    for leaf in form.tree.leaves():
        assert leaf.kind is None or html.escape(leaf.help) in form_view(form).text
