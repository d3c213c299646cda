"""An interpreter "that has SkyPilot": runs the script it is given with the fake module in reach."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
sys.argv = sys.argv[1:]
sys.path.insert(0, str(Path(sys.argv[0]).parent))  # as an interpreter does
runpy.run_path(sys.argv[0], run_name="__main__")
