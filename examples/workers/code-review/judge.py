#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Code-review judge.

Compares an answer with the defects that are known to be in the source. Those are in a file that
only judges hold (known-defects.json), found there by the SHA-256 of the source; the task's
specification does not have them.

verdict     malformed unless the answer is {"findings": [...]}, a list of at most 400 objects with a
            whole-number `line` and a text `kind`, in at most 1 MiB; unavailable when the content could not be
            fetched.
quality     max(0, floor(100 * F / T) - 3 * W). T is the weight of all known defects (high 5,
            medium 3, low 1), F that of the defects found, W the number of wrong findings. A defect
            is found by a finding of its kind at its line or one line beside it. A finding that
            finds none is wrong; the same line and kind named twice count once.
innovation  50 (neutral) plus 50 * U / F, where U is the weight of the defects found that no answer
            with other content found; but never more than an answer of higher quality has.

Whole-number arithmetic only, no network, no clock, no chance: the same request gives the same
scores everywhere. Equal answers get equal scores; who was first is the chain's business.
"""

import hashlib
import json
import os

import findings

WEIGHTS = {"high": 5, "medium": 3, "low": 1}
WRONG = 3
MAX_FINDINGS = 400
#: How many lines a finding may be off.
TOLERANCE = 1

DEFAULT_KNOWN = os.path.join(os.path.dirname(os.path.abspath(__file__)), "known-defects.json")


def known_defects(path, source):
    """The known defects of this source. Raises `ProtocolError` when they are not in the file: a
    judge that does not know the truth must not vote."""
    digest = hashlib.sha256(source.encode("utf-8")).hexdigest()
    try:
        with open(path, encoding="utf-8") as file:
            reviews = json.load(file)["reviews"]
    except (OSError, ValueError, KeyError) as error:
        raise findings.worker.ProtocolError(f"no list of known defects: {error!r}") from error
    for review in reviews:
        if review["sha256"] == digest:
            return review["defects"]
    raise findings.worker.ProtocolError(f"the defects of the source {digest} are not known")


def read_answer(answer):
    """The set of (line, kind) of an answer, or the refusal it earns."""
    worker = findings.worker
    if not answer.get("available"):
        return None, worker.refuse(worker.UNAVAILABLE, "content could not be fetched")
    content = worker.answer_json(answer)
    items = content.get("findings") if isinstance(content, dict) else None
    if not isinstance(items, list) or len(items) > MAX_FINDINGS:
        return None, worker.refuse(worker.MALFORMED, f"no list of at most {MAX_FINDINGS} findings")
    for item in items:
        if not (isinstance(item, dict) and worker.is_int(item.get("line"))
                and isinstance(item.get("kind"), str)):
            return None, worker.refuse(worker.MALFORMED, "a finding without line and kind")
    return {(item["line"], item["kind"]) for item in items}, None


def matches(found, defect):
    """Whether this (line, kind) names this defect."""
    line, kind = found
    return kind == defect["kind"] and abs(line - defect["line"]) <= TOLERANCE


def weight(defects, chosen):
    """Weight of the chosen ones among the defects."""
    return sum(WEIGHTS[defects[i]["severity"]] for i in chosen)


def scores(request, path):
    """The scores of all answers of the request."""
    worker = findings.worker
    defects = known_defects(path, findings.source_of(request)[1])
    read = [read_answer(answer) for answer in request["answers"]]
    hits = [frozenset(i for i, defect in enumerate(defects)
                      if any(matches(item, defect) for item in found or ()))
            for found, _ in read]
    hashes = [answer.get("hash") for answer in request["answers"]]
    total = weight(defects, range(len(defects)))
    result = []
    for mine, (found, refusal), own in zip(hits, read, hashes):
        if refusal is not None:
            result.append(refusal)
            continue
        wrong = sum(not any(matches(item, defect) for defect in defects) for item in found)
        earned = weight(defects, mine)
        others = frozenset().union(*(h for h, other in zip(hits, hashes) if other != own))
        novel = 50 * weight(defects, mine - others) // earned if earned else 0
        result.append(worker.score(
            100 * earned // total - WRONG * wrong,
            worker.NEUTRAL + novel,
            f"{len(mine)} of {len(defects)} defects, weight {earned} of {total}; {wrong} wrong"))
    return worker.cap_by_better(result)


def main():
    parser = findings.worker.parser(__doc__)
    parser.add_argument("--known", default=DEFAULT_KNOWN, metavar="PATH",
                        help="the known defects (default: known-defects.json beside this program)")
    options = parser.parse_args()
    request = findings.worker.read_request(findings.worker.JUDGE)
    try:
        findings.worker.write_scores(scores(request, options.known))
    except findings.worker.ProtocolError as error:
        findings.worker.fail(error)


if __name__ == "__main__":
    main()
