#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes the specification of a code-review task out of a Python source file.

Writes inventory.json from inventory.py; with --check only tells whether it is up to date.
"""

import json
import os
import sys

import findings

HERE = os.path.dirname(os.path.abspath(__file__))
SOURCE = os.path.join(HERE, "inventory.py")
SPEC = os.path.join(HERE, "inventory.json")


def specification(name, source):
    """The specification of a review of this source."""
    return {
        "kind": findings.KIND,
        "title": f"Review of {name}",
        "description": "Find the defects of this Python module. Answer: {\"findings\": [{\"line\": "
                       "number of the line, counted from 1, \"kind\": one of data.kinds, "
                       "\"message\": free text, \"tool\": free text}]}; message and tool may "
                       "be left out. Grave defects count more than small ones, and findings that "
                       "are none cost points.",
        "data": {
            "language": "python",
            "file": name,
            "kinds": findings.KINDS,
            "source": source,
        },
    }


def main():
    parser = findings.worker.parser(__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing")
    options = parser.parse_args()
    with open(SOURCE, encoding="utf-8") as file:
        made = json.dumps(specification("inventory.py", file.read()), indent=1) + "\n"
    if options.check:
        with open(SPEC, encoding="utf-8") as file:
            sys.exit(file.read() != made)
    with open(SPEC, "w", encoding="utf-8") as file:
        file.write(made)


if __name__ == "__main__":
    main()
