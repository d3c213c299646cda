"""Local jobs and GPUs: pretended devices, real supervisors, locks and kills."""

from __future__ import annotations

import contextlib
import json
import os
import random
import re
import signal
import sqlite3
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from experiments import cli
from experiments.jobs.launchers.local import device_locks, devices, watcher
from experiments.jobs.launchers.local.device_locks import Device, held_by, in_others_hands, take
from experiments.jobs.launchers.local.watcher import AWAITED
from experiments.jobs.preparation import launch_notes
from experiments.launch import allow_launch, launcher_for, start_next, submit
from experiments.project.errors import LaunchError
from experiments.project.files import read_json
from experiments.project.provenance import capture
from tests.fakes.answers import data_in
from tests.fakes.launching import plan_in, wait_for_end, words_of, workspace_at
from tests.fakes.waiting import wait_until
from tests.share import share

TRAINER = str(Path(__file__).parents[2] / "fakes" / "gpu_trainer.py")
FAKE = Path(__file__).parents[2] / "fakes" / "nvml"
FOUR = ("GPU-a", "GPU-b", "GPU-c", "GPU-d")
KILLS = share(30, 12)
JOBS = share(20, 10)  # of each of two projects


@pytest.fixture(autouse=True)
def _locks_of_our_own(tmp_path_factory, monkeypatch):
    monkeypatch.setenv(device_locks.PLACE, str(tmp_path_factory.mktemp("locks")))
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)


@pytest.fixture
def proof(tmp_path):
    (tmp_path / "proof").mkdir()
    return tmp_path / "proof"


def machine_of(folder, proof, *, seconds=0.3, shares=1, gpus=FOUR, **settings):
    folder.mkdir(exist_ok=True)
    command = (sys.executable, "-S", TRAINER, str(proof), str(seconds), str(shares))
    return workspace_at(folder, command=command, gpus=gpus, max_parallel=16, in_place=True, **settings)


def launched(workspace, count=8, **config):
    with allow_launch() as permit:
        return [job.run_name for job in submit(plan_in(workspace, seeds=range(count), **config), permit, workspace)]


def told(proof):
    lines = (proof / "told").read_text().splitlines() if (proof / "told").exists() else []
    return [line.split(" ") for line in lines]


def waiting(workspace):
    names = [folder.name for folder in workspace.runs.iterdir()]
    found = launcher_for("local", workspace).poll(dict.fromkeys(names, ""))
    return {name: status.reason for name, status in found.items() if status.word == "PENDING"}


def test_eight_jobs_share_four_devices_and_nobody_has_to_look_for_the_next_to_start(tmp_path, proof):
    workspace = machine_of(tmp_path / "one", proof, seconds=0)
    names = launched(workspace)
    assert list(waiting(workspace).values()) == ["waits for a GPU of 4"] * 4
    (proof / "go").touch()
    wait_for_end(workspace, names)
    assert set(words_of(workspace, names).values()) == {"SUCCEEDED"}
    assert [line for line in told(proof) if line[0] == "clash"] == []
    started = Counter(line[2] for line in told(proof) if line[0] == "start")
    assert started.total() == 8
    assert started.keys() == set(FOUR)
    record = read_json(workspace.runs / names[0] / "job.json")
    assert record is not None
    assert len(record["devices"]) == 1


def test_a_device_never_idles_while_a_job_waits_that_fits(tmp_path, proof):
    """A job of three devices waits for them; those of one go on meanwhile, also those that were launched later."""
    workspace = machine_of(tmp_path / "one", proof, seconds=0)
    first = launched(workspace, 2)
    large = launched(workspace, 1, gpus=3, arms=("large",))
    small = launched(workspace, 2, arms=("small",))
    assert waiting(workspace) == {large[0]: "waits for 3 GPUs of 4"}
    (proof / "go").touch()
    wait_for_end(workspace, [*first, *large, *small])
    assert set(words_of(workspace, [*first, *large, *small]).values()) == {"SUCCEEDED"}
    assert [line for line in told(proof) if line[0] == "clash"] == []
    [start] = [line for line in told(proof) if line[0] == "start" and line[1] == large[0]]
    assert len(start[2].split(",")) == 3


