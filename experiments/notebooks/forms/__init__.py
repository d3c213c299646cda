"""Any pydantic config as marimo inputs, and back.

Three cells make an editor that is judged as one types and launches nothing:

    form = config_form(config, name="arena")     # makes the inputs; a re-run keeps what was typed
    form_view(form)                              # shows them, with pydantic's words at each field
    plan = preview(read_form(form, config))      # anything cheap

What is dear to compute should depend on a config that was applied, not on every key press: keep that config in
`mo.state`, and set it from a cell that a `mo.ui.run_button` runs. `form.form()` works as well: its value, and
`read_form` of it, change on submit only.
"""

from __future__ import annotations

from experiments.notebooks.forms.element import ConfigForm, config_form, form_problems, form_view, read_form

__all__ = ["ConfigForm", "config_form", "form_problems", "form_view", "read_form"]
