"""Controls of the server are pressed: a page is asked what it has, and none may be without its line here."""

from __future__ import annotations

import re

import pytest

from tests.browser.pressing import Table, Viewer, becomes, changes, clipboard, downloads
from tests.browser.study_controls import ANALYSIS, CAPTIONS, CHART, UNPRESSED, WITHIN
from tests.browser.table_controls import TABLES
from tests.browser.viewer_controls import VIEWER, step
from tests.fakes.served import served
from tests.fakes.serving import scratch_folder
from tests.fakes.viewed import LOG, NOTEBOOK, viewed_project

pytestmark = [pytest.mark.browser, pytest.mark.slow]

PAGES = {
    "Overview": "/",
    "Fleet": "/apps/fleet/",
    "Compare": "/apps/compare/",
    "Replays": "/apps/replays/",
    "Logbook": "/apps/logbook/",
    "Health": "/health",
}


@pytest.fixture(scope="module")
def project():
    with scratch_folder() as folder:
        yield viewed_project(folder)


@pytest.fixture(scope="module")
def server(project):
    with served(project.root) as running:
        yield running


@pytest.fixture(scope="module")
def context(browser, server):
    # As tall as a notebook, so that marimo draws every cell.
    found = browser.new_context(viewport={"width": 1280, "height": 7000}, accept_downloads=True)
    found.grant_permissions(["clipboard-read", "clipboard-write"], origin=server.url)
    page = found.new_page()
    page.goto(server.url)
    page.get_by_label("Token").fill(server.token)
    page.get_by_role("button", name="Log in").click()
    page.get_by_text("Read-only").wait_for()
    page.close()
    yield found
    found.close()


@pytest.fixture
def viewer(context, server, project):
    page = context.new_page()
    page.set_default_timeout(30_000)
    yield Viewer(page, server, project)
    page.close()


def leads(name, title):
    """Return a press of a link that leads to a page of such a title, and the way back."""

    def press(page):
        start = page.url
        with page.expect_navigation(wait_until="commit") as waiting:
            page.get_by_role("link", name=name).first.click()
        assert waiting.value.ok, waiting.value.url
        becomes(page, lambda: re.search(title, page.title()))
        page.goto(start)

    return press


def switch_colours(page):
    for words, theme in (("Dark colours", "dark"), ("Light colours", "light")):
        page.get_by_role("button", name=words).click()
        page.locator(f"html[data-theme={theme}]").wait_for()
        page.get_by_role("button", name=words).wait_for(state="detached")


NAV: Table = {
    **{
        ("link", name): leads(re.compile(f"^{name}$"), name if path != "/" else "experiments")
        for name, path in PAGES.items()
    },
    ("button", "(Dark|Light) colours"): switch_colours,
}


def log_in(page):
    page.get_by_label("Token").fill("not the token")
    page.get_by_role("button", name="Log in").click()
    page.get_by_text("That is not the token.").wait_for()


def test_the_form_that_logs_in_is_pressed(browser, server, project):
    context = browser.new_context()
    viewer = Viewer(context.new_page(), server, project)
    viewer.page.goto(f"{server.url}/health")
    assert [problem.startswith("401: ") for problem in viewer.watch.problems if "console" not in problem] == [True]
    viewer.watch.problems.clear()
    press = {
        ("textbox", "Token"): lambda page: page.get_by_label("Token").fill(server.token),
        ("button", "Log in"): lambda page: (
            page.get_by_role("button", name="Log in").click(),
            page.wait_for_url("**/health"),
        ),
    }
    viewer.press_all(press, elsewhere=NAV)
    assert viewer.page.get_by_role("heading", name="Health").is_visible()
    context.close()


def test_every_control_of_the_first_page_leads_somewhere(viewer):
    viewer.page.goto(f"{viewer.server.url}/")
    viewer.press_all(
        {
            **NAV,
            **{("link", f"{name} .*"): leads(re.compile(f"^{name} "), name) for name in list(PAGES)[1:5]},
            ("link", "experiments/scratch/study_nb"): leads("experiments/scratch/study_nb", "study.nb"),
            ("link", "study"): leads(re.compile("^study$"), "study"),
        }
    )


