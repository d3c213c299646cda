"""Take the README's pictures of a finished study: `python -m tests.shots [PROJECT]`.

The project needs the notebook of `experiments/recipes/learning_rate_study.py` with finished runs: run that recipe first
(about five minutes on two cores). Without PROJECT it is the checkout itself.
"""

from __future__ import annotations

import sys
from pathlib import Path

from tests.fakes.serving import ROOT, chromium, marimo_server

FOLDER = Path(__file__).parent
WAIT = 120_000


def main(project: Path) -> None:
    """Write `study.png` and `viewer.png` beside this file."""
    notebook = project / "experiments" / "scratch" / "learning_rate_study_nb.py"
    if not notebook.exists():
        sys.exit(f"{notebook} does not exist. Run experiments/recipes/learning_rate_study.py in {project} first.")
    with marimo_server("run", notebook, cwd=project) as url, chromium() as browser:
        page = browser.new_page(viewport={"width": 1200, "height": 1000}, device_scale_factor=1.5)
        page.goto(url)
        chart = page.locator("canvas, svg.marks").first
        chart.scroll_into_view_if_needed(timeout=WAIT)
        page.wait_for_timeout(8_000)
        page.get_by_role("heading", name="Analysis").evaluate("heading => heading.scrollIntoView()")
        page.wait_for_timeout(3_000)
        page.screenshot(path=FOLDER / "study.png")
        page.set_viewport_size({"width": 1500, "height": 1100})
        viewer = page.locator(".rv-root").first
        viewer.scroll_into_view_if_needed(timeout=WAIT)
        page.wait_for_timeout(5_000)
        viewer.screenshot(path=FOLDER / "viewer.png")
    print(f"wrote study.png and viewer.png to {FOLDER.relative_to(ROOT)}")


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else ROOT)
