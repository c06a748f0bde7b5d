# SPDX-License-Identifier: Apache-2.0
"""The tool whose format the definitions have starts the network of four validators by itself, and sees it finalise."""

import os
import re
import sys

from tos_harness.paths import ZOMBIENET
from tos_harness.process import Process
from tos_harness.wait import Failed, Skipped

QUICK = False
TOOL = ZOMBIENET / "upstream/node_modules/.bin/zombienet"
LIMIT = 480
COLOURS = re.compile(r"\x1b\[[0-9;]*m")


def run(binary, folder, options):
    if not os.access(TOOL, os.X_OK):
        raise Skipped("the tool is not installed; run: npm ci --prefix zombienet/upstream")
    path = os.pathsep.join((str(binary.parent), os.environ["PATH"]))
    test = ZOMBIENET / "upstream/four.zndsl"
    tool = Process("zombienet", [TOOL, "--provider", "native", "--dir", folder / "network", "test", test], folder / "zombienet.log", {"PATH": path})
    try:
        code = tool.start().wait(LIMIT)
    finally:
        # With all that it started.
        tool.kill()
    told = COLOURS.sub("", tool.said())
    result = re.search(r"Result: (\d+)/(\d+)", told)
    if code != 0 or not result or result[1] != result[2]:
        raise Failed(f"the tool ended with {code}; its output ends:\n{told[-3000:]}")
    print(f"upstream: {result[1]} of {result[2]} assertions hold", file=sys.stderr, flush=True)
