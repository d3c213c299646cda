"""The form as one marimo element, what was typed into it, and the config that it describes."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import marimo as mo
from pydantic import BaseModel

from experiments.errors import UsageError
from experiments.forms import view
from experiments.forms.kinds import Raw
from experiments.forms.tree import Problems, judge, tree_of

if TYPE_CHECKING:
    from marimo._plugins.ui._core.ui_element import UIElement

ConfigT = TypeVar("ConfigT", bound=BaseModel)


class _Drafts(threading.local):
    """What was typed in each form of one session, beside what the form showed before.

    marimo gives every session a thread of its own, so a viewer never sees what another one types, and the memory ends
    with the session. In the editor a reload of the page is the same session.
    """

    def __init__(self) -> None:
        self.typed: dict[tuple[str, str], dict[str, tuple[Raw, Raw]]] = {}


_drafts = _Drafts()


class ConfigForm(mo.ui.batch, Generic[ConfigT]):
    """Inputs for every field of a config; `.value` holds their contents, `read_form` the config that they describe.

    Attributes:
        config: The config that the form was made of.
        name: What tells forms of the same class apart.
        tree: The config's fields and their inputs.
    """

    def __init__(self, config: ConfigT, name: str) -> None:
        self.config, self.name, self.tree = config, name, tree_of(config)
        typed = _drafts.typed.get(_draft_key(config, name), {})
        elements: dict[str, UIElement[Any, Any]] = {}
        for key, kind, raw in self.tree.raws():
            shown, draft = typed.get(key, (raw, raw))
            # Where the code has changed a field since, the code is the later word.
            elements[key] = kind.element(draft if shown == raw else raw)
        # Not batch's own constructor: it makes every element twice, which forms of many fields feel.
        super(mo.ui.batch, self).__init__(
            html=mo.Html(view.render(self.tree, elements)), elements=elements, on_change=self._remember
        )

    def _remember(self, raws: Mapping[str, Raw]) -> None:
        shown = {key: raw for key, _, raw in self.tree.raws()}
        _drafts.typed[_draft_key(self.config, self.name)] = {
            key: (shown[key], raw) for key, raw in raws.items() if raw != shown[key]
        }

    def _clone(self) -> ConfigForm[ConfigT]:
        return ConfigForm(self.config, self.name)


def config_form(config: ConfigT, *, name: str = "", reset: bool = False) -> ConfigForm[ConfigT]:
    """Return inputs for every field of `config`; changing one launches nothing.

    A later run of the same cell keeps what was typed since, field by field, unless `config` itself now has another
    value there.

    Args:
        config: The config that the form starts from.
        name: Tells two forms of the same class in one notebook apart, such as the experiment's name.
        reset: Forget what was typed; bind it to the value of a `mo.ui.run_button`.
    """
    if reset:
        _drafts.typed.pop(_draft_key(config, name), None)
    return ConfigForm(config, name)


def read_form(form: ConfigForm[ConfigT] | mo.ui.form[Any, Any], config: ConfigT) -> ConfigT:
    """Return the config that the inputs describe; `config` itself where nothing was changed or nothing submitted yet.

    Raises:
        UsageError: pydantic refuses what a field holds; the message names every such field.
    """
    result, problems = _judge(form, config)
    if problems:
        lines = [f"{key}: {text}" if key else text for key, text in problems.items()]
        raise UsageError(f"{type(config).__name__} cannot be made of this form. Change in it:\n" + "\n".join(lines))
    return result


def form_problems(form: ConfigForm[ConfigT] | mo.ui.form[Any, Any], config: ConfigT) -> Problems:
    """Return what pydantic says of each field that it refuses, by dotted path; empty where all is well.

    A rule about several fields is found under their group's path, that of the whole config under the empty one.
    """
    return _judge(form, config)[1]


def _judge(form: ConfigForm[ConfigT] | mo.ui.form[Any, Any], config: ConfigT) -> tuple[ConfigT, Problems]:
    raws: Mapping[str, Raw] | None = form.value
    tree = form.tree if isinstance(form, ConfigForm) and form.config is config else tree_of(config)
    return (config, {}) if raws is None else judge(tree, raws)


def _draft_key(config: BaseModel, name: str) -> tuple[str, str]:
    return name, f"{type(config).__module__}.{type(config).__qualname__}"
