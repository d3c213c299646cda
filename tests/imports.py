"""Who imports whom, by room: `uv run python -m tests.imports [CHECKOUT ...] [--mermaid | --dot]`.

One column a checkout, this one where none is named, so that a tree before a change stands beside the tree after it:

    git archive 7398ce5 --prefix=before/ | tar -x -C /tmp && uv run python -m tests.imports /tmp/before .

Imports inside functions and those for types only count as any other. A circle is a set of modules of which each leads
to each other; the one lazy door upward closes none. The longest chain is the longest path once circles are one step:
by modules and the packages whose `__init__` they run (the measure of HOUSE.md), and by modules alone.
"""

from __future__ import annotations

import argparse
import ast
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

PACKAGES = ("experiments", "apps", "widgets")
ORDER = (
    {"types", "project"},
    {"statistics"},
    {"runs"},
    {"trainer"},
    {"jobs"},
    {"wandb_utils", "launch", "monitoring"},
    {"results"},
    {"notebooks"},
    {"experiment"},
    {"cli", "apps"},
    {"recipes"},
)
"""The rooms, lowest first: a room imports of its own level and of those before it."""
DOOR = ("experiment", "cli")
"""The one lazy import upward: what a recipe calls reads the command line."""
_BEFORE = {
    "project": "clock code_tree errors interrupts json_text latex look processes provenance redaction refusals run_root"
    " settings spreadsheet state_words streams workspace runs.credentials",
    "jobs": "alerting alerts arms costs direct durations handover job_events job_logs journal journal_record launchers"
    " leases ledger ledger_mending ledger_reading ledger_rebuild ledger_schema lookup notes permits planning polling"
    " preparation provenance.ran resuming run_names sky_preview snapshots submission triage verdicts watching",
    "results": "endings judging metric_frames run_diff run_rows runs.recoveries scoring",
    "notebooks": "forms",
    "cli": "commandline commands doctor doctor_checks editor fitting follow preview session templates terminal",
}
_ROOM_BEFORE = {name: room for room, names in _BEFORE.items() for name in names.split()}
"""Where the modules of a tree belong that has no rooms yet."""

Graph = dict[str, set[str]]


@dataclass(frozen=True)
class Imports:
    """The imports of one checkout."""

    root: Path

    @cached_property
    def files(self) -> dict[str, Path]:
        """Each module's file, by its name."""
        found = {}
        for package in PACKAGES:
            for path in sorted((self.root / package).rglob("*.py")):
                parts = path.relative_to(self.root).with_suffix("").parts
                if not {"scratch", "log"} & set(parts[:-1]):
                    found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
        return found

    @cached_property
    def by_module(self) -> Graph:
        """The modules that each module names."""
        return self._graph(packages=False)

    @cached_property
    def by_package(self) -> Graph:
        """The same, with the packages out of which it takes them."""
        return self._graph(packages=True)

    @cached_property
    def _statements(self) -> dict[str, list[ast.Import | ast.ImportFrom]]:
        """The import statements of each module, those inside functions as well."""
        trees = {name: ast.parse(path.read_text(encoding="utf-8")) for name, path in self.files.items()}
        return {
            name: [node for node in ast.walk(tree) if isinstance(node, (ast.Import, ast.ImportFrom))]
            for name, tree in trees.items()
        }

    def _graph(self, *, packages: bool) -> Graph:
        return {
            name: {other for other in _named(statements, self.files, packages=packages) if other != name}
            for name, statements in self._statements.items()
        }

    @property
    def entries(self) -> list[str]:
        """What a newcomer sees first: the modules and folders of code in `experiments/`."""
        places = (self.root / "experiments").iterdir()
        code = (path for path in places if path.suffix == ".py" or any(path.glob("**/*.py")))
        return sorted(path.name for path in code if path.name not in {"scratch", "log"})

    def upward(self) -> list[str]:
        """Return the imports of a higher room, the door among them."""
        return [f"{one} imports {other}" for one, other in self._arrows() if level(room(one)) < level(room(other))]

    def rooms(self) -> Counter[tuple[str, str]]:
        """Return how many imports lead from one room to another."""
        return Counter((room(one), room(other)) for one, other in self._arrows() if room(one) != room(other))

    @cached_property
    def first_sight(self) -> Graph:
        """The imports between what a newcomer sees first: the entries of `experiments/`, `apps` and `widgets`."""
        graph: Graph = {}
        for one, others in self.by_module.items():
            known = graph.setdefault(_entry(one), set())
            known |= {_entry(other) for other in others if _entry(other) != _entry(one)}
        graph.pop("experiments", None)  # it hands on what the others hold
        return {one: others - {"experiments"} for one, others in graph.items()}

    def circles(self) -> list[list[str]]:
        """Return the sets of modules that import each other."""
        graph = {
            one: {other for other in others if (room(one), room(other)) != DOOR}
            for one, others in self.by_module.items()
        }
        return sorted(sorted(part) for part in _parts(graph) if len(part) > 1)

    def _arrows(self) -> Iterator[tuple[str, str]]:
        for one, others in self.by_module.items():
            for other in sorted(others):
                if "experiments" not in {one, other} and not other.startswith("widgets"):
                    yield one, other


