"""``python -m include.watcher``: run the checks each minute; ``--once`` for one line of cron."""

from __future__ import annotations

import argparse
import contextlib
import logging
import sys
import time

from include.command_errors import guarded
from include.connections import apply_remembered_settings
from include.incidents.delivery import deliver_due
from include.private_files import private_umask
from include.settings import Settings
from include.watcher import Watcher

PASS_SECONDS, DELIVERY_SECONDS = 60.0, 10.0


def main() -> int:
    """Run until the process is ended, or once."""
    parser = argparse.ArgumentParser(prog="python -m include.watcher", description=__doc__)
    parser.add_argument("--once", action="store_true", help="run the checks once and print what they found")
    once = parser.parse_args().once
    apply_remembered_settings()
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(message)s")
    settings = Settings.read()
    watcher = Watcher(settings)
    with private_umask():
        if once:
            found = watcher.one_pass()
            for one in found:
                print(f"{one.kind} {one.resource}: {one.says}")
            return int(bool(found))
        while True:
            next_pass = time.monotonic() + PASS_SECONDS
            watcher.one_pass()
            while time.monotonic() < next_pass:
                time.sleep(min(DELIVERY_SECONDS, max(0.0, next_pass - time.monotonic())))
                with contextlib.suppress(Exception):  # the next pass reports it
                    deliver_due(settings)


if __name__ == "__main__":
    sys.exit(guarded(main, program="python -m include.watcher"))