def choose_job(page):
    page.locator('.jobs-row[data-run*="arm-0.s1"] .jobs-state').click()
    page.locator('.jobs-row[data-run*="arm-0.s1"][aria-selected=true]').wait_for()
    page.get_by_role("paragraph").get_by_text(re.compile("arm-0.s1")).wait_for()


def choose_experiment(page):
    page.locator(".fleet-group .jobs-state").first.click()
    page.locator(".fleet-group[aria-selected=true]").wait_for()
    page.get_by_role("heading", name="study", exact=True).wait_for()
    page.locator(".chart-root[data-drawn]").wait_for()


def filter_jobs(page):
    field = page.get_by_role("searchbox", name="Filter jobs")
    field.fill("arm-1")
    becomes(page, lambda: page.locator(".jobs-row").count() == 3)
    field.fill("")
    becomes(page, lambda: page.locator(".jobs-row").count() == 6)


def fold_all(page):
    page.get_by_role("button", name="Close all").click()
    becomes(page, lambda: page.locator(".jobs-row").count() == 0)
    page.get_by_role("button", name="Open all").click()
    becomes(page, lambda: page.locator(".jobs-row").count() == 6)


def fold_one(page):
    for count in (0, 6):
        page.get_by_role("button", name="Show or hide its jobs").click()
        becomes(page, lambda count=count: page.locator(".jobs-row").count() == count)


def copy_names(page):
    for run in page.locator(".jobs-row").all():
        name = run.get_attribute("data-run")
        run.get_by_role("button", name=name).click()
        page.get_by_text(f"Copied {name}").wait_for()
        assert clipboard(page) == name


def fold_alerts(page):
    alert = page.get_by_role("button", name=re.compile("failed: the trainer ended"))
    for is_shown in (False, True):
        page.locator("summary", has_text="1 alert").click()
        becomes(page, lambda is_shown=is_shown: alert.is_visible() == is_shown)


def press_alert(page):
    page.get_by_role("button", name=re.compile("failed: the trainer ended")).click()
    page.locator('.jobs-row[data-run*="arm-1.s1"][aria-selected=true]').wait_for()


VIEWS = {
    "Search": "This experiment has no search",
    "Log": "ValueError: no such map",
    "Config": "learning_rate",
    "Provenance": "launched by",
}


def choose_view(page):
    for name, words in VIEWS.items():
        page.get_by_role("radio", name=name).click()
        page.get_by_text(re.compile(words)).first.wait_for()


def choose_lines(page):
    page.get_by_role("radio", name="Log").click()
    page.get_by_label("Log", exact=True).and_(page.locator("select")).select_option(label="last 1,000 lines")
    page.get_by_text("ValueError: no such map").wait_for()


def choose_metric(page):
    page.get_by_role("radio", name="Curves").click()
    page.get_by_role("button", name="Metric").click()
    page.keyboard.type("entropy")
    becomes(page, lambda: page.get_by_role("option").count() == 1)
    page.get_by_role("option", name="losses/entropy").click()
    # The list closes itself: Escape would close what is looked at.
    page.get_by_role("option").wait_for(state="detached")
    page.locator('.chart-stage[aria-label*="losses/entropy"]').wait_for()


def test_every_control_of_the_fleet_does_what_it_says_and_changes_nothing(viewer):
    viewer.page.goto(f"{viewer.server.url}/apps/fleet/?open=all")
    viewer.page.locator(".jobs-row").nth(5).wait_for(timeout=60_000)
    viewer.press_all(
        {
            ("searchbox", "Filter jobs"): filter_jobs,
            ("button", "(Close|Open) all"): fold_all,
            ("button", "Show or hide its jobs"): fold_one,
            ("DisclosureTriangle", "1 alert"): fold_alerts,
            ("row", "Show or hide its jobs study .*"): choose_experiment,
            ("row", r"\S+\.arm-\d\.s\d\.\w+ .*"): choose_job,
            ("button", r"\S+\.arm-\d\.s\d\.\w+: failed: .*"): press_alert,
            ("button", r"\S+\.arm-\d\.s\d\.\w+"): copy_names,
            ("radio", "Curves|Search|Log|Config|Provenance"): choose_view,
            ("combobox", "Log"): choose_lines,
            ("button", "Metric"): choose_metric,
            **CAPTIONS,
        },
        elsewhere=NAV,
    )


