"""`experiments doctor`: what is installed, reachable and writable, each with the command that mends it.

Every check runs in a thread of its own under a deadline, so that the whole takes as long as the slowest and one that
hangs is a line like any other. No secret is printed: every text passes `redaction`.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from experiments.errors import ExperimentsError
from experiments.redaction import mask_text

Level = Literal["ok", "off", "warn", "fail"]
MARKS: dict[Level, str] = {"ok": "✓", "off": "-", "warn": "!", "fail": "✕"}
DEADLINE_S = 5.0


@dataclass(frozen=True)
class Finding:
    """What one check found.

    Attributes:
        name: What was checked.
        level: `ok`; `off`, not set up, which is no error; `warn`, works in part; `fail`, something will not work.
        text: What was found.
        mend: Command that mends it; empty where there is nothing to mend.
    """

    name: str
    level: Level
    text: str
    mend: str = ""

    def masked(self) -> Finding:
        """Return the same without secrets, on one line."""
        return Finding(self.name, self.level, " ".join(mask_text(self.text).split()), mask_text(self.mend))


@dataclass(frozen=True)
class Check:
    """One question and how long it may take.

    Attributes:
        look: Answers it; an error that it raises becomes a finding.
        deadline_s: Seconds after which it is given up.
    """

    name: str
    look: Callable[[], Finding]
    deadline_s: float = DEADLINE_S


def examine(checks: Sequence[Check]) -> list[Finding]:
    """Run all checks at once and return what they found, in their order."""
    answers: queue.SimpleQueue[tuple[int, Finding]] = queue.SimpleQueue()
    began = time.monotonic()
    for number, check in enumerate(checks):
        # Daemons: a check that hangs must not keep the process.
        threading.Thread(target=lambda n=number, c=check: answers.put((n, _looked(c))), daemon=True).start()
    found: dict[int, Finding] = {}
    for deadline in sorted({check.deadline_s for check in checks}):
        due = {number for number, check in enumerate(checks) if check.deadline_s <= deadline}
        while due - found.keys():
            try:
                number, finding = answers.get(timeout=max(0.0, began + deadline - time.monotonic()))
            except queue.Empty:
                late = due - found.keys()
                found |= {number: _late(checks[number]) for number in late}
            else:
                found.setdefault(number, finding)
    return [found[number].masked() for number in range(len(checks))]


def report(findings: Sequence[Finding]) -> list[str]:
    """Return one line a finding, and beneath it the command that mends it."""
    width = max((len(finding.name) for finding in findings), default=0)
    lines = []
    for finding in findings:
        lines.append(f"{MARKS[finding.level]} {finding.level:<4}  {finding.name:<{width}}  {finding.text}")
        if finding.mend:
            lines.append(f"{'':{width + 10}}mend: {finding.mend}")
    return lines


def as_json(findings: Sequence[Finding]) -> list[Mapping[str, str]]:
    """Return the findings as JSON values."""
    return [asdict(finding) for finding in findings]


def all_checks(start: Path) -> list[Check]:
    """Return every check for the project that `start` lies in, in the order in which they are shown."""
    from experiments import doctor_checks as checks

    project = checks.Project.of(start)
    return [
        Check("settings", project.settings_finding),
        Check("state", lambda: checks.state(project)),
        Check("ledger", lambda: checks.ledger(project)),
        Check("disk", lambda: checks.disk(project)),
        Check("packages", checks.packages),
        Check("git", lambda: checks.git(project)),
        Check("uv", checks.uv),
        Check("W&B key", lambda: checks.wandb_key(project)),
        Check("W&B server", lambda: checks.wandb_server(project)),
        Check("run_root", lambda: checks.run_root(project)),
        Check("SkyPilot", lambda: checks.skypilot(project), checks.SKY_DEADLINE_S),
        Check("chromium", checks.chromium),
    ]


def _looked(check: Check) -> Finding:
    try:
        return check.look()
    except ExperimentsError as error:
        return Finding(check.name, "fail", str(error))
    except Exception as error:  # noqa: BLE001 - what a check stumbles over is what it is for
        return Finding(check.name, "fail", f"{type(error).__name__}: {error}")


def _late(check: Check) -> Finding:
    return Finding(check.name, "warn", f"no answer within {check.deadline_s:g} s")
