"""`experiments skill`: how to work with Experiments, in one file that agents read."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import tyro

from experiments.cli.envelope import Answer, Shown
from experiments.cli.terminal import say
from experiments.project.errors import UsageError

NAME = "experiments"
_FILE = Path(__file__).with_name("SKILL.md")


class Skill(Shown):
    """The skill.

    Attributes:
        text: Markdown, behind a head of YAML that names and describes it.
        file: Where it was saved; null where it was not.
    """

    text: str
    file: str | None


def skill(*, save: Annotated[Path | None, tyro.conf.arg(metavar="DIR", help_behavior_hint="")] = None) -> Answer[Skill]:
    """Print how an agent works with Experiments: ask, plan, launch under a permit, wait, read the answer, note it.

    Args:
        save: Write it as experiments/SKILL.md into this folder of skills instead, such as .claude/skills.
    """
    text = skill_text()
    if save is None:
        return Answer(Skill(text=text, file=None), lambda found: say(found.text, end=""))
    path = save / NAME / _FILE.name
    if path.exists() and path.read_bytes() != text.encode():
        raise UsageError(f"{str(path)!r} is there and says something else. Move it away, or name another folder.")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return Answer(Skill(text=text, file=str(path)), lambda found: say(f"Saved: {found.file}"))


def skill_text() -> str:
    """Return the file as it is in this package."""
    return _FILE.read_text(encoding="utf-8")
