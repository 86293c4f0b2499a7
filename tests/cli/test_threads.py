"""Threads of the numerical libraries."""

import json
import os
import subprocess
import sys

from include.__main__ import ONE_THREAD
from include.settings import PROJECT

COUNT = """
import json, sys
sys.argv = ["include", "--help"]
from include.__main__ import main
try:
    main()
except SystemExit:
    pass
import numpy, threadpoolctl
print(json.dumps([library["num_threads"] for library in threadpoolctl.threadpool_info()]))
"""


def test_a_command_computes_with_one_thread():
    own = {name: text for name, text in os.environ.items() if name not in ONE_THREAD}
    done = subprocess.run(
        [sys.executable, "-c", COUNT], cwd=PROJECT, env=own, capture_output=True, text=True, check=True
    )
    counts = json.loads(done.stdout.splitlines()[-1])
    assert counts
    assert set(counts) == {1}
