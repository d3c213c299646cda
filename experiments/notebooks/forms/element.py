"""The form as one marimo element, what was typed into it, and the config that it describes."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping, Sequence
from functools import cache
from html import escape
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import marimo as mo
from pydantic import BaseModel

from experiments.notebooks.forms.kinds import Raw
from experiments.notebooks.forms.tree import Group, Leaf, Problems, is_of_every_experiment, judge, switch_key, tree_of
from experiments.project import look
from experiments.project.errors import UsageError

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
            html=mo.Html(render(self.tree, elements)), elements=elements, on_change=self._remember
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


def form_view(form: ConfigForm[Any]) -> mo.Html:
    """Return the form as it stands: each problem at its field, what was changed and from what, and a summary.

    Show it in another cell than the one that makes the form: that cell then runs, and only it, on each change; the
    input that is being typed in keeps its focus and its text.
    """
    problems = judge(form.tree, form.value)[1]
    return mo.Html(render(form.tree, form.elements, form.value, problems))


def render(
    tree: Group,
    elements: Mapping[str, UIElement[Any, Any]],
    raws: Mapping[str, Raw] | None = None,
    problems: Problems | None = None,
) -> str:
    """Return a form as HTML.

    Args:
        tree: The config's fields.
        elements: The input of each.
        raws: What they hold; without it nothing is marked as changed, and no input is hidden.
        problems: What is wrong with what they hold.
    """
    page = _Page(elements, raws, problems or {})
    return f'<div class="xf"><style>{_css()}</style>{page.summary()}{page.whole(tree)}</div>'


class _Page:
    """One rendering: everything that rows of it have in common."""

    def __init__(
        self, elements: Mapping[str, UIElement[Any, Any]], raws: Mapping[str, Raw] | None, problems: Problems
    ) -> None:
        self.elements, self.raws, self.problems = elements, raws, problems

    def summary(self) -> str:
        if self.raws is None:
            return ""
        lines = "".join(
            f"<li>{f'<code>{escape(key)}</code> ' if key else ''}{escape(text)}</li>"
            for key, text in self.problems.items()
        )
        count = len(self.problems)
        head = f"{count} {'value needs' if count == 1 else 'values need'} a change" if count else ""
        return f'<div class="xf-summary" role="status">{head}<ul>{lines}</ul></div>'

    def whole(self, tree: Group) -> str:
        """Return the config's own fields, and behind them, folded, those that every experiment has."""
        further = [item for item in tree.items if is_of_every_experiment(tree, item)]
        if len(further) in {0, len(tree.items)}:
            return self.items(tree.items)
        return self.items([item for item in tree.items if item not in further]) + self.further(further)

    def items(self, items: Sequence[Leaf | Group]) -> str:
        return "".join(self.group(item) if isinstance(item, Group) else self.row(item) for item in items)

    def further(self, items: Sequence[Leaf | Group]) -> str:
        # It never opens or closes by itself: an input would go from under a person's hands. The counts tell what is in.
        names = ", ".join(item.name for item in items if isinstance(item, Group) or item.kind is not None)
        changed = sum(leaf.kind is not None and bool(self._was(leaf)) for item in items for leaf in item.leaves())
        bad = sum(any(_is_in(key, item) for item in items) for key in self.problems)
        counts = (f'<span class="xf-was">{changed} changed</span>' if changed else "") + _to_change(bad)
        return (
            f'<details class="xf-group xf-further"><summary><b>More settings</b>'
            f'<span class="xf-help">{escape(names)}</span>{counts}</summary>'
            f'<div class="xf-items">{self.items(items)}</div></details>'
        )

    def group(self, group: Group) -> str:
        inside = sum(_is_in(key, group) for key in self.problems)
        hidden = " xf-off" if self._off(group) else ""
        return (
            f'<details class="xf-group{hidden}" open><summary><code>{escape(group.name)}</code>'
            f'<span class="xf-help">{escape(group.help)}</span>{_to_change(inside)}</summary>'
            f'<div class="xf-switch">{self._switch(group)}</div>{self._error(group.key)}'
            f'<div class="xf-items">{self.items(group.items)}</div></details>'
        )

    def row(self, leaf: Leaf) -> str:
        if leaf.kind is None:
            return ""
        was = self._was(leaf)
        states = (" xf-changed" if was else "") + (" xf-bad" if leaf.key in self.problems else "")
        rule = f'<span class="xf-rule">{escape(leaf.rule)}</span>' if leaf.rule else ""
        off = " xf-off" if self._off(leaf) else ""
        return (
            f'<div class="xf-row{states}"><code>{escape(leaf.name)}</code>'
            f'<div class="xf-input{off}">{self._switch(leaf)}'
            f'<div class="xf-value">{_named(self.elements[leaf.key], leaf.key)}</div></div>'
            f'<div class="xf-help">{escape(leaf.help)} {rule}<span class="xf-was">{was}</span>'
            f"{self._error(leaf.key)}</div></div>"
        )

    def _error(self, key: str) -> str:
        return f'<div class="xf-error" role="alert">{escape(self.problems.get(key, ""))}</div>'

    def _switch(self, item: Leaf | Group) -> str:
        if not item.switched:
            return ""
        key = switch_key(item.key)
        words = '<span class="xf-unset">not set</span>' if self._off(item) else ""
        return f"{_named(self.elements[key], f'{item.key} has a value')}{words}"

    def _off(self, item: Leaf | Group) -> bool:
        return item.switched and self.raws is not None and not self.raws[switch_key(item.key)]

    def _was(self, leaf: Leaf) -> str:
        if self.raws is None:
            return ""
        was_set, is_set = leaf.is_set or not leaf.switched, not self._off(leaf)
        if was_set == is_set and (not is_set or self.raws[leaf.key] == leaf.raw):
            return ""
        before = {True: "on", False: "off", None: "empty", "": "empty"}.get(leaf.raw, str(leaf.raw))
        return f"was {escape(before[:60] + '…' * (len(before) > 60)) if was_set else 'not set'}"