def test_halves_of_a_device_are_lent_to_two_jobs_and_whole_ones_stay_free_for_who_needs_one(tmp_path, proof):
    workspace = machine_of(tmp_path / "one", proof, seconds=0, shares=2, gpus_per_job=0.5, gpus=FOUR[:2])
    names = launched(workspace, 6)
    assert len(waiting(workspace)) == 2
    assert set(waiting(workspace).values()) == {"waits for 0.5 of a GPU of 2"}
    (proof / "go").touch()
    wait_for_end(workspace, names)
    assert [line for line in told(proof) if line[0] == "clash"] == []
    assert Counter(line[2] for line in told(proof) if line[0] == "start").total() == 6


def test_a_job_without_a_gpu_waits_for_none_and_sees_none(tmp_path, proof):
    workspace = machine_of(tmp_path / "one", proof, seconds=0, gpus=FOUR[:1])
    [has_it, waits] = launched(workspace, 2)
    [none] = launched(workspace, 1, gpus=0, arms=("none",))
    wait_until(lambda: any(line[1] == none and line[0] == "start" for line in told(proof)))
    assert [line[2] for line in told(proof) if line[1] == none] == [""]
    assert waiting(workspace) == {waits: "waits for a GPU of 1"}
    (proof / "go").touch()
    wait_for_end(workspace, [has_it, waits, none])


def test_a_job_of_before_devices_were_lent_is_not_kept_from_them(tmp_path, proof):
    workspace = machine_of(tmp_path / "one", proof, seconds=0, gpus=FOUR[:1])
    [first, second] = launched(workspace, 2)
    with contextlib.closing(sqlite3.connect(workspace.state / "ledger.sqlite")) as ledger:
        ledger.execute("UPDATE jobs SET spec = json_remove(spec, '$.gpus') WHERE run_name = ?", [second])
        ledger.commit()
    (proof / "go").touch()
    start_next(workspace)
    wait_for_end(workspace, [first, second])
    given = {name: (read_json(workspace.runs / name / "job.json") or {})["devices"] for name in (first, second)}
    assert given == {first: ["GPU-a"], second: None}


def test_two_projects_of_one_machine_never_have_one_device_and_the_freed_one_is_handed_on(tmp_path, proof):
    ours = machine_of(tmp_path / "ours", proof, seconds=0, gpus=FOUR[:2])
    theirs = machine_of(tmp_path / "theirs", proof, seconds=0.2, gpus=FOUR[:2])
    names = launched(ours, 2)
    others = launched(theirs, 3)
    assert set(words_of(theirs, others).values()) == {"PENDING"}
    (proof / "go").touch()
    # Nobody looks at the other project: the end of our jobs starts its jobs.
    wait_for_end(ours, names)
    wait_until((theirs.runs / others[2] / "train.log").exists)
    wait_for_end(theirs, others)
    assert [line for line in told(proof) if line[0] == "clash"] == []
    wait_until(lambda: not (theirs.state / "live" / AWAITED).exists())


@pytest.mark.slow
def test_no_device_is_ever_lent_twice_whatever_is_killed(tmp_path, proof):
    """At many moments a starter, a supervisor or a trainer is killed; who looks again starts what still can."""
    chance = random.Random(5)
    places = [machine_of(tmp_path / name, proof, seconds=0.4) for name in ("ours", "theirs")]
    names = {place.state: launched(place, JOBS) for place in places}
    for _ in range(KILLS):
        time.sleep(chance.uniform(0, 0.15))
        pids = _programs([str(proof), *(str(place.state) for place in places)])
        if pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(chance.choice(pids), signal.SIGKILL)
        start_next(chance.choice(places))
    for place in places:
        wait_for_end(place, names[place.state], meanwhile=lambda place=place: start_next(place), timeout_s=120)
    assert [line for line in told(proof) if line[0] == "clash"] == []
    starts = Counter(line[1] for line in told(proof) if line[0] == "start")
    assert max(starts.values()) == 1
    assert all(not held_by(Device(name)) for name in FOUR)


