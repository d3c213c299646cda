import pytest

from experiments.project.errors import UsageError
from experiments.trainer.config import Arguments, fields, help_text, parse


def message(*arguments):
    with pytest.raises(UsageError) as caught:
        parse(arguments)
    return str(caught.value)


def test_arguments_become_typed_settings():
    settings = parse(
        ["run=a", "seed=3", "trainer.total_timesteps=2e6", "trainer.optimizer.learning_rate=1e-3", "wandb.tags=x, y"]
    )
    assert settings.run == "a"
    assert settings.seed == 3
    assert settings.trainer.total_timesteps == 2_000_000
    assert settings.trainer.optimizer.learning_rate == 0.001
    assert settings.wandb.tags == ("x", "y")


def test_a_value_may_hold_an_equals_sign():
    assert parse(["run=a", "wandb.group=x=y"]).wandb.group == "x=y"


def test_upstreams_name_of_the_seed_is_understood():
    assert parse(["run=a", "trainer.seed=7"]).seed == 7


def test_an_unknown_key_names_the_nearest():
    text = message("run=a", "trainer.learning_rate=1")
    assert "unknown key 'trainer.learning_rate'" in text
    assert "trainer.optimizer.learning_rate" in text
    assert "\n" not in text


@pytest.mark.parametrize("twice", [("seed=1", "seed=1"), ("seed=1", "trainer.seed=2")])
def test_a_key_given_twice_is_refused(twice):
    assert "given twice" in message("run=a", *twice)


@pytest.mark.parametrize(
    ("argument", "problem"),
    [
        ("seed=x", "seed='x': Input should be a valid integer"),
        ("seed=-1", "seed='-1': Input should be greater than or equal to 0"),
        ("trainer.total_timesteps=1e400", "trainer.total_timesteps='1e400': Input should be a valid integer"),
        ("trainer.total_timesteps=1.5e0", "trainer.total_timesteps='1.5e0': Input should be a valid integer"),
        ("trainer.optimizer.learning_rate=nan", "trainer.optimizer.learning_rate='nan': Input should be"),
        ("trainer.ppo.ent_coef=inf", "trainer.ppo.ent_coef='inf': Input should be a finite number"),
        ("wandb.mode=cloud", "wandb.mode='cloud': Input should be 'online', 'offline' or 'disabled'"),
        ("trainer.minibatches=5000", "minibatches=5000 is more than num_envs x rollout_length"),
        ("trainer.curriculum=env/mettagrid/my_curriculum", "unknown curriculum 'env/mettagrid/my_curriculum'"),
        ("trainer=x", "unknown key 'trainer'"),
        ("--steps", "'--steps' is not of the form key=value"),
    ],
)
def test_a_bad_argument_is_explained_at_its_key(argument, problem):
    assert problem in message("run=a", argument)


@pytest.mark.parametrize("name", ["", "a b", "../a", "a/b", "a\n", "-a", "a" * 129])
def test_a_run_name_that_is_no_file_name_is_refused(name):
    assert "run=" in message(f"run={name}")


def test_a_run_needs_a_name():
    assert message("seed=1").startswith("run: Field required. All keys: ")


def test_help_has_every_key_with_default_type_and_description():
    text = help_text()
    for key, field in fields(Arguments):
        assert f"  {key}=" in text
        assert field.description
        assert field.description in text
    assert "trainer.optimizer.learning_rate=0.003  (float)" in text
    assert "wandb.mode=  (online|offline|disabled)" in text
