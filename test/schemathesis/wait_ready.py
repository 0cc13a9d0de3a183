"""Waits until a service says that it is ready: wait_ready.py URL PID.

Asks every tenth of a second for at most thirty; gives up at once when the process is gone.
"""

import os
import sys
import time
import urllib.error
import urllib.request


def main() -> int:
    url, pid = sys.argv[1], int(sys.argv[2])
    deadline = time.monotonic() + 30
    last = None
    while time.monotonic() < deadline:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            print("the program ended before it was ready", file=sys.stderr)
            return 1
        try:
            with urllib.request.urlopen(url, timeout=2):
                return 0
        except (urllib.error.URLError, OSError) as err:
            last = err
        time.sleep(0.1)
    print(f"{url} was not ready within 30 s: {last}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
