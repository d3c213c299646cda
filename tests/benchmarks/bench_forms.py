"""The form of a nested config of 60 fields, against making its 60 inputs bare and one by one."""

from __future__ import annotations

from typing import Annotated, Literal

import marimo as mo
from pydantic import BaseModel, Field

from experiments.notebooks.forms import config_form, form_view, read_form
from experiments.types import Control
from tests.benchmarks import Bar
from tests.benchmarks.measuring import least_cpu_s


class Part(BaseModel):
    """One group of ten fields."""

    kind: Literal["adam", "muon", "sgd"] = "adam"
    name: str = Field("base", description="Name of the part.")
    notes: Annotated[str, Control("text_area")] = Field("two\nlines", description="Remarks.")
    rate: float = Field(3e-4, gt=0, le=1, description="Step size.")
    decay: float = Field(0.9, ge=0, lt=1, description="Decay of the first moment.")
    steps: int = Field(1_500_000, ge=1, description="Agent steps.")
    workers: int = Field(8, ge=1, le=64, description="Workers side by side.")
    layers: int = Field(2, ge=1, le=8, description="Hidden layers.")
    spot: bool = Field(True, description="Use machines that may be taken away.")
    tags: tuple[str, ...] = Field(("a", "b"), description="Tags of the run.")


class Config(BaseModel):
    """Sixty fields in six groups."""

    first: Part = Part()
    second: Part = Part()
    third: Part = Part()
    fourth: Part = Part()
    fifth: Part = Part()
    sixth: Part = Part()


def run() -> list[Bar]:
    """Measure a form's making and one change in it, in CPU time, the best of several taken in turn."""
    config = Config()
    form = config_form(config)
    form._update({"first.rate": "0.5"})
    bare, made, change = least_cpu_s(
        _bare_elements, lambda: config_form(config), lambda: (read_form(form, config), form_view(form)), rounds=40
    )
    return [
        Bar("form of 60 fields / its 60 bare inputs", made / bare, 3.0),
        Bar("one change: read and show 60 fields / 60 bare inputs", change / bare, 3.0),
    ]


def _bare_elements() -> list[object]:
    return [
        element
        for _ in range(6)
        for element in (
            mo.ui.dropdown(["adam", "muon", "sgd"], "adam"),
            mo.ui.text("base"),
            mo.ui.text_area("two\nlines"),
            mo.ui.text("0.0003"),
            mo.ui.text("0.9"),
            mo.ui.text("1500000"),
            mo.ui.number(value=8, step=1),
            mo.ui.number(value=2, step=1),
            mo.ui.switch(value=True),
            mo.ui.text("a, b"),
        )
    ]
