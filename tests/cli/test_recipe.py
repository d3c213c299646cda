from __future__ import annotations

import pytest
from pydantic import BaseModel, Field

from experiments.cli.recipe import parse
from experiments.project.errors import UsageError
from experiments.recipes.arena_experiment import ArenaExperimentConfig
from experiments.types import DEFAULT_SECTIONS, BaseExperimentConfig


def parsed(text: str, config_class=ArenaExperimentConfig):
    return parse(config_class, text.split(), prog="recipe.py", description="A recipe.")


def test_the_four_commands_of_the_source_document_parse_as_written():
    assert parsed("").options.launch
    loading = parsed("--no-launch --job-ids 2979 2980 --open").options
    assert (loading.launch, loading.job_ids, loading.open) == (False, ("2979", "2980"), True)
    custom = parsed("my_arena --gpus 4 --skip-git-check --wandb-tags research ablation")
    assert (custom.options.name, custom.config.gpus, custom.config.skip_git_check) == ("my_arena", 4, True)
    assert custom.config.wandb_tags == ("research", "ablation")
    assert parsed("analysis --sections monitor,analysis,replays --open").config.sections == (
        *("monitor", "analysis", "replays"),
    )


def test_short_flags_stand_for_curriculum_gpus_and_nodes():
    config = parsed("-c arena/basic -g 2 -n 3").config
    assert (config.curriculum, config.gpus, config.nodes) == ("arena/basic", 2, 3)


def test_a_flag_left_out_keeps_the_config_default():
    config = parsed("").config
    assert config == ArenaExperimentConfig()
    assert config.sections == DEFAULT_SECTIONS


@pytest.mark.parametrize(("text", "flag"), [("--gpus -1", "--gpus -1"), ("--nodes 0", "--nodes 0")])
def test_a_value_out_of_bounds_is_refused_with_its_flag(text, flag):
    with pytest.raises(UsageError, match=flag):
        parsed(text)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("--gpus many", "--gpus takes a whole number, not 'many'. "),
        ("--no-such-flag", "Unrecognized options: --no-such-flag. "),
        ("--launcher moon", "invalid choice .moon."),
        ("a b", "Unrecognized options: b. "),
        ("--curiculum=x", "Perhaps you meant: .*--curriculum"),
        ("a\udcffb", r"argument 'a\\udcffb' holds bytes that are no UTF-8 text"),
        ("--wandb-tags a\udcff", "no UTF-8 text"),
    ],
)
def test_what_does_not_parse_is_an_error_of_one_line(text, words, capsys):
    with pytest.raises(UsageError, match=words) as error:
        parsed(text)
    assert len(str(error.value).splitlines()) == 1
    assert "│" not in str(error.value)
    assert capsys.readouterr().err == ""


class Optimizer(BaseModel):
    lr: float = Field(0.1, gt=0, description="Step size.")


class Nested(BaseExperimentConfig):
    optimizer: Optimizer = Optimizer()
    width: int = Field(description="Required.")
    mode: str | None = None


def test_a_nested_model_becomes_dotted_flags_and_a_required_field_a_required_flag():
    config = parsed("--width 3 --optimizer.lr 0.5", Nested).config
    assert (config.optimizer.lr, config.width, config.mode) == (0.5, 3, None)


def test_a_wrong_value_in_a_nested_model_is_refused_in_pydantics_words():
    with pytest.raises(UsageError, match="should be greater than 0") as error:
        parsed("--width 3 --optimizer.lr -1", Nested)
    assert "https" not in str(error.value)


def test_help_shows_each_description_and_no_none_defaults(capsys):
    with pytest.raises(SystemExit):
        parsed("--help")
    text = capsys.readouterr().out
    assert "GPUs per node" in text
    assert "Ctrl-C detaches" in text.replace("\n", " ")
    assert "None" not in text


@pytest.mark.parametrize(
    ("text", "given"),
    [
        ("", set()),
        ("mine --dry-run --seeds 3", set()),
        ("--gpus 1", {"gpus"}),
        ("-g 1 -c x --nodes=2", {"gpus", "curriculum", "nodes"}),
        ("--spot --skip-git-check --wandb_tags a --gpus=3", {"spot", "skip_git_check", "wandb_tags", "gpus"}),
        ("--sections log", {"sections"}),
    ],
)
def test_it_is_known_which_settings_were_typed_also_those_that_are_as_by_default(text, given):
    assert parsed(text).given == given


def test_a_setting_inside_of_another_is_known_by_its_dotted_name():
    assert parsed("--width 3 --optimizer.lr 0.1", Nested).given == {"width", "optimizer.lr"}


def test_a_setting_with_the_name_of_a_flag_of_every_recipe_is_refused_in_one_sentence():
    class Taken(BaseExperimentConfig):
        trials: int = 3

    with pytest.raises(UsageError, match="field 'trials' of Taken has the name of a flag that every recipe has"):
        parse(Taken, [], prog="study.py")


def test_a_setting_of_a_type_that_pydantic_does_not_know_is_refused_in_one_sentence():
    class Own:
        pass

    class Odd(BaseExperimentConfig):
        own: Own = Field(Own(), description="Of a type that nobody checks.")

    with pytest.raises(UsageError, match=r"^Odd cannot be checked: .*Own.*\. Give its field a type") as error:
        parsed("", Odd)
    assert len(str(error.value).splitlines()) == 1
