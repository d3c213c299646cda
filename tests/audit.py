"""Known weaknesses of the recorded versions: `python -m tests.audit`; needs the network.

Asks the package index whether the versions are still offered, pip-audit's services one after the other until one of
them knows the packages, and npm about what checks the browser code. The exit code is 0 only where every package was
looked up and nothing was found; 1 where something was found; 3 where nothing was found but not everything could be
looked up. pip-audit alone ends with 0 and "No known vulnerabilities found" also where its service knew no package.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
RECORD = ROOT / "constraints.txt"
SERVICES = ("pypi", "osv", "esms")
CLEAN, FOUND, UNKNOWN = 0, 1, 3
PATIENCE_S = 300


@dataclass(frozen=True)
class Answer:
    """What one source said.

    Attributes:
        source: Who was asked, and of what.
        asked: Packages asked about.
        known: Packages of which it knows something.
        weak: What it found, a line each.
        problem: Why it knows less than it was asked; empty where it knows all.
    """

    source: str
    asked: int
    known: int = 0
    weak: tuple[str, ...] = ()
    problem: str = ""

    @property
    def is_whole(self) -> bool:
        """Whether it spoke of every package."""
        return self.known == self.asked and not self.problem

    def words(self) -> str:
        """Return the answer as lines for people."""
        if self.weak:
            return "\n".join([f"FOUND by {self.source}:", *(f"  {line}" for line in self.weak)])
        if self.is_whole:
            return f"{self.source}: all {self.asked} looked up, nothing is against them"
        return f"NOT CHECKED by {self.source}: {self.known} of {self.asked} looked up. {self.problem}".rstrip()


def main() -> int:
    """Ask everyone, print what they said and return the exit code."""
    answers = [of_index(), of_weaknesses(), of_npm()]
    for answer in answers:
        print(answer.words())
    code = exit_code(answers)
    print(_CONCLUSIONS[code])
    return code


_CONCLUSIONS = {
    CLEAN: "Nothing is known against the recorded versions.",
    FOUND: "Take other versions of what was found: change pyproject.toml, then constraints.txt.",
    UNKNOWN: "Nobody knows whether what was not checked is weak. Ask again where the services are reached.",
}


def exit_code(answers: Sequence[Answer]) -> int:
    """Return 1 where anybody found something, 0 where everybody spoke of every package, else 3."""
    if any(answer.weak for answer in answers):
        return FOUND
    return CLEAN if all(answer.is_whole for answer in answers) else UNKNOWN


def of_index() -> Answer:
    """Ask the package index, through uv, whether it still offers the versions; a withdrawn one is a finding."""
    done = _run("uv", "pip", "compile", str(RECORD), "--no-deps", "--no-header")
    return index_answer(done.stdout, done.stderr, done.returncode, asked=_recorded())


def index_answer(out: str, err: str, code: int, *, asked: int) -> Answer:
    """Return what uv said of the versions."""
    source = "the package index"
    withdrawn = tuple(re.findall(r"`([^`]+ is yanked[^\n]*)", err.replace("` is yanked", " is yanked")))
    known = len(re.findall(r"^[\w.-]+==", out, re.MULTILINE))
    if code:
        return Answer(source, asked, known, withdrawn, _last_line(err))
    return Answer(source, asked, known, withdrawn)


def of_weaknesses() -> Answer:
    """Ask the services that pip-audit knows, until one of them speaks of every package."""
    answers = []
    for service in SERVICES:
        done = _run("uvx", "pip-audit", "-r", str(RECORD), "--no-deps", "--disable-pip", "-f", "json", "-s", service)
        answers.append(audit_answer(service, done.stdout, done.stderr, asked=_recorded()))
        if answers[-1].weak or answers[-1].is_whole:
            return answers[-1]
    best = max(answers, key=lambda answer: answer.known)
    problems = "".join(f"\n  {answer.source}: {answer.problem}" for answer in answers)
    return Answer("pip-audit", best.asked, best.known, problem=problems)


def audit_answer(service: str, out: str, err: str, *, asked: int) -> Answer:
    """Return what pip-audit's JSON says; a package that it skipped is one that nobody looked up."""
    source = f"pip-audit ({service})"
    try:
        packages: list[dict[str, Any]] = json.loads(out)["dependencies"]
    except (ValueError, LookupError, TypeError):
        return Answer(source, asked, problem=_last_line(err))
    known = [package for package in packages if "skip_reason" not in package]
    weak = tuple(
        f"{package['name']} {package['version']}: {weakness['id']}, mended in "
        f"{', '.join(weakness['fix_versions']) or 'no version yet'}"
        for package in known
        for weakness in package["vulns"]
    )
    skipped = [package["skip_reason"] for package in packages if "skip_reason" in package]
    return Answer(source, asked, len(known), weak, f"{len(skipped)} skipped, such as: {skipped[0]}" if skipped else "")


def of_npm() -> Answer:
    """Ask npm about the packages that check and join the browser code; none of them is shipped."""
    asked = len(json.loads((ROOT / "package.json").read_text(encoding="utf-8"))["devDependencies"])
    if not (ROOT / "package-lock.json").exists():
        return Answer("npm", asked, problem="It wants to know what is installed: npm install")
    done = _run("npm", "audit", "--json")
    return npm_answer(done.stdout, done.stderr, asked=asked)


def npm_answer(out: str, err: str, *, asked: int) -> Answer:
    """Return what npm's JSON says."""
    try:
        answer: dict[str, Any] = json.loads(out)
        found: dict[str, dict[str, Any]] = answer["vulnerabilities"]
    except (ValueError, TypeError):
        return Answer("npm", asked, problem=_last_line(err))
    except LookupError:
        return Answer("npm", asked, problem=_last_line(str(answer.get("message", err))))
    return Answer("npm", asked, asked, tuple(f"{name}: {what['severity']}" for name, what in sorted(found.items())))


def _run(*words: str) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    except FileNotFoundError:
        return subprocess.CompletedProcess(words, 127, "", f"{words[0]} is not installed")
    except subprocess.TimeoutExpired:
        return subprocess.CompletedProcess(words, 124, "", f"no answer within {PATIENCE_S} s")


def _recorded() -> int:
    return len(RECORD.read_text(encoding="utf-8").splitlines())


def _last_line(text: str) -> str:
    said = [line.strip() for line in text.splitlines() if line.strip()]
    return said[-1][:160] if said else "It said nothing."


if __name__ == "__main__":
    sys.exit(main())
