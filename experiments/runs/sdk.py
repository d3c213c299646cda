"""The slow but official way to a W&B server: W&B's own client, one request and more for each run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from experiments.errors import StoreError
from experiments.runs.credentials import Credentials

if TYPE_CHECKING:
    import pandas as pd

TIMEOUT_S = 30
_PAGE = 10_000


def read_run(
    credentials: Credentials, path: str, keys: Sequence[str], samples: int
) -> tuple[Mapping[str, Any], dict[str, list[dict[str, Any]]]] | None:
    """Return a run's fields as GraphQL names them and sampled rows of each metric; None where there is no such run.

    Raises:
        StoreError: The server cannot be reached or refuses.
    """
    run = _run(credentials, path)
    if run is None:
        return None
    try:
        run.load(force=True)
        rows = {key: run.history(keys=[key], samples=samples, pandas=False) for key in keys}
    except Exception as error:  # noqa: BLE001 - W&B's client raises whatever its parts do
        raise _failure(credentials, error) from None
    names = ("name", "state", "tags", "group", "notes", "createdAt", "heartbeatAt", "historyLineCount", "displayName")
    node = {name: run._attrs.get(name) for name in names}  # noqa: SLF001 - the public names differ between versions
    node["config"], node["summaryMetrics"] = dict(run.config), dict(run.summary_metrics or {})
    node["user"] = run._attrs.get("user")  # noqa: SLF001
    return node, rows


def scan_history(credentials: Credentials, path: str, keys: Sequence[str] | None) -> pd.DataFrame:
    """Return every row of a run: `_step`, `_timestamp`, `_runtime` and one column a key.

    Raises:
        StoreError: There is no such run, or the server cannot be reached.
    """
    from experiments.runs.frames import frame_of_rows

    run = _run(credentials, path)
    if run is None:
        raise StoreError(f"run {path!r} is not on {credentials.host}. The runs that are: experiments runs")
    try:
        # With keys, W&B returns only the rows that have all of them.
        rows = list(run.scan_history(page_size=_PAGE))
    except Exception as error:  # noqa: BLE001 - W&B's client raises whatever its parts do
        raise _failure(credentials, error) from None
    return frame_of_rows(rows, keys)


def _run(credentials: Credentials, path: str) -> Any:  # noqa: ANN401 - W&B has no types
    import wandb

    try:
        overrides = {"base_url": credentials.base_url}
        api = wandb.Api(overrides=overrides, timeout=TIMEOUT_S, api_key=credentials.key)
        api.flush()
        return api.run(path)
    except ValueError:
        return None
    except Exception as error:  # noqa: BLE001 - W&B's client raises whatever its parts do
        if "could not find run" in str(error).lower():
            return None
        raise _failure(credentials, error) from None


def _failure(credentials: Credentials, error: Exception) -> StoreError:
    text = str(error) or type(error).__name__
    if credentials.key:
        text = text.replace(credentials.key, "***")
    return StoreError(f"{credentials.host} did not answer W&B's client: {text[:300]}. It is asked again later.")
