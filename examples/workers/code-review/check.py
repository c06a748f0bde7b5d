#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A pinned tool for tasks of kind `code-review`: which answers are lists of findings in the source.

Reads what a judge reads and prints {"failed": [indices], "findings": [number or null, ...]}. An
answer does not pass when it is no list of findings, or when one of them is at a line that the source
does not have. Whether findings are true is for the panel. One file without neighbours, because a
task type pins it by the hash of this file.
"""

import json
import sys

MAX_FINDINGS = 400


#: The longest answer that is read. No good one is longer.
MAX_READ = 1024 * 1024


def refuse_constant(name):
    """Python reads NaN and Infinity, which JSON does not have."""
    raise ValueError(name)


def content_of(answer):
    """An answer, parsed: from the request or, when it is long, from its file. None when it is no
    JSON."""
    path = answer.get("path")
    if not isinstance(path, str):
        return answer.get("json")
    with open(path, "rb") as file:
        content = file.read(MAX_READ + 1)
    try:
        return None if len(content) > MAX_READ else json.loads(content.decode("utf-8"),
                                                               parse_constant=refuse_constant)
    except (ValueError, RecursionError):
        return None


def is_int(value):
    """A whole number, and not a truth value."""
    return isinstance(value, int) and not isinstance(value, bool)


def lines_of(request):
    """How many lines the source has."""
    spec = request.get("spec")
    if not isinstance(spec, dict) or spec.get("kind") != "code-review":
        sys.exit("not a task of kind code-review")
    data = spec.get("data")
    source = data.get("source") if isinstance(data, dict) else None
    if not isinstance(source, str):
        sys.exit("no source")
    return source.count("\n") + 1


def findings_of(answer, lines):
    """How many findings an answer has; None when it is no answer."""
    content = content_of(answer)
    items = content.get("findings") if isinstance(content, dict) else None
    if not isinstance(items, list) or len(items) > MAX_FINDINGS:
        return None
    for item in items:
        if not isinstance(item, dict) or not isinstance(item.get("kind"), str):
            return None
        if not is_int(item.get("line")) or not 1 <= item["line"] <= lines:
            return None
    return len(items)


def main():
    """Checks every answer of the request."""
    request = json.load(sys.stdin)
    lines = lines_of(request)
    findings = [findings_of(answer, lines) for answer in request["answers"]]
    failed = [index for index, count in enumerate(findings) if count is None]
    report = {"failed": failed, "findings": findings}
    print(json.dumps(report, sort_keys=True, separators=(",", ":")))


if __name__ == "__main__":
    main()
