#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Code-review solver: bandit.

Looks for security defects and nothing else: finds the gravest ones and none of the rest.
"""

import json

import findings

KINDS = {
    "B102": "eval",
    "B105": "hardcoded-secret",
    "B106": "hardcoded-secret",
    "B107": "hardcoded-secret",
    "B301": "unsafe-deserialisation",
    "B302": "unsafe-deserialisation",
    "B303": "weak-hash",
    "B307": "eval",
    "B324": "weak-hash",
    "B506": "unsafe-deserialisation",
    "B602": "command-injection",
    "B604": "command-injection",
    "B605": "command-injection",
    "B608": "sql-injection",
}


def read(output):
    """bandit's JSON: a list of results under their test numbers."""
    for result in json.loads(output)["results"]:
        if result["test_id"] in KINDS:
            yield result["line_number"], KINDS[result["test_id"]], result["issue_text"]


def command(python, name):
    """`# nosec` in the source is not obeyed: the author does not decide what is a defect."""
    return [python, "-m", "bandit", "--quiet", "--ignore-nosec", "--format", "json", name]


if __name__ == "__main__":
    findings.solve(__doc__, "bandit", command, read)
