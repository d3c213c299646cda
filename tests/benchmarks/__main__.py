"""Print every bar with its measured figure: `uv run python -m tests.benchmarks [NAME ...]`.

`--quick` measures only bars that are gates, of the benchmarks that have them without minutes of work in a function
`gates`: what CI runs. The figures are also written to `.experiments/benchmarks.json`.
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


def main() -> int:
    """Run the chosen benchmarks; return 1 where a bar is missed."""
    names = sorted(path.stem.removeprefix("bench_") for path in HERE.glob("bench_*.py"))
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"one of {', '.join(names)}")
    parser.add_argument("--quick", action="store_true", help="only the gates that take no minutes")
    options = parser.parse_args()
    if unknown := set(options.names) - set(names):
        parser.error(f"no benchmark is called {', '.join(sorted(unknown))}; there are {', '.join(names)}")
    found: dict[str, list[Bar]] = {}
    for name in options.names or names:
        began = time.monotonic()
        module = importlib.import_module(f"tests.benchmarks.bench_{name}")
        if (measure := getattr(module, "gates", None) if options.quick else module.run) is None:
            continue
        found[name] = measure()
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
    return int(bool(missed))


def _line(bar: Bar) -> str:
    word = "pass" if bar.passed else "MISS"
    limit = f"{'at least' if bar.higher_is_better else 'at most'} {bar.limit:g}"
    return f"{word}{'*' if bar.gate else ' '} {bar.value:10.4g} {bar.unit:8} {limit:16} {bar.name}  {bar.note}"


if __name__ == "__main__":
    raise SystemExit(main())
