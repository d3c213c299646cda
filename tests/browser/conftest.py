"""A browser for the modules that look at pages, and the replay viewer alone on one."""

from __future__ import annotations

import pytest

from tests.browser.replay_page import open_page
from tests.fakes.serving import chromium


@pytest.fixture(scope="module")
def browser():
    with chromium() as opened:
        yield opened


@pytest.fixture(scope="module")
def shared_page(browser):
    return browser.new_page(viewport={"width": 1240, "height": 800})


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
