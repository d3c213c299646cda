"""Type the tutorial, and leave its notebook and its log: `python -m tests.tutorial FOLDER`.

The text is `experiments/recipes/examples/TUTORIAL.md`. Of its blocks the Python ones are files, named by their first
line, and the others are commands. The notebook is the one that the tutorial's own launch writes, with the text and what
the commands printed between its cells; `<!-- shows: CELL -->` says before which of them a part of the text stands.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parent.parent
TEXT = ROOT / "experiments" / "recipes" / "examples" / "TUTORIAL.md"
NOTEBOOK = Path("experiments") / "scratch" / "cliff_nb.py"
LOG = Path("experiments") / "log" / "cliff.html"
_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```\n", re.DOTALL | re.MULTILINE)
_SHOWS = re.compile(r"<!-- shows: (\w+) -->\n?")


@dataclass
class Typist:
    """Somebody who types the tutorial in an empty folder.

    Attributes:
        said: Each command as it was typed, and all that it printed.
    """

    folder: Path
    said: list[tuple[str, str]] = field(default_factory=list)

    def types_all(self) -> None:
        """Write each file and run each command, in their order.

        Raises:
            SystemExit: A command failed; says which, and what it printed.
        """
        for language, text in _BLOCK.findall(TEXT.read_text(encoding="utf-8")):
            if language == "python":
                path = self.folder / text.partition("\n")[0].removeprefix("# ")
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text, encoding="utf-8")
            else:
                for line in text.splitlines():
                    self.said.append((line, self.run(line)))

    def run(self, line: str) -> str:
        """Run a command and return what it printed; RUN stands for the newest job."""
        if re.search(r"\bRUN\b", line):
            line = re.sub(r"\bRUN\b", self.newest(), line)
        places = [str(Path(sys.executable).parent), os.environ["PATH"]]
        environment = {**os.environ, "PATH": os.pathsep.join(places), "COLUMNS": "100", "WANDB_MODE": "offline"}
        done = subprocess.run(
            ["bash", "-e", "-c", line], cwd=self.folder, env=environment, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=600,
        )  # fmt: skip
        if done.returncode:
            sys.exit(f"{line}\nended with {done.returncode}:\n{done.stdout}")
        return done.stdout

    def newest(self) -> str:
        """Return the name of the newest job."""
        return str(json.loads(self.run("experiments status --json"))["data"]["jobs"][-1]["run_name"])

    def tell(self) -> None:
        """Put the text, with what the commands printed, between the cells of the notebook."""
        path = self.folder / NOTEBOOK
        notebook = path.read_text(encoding="utf-8")
        *parts, end = _SHOWS.split(self._with_output())
        assert not end.strip(), "text behind the last part belongs to no cell"
        for text, cell in zip(parts[::2], parts[1::2], strict=True):
            before = "study" if text is parts[0] else cell
            # A first part opens the page; each other stands over the cell that it is about.
            notebook, times = re.subn(
                rf"^@app\.cell[^\n]*\ndef {before}\(", lambda found, text=text: _cell(text) + found[0], notebook,
                flags=re.MULTILINE,
            )  # fmt: skip
            assert times == 1, f"the notebook has no cell {before!r}"
        path.write_text(notebook, encoding="utf-8")

    def _with_output(self) -> str:
        said = iter(self.said)

        def block(found: re.Match[str]) -> str:
            if found[1] == "python":
                return found[0]
            lines = found[2].splitlines()
            return "".join(
                f"```bash\n{line}\n```\n\n```text\n{printed.rstrip()}\n```\n\n"
                for line, printed in (next(said) for _ in lines)
            )

        return _BLOCK.sub(block, TEXT.read_text(encoding="utf-8"))


def _cell(text: str) -> str:
    """Return a cell that shows Markdown; what is printed may hold anything, so it is a literal."""
    lines = "\n".join(f"        {line!r}," for line in text.strip().splitlines())
    shown = f'    _lines = [\n{lines}\n    ]\n    mo.md("\\n".join(_lines))\n'
    return f"@app.cell(hide_code=True)\ndef _():\n{shown}    return\n\n\n"


def make(folder: Path) -> Typist:
    """Do all of the tutorial in an empty folder; its notebook and its log hold its text then.

    Raises:
        SystemExit: The folder is not empty, or a command failed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        sys.exit(f"{folder} is not empty. Name another folder, or empty it.")
    typist = Typist(folder)
    typist.types_all()
    typist.tell()
    typist.run(f"experiments export {NOTEBOOK}")
    return typist


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("Which folder? python -m tests.tutorial FOLDER")
    made = make(Path(sys.argv[1]).resolve())
    print(f"{len(made.said)} commands were typed. Notebook: {NOTEBOOK}. Log: {LOG}")
