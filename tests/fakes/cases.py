"""Other people's inputs that once failed; `tests/cases/README.md` says what each is and what is right."""

from __future__ import annotations

import shutil
from pathlib import Path

CASES = Path(__file__).parents[1] / "cases"


def case_copy(name: str, target: Path) -> Path:
    """Copy the case `name` (such as `data/forked`) to `target`, so that a test may write beside it; return `target`."""
    return Path(shutil.copytree(CASES / name, target, dirs_exist_ok=True))
