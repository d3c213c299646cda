"""Print every bar with its measured figure: `uv run python -m tests.benchmarks [NAME ...]`.

`--quick` leaves out what takes minutes and fails only for bars marked as gates: what CI runs. The figures are also
written to `.experiments/benchmarks.json`.
"""

from __future__ import annotations

import argparse
import importlib
import json
import time
from dataclasses import asdict
from pathlib import Path

from tests.benchmarks import Bar

HERE = Path(__file__).parent
LONG = {"apps", "export", "monitor", "notebook", "open", "replay_viewer", "thousand", "trainer"}


def main() -> int:
    """Run the chosen benchmarks; return 1 where a bar is missed, with `--quick` only where that is a gate."""
    names = sorted(path.stem.removeprefix("bench_") for path in HERE.glob("bench_*.py"))
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"one of {', '.join(names)}")
    parser.add_argument("--quick", action="store_true", help="without the long ones; fails only for gates")
    options = parser.parse_args()
    if unknown := set(options.names) - set(names):
        parser.error(f"no benchmark is called {', '.join(sorted(unknown))}; there are {', '.join(names)}")
    found: dict[str, list[Bar]] = {}
    for name in options.names or [name for name in names if not (options.quick and name in LONG)]:
        began = time.monotonic()
        found[name] = importlib.import_module(f"tests.benchmarks.bench_{name}").run()
        print(f"\n{name} ({time.monotonic() - began:.0f} s)", flush=True)
        for bar in found[name]:
            print(f"  {_line(bar)}", flush=True)
    bars = [bar for group in found.values() for bar in group]
    missed = [bar for bar in bars if not bar.passed]
    print(
        f"\n{len(bars) - len(missed)} of {len(bars)} bars are met.",
        *(f"Missed: {bar.name}" for bar in missed),
        sep="\n",
    )
    rows = [{"benchmark": n, **asdict(bar), "passed": bar.passed} for n, group in found.items() for bar in group]
    (HERE.parents[1] / ".experiments").mkdir(exist_ok=True)
    (HERE.parents[1] / ".experiments" / "benchmarks.json").write_text(json.dumps(rows, indent=2))
    return int(any(bar.gate or not options.quick for bar in missed))


def _line(bar: Bar) -> str:
    word = "pass" if bar.passed else "MISS"
    limit = f"{'at least' if bar.higher_is_better else 'at most'} {bar.limit:g}"
    return f"{word}{'*' if bar.gate else ' '} {bar.value:10.4g} {bar.unit:8} {limit:16} {bar.name}  {bar.note}"


if __name__ == "__main__":
    raise SystemExit(main())
