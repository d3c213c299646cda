"""Take the README's pictures of a finished study: `python -m tests.shots [PROJECT]`.

The project needs the notebook of `experiments/recipes/learning_rate_study.py` with finished runs: run that recipe first
(about five minutes on two cores). Without PROJECT it is the checkout itself.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Page

from tests.fakes.serving import ROOT, chromium, marimo_server

FOLDER = Path(__file__).parent
NOTEBOOK = Path("experiments") / "scratch" / "learning_rate_study_nb.py"
WAIT = 120_000


def main(project: Path) -> None:
    """Write `editor.png`, `study.png` and `viewer.png` beside this file."""
    if not (project / NOTEBOOK).exists():
        sys.exit(f"{NOTEBOOK} does not exist. Run experiments/recipes/learning_rate_study.py in {project} first.")
    with opened("edit", project, height=1300) as page:
        # Below the name of the file, which marimo writes as it lies on this machine.
        page.screenshot(path=FOLDER / "editor.png", clip={"x": 0, "y": 100, "width": 1280, "height": 1200})
    with opened("run", project, height=1300) as page:
        page.screenshot(path=FOLDER / "study.png")
        page.set_viewport_size({"width": 1500, "height": 1100})
        viewer = page.locator(".rv-root").first
        viewer.scroll_into_view_if_needed(timeout=WAIT)
        page.wait_for_timeout(5_000)
        viewer.screenshot(path=FOLDER / "viewer.png")
    print(f"wrote editor.png, study.png and viewer.png to {FOLDER.relative_to(ROOT)}")


@contextmanager
def opened(mode: str, project: Path, *, height: int) -> Iterator[Page]:
    """Yield the notebook's page, drawn to its end, as `marimo edit|run` shows it."""
    # A path that says nothing of this machine: the editor shows it.
    with marimo_server(mode, NOTEBOOK, cwd=project) as url, chromium() as browser:
        # It would be code that no commit has, of which the page would warn.
        (project / "server.log").unlink()
        page = browser.new_page(viewport={"width": 1280, "height": height}, device_scale_factor=1.5)
        page.goto(url)
        page.locator(".chart-stage canvas").first.wait_for(timeout=WAIT)
        page.get_by_role("heading", name="Scratch").wait_for(timeout=WAIT)
        page.wait_for_timeout(8_000)
        yield page


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else ROOT)
