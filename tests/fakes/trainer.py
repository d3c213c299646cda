"""A trainer that does what its arguments say, in order: `print:TEXT`, `sleep:SECONDS`, `exit:CODE`, ...

`count` adds a line to the file `started` of the state folder; `stubborn` ignores TERM; `fork:SECONDS` leaves a child
behind; `environ` prints its environment; `wait` sleeps until it is killed.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path


def main() -> None:
    for word in sys.argv[1:]:
        name, _, value = word.partition(":")
        if name == "print":
            print(value, flush=True)
        elif name == "count":
            with Path(os.environ["EXPERIMENTS_RUN_DIR"], "..", "..", "started").open("a") as file:
                file.write(os.environ["WANDB_RUN_ID"] + "\n")
        elif name == "environ":
            print(*(f"{key}={text}" for key, text in sorted(os.environ.items())), sep="\n", flush=True)
        elif name == "stubborn":
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
        elif name == "polite":
            signal.signal(signal.SIGTERM, lambda *_: os._exit(143))
        elif name == "fork" and os.fork() == 0:
            time.sleep(float(value))
            os._exit(0)
        elif name == "sleep":
            time.sleep(float(value))
        elif name == "wait":
            time.sleep(600)
        elif name == "exit":
            os._exit(int(value))


if __name__ == "__main__":
    main()
