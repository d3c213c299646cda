"""Print every bar with its measured figure: `uv run python -m tests.benchmarks [NAME ...]`."""

from __future__ import annotations

import importlib
import json
import sys
from dataclasses import asdict
from pathlib import Path

from tests.benchmarks import Bar

HERE = Path(__file__).parent


def main() -> int:
    """Run the named benchmarks, or all, and return 1 where a bar is missed."""
    wanted = sys.argv[1:] or sorted(path.stem.removeprefix("bench_") for path in HERE.glob("bench_*.py"))
    found: list[Bar] = []
    for name in wanted:
        bars = importlib.import_module(f"tests.benchmarks.bench_{name}").run()
        for bar in bars:
            sign = "at least" if bar.higher_is_better else "at most"
            word = "pass" if bar.passed else "MISS"
            print(f"{word}  {bar.value:10.4g} {bar.unit:6} ({sign} {bar.limit:g})  {bar.name}  {bar.note}", flush=True)
        found += bars
    results = [{**asdict(bar), "passed": bar.passed} for bar in found]
    (HERE.parents[1] / ".experiments").mkdir(exist_ok=True)
    (HERE.parents[1] / ".experiments" / "benchmarks.json").write_text(json.dumps(results, indent=2))
    return 0 if all(bar.passed for bar in found) else 1


if __name__ == "__main__":
    sys.exit(main())
