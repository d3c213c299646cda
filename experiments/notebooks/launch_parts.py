"""The launch of a study's jobs from its page: the plan as a form, an exact preview, and one button."""

from __future__ import annotations

from typing import Any

import marimo as mo

from experiments.notebooks.context import NotebookContext
from experiments.notebooks.exports import export_hint, write_log
from experiments.notebooks.forms import config_form
from experiments.notebooks.launching import (
    launch_control,
    launch_form,
    launch_outcome,
    launch_plan_of,
    plan_preview,
    run_inputs,
)
from experiments.notebooks.page import Changing, Section, stacked
from experiments.notebooks.subject import Subject


def plan_inputs(experiment: NotebookContext) -> Any:
    """Return the inputs of a plan as one element with `config` and `how`; changing one launches nothing."""
    form = config_form(experiment.config, name=experiment.name)
    return mo.ui.dictionary({"config": form, "how": run_inputs(experiment)})


class Launch(Changing):
    """The form of a plan, exactly what it would launch, and the button; a page that may not launch says how to."""

    def __init__(self, study: Subject) -> None:
        super().__init__(study)
        self.plan: Any = None
        self._button: Any = None  # marimo forgets an element that nobody holds

    def page(self) -> mo.Html:
        """Return the form, the preview with its button, and what came of the latest click."""
        study = self.study
        form, how = self.plan.elements["config"], self.plan.elements["how"]
        shown = [launch_form(study.experiment, form, how, may_launch=study.may_launch)]
        if study.may_launch:
            preview = plan_preview(study.experiment, form, how)
            self._button = launch_control(preview, lambda: self._launch(preview))
            shown += [preview.view(), self._button]
        return stacked([*shown, launch_outcome(study.known().launches)])

    def still(self) -> None:
        """Return nothing: in a file nobody launches."""

    def _launch(self, preview: Any) -> None:
        outcome = launch_plan_of(preview, self.study.experiment, self.study.journal)
        if outcome is not None:
            self.study.tell_launch(lambda before: (*before, outcome))


class Export(Section):
    """How the page becomes one file, and in an open editor a button that writes it."""

    def __init__(self, study: Subject) -> None:
        super().__init__(study)
        self._button: Any = None

    def offer(self) -> None:
        """Make the button, in the cell that shows it."""
        if self._button is None and self.study.may_launch:
            self._button = mo.ui.button(label="Write the log", on_change=lambda _: self._write())

    def page(self) -> mo.Html:
        """Return the command and the button."""
        return stacked([export_hint(self.study.experiment), self._button])

    def still(self) -> None:
        """Return nothing: this is the file."""

    def _write(self) -> None:
        mo.output.replace(stacked([self.page(), write_log(self.study.experiment)]))
