"""The form in a real marimo server and a real browser."""

from __future__ import annotations

import pytest

from tests.fakes.serving import marimo_server, scratch_folder

pytestmark = [pytest.mark.browser, pytest.mark.slow]

SHOWN = """@app.cell
def _(form):
    form_view(form)
    return


@app.cell
def _(config, form):
    mo.Html(f"<pre id='preview'>{form_problems(form, config) or read_form(form, config).model_dump_json()}</pre>")
    return


if __name__ == "__main__":
    app.run()
"""
NOTEBOOK = (
    '''
import marimo

app = marimo.App()

with app.setup:
    from typing import Annotated, Literal

    import marimo as mo
    from pydantic import BaseModel, Field, SecretStr

    from experiments.notebooks.forms import config_form, form_problems, form_view, read_form
    from experiments.types import Control


@app.class_definition
class Optimizer(BaseModel):
    """How the weights move."""

    name: Literal["adam", "muon"] = Field("adam", description="Rule for one step.")
    lr: float = Field(3e-4, gt=0, le=1, description="Step size.")
    decay: Annotated[float, Control("slider")] = Field(0.9, ge=0, le=1, description="Decay of the first moment.")
    warmup: Annotated[float, Control("log_slider")] = Field(0.01, gt=0, le=1, description="Part of the run.")


@app.class_definition
class Network(BaseModel):
    """What is trained."""

    layers: int = Field(2, ge=1, le=8, description="Hidden layers.")
    widths: list[int] = Field([64, 64], description="Units of each hidden layer.")
    notes: Annotated[str, Control("text_area")] = Field("", description="Why this network.")


@app.class_definition
class Config(BaseModel):
    steps: int = Field(1_500_000, ge=1, description="Agent steps of the whole run; 2e6 may be written.")
    tags: tuple[str, ...] = Field(("ppo", "lr, small"), description="W&B tags of the run.")
    spot: bool = Field(False, description="Use machines that may be taken away.")
    project: str | None = Field(None, description="W&B project <script>document.title = 'hacked'</script>.")
    key: SecretStr = Field(SecretStr("hunter2-hunter2"), description="Never shown.")
    optimizer: Optimizer = Optimizer()
    network: Network | None = None


@app.cell
def _():
    again = mo.ui.run_button(label="Run the form again")
    again
    return (again,)


@app.cell
def _():
    config = Config()
    return (config,)


@app.cell
def _(again, config):
    again
    form = config_form(config, name="browser")
    return (form,)


'''
    + SHOWN
)


@pytest.fixture(scope="module")
def url():
    with scratch_folder() as folder:
        notebook = folder / "form_nb.py"
        notebook.write_text(NOTEBOOK, encoding="utf-8")
        with marimo_server("run", notebook, cwd=folder) as address:
            yield address


@pytest.fixture(scope="module")
def context(browser):
    """One for all: what a page is made of is fetched and compiled once."""
    found = browser.new_context(viewport={"width": 1000, "height": 900})
    yield found
    found.close()


@pytest.fixture
def page(context, url):
    page = context.new_page()
    page.goto(url)
    page.wait_for_selector("#preview")
    yield page
    page.close()


def type_in(page, field, text):
    control = page.get_by_label(field, exact=True)
    control.click()
    control.press("Control+a")
    page.keyboard.type(text, delay=30)


def preview_has(page, text):
    page.wait_for_function("text => document.querySelector('#preview').innerText.includes(text)", arg=text)


def error_of(page, field):
    return page.locator(".xf-row", has=page.get_by_label(field, exact=True)).locator(".xf-error")


def test_a_value_out_of_bounds_shows_pydantics_words_at_its_field(page):
    type_in(page, "optimizer.lr", "2")
    preview_has(page, "optimizer.lr")
    assert error_of(page, "optimizer.lr").inner_text().endswith("Input should be less than or equal to 1")
    assert error_of(page, "optimizer.decay").inner_text() == ""


