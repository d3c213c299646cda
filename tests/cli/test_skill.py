"""`experiments skill`: what it tells agents is so, and each command that it shows does what it says."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys

import pytest
import yaml

from experiments import cli
from experiments.cli.__main__ import command_words, commands
from experiments.cli.agents.skill import skill_text
from experiments.cli.agents.tools import TOOLS
from experiments.cli.envelope import EXIT_CODES, Envelope
from experiments.cli.options import RunOptions
from tests.fakes.answers import data_in
from tests.fakes.skilled import Skilled, environment

TEXT = skill_text()
LINES = [line for block in re.findall(r"^```bash\n(.*?)^```", TEXT, re.S | re.M) for line in block.splitlines()]


def head_and_body():
    _, head, body = TEXT.split("---\n", 2)
    return yaml.safe_load(head), body


def test_it_has_the_head_that_agents_read_and_at_most_150_lines():
    head, body = head_and_body()
    assert set(head) == {"name", "description"}
    assert re.fullmatch(r"[a-z0-9-]{1,64}", head["name"])
    assert 100 < len(head["description"]) < 1024
    assert len(TEXT.splitlines()) <= 150
    assert body.lstrip().startswith("# ")


def test_the_exit_codes_that_it_names_are_those_of_all_commands():
    [said] = re.findall(r"Exit codes: (.*?)\.", TEXT, re.S)
    assert [int(number) for number in re.findall(r"\d+", said)] == list(EXIT_CODES)
    for code, what in EXIT_CODES.items():
        assert f"{code} {re.split(r'[;:]', what)[0].split(' with ')[0]}" in " ".join(said.split())


def test_the_envelope_that_it_describes_is_the_one_that_is_printed():
    shown = re.search(r"one envelope: `\{(.*?)\}`", TEXT)[1]
    fields = [field.alias or name for name, field in Envelope.model_fields.items()]
    assert json.loads(f"[{shown}]") == fields


def test_every_command_flag_and_word_of_an_answer_that_it_names_is_there():
    words = set(re.findall(r"experiments ([a-z]+)\b", " ".join(re.findall(r"`[^`\n]+`", TEXT)) + "\n".join(LINES)))
    assert words - {"mcp"} <= set(command_words())
    flags = {name.replace("_", "-") for name in RunOptions.__dataclass_fields__} | {"json", "limit", "cursor"}
    for command in commands().values():
        flags |= {name.strip("_").replace("_", "-") for name in command.__annotations__}
    flags |= {"no-follow", "runs", "points", "timeout", "until", "save"}
    assert set(re.findall(r"--([a-z][a-z-]+)", TEXT)) - flags == set()
    assert {"is_reached", "decision", "kind", "launched", "reason", "notes"} <= set(re.findall(r"[a-z_]+", TEXT))


def test_the_tools_of_the_server_have_the_names_of_the_commands():
    assert {tool.name for tool in TOOLS} - set(command_words()) == {"launch"}


def test_it_is_printed_saved_once_and_never_over_another_file(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert cli.run(["skill"]) == 0
    assert capsys.readouterr().out == TEXT
    for _ in range(2):
        assert cli.run(["skill", "--save", ".claude/skills", "--json"]) == 0
        assert data_in(capsys.readouterr().out)["file"] == ".claude/skills/experiments/SKILL.md"
    file = tmp_path / ".claude" / "skills" / "experiments" / "SKILL.md"
    assert file.read_text() == TEXT
    file.write_text("mine")
    assert cli.run(["skill", "--save", ".claude/skills"]) == 2
    assert "says something else" in capsys.readouterr().err
    assert file.read_text() == "mine"


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_each_of_its_lines_does_what_it_says(tmp_path):
    """In the order of the file, by somebody who has no more than a permit: a setting of the user sees to that."""
    config = tmp_path / "config" / "experiments"
    config.mkdir(parents=True)
    root = tmp_path / "project"
    root.mkdir()
    project = Skilled(root, max_parallel=2)
    project.run("--seeds", "5", "--follow")
    (config / "settings.toml").write_text('launch = "permit"\n')
    run = data_in(project.command("status", "study", "--json").stdout)["jobs"][0]["run_name"]
    known = environment(XDG_CONFIG_HOME=str(config.parent))
    answers = {}
    assert len(LINES) > 20
    for line in LINES:
        words = [run if word == "RUN" else word for word in shlex.split(line)]
        if words[0] == "export":
            known |= [words[1].split("=", 1)]
            continue
        assert words[:2] in (["uv", "run"],), line
        if "--save" in words:
            code, shown = project.typed(words[3:])
            assert code == 0, shown
            continue
        program = ["-P", "-m", "experiments.cli"] if words[2] == "experiments" else [words[2]]
        done = subprocess.run(
            [sys.executable, *program, *words[3:]], cwd=root, env=known, capture_output=True, text=True, timeout=120,
            stdin=subprocess.DEVNULL,
        )  # fmt: skip
        assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"
        answers[line] = json.loads(done.stdout)["data"] if "--json" in words else done.stdout

    def answer(begin):
        [found] = [each for line, each in answers.items() if line.startswith(f"uv run {begin}")]
        return found

    assert len(answer("study.py more --seeds 5..9 --dry-run")["plan"]["jobs"]) == 10
    assert len(answer("study.py more --seeds 5..9 --no-follow")["launched"]) == 10
    [permit] = answer("experiments permit list")["permits"]
    assert (permit["budget"]["name"], permit["recipes"]) == ("night", ["study.py"])
    waited = answer("experiments wait more")
    assert waited["is_reached"]
    verdict = answer("experiments verdict more")
    assert (verdict["decision"], verdict["kind"]) == ("confirmed", "registered")
    assert waited["verdict"]["decision"] == "confirmed"
    shown = data_in(project.command("show", run, "--json").stdout)
    assert "b - a: 2.1" in shown["note"]
    assert "night" in shown["note"]
    assert shown["tags"] == ["checked"]
    assert len(shown["attempts"]) == 2
