# just check | test | full | bench | shots | audit (https://just.systems)

# Lint, types and the browser code.
check:
    uv run ruff check
    uv run ruff format --check
    uv run mypy
    npm install --silent --no-audit --no-fund
    npm run --silent check
    npm test --silent

# The quick tests; `just test -m slow` for the others.
test *arguments:
    uv run pytest {{arguments}}

# The slow tests with every case, of which CI takes a share: trials as many as the tables have, a kill at every line.
full:
    FULL=1 uv run pytest -m "slow and not slurm"

# Every bar with its measured figure; names choose some.
bench *names:
    uv run python -m tests.benchmarks {{names}}

# The README's pictures, from real pages.
shots:
    uv run python -m tests.shots

# Known weaknesses of the recorded versions; needs the network. Ends with 3 where not all could be looked up.
audit:
    uv run python -m tests.audit

# Jobs through a pool of SkyPilot workers on a real Slurm, with a worker and the client killed: about half an hour.
pools:
    uv run pytest -m slurm tests/slurm/test_pools.py -ra
