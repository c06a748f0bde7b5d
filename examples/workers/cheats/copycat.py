#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A cheat: answers with another's work.

    copycat.py --file ANSWER.json          hands in what another miner has answered
    copycat.py -- python3 solve_x.py …     runs another's solver and hands in its answer

What comes of it: judges score a copy as they score the original, but on chain the copy has the same
content hash as an answer that was committed earlier, so it is a duplicate. It cannot win and earns
nothing; the first to commit gets what its answer is worth. (Commitments hide the answers until it
is too late to commit, so in earnest a cheat must get at the answer before that, as here.)
"""

import json
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir))
import tos_worker as worker  # noqa: E402


def copied_from_file(path):
    """The answer in a file: what a solver wrote, or the bare answer."""
    with open(path, encoding="utf-8") as file:
        content = json.load(file)
    return content["answer"] if isinstance(content, dict) and "answer" in content else content


def copied_from_solver(command, request):
    """The answer that another solver gives to the same request."""
    done = subprocess.run(command, input=json.dumps(request), stdout=subprocess.PIPE, text=True,
                          timeout=worker.seconds(request), check=True)
    return json.loads(done.stdout)["answer"]


def main():
    parser = worker.parser(__doc__)
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--file", metavar="PATH", help="another's answer")
    source.add_argument("command", nargs="*", default=[], help="another's solver")
    options = parser.parse_args()
    request = worker.read_request(worker.MINER)
    try:
        copied = (copied_from_file(options.file) if options.file
                  else copied_from_solver(options.command, request))
    except (OSError, ValueError, LookupError, subprocess.SubprocessError) as error:
        worker.fail(f"nothing to copy: {error}")
    worker.write_answer(copied)


if __name__ == "__main__":
    main()
