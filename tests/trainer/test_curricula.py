import subprocess
import sys

import pytest

from experiments.project.errors import UsageError
from experiments.trainer import curricula
from experiments.trainer.arena import load_curriculum


@pytest.mark.parametrize("name", ["arena/learning_progress", "env/mettagrid/curriculum/arena/learning_progress"])
def test_a_name_resolves_with_and_without_the_prefix(name):
    assert curricula.resolve(name) == "env/mettagrid/curriculum/arena/learning_progress" == curricula.DEFAULT


@pytest.mark.parametrize("name", ["env/mettagrid/my_curriculum", "", "arena", "arena/basic "])
def test_an_unknown_curriculum_is_refused_with_the_known_ones(name):
    with pytest.raises(UsageError) as caught:
        curricula.resolve(name)
    assert repr(name) in str(caught.value)
    for known in curricula.CURRICULA:
        assert known.removeprefix(curricula.PREFIX) in str(caught.value)


def test_a_near_name_is_suggested():
    with pytest.raises(UsageError, match="Did you mean 'arena/combat'"):
        curricula.resolve("arena/comat")


@pytest.mark.parametrize("name", curricula.CURRICULA)
def test_every_name_has_tasks_of_one_size_of_crowd(name):
    curriculum = load_curriculum(name)
    assert curriculum.name == name
    assert len({task.agents for task in curriculum.tasks}) == 1
    assert len({task.name for task in curriculum.tasks}) == len(curriculum.tasks)


def test_names_are_cheap_to_ask_for():
    code = (
        "import sys, experiments.trainer.curricula, experiments.trainer.config;"
        "print({'numpy', 'mettagrid', 'wandb'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
