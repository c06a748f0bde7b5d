# SPDX-License-Identifier: Apache-2.0
"""The worker protocol in Python, for solvers and judges (see docs/worker-protocol.md).

A worker is started once per task. It reads one JSON object from standard input, writes one JSON
object to standard output and exits with 0. Standard error is the log. Any other exit code, or any
other output, counts as failure: the miner then sends no answer, the judge no vote.

Only the standard library is used, and nothing but reading a program's input and writing its
output lives here, so that each program beside this module shows its own method and no plumbing.
"""

import argparse
import json
import sys

#: Requests of version 2 name long content by the path of a file.
VERSIONS = (1, 2)
MINER = "miner"
JUDGE = "judge"

VALID = "valid"
UNAVAILABLE = "unavailable"
MALFORMED = "malformed"
PLAGIARISED = "plagiarised"
VERDICTS = (VALID, UNAVAILABLE, MALFORMED, PLAGIARISED)

#: The most bytes of an answer that these programs read. Parsed, JSON takes many times the memory of
#: its text, and it comes from a stranger.
MAX_READ = 1024 * 1024

#: An innovation score that says nothing for or against.
NEUTRAL = 50


class ProtocolError(Exception):
    """The request is not one this program can work on."""


def parser(description):
    """The command line of a program, which `description` explains as it is written."""
    return argparse.ArgumentParser(description=description,
                                   formatter_class=argparse.RawDescriptionHelpFormatter)


def fail(message):
    """Ends the program as a failure, with a line for the log."""
    print(f"error: {message}", file=sys.stderr)
    raise SystemExit(1)


def log(message):
    """Writes a line to the log."""
    print(message, file=sys.stderr)


def parse_request(text, role):
    """Reads the request in `text` and checks that it is meant for `role`."""
    try:
        request = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ProtocolError(f"the request is not JSON: {error}") from error
    if not isinstance(request, dict):
        raise ProtocolError("the request is not a JSON object")
    if request.get("version") not in VERSIONS:
        raise ProtocolError(f"unknown protocol version {request.get('version')!r}")
    if request.get("role") != role:
        raise ProtocolError(f"the request is for {request.get('role')!r}, this is a {role} program")
    if not isinstance(request.get("task"), dict):
        raise ProtocolError("the request names no task")
    if role == JUDGE and not isinstance(request.get("answers"), list):
        raise ProtocolError("the request has no answers to judge")
    return request


def read_request(role):
    """Reads the request from standard input; ends the program when there is none to work on."""
    try:
        return parse_request(sys.stdin.buffer.read().decode("utf-8"), role)
    except (ProtocolError, UnicodeDecodeError) as error:
        fail(error)


def read_json(path):
    """The JSON in a file of at most MAX_READ bytes; None when it is longer or no JSON."""
    def refuse_constant(name):
        raise ValueError(f"{name} is not JSON")

    with open(path, "rb") as file:
        content = file.read(MAX_READ + 1)
    if len(content) > MAX_READ:
        return None
    try:
        return json.loads(content.decode("utf-8"), parse_constant=refuse_constant)
    except (ValueError, RecursionError):
        return None


def answer_json(answer):
    """An answer of a judge's request, parsed: as the request has it or, when it is long, from its
    file. None when it is no JSON, or longer than any answer to the tasks of these programs."""
    path = answer.get("path")
    return read_json(path) if isinstance(path, str) else answer.get("json")


def specification(request, kind):
    """The task's specification, which must be of `kind`; returns the whole document."""
    spec = request.get("spec")
    if not isinstance(spec, dict) or spec.get("kind") != kind:
        raise ProtocolError(f"the task's specification is not of kind {kind!r}")
    if not isinstance(spec.get("data"), dict):
        raise ProtocolError("the task's specification has no data")
    return spec


def seconds(request, share=0.8, default=60):
    """How long the program may work: a share of its limit, so that it ends before it is killed."""
    limits = request.get("limits")
    limit = limits.get("seconds") if isinstance(limits, dict) else None
    return share * (limit if isinstance(limit, (int, float)) and limit > 0 else default)


def canonical(answer):
    """The bytes that are hashed and sent for an answer: a text as it is in UTF-8, anything else as
    compact JSON with sorted keys. `tos` does the same; programs need this only to measure."""
    if isinstance(answer, str):
        return answer.encode("utf-8")
    text = json.dumps(answer, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return text.encode("utf-8")


def write_answer(answer, note=None):
    """A solver's output."""
    output = {"answer": answer}
    if note is not None:
        output["note"] = note
    print(json.dumps(output))


def score(quality, innovation=NEUTRAL, reason=""):
    """The score of an answer to the task, good or bad."""
    return {
        "quality": max(0, min(100, quality)),
        "innovation": max(0, min(100, innovation)),
        "verdict": VALID,
        "reason": reason,
    }


def refuse(verdict, reason):
    """The score of what cannot be judged as an answer."""
    return {"quality": 0, "innovation": 0, "verdict": verdict, "reason": reason}


def write_scores(scores):
    """A judge's output: one score per answer, in the order of the request."""
    print(json.dumps({"scores": scores}))


def cap_by_better(scores):
    """Lowers innovation so that no answer has more of it than an answer of higher quality.

    The chain ranks by (4 quality + 2 innovation + timeliness) / 7. With this cap an answer cannot
    pass a better one by being merely unusual. Answers of equal quality do not cap one another.
    """
    valid = [s for s in scores if s["verdict"] == VALID]
    return [
        s if s["verdict"] != VALID else
        {**s, "innovation": min([s["innovation"]]
                                + [b["innovation"] for b in valid if b["quality"] > s["quality"]])}
        for s in scores
    ]


def is_int(value):
    """Whether a JSON value is a whole number (JSON's true and false are not)."""
    return isinstance(value, int) and not isinstance(value, bool)