@pytest.mark.slow
def test_no_device_idles_while_a_job_of_any_project_waits_whatever_is_killed(tmp_path, proof):
    """Many kills, and nobody looks but where the last program that would is gone with the kill."""
    chance = random.Random(7)
    places = [machine_of(tmp_path / name, proof, seconds=0) for name in ("ours", "theirs")]
    names = {place.state: launched(place, JOBS) for place in places}
    killed = Counter()
    for _ in range(KILLS):
        wait_until(lambda: _is_full(places), timeout_s=120)
        victims = _victims(places)
        kind = min((kind for kind, pids in victims.items() if pids), key=lambda kind: killed[kind])
        with contextlib.suppress(ProcessLookupError):
            os.kill(chance.choice(victims[kind]), signal.SIGKILL)
        killed[kind] += 1
        if kind == "watcher":
            start_next(chance.choice(places))
        time.sleep(chance.uniform(0, 0.3))
        if starters := _ours(places, "slots"):  # who is about to mend it
            with contextlib.suppress(ProcessLookupError):
                os.kill(chance.choice(starters), signal.SIGKILL)
    assert killed.keys() == {"trainer", "supervisor", "watcher"}
    wait_until(lambda: _is_full(places), timeout_s=120)
    (proof / "go").touch()
    for place in places:
        wait_for_end(place, names[place.state], meanwhile=lambda place=place: start_next(place), timeout_s=120)
    assert [line for line in told(proof) if line[0] == "clash"] == []
    starts = Counter(line[1] for line in told(proof) if line[0] == "start")
    assert max(starts.values()) == 1


def _is_full(places):
    return all(map(held_by, map(Device, FOUR))) or not any(map(waiting, places))


def _victims(places):
    trainers = _programs([str(places[0].settings.train_command[3])])
    return {"trainer": trainers, **{kind: _ours(places, kind) for kind in ("supervisor", "watcher")}}


def _ours(places, kind):
    ours = _programs([str(place.state) for place in places])
    return [pid for pid in _programs([f"launchers.local.{kind}"]) if pid in ours]


def _programs(needles):
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            with contextlib.suppress(OSError):
                line = (entry / "cmdline").read_bytes()
                if any(os.fsencode(needle) in line for needle in needles):
                    found.append(int(entry.name))
    return found


def test_more_devices_than_the_machine_lends_are_refused_before_anything_is_launched(tmp_path, proof):
    workspace = machine_of(tmp_path / "one", proof)
    with pytest.raises(LaunchError, match=r"a job asks for 5 GPUs, and this machine lends 4\. Ask for fewer"):
        launch_notes(plan_in(workspace, gpus=5), capture(workspace.root), workspace)
    # Fewer may be lent by the time that it is handed over.
    assert waiting(workspace).keys().isdisjoint(launched(workspace, 1, gpus=4))
    with pytest.raises(LaunchError, match="it asks for 5 GPUs, and this machine lends 4"):
        launched(workspace, 1, gpus=5)


def test_without_any_device_jobs_start_and_it_is_said(tmp_path, proof):
    workspace = machine_of(tmp_path / "one", proof, gpus=None)
    assert any("no GPU is known" in note for note in launch_notes(plan_in(workspace), capture(tmp_path), workspace))
    names = launched(workspace, 1)
    wait_for_end(workspace, names)
    assert words_of(workspace, names)[names[0]] == "SUCCEEDED"


