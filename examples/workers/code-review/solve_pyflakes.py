#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Code-review solver: pyflakes.

Knows names and literals, nothing of security: finds little, and almost never wrongly.
"""

import re

import findings

#: pyflakes has no codes, only sentences.
KINDS = (
    (r"imported but unused", "unused-import"),
    (r"undefined name", "undefined-name"),
    (r"use ==/!= to compare constant literals", "literal-identity"),
    (r"is assigned to but never used", "unused-variable"),
    (r"placeholder\(s\) but .* substitution\(s\)", "format-mismatch"),
    (r"bare 'except'|default 'except:' must be last", "bare-except"),
)


def read(output):
    """Lines of the form `file:line:column: sentence`."""
    for text in output.splitlines():
        match = re.match(r"[^:]+:(\d+):\d+:? (.*)", text)
        if match is None:
            continue
        for pattern, kind in KINDS:
            if re.search(pattern, match[2]):
                yield int(match[1]), kind, match[2]


if __name__ == "__main__":
    findings.solve(__doc__, "pyflakes", lambda python, name: [python, "-m", "pyflakes", name], read)
