"""What a local job runs in: real supervisors in real repositories, edited while jobs wait and run."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from experiments.jobs.isolation import import_roots, in_environment
from experiments.jobs.ledger import open_ledger
from experiments.jobs.once_more import retry_job
from experiments.jobs.preparation import check_plan, launch_plan
from experiments.jobs.ran import code_words, codes_of, marks_of
from experiments.launch import allow_launch, cancel, start_next
from experiments.project.errors import LaunchError
from experiments.project.files import read_json
from experiments.project.provenance import OwnCode
from experiments.project.snapshots import checkouts, is_there, keep_within, remove_unneeded, take, written_into
from tests.fakes.launching import plan_in, wait_for_end, workspace_at
from tests.fakes.waiting import wait_until
from tests.share import share

TRAIN = """\
import os, pathlib, subprocess, sys, time
import code_of_mine
print("code", code_of_mine.VALUE, flush=True)
pathlib.Path("out.txt").write_text("mine")
pathlib.Path("results/of_seed.txt").write_text("mine")
print("git", subprocess.run(["git", "branch", "--show-current"], capture_output=True, text=True).stdout.strip())
print("commit", os.environ.get("WANDB_GIT_COMMIT"))
print("home", os.environ["EXPERIMENTS_HOME"], flush=True)
"""


def git(folder, *arguments):
    identity = ("-c", "user.name=Ada", "-c", "user.email=ada@example.org")
    done = subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout.strip()


@pytest.fixture
def workspace(tmp_path):
    (tmp_path / "train.py").write_text(TRAIN)
    (tmp_path / "code_of_mine.py").write_text("VALUE = 1\n")
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / "README").write_text("kept\n")
    (tmp_path / ".gitignore").write_text(".experiments/\ndata/\n")
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", "-A")
    git(tmp_path, "commit", "-qm", "first")
    return workspace_at(tmp_path, command=(sys.executable, "train.py"))


def edit(workspace, value):
    (workspace.root / "code_of_mine.py").write_text(f"VALUE = {value}\n")


def launch(workspace, seeds=(0,), **config):
    with allow_launch() as permit:
        return [job.run_name for job in launch_plan(plan_in(workspace, seeds=seeds, **config), permit, workspace)]


def printed(workspace, name):
    wait_for_end(workspace, [name])
    return dict(
        line.split(" ", 1) for line in (workspace.runs / name / "train.log").read_text().splitlines() if " " in line
    )


def recorded(workspace, name):
    return (read_json(workspace.runs / name / "job.json") or {})["code"]


def test_a_job_that_waits_runs_the_code_of_its_launch_whatever_is_edited_meanwhile(tmp_path, workspace):
    workspace = workspace_at(tmp_path, command=(sys.executable, "train.py"), max_parallel=1)
    names = launch(workspace, seeds=range(3))
    edit(workspace, 2)
    assert [printed(workspace, name)["code"] for name in names] == ["1", "1", "1"]
    assert len({recorded(workspace, name)["snapshot"] for name in names}) == 1
    assert {code.words() for code in codes_of(workspace, names).values()} == {"as recorded for its plan"}


def test_a_retry_runs_the_code_of_the_job_that_it_retries_though_the_edit_was_taken_back(workspace):
    edit(workspace, 2)
    [first] = launch(workspace)
    wait_for_end(workspace, [first])
    git(workspace.root, "checkout", "-q", "code_of_mine.py")
    with allow_launch() as permit:
        again, notes = retry_job(first, permit, workspace)
        assert notes == []
        assert printed(workspace, again.run_name)["code"] == "2"
        now, notes = retry_job(first, permit, workspace, code_of="now")
    assert printed(workspace, now.run_name)["code"] == "1"
    assert notes == [f"THE CODE IS NOT THAT OF {again.run_name}: 1 file differs: code_of_mine.py"]
    [code] = codes_of(workspace, [now.run_name]).values()
    assert code.words(workspace.root).startswith("its code differed from the plan's record: ")


def test_a_plan_is_completed_with_the_code_of_its_first_submit(workspace):
    first = launch(workspace, seeds=[0])
    edit(workspace, 2)
    assert launch(workspace, seeds=[0]) == first
    assert printed(workspace, first[0])["code"] == "1"


def test_untracked_code_is_kept_and_run(workspace):
    (workspace.root / "new_recipe.py").write_text("x = 1\n")
    [name] = launch(workspace)
    wait_for_end(workspace, [name])
    assert recorded(workspace, name)["files"].keys() == {"new_recipe.py"}
    assert (workspace.runs / name / "left" / "new_recipe.py").read_text() == "x = 1\n"


def test_what_a_trainer_writes_by_a_relative_path_stays_with_its_run_and_reaches_no_other(workspace):
    names = launch(workspace, seeds=range(2))
    wait_for_end(workspace, names)
    for name in names:
        assert (workspace.runs / name / "left" / "out.txt").read_text() == "mine"
        assert (workspace.runs / name / "left" / "results" / "of_seed.txt").read_text() == "mine"
    assert not (workspace.root / "out.txt").exists()
    assert not list((workspace.state / "code").rglob("of_seed.txt"))


def test_git_asked_in_a_job_names_the_snapshot_and_wandb_the_commit_below_it(workspace):
    [name] = launch(workspace)
    said = printed(workspace, name)
    assert said["git"] == "snapshot"
    assert said["commit"] == git(workspace.root, "rev-parse", "HEAD")
    assert said["home"] == str(workspace.state)
    assert git(workspace.root, "status", "--porcelain") == ""


def test_absolute_paths_into_the_tree_lead_to_the_copy_and_those_to_ignored_data_stay(tmp_path, workspace):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "d.txt").write_text("data\n")
    script = "import sys, pathlib; print('paths', *sys.argv[1:], flush=True); pathlib.Path(sys.argv[2]).read_text()"
    words = (sys.executable, "-c", script, f"--file={tmp_path}/train.py", f"{tmp_path}/data/d.txt")
    [name] = launch(workspace_at(tmp_path, command=words))
    left = workspace.runs / name / "left"
    assert printed(workspace, name)["paths"] == f"--file={left}/train.py {tmp_path}/data/d.txt"


def test_ignored_folders_that_a_setting_names_are_linked_in(tmp_path, workspace):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "d.txt").write_text("data\n")
    command = (sys.executable, "-c", "print('read', open('data/d.txt').read())")
    workspace = workspace_at(tmp_path, command=command, snapshot_links=("data",))
    [name] = launch(workspace)
    assert printed(workspace, name)["read"] == "data"
    assert recorded(workspace, name)["links"] == ["data"]
    assert json.loads((workspace.runs / name / "wandb-config.json").read_text())["experiments"]["value"]["links"] == [
        "data"
    ]


def test_an_ignored_folder_within_another_is_linked_in_too(tmp_path, workspace):
    (tmp_path / "data" / "big").mkdir(parents=True)
    (tmp_path / "data" / "big" / "d.txt").write_text("data\n")
    command = (sys.executable, "-c", "print('read', open('data/big/d.txt').read())")
    workspace = workspace_at(tmp_path, command=command, snapshot_links=("data/big",))
    [name] = launch(workspace)
    assert printed(workspace, name)["read"] == "data"


def test_what_a_trainer_writes_into_its_own_package_is_never_deleted(tmp_path, workspace):
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "__init__.py").touch()
    script = "open('package/result.txt', 'w').write('mine')"
    workspace = workspace_at(tmp_path, command=(sys.executable, "-c", script))
    [name] = launch(workspace)
    wait_for_end(workspace, [name])
    [one] = checkouts(workspace.state)
    assert written_into(one) == ["package/result.txt"]
    assert remove_unneeded(workspace.state, ()) == keep_within(workspace.state, 0, ()) == 0
    (one.folder / "tree" / "package" / "result.txt").unlink()
    assert remove_unneeded(workspace.state, ()) > 0


def test_a_job_in_place_runs_the_working_tree_and_says_that_its_code_is_not_fixed(tmp_path, workspace):
    go = tmp_path / ".experiments" / "go"
    script = f"import pathlib, time\nwhile not pathlib.Path({str(go)!r}).exists(): time.sleep(0.01)"
    workspace = workspace_at(tmp_path, command=(sys.executable, "-c", script), in_place=True)
    [name] = launch(workspace)
    wait_until((workspace.runs / name / "train.log").exists)
    edit(workspace, 2)
    go.touch()
    wait_for_end(workspace, [name])
    [code] = codes_of(workspace, [name]).values()
    assert not code.is_fixed
    assert code.words().endswith("; code not fixed: it ran in the working tree, which was edited meanwhile")
    assert code.identity is None, "two runs of one start may have read different code, and are pooled with none as one"
    assert code_words([("base", mark) for mark in marks_of(workspace, [name]).values()]) == [
        "not known which code these runs ran"
    ]
    assert not (workspace.runs / name / "left").exists()


def test_a_checkout_that_a_job_wrote_into_is_told_with_it_and_used_by_no_other(tmp_path, workspace):
    """As root a program can write what nobody may."""
    (tmp_path / "train.py").write_text("import os; p = os.path.realpath('code_of_mine.py'); open(p, 'a').write('#')\n")
    command = ("/bin/sh", "-c", f"chmod u+w $(realpath code_of_mine.py); {sys.executable} train.py")
    workspace = workspace_at(tmp_path, command=command, max_parallel=1)
    first, second = launch(workspace, seeds=range(2))
    wait_for_end(workspace, [first])
    code = codes_of(workspace, [first])[first]
    assert code.words() == ("not known which code ran: its checkout was edited while it ran (code_of_mine.py)")
    assert (code.identity, code.is_fixed) == (None, False)
    wait_until(lambda: state_of(workspace, second).state == "refused")
    assert "was edited by hand: code_of_mine.py (changed)" in state_of(workspace, second).error


def test_a_checkout_that_was_edited_under_a_job_is_told_with_it_though_its_supervisor_was_killed(tmp_path, workspace):
    go = tmp_path / ".experiments" / "go"
    script = f"import pathlib, time\nwhile not pathlib.Path({str(go)!r}).exists(): time.sleep(0.01)"
    workspace = workspace_at(tmp_path, command=(sys.executable, "-c", script))
    [name] = launch(workspace)
    wait_until(lambda: (read_json(workspace.runs / name / "job.json") or {}).get("trainer"))
    record = read_json(workspace.runs / name / "job.json")
    os.kill(record["supervisor"]["pid"], signal.SIGKILL)
    source = Path(record["tree"]) / "code_of_mine.py"
    source.chmod(0o644)
    source.write_text("VALUE = 2\n")
    go.touch()
    wait_for_end(workspace, [name])
    start_next(workspace)
    code = codes_of(workspace, [name])[name]
    assert code.words() == "not known which code ran: its checkout was edited while it ran (code_of_mine.py)"


def state_of(workspace, name):
    with open_ledger(workspace, read_only=True) as ledger:
        [job] = ledger.jobs(run_names=[name])
    return job


def test_a_job_whose_snapshot_was_pruned_is_refused_and_says_so(tmp_path, workspace):
    workspace = workspace_at(tmp_path, command=(sys.executable, "train.py"), max_parallel=1)
    (tmp_path / "train.py").write_text("import time; time.sleep(600)\n")
    running, waiting = launch(workspace, seeds=range(2))
    snapshot = recorded(workspace, running)["snapshot"]
    assert is_there(workspace.state, snapshot)
    git(tmp_path, "update-ref", "-d", f"refs/experiments/{snapshot}")
    git(tmp_path, "gc", "-q", "--prune=now")
    for folder in (workspace.state / "code").glob(f"{snapshot}*"):
        subprocess.run(["rm", "-rf", str(folder)], check=True)
    with allow_launch() as permit:
        cancel([running], permit, workspace)
    wait_for_end(workspace, [running])
    start_next(workspace)
    assert state_of(workspace, waiting).state == "refused"
    assert snapshot[:10] in state_of(workspace, waiting).error


def test_nothing_is_retried_or_completed_whose_snapshot_was_pruned_though_its_checkout_is_there(tmp_path, workspace):
    workspace = workspace_at(tmp_path, command=(sys.executable, "train.py"), max_parallel=1)
    (tmp_path / "train.py").write_text("pass\n")
    plan = plan_in(workspace, seeds=range(2))
    with allow_launch() as permit:
        first, second = (job.run_name for job in launch_plan(plan, permit, workspace))
        wait_for_end(workspace, [first, second])
        snapshot = recorded(workspace, first)["snapshot"]
        git(tmp_path, "update-ref", "-d", f"refs/experiments/{snapshot}")
        with pytest.raises(LaunchError, match=r"is gone: .*--code now"):
            retry_job(first, permit, workspace)
        assert [job.run_name for job in launch_plan(plan, permit, workspace)] == [first, second]
        with open_ledger(workspace) as ledger:
            ledger.refuse_accepted(second, "the disk was full")
        with pytest.raises(LaunchError, match=r"is gone: .*--again"):
            launch_plan(plan, permit, workspace)
        attempt, _ = retry_job(first, permit, workspace, code_of="now")
        wait_for_end(workspace, [attempt.run_name])
    with open_ledger(workspace) as ledger:
        assert [job.run_name for job in ledger.jobs()] == [first, second, attempt.run_name]


def test_nothing_is_launched_where_no_snapshot_can_be_had(workspace):
    (workspace.root / "key.pem").write_text("-----BEGIN RSA PRIVATE KEY-----\n")
    with pytest.raises(LaunchError, match=r"key\.pem"):
        launch(workspace)
    assert not list(workspace.runs.iterdir())


def test_folders_of_packages_that_are_installed_in_place_are_found(tmp_path):
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(tmp_path / "venv")], check=True)
    python = str(tmp_path / "venv" / "bin" / "python")
    [site] = (tmp_path / "venv" / "lib").glob("python*/site-packages")
    (site / "flat.pth").write_text(f"# made by a test\n{tmp_path}/flat\nimport os\n")
    mapping = {"mine": f"{tmp_path}/src/mine"}
    (site / "__editable___mine_1_0_finder.py").write_text(f"MAPPING: dict[str, str] = {mapping!r}\n")
    assert import_roots(python) == [Path(tmp_path, "flat"), Path(tmp_path, "src")]


@pytest.mark.slow
def test_no_record_is_wrong_though_the_tree_is_edited_at_random_moments(tmp_path, workspace):
    workspace = workspace_at(tmp_path, command=(sys.executable, "train.py"), max_parallel=2)
    launches, stop = share(10, 4), threading.Event()

    def edits():
        chance = random.Random(4)
        for value in range(10, 10_000):
            edit(workspace, value)
            if stop.wait(chance.uniform(0, 0.2)):
                return

    editor = threading.Thread(target=edits)
    editor.start()
    try:
        names = [name for seed in range(launches) for name in launch(workspace, seeds=[2 * seed, 2 * seed + 1])]
        wait_for_end(workspace, names)
        with allow_launch() as permit:
            names += [retry_job(name, permit, workspace)[0].run_name for name in names[:launches]]
        wait_for_end(workspace, names)
    finally:
        stop.set()
        editor.join()
    assert len(names) == 3 * launches
    for name in names:
        snapshot = recorded(workspace, name)["snapshot"]
        kept = git(tmp_path, "show", f"refs/experiments/{snapshot}:code_of_mine.py")
        assert kept == f"VALUE = {printed(workspace, name)['code']}"


@pytest.mark.slow
def test_a_compiled_package_in_place_and_uv_run_use_the_copy(tmp_path):
    """A src layout with a C extension, built and installed in place by uv; `uv run` finds the environment that is."""
    (tmp_path / "pyproject.toml").write_text(
        "[project]\nname = 'mine'\nversion = '1'\nrequires-python = '>=3.11'\n"
        "[build-system]\nrequires = ['setuptools']\nbuild-backend = 'setuptools.build_meta'\n"
        "[tool.setuptools.packages.find]\nwhere = ['src']\n"
        "[[tool.setuptools.ext-modules]]\nname = 'mine._fast'\nsources = ['src/mine/fast.c']\n"
    )
    package = tmp_path / "src" / "mine"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("from mine import _fast\nVALUE = 1\n")
    (package / "fast.c").write_text(
        '#include <Python.h>\nstatic struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "_fast", NULL, -1, NULL};\n'
        "PyMODINIT_FUNC PyInit__fast(void) { return PyModule_Create(&module); }\n"
    )
    (tmp_path / ".gitignore").write_text(".experiments/\n.venv/\n*.so\nbuild/\n*.egg-info/\nuv.lock\n")
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", "-A")
    git(tmp_path, "commit", "-qm", "first")
    subprocess.run(["uv", "sync", "-q", "--python", sys.executable], cwd=tmp_path, check=True)
    script = "import mine, sys; print('ran', mine.VALUE, mine.__file__, mine._fast.__file__, sys.prefix)"
    workspace = workspace_at(tmp_path, command=("uv", "run", "python", "-c", script))
    # The project's own environment has Experiments too, as a user's has.
    [site] = (tmp_path / ".venv" / "lib").glob("python*/site-packages")
    (site / "ours.pth").write_text("\n".join(path for path in sys.path if path))
    code = (
        "import json, sys; from pathlib import Path; from tests.fakes.launching import workspace_at\n"
        "from tests.jobs.test_isolation import launch\n"
        "print(*launch(workspace_at(Path(sys.argv[1]), command=json.loads(sys.argv[2]))))"
    )
    command = json.dumps(list(workspace.settings.train_command))
    done = subprocess.run(
        [tmp_path / ".venv" / "bin" / "python", "-c", code, str(tmp_path), command],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    name = done.stdout.split()[-1]
    value, file, extension, prefix = printed(workspace, name)["ran"].split()
    assert value == "1"
    assert file.startswith(str(workspace.state / "code"))
    assert Path(extension).parent == Path(file).parent
    assert prefix == str(tmp_path / ".venv")


def test_a_launch_lets_old_checkouts_go_that_no_job_needs_and_their_runs_can_be_retried(workspace):
    tight = workspace_at(workspace.root, command=(sys.executable, "train.py"), code_budget_mb=1)
    (workspace.root / "big.bin").write_bytes(bytes(1_500_000))
    [first] = launch(tight)
    assert printed(tight, first)["code"] == "1"
    with open_ledger(tight) as ledger:
        wait_until(lambda: start_next(tight) == [] and not ledger.snapshots_in_use())
    edit(workspace, 2)
    [second] = launch(tight, seeds=(1,))
    assert printed(tight, second)["code"] == "2"
    [kept] = (workspace.state / "code").glob("*/stamp")
    assert kept.parent.name == recorded(tight, second)["snapshot"]
    with allow_launch() as permit:
        again, _ = retry_job(first, permit, tight)
    assert printed(tight, again.run_name)["code"] == "1"


def test_a_restored_environment_gives_a_command_its_interpreter_or_its_script_of_that_name(tmp_path):
    for name in ("mine", "restored"):
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(tmp_path / name)], check=True)
        (tmp_path / name / "bin" / "train").touch()
    (tmp_path / "mine" / "bin" / "only-mine").touch()
    mine, restored = tmp_path / "mine" / "bin", tmp_path / "restored" / "bin"
    for given, wanted in {
        "python": f"{restored}/python",
        f"{mine}/python3.11": f"{restored}/python",
        f"{mine}/train": f"{restored}/train",
        f"{mine}/only-mine": f"{mine}/only-mine",
        "/bin/sh": "/bin/sh",
        "uv": "uv",
    }.items():
        assert in_environment((given, "a b"), f"{restored}/python") == (wanted, "a b")


@pytest.mark.parametrize("program", ["uv run --no-project python", "env python", "python"])
def test_whatever_starts_the_interpreter_it_is_the_restored_one(program, tmp_path, workspace):
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(tmp_path / "restored")], check=True)
    python = tmp_path / "restored" / "bin" / "python"
    (tmp_path / "train.py").write_text("import sys; print('prefix', sys.prefix)")
    workspace = workspace_at(tmp_path, command=(*program.split(), "train.py"))
    snapshot = take(tmp_path, workspace.state, workspace.settings)
    checked = check_plan(plan_in(workspace, seeds=(0,)), workspace, own=OwnCode(snapshot=snapshot, python=str(python)))
    with allow_launch() as permit:
        [job] = launch_plan(checked, permit, workspace)
    wait_for_end(workspace, [job.run_name])
    assert printed(workspace, job.run_name)["prefix"] == str(tmp_path / "restored")
