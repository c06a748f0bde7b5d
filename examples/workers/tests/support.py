# SPDX-License-Identifier: Apache-2.0
"""What the tests of the example workers share."""

import hashlib
import importlib.util
import json
import os
import subprocess
import sys

EXAMPLES = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
for folder in ("", "tsp", "code-review"):
    sys.path.insert(0, os.path.join(EXAMPLES, folder))

import tos_worker as worker  # noqa: E402

#: The most bytes of content that the chain takes inline.
MAX_INLINE = 2_048
MIN_CONTENT = 10

TASKS = {
    "tsp": {
        "type": "algorithmOptimization",
        "params": {"algorithmOptimization": {"problem": "tsp", "objective": "minimise"}},
    },
    "code-review": {
        "type": "codeAnalysis",
        "params": {"codeAnalysis": {"language": "python", "lines": 135}},
    },
}


def path(*parts):
    """A file among the examples."""
    return os.path.join(EXAMPLES, *parts)


def read(*parts):
    """The text of a file among the examples."""
    with open(path(*parts), encoding="utf-8") as file:
        return file.read()


def load(name, *parts):
    """A program as a module, under a name of its own (there are two `judge.py`)."""
    spec = importlib.util.spec_from_file_location(name, path(*parts))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def request(role, spec_text, kind, task_id="5b0c6d7e-1f2a-4b3c-8d4e-5f6071829304"):
    """What is common to both roles."""
    return {
        "version": 1,
        "role": role,
        "task": {"id": task_id, **TASKS[kind], "difficulty": "beginner", "minQuality": 50},
        "spec": json.loads(spec_text),
        "specText": spec_text,
        "addedByALaterVersion": {"ignore": "me"},
    }


def solver_request(spec_text, kind, **more):
    """A request to a solver."""
    return {**request("miner", spec_text, kind, **more),
            "limits": {"seconds": 60, "memoryMiB": 1024}}


def judge_request(spec_text, kind, answers):
    """A request to a judge, about answers given as JSON values, as bytes, or as None for content
    that could not be fetched."""
    return {**request("judge", spec_text, kind),
            "answers": [entry(index, answer) for index, answer in enumerate(answers)]}


def entry(index, answer):
    """One answer in a request to a judge."""
    if answer is None:
        return {"index": index, "hash": "00" * 32, "size": 4096, "text": None, "json": None,
                "available": False}
    content = answer if isinstance(answer, bytes) else worker.canonical(answer)
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        text = None
    try:
        parsed = json.loads(text) if text is not None else None
    except ValueError:
        parsed = None
    # BLAKE3 on the chain; any hash serves where it is only compared.
    return {"index": index, "hash": hashlib.blake2b(content, digest_size=32).hexdigest(),
            "size": len(content), "text": text, "json": parsed, "available": True}


def by_path(request, index, path):
    """A judge's request whose answer `index` is named by the path of a file, as long answers are."""
    answers = [dict(answer) for answer in request["answers"]]
    answers[index].update(text=None, json=None, path=path, size=os.path.getsize(path))
    return {**request, "version": 2, "answers": answers}


def run(program, given, *arguments, python=sys.executable):
    """Runs a program with a request (or a text) on its standard input."""
    text = given if isinstance(given, str) else json.dumps(given)
    return subprocess.run([python, path(*program.split("/")), *arguments], input=text,
                          capture_output=True, text=True, timeout=120, check=False)


def output(done):
    """The one JSON object that a successful run wrote."""
    if done.returncode != 0:
        raise AssertionError(f"exit code {done.returncode}: {done.stderr}")
    return json.loads(done.stdout)


def solve(program, given, *arguments, **more):
    """The answer of a solver, checked against the protocol."""
    written = output(run(program, given, *arguments, **more))
    check_solver_output(written)
    return written["answer"]


def judge(program, given, *arguments):
    """The scores of a judge, checked against the protocol."""
    written = output(run(program, given, *arguments))
    check_judge_output(written, len(given["answers"]))
    return written["scores"]


def check_solver_output(written):
    """docs/worker-protocol.md, "Solver"."""
    assert isinstance(written, dict), written
    assert "answer" in written and set(written) <= {"answer", "note"}, sorted(written)
    assert isinstance(written.get("note", ""), str), written
    assert len(worker.canonical(written["answer"])) >= MIN_CONTENT, written


def check_judge_output(written, answers):
    """docs/worker-protocol.md, "Judge"."""
    assert isinstance(written, dict) and set(written) == {"scores"}, written
    assert len(written["scores"]) == answers, written
    for score in written["scores"]:
        assert set(score) == {"quality", "innovation", "verdict", "reason"}, score
        for name in ("quality", "innovation"):
            assert worker.is_int(score[name]) and 0 <= score[name] <= 100, score
        assert score["verdict"] in worker.VERDICTS, score
        assert isinstance(score["reason"], str), score
        assert score["verdict"] == "valid" or score["quality"] == score["innovation"] == 0, score


def analysers():
    """The Python that has the code analysers; sets it up where it is not there yet."""
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    venv = os.environ.get("TOS_CODE_REVIEW_VENV") or os.path.join(cache, "tos-code-review")
    subprocess.run([path("code-review", "setup.sh"), venv], check=True, stdout=subprocess.DEVNULL)
    return os.path.join(venv, "bin", "python")
