"""`python -m langguard.cli.demo.tied ...`: the `langguard` command, ended when the process that started it is gone.

That process holds the other end of its standard input. Even one that is killed lets go of it.
"""

import os
import signal
import threading

_STDIN = 0


def _wait() -> None:
    while os.read(_STDIN, 4096):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    from langguard.cli import main

    threading.Thread(target=_wait, daemon=True).start()
    main()