def _is_in(key: str, item: Leaf | Group) -> bool:
    """Tell whether a problem's key is an item's own or lies below it."""
    return key == item.key or key.startswith(f"{item.key}.")


def _to_change(count: int) -> str:
    return f'<span class="xf-count">{f"{count} to change" if count else ""}</span>'


def _named(element: UIElement[Any, Any], name: str) -> str:
    # The label is heard and not seen: the style hides it. It is written into marimo's own attribute, because marimo
    # would take it for Markdown, at ten times the cost of the input.
    return element.text.replace("data-label='null'", f"data-label='{escape(json.dumps(name))}'", 1)


@cache
def _css() -> str:
    light, dark = look.LIGHT, look.DARK
    return f"""
.xf {{ --m: light-dark({light.muted}, {dark.muted}); --h: light-dark({light.hairline}, {dark.hairline});
  --a: light-dark({light.accent}, {dark.accent}); --bad: {look.STATES["failed"].css};
  color: light-dark({light.text}, {dark.text}); font: 14px/20px system-ui, sans-serif; container-type: inline-size; }}
.xf code {{ font: 13px/20px ui-monospace, monospace; background: none; padding: 0; color: inherit; }}
.xf-row {{ display: grid; grid-template-columns: minmax(120px, 22%) minmax(180px, 32%) 1fr; gap: 0 16px;
  align-items: start; padding: 3px 0 3px 10px; border-left: 2px solid transparent; }}
.xf-row > code {{ padding-top: 2px; overflow-wrap: anywhere; }}
.xf-changed {{ border-left-color: var(--a); }}
.xf-bad {{ border-left-color: var(--bad); }}
.xf-input {{ display: flex; gap: 8px; align-items: center; min-height: 28px; }}
.xf marimo-ui-element > *::part(label) {{ position: absolute; width: 1px; height: 1px; overflow: hidden;
  clip-path: inset(50%); }}
.xf-value {{ flex: 1; min-width: 0; }}
.xf-off > .xf-value, .xf-off > .xf-items {{ display: none; }}
.xf-help, .xf-unset {{ font-size: 12px; color: var(--m); }}
.xf-row > .xf-help {{ padding-top: 3px; }}
.xf-rule, .xf-was {{ white-space: nowrap; font-variant-numeric: tabular-nums; }}
.xf-was {{ color: var(--a); margin-left: 8px; }}
.xf-error {{ color: var(--bad); font-size: 12px; }}
.xf-error:not(:empty)::before {{ content: "\\2715\\00a0"; }}
.xf-group {{ margin: 8px 0; }}
.xf-group > summary {{ cursor: pointer; padding: 4px 0; }}
.xf-group > summary > .xf-help {{ margin-left: 10px; }}
.xf-group > summary > code {{ font-weight: 600; }}
.xf-further > summary > b {{ font-weight: 600; }}
.xf-count {{ color: var(--bad); font-size: 12px; margin-left: 10px; }}
.xf-switch:empty {{ display: none; }}
.xf-switch {{ display: flex; gap: 8px; align-items: center; padding: 3px 0 3px 12px; }}
.xf-items .xf-group {{ margin-left: 10px; }}
.xf-group > .xf-error {{ padding-left: 15px; }}
.xf-items {{ margin-left: 4px; border-left: 1px solid var(--h); }}
.xf-summary {{ color: var(--bad); margin-bottom: 8px; }}
.xf-summary ul {{ margin: 0; padding: 0; list-style: none; }}
.xf-summary:not(:has(li)) {{ display: none; }}
.xf :focus-visible {{ outline: 2px solid var(--a); outline-offset: 2px; }}
@container (max-width: 560px) {{ .xf-row {{ grid-template-columns: 1fr; }} }}
"""