@pytest.mark.parametrize(
    ("inherited", "expected"),
    [
        (None, None),
        ("", []),
        ("-1", []),
        ("0,1", ["0", "1"]),
        (" GPU-4a5b , MIG-GPU-1/2/3", ["GPU-4a5b", "MIG-GPU-1/2/3"]),
        ("1,-1,0", ["1"]),
        ("NoDevFiles", []),
    ],
)
def test_what_is_inherited_is_read_as_cuda_reads_it(inherited, expected, monkeypatch):
    if inherited is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", inherited)
    assert devices.asked_for(None) == expected
    assert devices.asked_for(("3",)) == ["3"]


class Driver:
    """What the pretended driver of `tests/fakes/nvml` says, to every process."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def says(self, *devices: Device, **more) -> list[Device]:
        known = [
            {"uuid": each.id, "name": each.name, "pids": list(each.processes) if each.is_told else None}
            for each in devices
        ]
        self._file.write_text(json.dumps({"devices": known, **more}))
        return list(devices)


@pytest.fixture
def driver(monkeypatch, tmp_path):
    monkeypatch.setenv("PRETENDED_GPUS", str(tmp_path / "gpus.json"))
    monkeypatch.setenv("PYTHONPATH", str(FAKE))
    monkeypatch.syspath_prepend(str(FAKE))
    monkeypatch.delitem(sys.modules, "pynvml", raising=False)
    yield Driver(tmp_path / "gpus.json")
    sys.modules.pop("pynvml", None)


TWO = (Device("GPU-11-a", "H200"), Device("GPU-12-b", "H200", (4711,)))


def test_devices_are_known_by_number_uuid_or_its_beginning(driver):
    there = driver.says(*TWO)
    assert devices.devices(None) == there
    assert devices.devices(["1", "GPU-11"]) == there[::-1]
    assert devices.devices(["0", "GPU-11-a"]) == there[:1]
    assert devices.devices(["MIG-1"]) == [Device("MIG-1")]
    with pytest.raises(LaunchError, match=r"GPU '7' is no device of this machine\. There are 0: GPU-11-a, 1: GPU-12-b"):
        devices.devices(["7"])
    with pytest.raises(LaunchError, match="GPU 'GPU-1' is several devices"):
        devices.devices(["GPU-1"])


def test_a_device_on_which_others_compute_is_shown_and_taken_when_they_are_gone(
    driver, tmp_path, proof, monkeypatch, capsys
):
    """Nobody looks at the project meanwhile: what waits has somebody who does."""
    hurried = "import sys; from experiments.jobs.launchers.local import watcher; watcher.ANEW_S = 0.2"
    monkeypatch.setattr(watcher, "WATCHER", (sys.executable, "-P", "-c", f"{hurried}; watcher.main(sys.argv[1:])"))
    driver.says(*TWO)
    workspace = machine_of(tmp_path / "one", proof, seconds=0, gpus=None)
    assert in_others_hands(TWO[1])
    assert launch_notes(plan_in(workspace), capture(tmp_path), workspace)[-1].startswith(
        "other programs compute on GPU-12"
    )
    names = launched(workspace, 2)
    monkeypatch.chdir(workspace.root)
    assert cli.run(["status", "--machine"]) == 0
    said = capsys.readouterr().out
    assert f"GPU-11-a    0%  H200\n  {names[0]}\n" in said
    assert "1 program that no job started" in said
    assert f"waits for a GPU of 2; other programs are on 1 device: {names[1]}" in said
    assert cli.run(["status", "--machine", "--json"]) == 0
    shown = data_in(capsys.readouterr().out)
    assert shown["devices"][0]["shares"] == {names[0]: 1.0}
    assert [device["free"] for device in shown["devices"]] == [0.0, 0.0]
    driver.says(TWO[0], Device("GPU-12-b", "H200"))
    wait_until(lambda: len([line for line in told(proof) if line[0] == "start"]) == 2)
    (proof / "go").touch()
    wait_for_end(workspace, names)
    assert [line for line in told(proof) if line[0] == "clash"] == []


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"error": "NVMLError"}, "the driver is not in order"),
        ({"late_s": 2.0}, r"no answer within 0\.2 s"),
    ],
)
def test_a_driver_that_fails_or_is_late_is_no_machine_without_devices(driver, tmp_path, proof, monkeypatch, more, said):
    monkeypatch.setattr(devices, "LATE_S", 0.2)
    driver.says(TWO[0], **more)
    workspace = machine_of(tmp_path / "one", proof, gpus=None)
    with pytest.raises(LaunchError, match=f"NVIDIA's driver does not say which GPUs there are: {said}"):
        launch_notes(plan_in(workspace), capture(tmp_path), workspace)
    [waits] = launched(workspace, 1)
    [none] = launched(workspace, 1, gpus=0, arms=("none",))
    assert re.search(said, waiting(workspace)[waits])
    driver.says(TWO[0])
    start_next(workspace)
    wait_for_end(workspace, [waits, none])
    given = {line[1]: line[2] for line in told(proof) if line[0] == "start"}
    assert given == {waits: "GPU-11-a", none: ""}


@pytest.mark.parametrize("error", ["NVMLError_LibraryNotFound", "NVMLError_DriverNotLoaded"])
def test_a_machine_without_a_driver_has_no_devices(driver, error):
    driver.says(error=error)
    assert devices.devices(None) == []
    assert devices.devices(["GPU-a", "GPU-a", "0"]) == [Device("GPU-a"), Device("0")]


def test_a_driver_that_does_not_tell_who_computes_lends_its_devices_and_that_is_said(driver, tmp_path, proof):
    driver.says(Device("GPU-11-a", "RTX", is_told=False))
    workspace = machine_of(tmp_path / "one", proof, gpus=None)
    notes = launch_notes(plan_in(workspace, seeds=[0]), capture(tmp_path), workspace)
    assert notes[-1] == "the driver does not tell whether other programs compute on GPU-11-a"
    names = launched(workspace, 1)
    wait_for_end(workspace, names)
    assert [line[2] for line in told(proof) if line[0] == "start"] == ["GPU-11-a"]


def test_numbers_that_cuda_and_the_driver_may_count_differently_are_refused(driver, monkeypatch):
    driver.says(Device("GPU-1", "RTX 3060"), Device("GPU-2", "RTX 4090"))
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    with pytest.raises(LaunchError, match="GPU '0' of CUDA_VISIBLE_DEVICES may be another one to CUDA"):
        devices.asked_for(None)
    monkeypatch.setenv("CUDA_DEVICE_ORDER", "PCI_BUS_ID")
    assert devices.asked_for(None) == ["0"]
    monkeypatch.delenv("CUDA_DEVICE_ORDER")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "GPU-2")
    assert devices.asked_for(None) == ["GPU-2"]
    driver.says(Device("GPU-1", "H200"), Device("GPU-2", "H200"))
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1")
    assert devices.asked_for(None) == ["1"]


@pytest.mark.parametrize("setting", [(), None])
def test_where_no_device_is_lent_a_job_sees_none(driver, tmp_path, proof, monkeypatch, setting):
    """An empty list lends none; the two devices that are there are somebody else's."""
    driver.says(*TWO)
    if setting is None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "-1")
    workspace = machine_of(tmp_path / "one", proof, gpus=setting)
    names = launched(workspace, 1)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1")
    wait_for_end(workspace, names)
    assert [line[2] for line in told(proof) if line[0] == "start"] == [""]