def room(module: str) -> str:
    """Return the room of a module, also of one that stood on the doorstep before there were rooms."""
    top, _, rest = module.partition(".")
    if top != "experiments":
        return top
    parts = rest.split(".")
    for length in range(len(parts), 0, -1):
        if (found := _ROOM_BEFORE.get(".".join(parts[:length]))) is not None:
            return found
    return parts[0]


def _entry(module: str) -> str:
    parts = module.split(".")
    return parts[1] if parts[0] == "experiments" and len(parts) > 1 else parts[0]


def level(name: str) -> int:
    """Return how high a room is; `widgets`, of which all may import, is the lowest."""
    return next((number for number, names in enumerate(ORDER) if name in names), -1)


def longest(graph: Mapping[str, Iterable[str]]) -> list[str]:
    """Return the longest chain of imports; a circle is one step of it."""
    best: dict[str, list[str]] = {}
    for part in _parts(graph):  # what is imported comes before what imports it
        ends = [best[other] for one in part for other in graph[one] if other not in part]
        chain = [" = ".join(sorted(part)), *max(ends, key=len, default=[])]
        best.update(dict.fromkeys(part, chain))
    return max(best.values(), key=len, default=[])


def _named(
    statements: Iterable[ast.Import | ast.ImportFrom], known: Mapping[str, Path], *, packages: bool
) -> Iterator[str]:
    for node in statements:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in known)
        elif node.module and not node.level:
            inside = [f"{node.module}.{alias.name}" for alias in node.names]
            yield from (name for name in inside if name in known)
            if node.module in known and (packages or not all(name in known for name in inside)):
                yield node.module


def _parts(graph: Mapping[str, Iterable[str]]) -> list[set[str]]:
    """Return the strongly connected parts, each after all that it leads to (Tarjan 1972, without recursion)."""
    number: dict[str, int] = {}
    low: dict[str, int] = {}
    open_: list[str] = []
    found: list[set[str]] = []
    for start in graph:
        work = [] if start in number else [(start, iter(sorted(graph[start])))]
        while work:
            one, others = work[-1]
            if one not in number:
                number[one] = low[one] = len(number)
                open_.append(one)
            following = next((other for other in others if other not in number), None)
            if following is not None:
                work.append((following, iter(sorted(graph[following]))))
                continue
            work.pop()
            closed = set().union(*found) if found else set()
            low[one] = min([low[one], *(low[other] for other in graph[one] if other in number and other not in closed)])
            if low[one] == number[one]:
                place = open_.index(one)
                found.append(set(open_[place:]))
                del open_[place:]
    return found


def main() -> None:
    """Print the figures, the imports upward and the circles; or the rooms as a drawing."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkouts", nargs="*", type=Path, default=[Path(__file__).parents[1]])
    parser.add_argument("--mermaid", action="store_true", help="draw the rooms for Markdown")
    parser.add_argument("--dot", action="store_true", help="draw the rooms for Graphviz")
    asked = parser.parse_args()
    trees = [Imports(path.resolve()) for path in asked.checkouts]
    if asked.mermaid or asked.dot:
        print("\n".join(line for tree in trees for line in _drawn(tree, mermaid=asked.mermaid)))
        return
    figures = {
        "modules in experiments/": lambda tree: sum(name.startswith("experiments") for name in tree.files),
        "entries in experiments/": lambda tree: len(tree.entries),
        "imports upward": lambda tree: len(tree.upward()),
        "circles": lambda tree: len(tree.circles()),
        "rooms at first sight": lambda tree: len(tree.first_sight),
        "arrows between them": lambda tree: sum(map(len, tree.first_sight.values())),
        "floors of them": lambda tree: len(longest(tree.first_sight)),
        "longest chain": lambda tree: len(longest(tree.by_package)),
        "longest chain, modules alone": lambda tree: len(longest(tree.by_module)),
    }
    for name, figure in figures.items():
        print(f"{name:<30}", *(f"{figure(tree):>6}" for tree in trees))
    for tree in trees:
        print(f"\n{tree.root}\n  upward:", *tree.upward(), sep="\n    ")
        print("  circles:", *map(_shortly, tree.circles()), sep="\n    ")
        print("  longest chain:", *(_shortly(step.split(" = ")) for step in longest(tree.by_package)), sep="\n    ")


def _shortly(names: Sequence[str]) -> str:
    return " = ".join([*names[:6], *([f"{len(names) - 6} more"] if len(names) > 6 else [])])


def _drawn(tree: Imports, *, mermaid: bool) -> Iterator[str]:
    yield "flowchart BT" if mermaid else "digraph imports {\n  rankdir=BT; node [shape=box];"
    for (one, other), count in sorted(tree.rooms().items()):
        up = level(one) < level(other)
        if mermaid:
            yield f"  {one} {'-.' if up else '--'}{count}{'.->' if up else '-->'} {other}"
        else:
            yield f"  {one} -> {other} [label={count}{', color=red' if up else ''}];"
    if not mermaid:
        yield "}"


if __name__ == "__main__":
    main()
