"""The replay viewer alone on a page, for the modules that test it."""

from __future__ import annotations

import pytest

from tests.browser.replay_page import CHROMIUM, open_page


@pytest.fixture(scope="module")
def replay_browser():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def shared_page(replay_browser):
    return replay_browser.new_page(viewport={"width": 1240, "height": 800})


@pytest.fixture
def viewer(shared_page):
    """Return a function that opens the viewer; an error in the page or a request to elsewhere fails the test."""
    errors = []
    shared_page.on("pageerror", note := lambda error: errors.append(str(error)))

    def start(data, **options):
        buffers = {"data": data} | options.pop("more", {})
        return open_page(shared_page, buffers=buffers, **options)

    yield start
    shared_page.remove_listener("pageerror", note)
    assert errors == []
    assert shared_page.strangers == []