def test_every_control_of_compare_does_what_it_says_and_changes_nothing(viewer):
    page = viewer.page
    page.goto(f"{viewer.server.url}/apps/compare/")
    page.get_by_role("application").wait_for(timeout=90_000)
    becomes(page, lambda: page.locator(".chart-root[data-drawn]").count() == 2)
    viewer.press_all({**ARMS, **ANALYSIS, **TABLES}, elsewhere={**NAV, **VIEWER, **UNPRESSED, **WITHIN})


def search_arms(page):
    field = page.get_by_role("textbox", name="Search", exact=True)
    for words, said in (("arm-1", "^3 runs of 1 arm"), ("nothing of the kind", "Choose"), ("", "^6 runs of 2 arms")):
        field.fill(words)
        page.get_by_text(re.compile(said)).first.wait_for()


def choose_arms(page):
    page.get_by_role("button", name="Arms").click()
    page.get_by_role("option", name="study/arm-1").click()
    page.keyboard.press("Escape")
    page.get_by_text(re.compile("^3 runs of 1 arm")).wait_for()
    page.get_by_role("button", name="Arms").click()
    page.get_by_role("option", name="study/arm-1").click()
    page.keyboard.press("Escape")
    page.get_by_text(re.compile("^6 runs of 2 arms")).wait_for()
    becomes(page, lambda: page.locator(".chart-root[data-drawn]").count() == 2)


ARMS: Table = {("textbox", "Search"): search_arms, ("button", "Arms"): choose_arms}


def test_every_control_of_the_replays_does_what_it_says_and_changes_nothing(viewer):
    viewer.page.goto(f"{viewer.server.url}/apps/replays/")
    viewer.page.get_by_role("button", name=re.compile("^arm-0 seed 0 ")).nth(2).wait_for(timeout=60_000)
    viewer.press_all({**GALLERY, **VIEWER, **BESIDE}, elsewhere=NAV)


def cards(page):
    return page.get_by_role("button", name=re.compile(r"^arm-\d seed \d "))


def filter_replays(page):
    field = page.get_by_role("searchbox", name="Filter replays")
    field.fill("arm-0 80k")
    becomes(page, lambda: cards(page).count() < 15)
    field.fill("")
    becomes(page, lambda: cards(page).count() == 15)


def least_reward(page):
    field = page.get_by_role("spinbutton", name="Reward at least")
    field.fill("99")
    becomes(page, lambda: cards(page).count() == 0)
    field.fill("")
    becomes(page, lambda: cards(page).count() == 15)


def order_replays(page):
    field = page.get_by_role("combobox", name="Order")
    steps = cards(page).all_inner_texts
    changes(page, steps, lambda: field.select_option("lowest reward"))
    changes(page, steps, lambda: field.select_option("newest step"))


def choose_replay(page):
    for card in cards(page).all()[:3]:
        card.click()
        becomes(page, lambda card=card: card.get_attribute("aria-pressed") == "true")
        words = re.match(r"arm-\d seed \d", card.inner_text().strip())[0]
        page.get_by_role("application", name=re.compile(words)).wait_for()


def second_beside(page):
    page.get_by_role("checkbox", name="Second one beside").check()
    cards(page).nth(8).click()
    page.get_by_role("application", name="Two replays compared").wait_for()
    changes(page, lambda: step(page), lambda: page.get_by_role("button", name="Last step (End)").click())


