#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A judge of every kind of task the examples know: hands the request to the judge of its kind.

    tos judge run --judge-cmd 'python3 examples/workers/judge.py'
"""

import json
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
JUDGES = {
    "tsp": os.path.join(HERE, "tsp", "judge.py"),
    "code-review": os.path.join(HERE, "code-review", "judge.py"),
}


def main():
    if sys.argv[1:] in (["-h"], ["--help"]):
        print(__doc__)
        return 0
    request = sys.stdin.read()
    spec = json.loads(request).get("spec")
    kind = spec.get("kind") if isinstance(spec, dict) else None
    judge = JUDGES.get(kind)
    if judge is None:
        print(f"no judge for tasks of kind {kind!r}; there are {', '.join(JUDGES)}", file=sys.stderr)
        return 1
    return subprocess.run([sys.executable, judge], input=request, text=True, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
