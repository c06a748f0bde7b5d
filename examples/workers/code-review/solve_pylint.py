#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Code-review solver: pylint.

Infers types and control flow: strong on correctness, but does not look for injections or secrets.
"""

import json

import findings

KINDS = {
    "bare-except": "bare-except",
    "consider-using-with": "resource-leak",
    "dangerous-default-value": "mutable-default",
    "eval-used": "eval",
    "exec-used": "eval",
    "literal-comparison": "literal-identity",
    "modified-iterating-dict": "modified-while-iterating",
    "modified-iterating-list": "modified-while-iterating",
    "modified-iterating-set": "modified-while-iterating",
    "redefined-builtin": "shadowed-builtin",
    "singleton-comparison": "none-comparison",
    "too-few-format-args": "format-mismatch",
    "too-many-format-args": "format-mismatch",
    "undefined-variable": "undefined-name",
    "unreachable": "unreachable-code",
    "unused-import": "unused-import",
    "unused-variable": "unused-variable",
}


def read(output):
    """pylint's JSON: a list of messages under their symbolic names."""
    for message in json.loads(output)["messages"]:
        if message["symbol"] in KINDS:
            yield message["line"], KINDS[message["symbol"]], message["message"]


def command(python, name):
    """Without any configuration file, and only the messages that have a kind."""
    return [python, "-m", "pylint", "--rcfile=/dev/null", "--output-format=json2", "--disable=all",
            f"--enable={','.join(sorted(KINDS))}", name]


if __name__ == "__main__":
    findings.solve(__doc__, "pylint", command, read)