def test_a_lock_whose_file_was_tidied_away_keeps_nobody_out_and_is_taken_anew():
    first = take([Device("GPU-a")], 0.5, "first")
    assert first is not None
    for path in device_locks.folder().glob("GPU-a.*"):
        if path.name != "GPU-a.0":
            path.unlink()
    second = take([Device("GPU-a")], 0.5, "second")
    assert second is not None
    assert held_by(Device("GPU-a")) == {"first": 1, "second": 6}
    first.close()
    second.close()


def test_a_fork_that_outlives_its_job_keeps_the_device(tmp_path, proof):
    script = "import os, sys, time; pid = os.fork(); time.sleep(0 if pid else 600)"
    workspace = workspace_at(
        tmp_path, command=(sys.executable, "-S", "-c", script), gpus=FOUR[:1], max_parallel=16, in_place=True
    )
    [first, second] = launched(workspace, 2)
    wait_until(lambda: read_json(workspace.runs / first / "job.json").get("ended_at") is not None)
    [child] = [pid for pid in _programs([script]) if f"/{first}" in _environment(pid)]
    assert list(waiting(workspace)) == [second]
    os.kill(child, signal.SIGKILL)
    wait_until(lambda: not waiting(workspace))
    for pid in _programs([script]):
        os.kill(pid, signal.SIGKILL)
    wait_for_end(workspace, [first, second])


