"""The GPUs that local jobs may use: which there are, as NVIDIA's driver, the settings or the environment say."""

from __future__ import annotations

import os
import queue
import re
import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING

from experiments.jobs.launchers.local.device_locks import Device, in_others_hands
from experiments.project.errors import LaunchError
from experiments.project.trainers.known import trainer_of
from experiments.types import PlannedJob, TrainingJob

if TYPE_CHECKING:
    from experiments.project.settings import Settings

GPUS = "gpus"
"""Key of a job's spec: how many GPUs it is given, see `wanted`; and the ledger's setting of those that are lent."""

LATE_S = 20.0
"""After so long a driver that does not answer counts as silent; one that has to start takes some seconds."""

_DEVICE = re.compile(r"\d+|(GPU|MIG)-[\w/-]+")


def asked_for(setting: Sequence[str] | None) -> list[str] | None:
    """Return the devices that local jobs may use by what this process says; None for all of the machine.

    Args:
        setting: `gpus` of the settings; None where nobody set it.

    Raises:
        LaunchError: Numbers are inherited that do not mean one device each.
    """
    inherited = os.environ.get("CUDA_VISIBLE_DEVICES")
    if setting is not None or inherited is None:
        return None if setting is None else list(setting)
    words = [word.strip() for word in inherited.split(",")]
    # As CUDA reads it: what follows the first word that names no device is not seen either.
    words = words[: next((at for at, word in enumerate(words) if not _DEVICE.fullmatch(word)), len(words))]
    numbers = [word for word in words if word.isdecimal()]
    if numbers and os.environ.get("CUDA_DEVICE_ORDER") != "PCI_BUS_ID" and len(models := _models()) > 1:
        raise LaunchError(
            f"GPU {numbers[0]!r} of CUDA_VISIBLE_DEVICES may be another one to CUDA, which counts the fastest first, "
            f"than to the driver: there are {' and '.join(models)}. Name UUIDs (nvidia-smi -L), or set "
            "CUDA_DEVICE_ORDER=PCI_BUS_ID."
        )
    return words


def _models() -> list[str]:
    try:
        return sorted({device.name for device in _of_driver()})
    except LaunchError:  # whoever asks for the devices is told
        return []


def wanted(job: PlannedJob | TrainingJob, share: float) -> float:
    """Return how many GPUs a job is given: whole ones, or the part of one that a job of one GPU gets; 0 for none.

    Args:
        share: `gpus_per_job` of the settings.
    """
    trainer = trainer_of(job.config.trainer, job.command)
    if not job.config.gpus or (trainer is not None and not trainer.uses_gpus):
        return 0
    return share if job.config.gpus == 1 else job.config.gpus


def devices(asked: Sequence[str] | None) -> list[Device]:
    """Return the devices that jobs may use.

    Args:
        asked: From `asked_for`: UUIDs, beginnings of some, or numbers in the order of the PCI bus.

    Raises:
        LaunchError: One of them is not on this machine, or the driver does not answer.
    """
    there = _of_driver()
    if asked is None:
        return there
    if not there:  # nobody can ask the driver, and whoever named them knows
        return [Device(word) for word in dict.fromkeys(asked)]
    return list(dict.fromkeys(_named(word, there) for word in asked))


def notes_on(jobs: Sequence[PlannedJob], settings: Settings) -> list[str]:
    """Return what one should know of the GPUs before jobs are launched on this machine.

    Raises:
        LaunchError: A job asks for more than this machine lends, or nobody can tell which there are.
    """
    amount = max((wanted(job, settings.gpus_per_job) for job in jobs), default=0)
    if not amount:
        return []
    lent = devices(asked_for(settings.gpus))
    if not lent:
        return ["no GPU is known on this machine, so the jobs start without one; gpus in [tool.experiments] names some"]
    if amount > len(lent):
        raise LaunchError(
            f"a job asks for {amount:g} GPUs, and this machine lends {len(lent)}. Ask for fewer, or name more: gpus in "
            "[tool.experiments], CUDA_VISIBLE_DEVICES."
        )
    busy = [device.id for device in lent if in_others_hands(device)]
    untold = [device.id for device in lent if not device.is_told]
    notes = [f"other programs compute on {', '.join(busy)}: no job is put there while they do"] if busy else []
    if untold:
        notes.append(f"the driver does not tell whether other programs compute on {', '.join(untold)}")
    return notes


def _named(word: str, there: Sequence[Device]) -> Device:
    if word.isdecimal():
        matching = [there[int(word)]] if int(word) < len(there) else []
    else:
        matching = [device for device in there if device.id.startswith(word)]
    if len(matching) == 1:
        return matching[0]
    if word.startswith("MIG-"):  # a slice of a device, which CUDA knows and the driver's list has not
        return Device(word)
    listed = ", ".join(f"{at}: {device.id}" for at, device in enumerate(there))
    raise LaunchError(
        f"GPU {word!r} is {'several devices' if matching else 'no device'} of this machine. There are {listed}. "
        "Correct gpus in [tool.experiments], or CUDA_VISIBLE_DEVICES."
    )


def _of_driver() -> list[Device]:
    """Return all devices that NVIDIA's driver knows, in the order of the PCI bus; none where there is no driver."""
    answers: queue.SimpleQueue[list[Device] | LaunchError] = queue.SimpleQueue()
    # A driver that hangs takes its thread with it, and nothing ends that one.
    threading.Thread(target=lambda: answers.put(_asked()), name="nvml", daemon=True).start()
    try:
        answer = answers.get(timeout=LATE_S)
    except queue.Empty:
        raise _silent(f"no answer within {LATE_S:g} s") from None
    if isinstance(answer, LaunchError):
        raise answer
    return answer


def _asked() -> list[Device] | LaunchError:
    import pynvml  # type: ignore[import-untyped]

    try:
        pynvml.nvmlInit()
    except (pynvml.NVMLError_LibraryNotFound, pynvml.NVMLError_DriverNotLoaded):
        return []
    except Exception as error:  # noqa: BLE001 - the thread that waits has to hear of it, whatever it is
        return _silent(error)
    try:
        handles = [pynvml.nvmlDeviceGetHandleByIndex(at) for at in range(pynvml.nvmlDeviceGetCount())]
        return [
            Device(pynvml.nvmlDeviceGetUUID(handle), pynvml.nvmlDeviceGetName(handle), *_processes(handle))
            for handle in handles
        ]
    except Exception as error:  # noqa: BLE001
        return _silent(error)
    finally:
        pynvml.nvmlShutdown()


def _processes(handle: object) -> tuple[tuple[int, ...], bool]:
    """Return the processes that compute on a device; and whether the driver tells them, as it does not in WSL."""
    import pynvml

    try:
        return tuple(each.pid for each in pynvml.nvmlDeviceGetComputeRunningProcesses(handle)), True
    except (pynvml.NVMLError_NotSupported, pynvml.NVMLError_NoPermission):
        return (), False


def _silent(why: object) -> LaunchError:
    return LaunchError(f"NVIDIA's driver does not say which GPUs there are: {why}. See: nvidia-smi")
