"""That a noise floor is 0 is said of the reference trainer's runs, and of nobody else's."""

from __future__ import annotations

import pytest

from experiments.jobs.ledger import open_ledger
from experiments.project.trainers.known import reference
from experiments.results.exactness import EXACT, exact_words
from tests.fakes.launching import plan_in, workspace_at


@pytest.mark.parametrize(
    ("command", "said"), [(reference().command, EXACT), (("{python}", "my_trainer.py", "{run}", "seed={seed}"), "")]
)
def test_the_reference_trainers_floor_is_0_by_construction_and_of_another_nobody_knows(tmp_path, command, said):
    workspace = workspace_at(tmp_path, command=command)
    plan = plan_in(workspace, seeds=range(2))
    with open_ledger(workspace) as ledger:
        ledger.record_plan(plan)
    names = [job.run_name for job in plan.jobs]
    assert exact_words(workspace, names) == said
    assert exact_words(workspace, names[:1]) == ""
    assert exact_words(workspace, [*names, "of.another.ledger"]) == ""