def _environment(pid):
    return Path(f"/proc/{pid}/environ").read_bytes().decode()


def test_a_folder_of_locks_that_cannot_be_used_keeps_jobs_waiting_and_says_so(tmp_path, proof, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv(device_locks.PLACE, str(tmp_path / "file"))
    workspace = machine_of(tmp_path / "one", proof)
    [waits] = launched(workspace, 1)
    [none] = launched(workspace, 1, gpus=0, arms=("none",))
    assert waiting(workspace)[waits].startswith("the locks of this machine's GPUs cannot be kept in")
    wait_until(lambda: words_of(workspace, [none])[none] == "SUCCEEDED")
    monkeypatch.setenv(device_locks.PLACE, str(tmp_path))
    start_next(workspace)
    wait_for_end(workspace, [waits])


def test_a_place_that_only_root_can_write_is_no_place_for_locks(tmp_path, monkeypatch):
    """Else root and everybody else would lend the same devices from two folders."""
    (tmp_path / "root").mkdir(mode=0o755)
    (tmp_path / "all").mkdir()
    (tmp_path / "all").chmod(0o1777)
    monkeypatch.delenv(device_locks.PLACE)
    monkeypatch.setattr(device_locks, "_PLACES", (str(tmp_path / "root"), str(tmp_path / "all")))
    assert device_locks.folder().parent == tmp_path / "all"


def test_who_made_the_folder_and_was_killed_leaves_it_open_for_all_the_next_time():
    device_locks.folder().chmod(0o755)
    assert device_locks.folder().stat().st_mode & 0o7777 == 0o1777


def test_what_others_write_into_a_lock_is_shown_without_control_characters():
    taken = take([Device("GPU-a")], 1, "first\x1b[31m\n")
    assert held_by(Device("GPU-a")) == {"first[31m": 12}
    assert taken is not None
    taken.close()


def test_a_holder_is_told_also_where_its_folder_has_bytes_that_are_no_text():
    taken = take([Device("GPU-a")], 1, "job of /no\udcfftext")
    assert taken is not None
    assert held_by(Device("GPU-a")) == {"job of /no?text": 12}
    taken.close()


def test_who_fails_half_way_holds_no_device(monkeypatch):
    files = device_locks._files

    def of_first_only(device):
        if device.id == "GPU-b":
            raise LaunchError("the folder of the locks is gone")
        return files(device)

    monkeypatch.setattr(device_locks, "_files", of_first_only)
    with pytest.raises(LaunchError):
        take([Device("GPU-a"), Device("GPU-b")], 2, "first")
    assert held_by(Device("GPU-a")) == {}


def test_what_another_user_made_is_locked_all_the_same(tmp_path):
    """Linux lets nobody create what is there already, in a folder of all users."""
    taken = take([Device("GPU-a")], 1, "first")
    assert taken is not None
    for path in device_locks.folder().iterdir():
        assert path.stat().st_mode & 0o777 == 0o666
    assert device_locks.folder().stat().st_mode & 0o7777 == 0o1777
    assert take([Device("GPU-a")], 0.25, "second") is None
    taken.close()
    second = take([Device("GPU-a")], 0.25, "second")
    assert second is not None
    assert held_by(Device("GPU-a")) == {"second": 3}
    second.close()
