# SPDX-License-Identifier: Apache-2.0
"""Code review: what the solvers and the judge of this folder share.

A finding is {"line": 12, "kind": "eval", "message": "…", "tool": "…"}. Tools name the same defect
by different codes, so every solver translates its tool's codes into the kinds below; codes without
a kind (matters of style, mostly) are left out. The judge compares by line and kind alone.
"""

import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir))
import tos_worker as worker  # noqa: E402

KIND = "code-review"

#: What a finding can be, and what is meant.
KINDS = {
    "bare-except": "every exception is caught, even the unexpected",
    "command-injection": "input reaches a shell",
    "division-by-zero": "a divisor can be zero",
    "eval": "input is executed as code",
    "format-mismatch": "placeholders and values of a text differ in number",
    "hardcoded-secret": "a password or key in the source",
    "literal-identity": "`is` where equality is meant",
    "modified-while-iterating": "a collection is changed by the loop over it",
    "mutable-default": "a default value that all calls share",
    "none-comparison": "`== None` instead of `is None`",
    "resource-leak": "something opened is not closed on every path",
    "shadowed-builtin": "a name hides a built-in one",
    "sql-injection": "input becomes part of an SQL statement",
    "undefined-name": "a name that does not exist",
    "unreachable-code": "code that can never run",
    "unsafe-deserialisation": "reading data can execute code",
    "unused-import": "an import that nothing uses",
    "unused-variable": "a value that nothing uses",
    "weak-hash": "a broken or too fast hash where security depends on it",
}


def source_of(request):
    """File name and source text of the task. Raises `ProtocolError` where there is none."""
    data = worker.specification(request, KIND)["data"]
    if data.get("language") != "python":
        raise worker.ProtocolError("only Python is understood here")
    name, source = data.get("file"), data.get("source")
    if not isinstance(name, str) or not isinstance(source, str):
        raise worker.ProtocolError("the specification has no file name or no source")
    # The name comes from a stranger: only its last part counts, and only if it is a plain one.
    name = os.path.basename(name)
    if not name.endswith(".py") or not name[:-3].isidentifier():
        raise worker.ProtocolError(f"not the name of a Python module: {name!r}")
    return name, source


def finding(line, kind, message, tool):
    """A finding in the common form."""
    return {"line": line, "kind": kind, "message": message, "tool": tool}


def answer(findings):
    """The answer made of these findings: sorted, and each line and kind once."""
    unique = {}
    for item in findings:
        unique.setdefault((item["line"], item["kind"]), item)
    return {"findings": [unique[key] for key in sorted(unique)]}


def run_tool(command, folder, allowed):
    """Output of an analyser, run in `folder`; a failure where it gives none.

    Analysers use their exit code to say that they found something, so the output decides. They
    only read the source, and nothing here ever runs it.
    """
    environment = dict(os.environ, HOME=folder, PYLINTHOME=folder, PYTHONDONTWRITEBYTECODE="1")
    try:
        done = subprocess.run(command, cwd=folder, env=environment, stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=allowed, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        worker.fail(f"the analyser did not run: {error}")
    if not done.stdout.strip() and done.returncode != 0:
        worker.fail(f"the analyser failed ({done.returncode}): {done.stderr.strip()[-500:]}")
    return done.stdout


def solve(description, tool, command, read):
    """The whole of a solver: reads the request, runs the analyser in a folder that holds nothing
    but the source, translates with `read(output)` and writes the answer.

    `command(python, name)` is what to run. `read` yields (line, kind, message).
    """
    parser = worker.parser(description)
    parser.add_argument("--python", default=sys.executable, metavar="PATH",
                        help="the Python that has the analyser installed, such as the one of "
                             "setup.sh's environment (default: this one)")
    options = parser.parse_args()
    python = os.path.abspath(options.python)
    request = worker.read_request(worker.MINER)
    try:
        name, source = source_of(request)
    except worker.ProtocolError as error:
        worker.fail(error)
    with tempfile.TemporaryDirectory(prefix="tos-code-review-") as folder:
        with open(os.path.join(folder, name), "w", encoding="utf-8") as out:
            out.write(source)
        output = run_tool(command(python, name), folder, worker.seconds(request))
    try:
        found = [finding(line, kind, message, tool) for line, kind, message in read(output)]
    except (ValueError, KeyError, TypeError) as error:
        worker.fail(f"the analyser's output is not understood: {error!r}")
    worker.write_answer(answer(found), note=f"{len(found)} findings of {tool}")
