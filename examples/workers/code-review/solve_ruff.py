#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Code-review solver: ruff.

Has the rules of pyflakes, bandit, flake8-bugbear and more in one program: of these solvers the one
that finds most. What follows from the flow of control or of values, it does not see either.
"""

import json

import findings

KINDS = {
    "A001": "shadowed-builtin",
    "A002": "shadowed-builtin",
    "B006": "mutable-default",
    "E711": "none-comparison",
    "E722": "bare-except",
    "F401": "unused-import",
    "F507": "format-mismatch",
    "F632": "literal-identity",
    "F821": "undefined-name",
    "F841": "unused-variable",
    "S102": "eval",
    "S105": "hardcoded-secret",
    "S106": "hardcoded-secret",
    "S107": "hardcoded-secret",
    "S301": "unsafe-deserialisation",
    "S307": "eval",
    "S324": "weak-hash",
    "S506": "unsafe-deserialisation",
    "S602": "command-injection",
    "S604": "command-injection",
    "S605": "command-injection",
    "S608": "sql-injection",
    "SIM115": "resource-leak",
}


def read(output):
    """ruff's JSON: a list of violations under their rule codes."""
    for violation in json.loads(output):
        if violation["code"] in KINDS:
            yield violation["location"]["row"], KINDS[violation["code"]], violation["message"]


def command(python, name):
    """Without any configuration file, without obeying `# noqa`, and only rules that have a kind."""
    return [python, "-m", "ruff", "check", "--isolated", "--ignore-noqa", "--no-cache",
            "--select", ",".join(sorted(KINDS)), "--output-format", "json", name]


if __name__ == "__main__":
    findings.solve(__doc__, "ruff", command, read)
