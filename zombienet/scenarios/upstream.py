# SPDX-License-Identifier: Apache-2.0
"""The tool whose format the definitions have starts the network of four validators by itself, and sees it finalise."""

import os
import re
import signal
import subprocess
import sys

from network import HERE, OPEN, Failed, Skipped

QUICK = False
TOOL = os.path.join(HERE, "upstream", "node_modules", ".bin", "zombienet")
LIMIT = 480
COLOURS = re.compile(r"\x1b\[[0-9;]*m")


class Group:
    """The tool and whatever it started, which can be ended together."""

    def __init__(self, command, folder, path):
        self.process = subprocess.Popen(command, cwd=folder, env={**os.environ, "PATH": path}, stdin=subprocess.DEVNULL,
                                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
                                        start_new_session=True)
        OPEN.append(self)

    def close(self):
        """Leaves nothing running."""
        if self in OPEN:
            OPEN.remove(self)
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()


def run(binary, folder, options):
    if not os.access(TOOL, os.X_OK):
        raise Skipped("the tool is not installed; run: npm ci --prefix zombienet/upstream")
    path = os.pathsep.join((os.path.dirname(os.path.abspath(binary)), os.environ["PATH"]))
    test = os.path.join(HERE, "upstream", "four.zndsl")
    tool = Group([TOOL, "--provider", "native", "--dir", os.path.join(folder, "network"), "test", test], folder, path)
    try:
        told, _ = tool.process.communicate(timeout=LIMIT)
    except subprocess.TimeoutExpired as late:
        raise Failed(f"the tool did not end within {LIMIT} s") from late
    finally:
        tool.close()
    told = COLOURS.sub("", told)
    result = re.search(r"Result: (\d+)/(\d+)", told)
    if tool.process.returncode != 0 or not result or result[1] != result[2]:
        raise Failed(f"the tool ended with {tool.process.returncode}; what it said ends:\n{told[-3000:]}")
    print(f"upstream: {result[1]} of {result[2]} assertions hold", file=sys.stderr, flush=True)