GALLERY: Table = {
    ("searchbox", "Filter replays"): filter_replays,
    ("spinbutton", "Reward at least"): least_reward,
    ("combobox", "Order"): order_replays,
    ("button", r"arm-\d seed \d study .* steps reward .*"): choose_replay,
}
BESIDE: Table = {
    ("checkbox", "Second one beside"): second_beside,
    ("application", "Two replays compared"): lambda page: changes(
        page, lambda: step(page), lambda: page.get_by_role("application", name="Two replays compared").press("[")
    ),
}


def test_every_control_of_the_logbook_and_of_a_log_does_what_it_says_and_changes_nothing(viewer):
    viewer.page.goto(f"{viewer.server.url}/apps/logbook/")
    viewer.page.get_by_role("link", name="study", exact=True).wait_for(timeout=60_000)
    viewer.press_all({("textbox", "Search"): search_logs, ("link", "study"): open_log}, elsewhere=NAV)
    viewer.page.goto(f"{viewer.server.url}{LOG}")
    viewer.page.wait_for_selector("html[data-charts=drawn]")
    viewer.page.get_by_role("button", name="Play (Space)").wait_for()
    viewer.press_all(LOG_PAGE, elsewhere={**VIEWER, **CHART})


def search_logs(page):
    field = page.get_by_role("textbox", name="Search")
    for words, said in (("nothing of the kind", "No log has all these words"), ("study", "1 of 1 log")):
        field.fill(words)
        page.get_by_text(said).wait_for()


def open_log(page):
    with page.context.expect_page() as waiting:
        page.get_by_role("link", name="study", exact=True).click()
    waiting.value.get_by_role("heading", name="study", level=1).wait_for()
    waiting.value.close()


def unfolds(page):
    """Open everything that is folded, then fold it again, what lies within first."""
    for turn in (1, -1):
        for summary in page.locator("summary").all()[::turn]:
            if summary.is_visible() and summary.inner_text() not in ("Show", "Share"):
                inside = summary.locator("xpath=..")
                changes(page, lambda inside=inside: inside.get_attribute("open"), summary.click)


def jump(page):
    for link in page.get_by_role("navigation").get_by_role("link").all():
        link.click()
        place = link.get_attribute("href")
        assert page.locator(f"[id='{place[1:]}']").count() == 1
        assert page.url.endswith(place)


def sort_log_tables(page):
    for table in page.locator("table").all():
        for heading in table.locator("thead").get_by_role("button").all():
            if heading.is_visible():
                heading.click()
                assert heading.locator("xpath=ancestor::th").get_attribute("aria-sort") in {"ascending", "descending"}


def darken(page):
    for words in ("Dark", "Light"):
        colour = "getComputedStyle(document.documentElement).backgroundColor"
        changes(page, lambda: page.evaluate(colour), page.get_by_role("button", name=words, exact=True).click)  # noqa: B023


SECTIONS = "Jobs|1 failed run, 1 cause|Replays|Runs|Details|Not in this file|How this was made|Notebook"
HEADINGS = (
    "Run|State|Agent steps|Steps/s|Reward|Time|Reason|arm|runs|score|95 % interval( of it)?|difference|p \\(Holm\\)"
    "|P\\(higher\\), 95 %|claim|run_name|seed|verdict|overview/reward( curve)?|steps|sps|time|cost|mean|low|high"
    "|interval"
)
FOLDED = (
    "study_nb.py|Package versions|.*, the time of this log|Config|Sources of the data|Where the code .*"
    "|More charts|Groups|For a paper|Figure and files|1 note"
)
LOG_PAGE: Table = {
    ("button", "Dark|Light"): darken,
    ("link", "Skip to the log"): lambda page: page.get_by_role("link", name="Skip to the log").press("Enter"),
    ("link", SECTIONS): jump,
    ("button", f"({HEADINGS})( [↑↓])?"): sort_log_tables,
    ("link", "Save as CSV"): lambda page: downloads(
        page, page.get_by_role("link", name="Save as CSV").first, r"study-runs\.csv", b"run_name"
    ),
    ("link", "Save as LaTeX"): lambda page: downloads(
        page, page.get_by_role("link", name="Save as LaTeX").first, r"study-runs\.tex", b"\\begin{table}"
    ),
    ("DisclosureTriangle", FOLDED): unfolds,
}