def test_a_number_with_arrows_takes_a_value_out_of_bounds_as_it_was_typed(page):
    page.get_by_label("network has a value").click()
    type_in(page, "network.layers", "99")
    page.keyboard.press("Tab")
    preview_has(page, "network.layers")
    assert page.get_by_label("network.layers", exact=True).input_value() == "99"


def test_typing_keeps_focus_and_text_while_the_preview_follows(page):
    type_in(page, "steps", "2e6")
    preview_has(page, '"steps":2000000')
    page.keyboard.type("_0", delay=30)
    assert page.get_by_label("steps", exact=True).input_value() == "2e6_0"
    page.keyboard.press("Backspace")
    page.keyboard.press("Backspace")
    page.keyboard.press("Backspace")
    page.keyboard.type("4", delay=30)
    preview_has(page, '"steps":20000')


def test_a_rerun_of_the_cell_that_made_the_form_keeps_what_was_typed(page):
    type_in(page, "optimizer.lr", "0.25")
    preview_has(page, "0.25")
    before = page.locator(".xf marimo-ui-element").first.get_attribute("random-id")
    page.get_by_role("button", name="Run the form again").click()
    page.wait_for_function(
        "before => document.querySelector('.xf marimo-ui-element').getAttribute('random-id') != before", arg=before
    )
    assert page.get_by_label("optimizer.lr", exact=True).input_value() == "0.25"
    assert "0.25" in page.locator("#preview").inner_text()


def test_another_viewer_does_not_see_what_was_typed(page, browser, url):
    type_in(page, "optimizer.lr", "0.125")
    preview_has(page, "0.125")
    other = browser.new_page()
    other.goto(url)
    other.wait_for_selector("#preview")
    assert other.get_by_label("optimizer.lr", exact=True).input_value() == "0.0003"
    other.close()


def test_a_secret_and_a_script_in_a_description_do_nothing_on_the_page(page):
    assert "hunter2" not in page.content()
    assert page.title() != "hacked"
    assert "<script>" in page.locator(".xf").inner_text()


def test_every_input_has_a_name_for_screen_readers(page):
    page.get_by_label("network has a value").click()
    for field in (
        "steps",
        "tags",
        "spot",
        "project has a value",
        "optimizer.name",
        "optimizer.decay",
        "network.widths",
    ):
        assert page.get_by_label(field, exact=True).count() >= 1, field


RECIPE = (
    """
import marimo

app = marimo.App()

with app.setup:
    from experiments.notebooks.forms import config_form, form_problems, form_view, read_form
    from experiments.recipes.arena_experiment import ArenaExperimentConfig
    import marimo as mo


@app.cell
def _():
    config = ArenaExperimentConfig()
    form = config_form(config, name="folded")
    return config, form


"""
    + SHOWN
)


def test_what_every_experiment_has_opens_by_keyboard_and_stays_open_while_one_types_in_it(browser):
    with scratch_folder() as folder:
        notebook = folder / "recipe_nb.py"
        notebook.write_text(RECIPE, encoding="utf-8")
        with marimo_server("run", notebook, cwd=folder) as url:
            page = browser.new_page(viewport={"width": 1000, "height": 900})
            page.goto(url)
            page.wait_for_selector("#preview")
            entity, line = page.get_by_label("wandb_group has a value"), page.locator(".xf-further > summary")
            assert page.get_by_label("gpus", exact=True).is_visible()
            assert not entity.is_visible()
            line.focus()
            page.keyboard.press("Enter")
            entity.wait_for()
            type_in(page, "description", "Why it is done.")
            preview_has(page, "Why it is done.")
            assert page.get_by_label("description", exact=True).input_value() == "Why it is done."
            page.get_by_text("1 changed", exact=True).wait_for()
            line.focus()
            page.keyboard.press("Enter")
            entity.wait_for(state="hidden")
            assert page.get_by_text("1 changed", exact=True).is_visible()
            page.close()
