"""A driver of pretended GPUs, found before NVIDIA's bindings through PYTHONPATH, by every process of a test.

What it knows is in the file that `PRETENDED_GPUS` names: `{"devices": [{"uuid", "name", "pids"}], "late_s", "error"}`;
`pids` of null is a driver that does not tell who computes on a device.
"""

import json
import os
import time
from pathlib import Path
from types import SimpleNamespace


class NVMLError(Exception):
    pass


class NVMLError_LibraryNotFound(NVMLError):  # noqa: N801, N818 - as the bindings have it
    pass


class NVMLError_DriverNotLoaded(NVMLError):  # noqa: N801, N818
    pass


class NVMLError_NotSupported(NVMLError):  # noqa: N801, N818
    pass


class NVMLError_NoPermission(NVMLError):  # noqa: N801, N818
    pass


def _known():
    return json.loads(Path(os.environ["PRETENDED_GPUS"]).read_text())


def nvmlInit():  # noqa: N802
    time.sleep(_known().get("late_s", 0))
    if name := _known().get("error"):
        raise globals()[name]("the driver is not in order")


def nvmlShutdown():  # noqa: N802
    pass


def nvmlDeviceGetCount():  # noqa: N802
    return len(_known()["devices"])


def nvmlDeviceGetHandleByIndex(at):  # noqa: N802
    return _known()["devices"][at]


def nvmlDeviceGetUUID(handle):  # noqa: N802
    return handle["uuid"]


def nvmlDeviceGetName(handle):  # noqa: N802
    return handle["name"]


def nvmlDeviceGetComputeRunningProcesses(handle):  # noqa: N802
    if handle["pids"] is None:
        raise NVMLError_NotSupported("Not Supported")
    return [SimpleNamespace(pid=pid) for pid in handle["pids"]]