def test_every_control_of_a_notebook_does_what_it_says_and_changes_nothing(viewer):
    page = viewer.page
    page.goto(f"{viewer.server.url}{NOTEBOOK}")
    page.get_by_role("application").wait_for(timeout=90_000)
    becomes(page, lambda: page.locator(".jobs-row").count() == 6)
    viewer.press_all(NOTEBOOK_PAGE, elsewhere={**NAV, **ANALYSIS, **TABLES, **VIEWER, **UNPRESSED, **WITHIN})


def unfold_code(page):
    page.get_by_role("button", name="Where the code comes from").click()
    page.get_by_role("cell", name=".experiments/runs/<run>").wait_for()


def unfold_record(page):
    page.get_by_role("button", name="Rule and log").click()
    page.get_by_role("cell", name="6 jobs launched").wait_for()


def select_jobs(page):
    rows = page.locator(".jobs-row")
    page.get_by_role("checkbox", name="Select all jobs shown").click()
    becomes(page, lambda: page.locator(".jobs-row[aria-selected=true]").count() == 6)
    page.get_by_role("checkbox", name="Select all jobs shown").click()
    for at in range(6):
        rows.nth(at).get_by_role("checkbox").click()
        becomes(page, lambda at=at: rows.nth(at).get_attribute("aria-selected") == "true")
    rows.nth(2).locator(".jobs-state").click()
    becomes(page, lambda: page.locator(".jobs-row[aria-selected=true]").count() == 1)


def sort_jobs(page):
    for name in ("Run", "State", "Progress", "Steps/s", "Reward", "Time left", "Started"):
        heading = page.locator(".jobs-grid thead th").filter(has_text=re.compile(f"^{name}"))
        for _ in range(2):
            changes(page, lambda h=heading: h.get_attribute("aria-sort"), heading.get_by_role("button").click)


def read_again(page):
    page.get_by_role("button", name="Read the log again").click()
    page.get_by_text("hello from").first.wait_for()


def choose_log_lines(page):
    page.get_by_label("Log", exact=True).and_(page.locator("select")).select_option(label="last 1,000 lines")
    page.get_by_text("hello from").first.wait_for()


NOTEBOOK_PAGE: Table = {
    ("button", "Where the code comes from, .*"): unfold_code,
    ("button", "Rule and log"): unfold_record,
    ("searchbox", "Filter jobs"): filter_jobs,
    ("button", "(Run|State|Progress|Steps/s|Reward|Time left|Started)( [↑↓])?"): sort_jobs,
    ("checkbox", r"Select (all jobs shown|\S+\.arm-\d\.s\d\.\w+)"): select_jobs,
    ("row", r"Select \S+\.arm-\d\.s\d\.\w+ .*"): select_jobs,
    ("button", r"\S+\.arm-\d\.s\d\.\w+"): copy_names,
    ("combobox", "Log"): choose_log_lines,
    ("button", "Read the log again"): read_again,
}


def test_a_page_that_is_not_there_leads_back(viewer):
    answer = viewer.page.goto(f"{viewer.server.url}/nowhere")
    assert answer.status == 404
    viewer.page.get_by_role("link", name="Overview").click()
    viewer.page.get_by_text("Read-only: nobody can launch").wait_for()


def test_at_1000_pixels_a_run_of_the_fleet_is_told_by_its_arm_and_seed(context, server):
    page = context.new_page()
    page.set_viewport_size({"width": 1000, "height": 900})
    page.goto(f"{server.url}/apps/fleet/?open=all")
    page.locator(".jobs-row").nth(5).wait_for(timeout=60_000)
    hidden = page.locator(".jobs-row .jobs-name").evaluate_all(
        """names => names.filter((name) => {
          const text = name.querySelector("bdi").firstChild, range = document.createRange();
          range.setStart(text, text.data.indexOf("arm-"));
          range.setEnd(text, text.data.length);
          return range.getBoundingClientRect().left < name.getBoundingClientRect().left;
        }).length"""
    )
    assert hidden == 0
    page.close()
