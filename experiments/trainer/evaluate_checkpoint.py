"""`python -P -m experiments.trainer.evaluate_checkpoint checkpoint=FILE maps=N out=FILE`: play a saved policy.

It plays the curriculum that the policy was trained on, on held-out maps, and writes a JSON list with a row for each
episode: `map` (seed of the map), `task`, and `return` (mean over its agents). The same call writes the same rows.
Replays of the first maps lie beside them.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from pydantic import Field, ValidationError

from experiments.project.errors import ExperimentsError, UsageError, message
from experiments.project.files import write_json
from experiments.project.values import Frozen
from experiments.trainer.config import MAX_MAPS

_REPLAYS = 3
_USAGE = "usage: python -P -m experiments.trainer.evaluate_checkpoint checkpoint=FILE maps=N out=FILE"


class EvaluationArguments(Frozen):
    """What the command line sets.

    Attributes:
        replays: How many of the first maps of the first task are recorded.
    """

    checkpoint: Path
    maps: int = Field(ge=1, le=MAX_MAPS)
    out: Path
    replays: int = Field(_REPLAYS, ge=0, le=MAX_MAPS)


def main(arguments: Sequence[str]) -> int:
    """Evaluate and return the exit code: 0, 1 (failed) or 2 (bad input)."""
    # As the trainer itself: BLAS reads this when numpy is first imported.
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[name] = "1"
    try:
        evaluate_checkpoint(_parsed(arguments))
    except ExperimentsError as error:
        sys.stderr.write(f"error: {error}\n")
        return error.exit_code
    except OSError as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    return 0


def _parsed(arguments: Sequence[str]) -> EvaluationArguments:
    values = dict(argument.partition("=")[::2] for argument in arguments)
    try:
        return EvaluationArguments.model_validate(values)
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]
        raise UsageError(f"{'.'.join(map(str, problem['loc']))}: {message(problem['msg'])}. {_USAGE}") from None


def evaluate_checkpoint(asked: EvaluationArguments) -> None:
    """Play a checkpoint and write its rows, whole or not at all.

    Raises:
        DamagedCheckpoint: It cannot be read.
    """
    from experiments.trainer import checkpoint as checkpoints
    from experiments.trainer.evaluation import evaluate, held_out_seeds, load_network, record_replay

    curriculum = str(checkpoints.load(asked.checkpoint).state["trainer.curriculum"])
    network, maps = load_network(asked.checkpoint), held_out_seeds(asked.maps)
    played = evaluate(network, curriculum, seeds=maps)
    for seed in maps[: asked.replays]:
        record_replay(network, curriculum, asked.out.parent / "replays" / f"map_{seed}.json.z", seed=seed)
    rows = [
        {"map": seed, "task": task, "return": value}
        for task, returns in played.returns.items()
        for seed, value in zip(maps, returns, strict=True)
    ]
    write_json(asked.out, rows)
    sys.stdout.write(f"{asked.checkpoint.name}: return per agent {played.reward:.6g} on {asked.maps} held-out maps\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
