"""A trainer that proves what it was given: it holds a lock of each of its devices, and tells where another has it.

`gpu_trainer.py FOLDER SECONDS [SHARES]`: so many of these may share a device. With 0 seconds it works until somebody
makes the file `go` in the folder.
"""

import contextlib
import fcntl
import os
import sys
import time

folder, seconds, shares = sys.argv[1], float(sys.argv[2]), int(sys.argv[3]) if len(sys.argv) > 3 else 1
given = [word for word in os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",") if word]
name = os.path.basename(os.environ["EXPERIMENTS_RUN_DIR"])  # noqa: PTH119
held = []


def tell(word):
    with open(os.path.join(folder, "told"), "a") as file:  # noqa: PTH118, PTH123 - started often, so nothing is imported
        file.write(f"{word} {name} {','.join(given)} {time.monotonic()}\n")


for device in given:
    for share in range(shares):
        file = open(os.path.join(folder, f"{device}.{share}"), "w")  # noqa: PTH118, PTH123, SIM115
        with contextlib.suppress(BlockingIOError):
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            held.append(file)
            break
    else:
        tell("clash")
tell("start")
time.sleep(seconds)
while not seconds and not os.path.exists(os.path.join(folder, "go")):  # noqa: PTH110, PTH118
    time.sleep(0.02)
tell("end")
