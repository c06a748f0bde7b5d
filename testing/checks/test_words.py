# SPDX-License-Identifier: Apache-2.0
"""Comments of the Rust sources use plain words: a doc comment names its noun first, and no comment uses words that only this
repository ever used in their place."""

import re
import subprocess
from collections.abc import Iterator
from typing import NamedTuple

from tos_harness.paths import ROOT

# Places outside of tests. Never raise it.
LIMIT = 0
# Places in tests and mocks: no contracts, and older than this rule. Lower it as they go; never raise it.
LIMIT_OF_TESTS = 70

# "/// What a publisher offers." leaves open what kind of thing that is; "/// The offer of a publisher." does not.
OPENING = re.compile(r"\s*//[/!] ?(What|Who|Whether|How|Where|When|Why)\b")
DOC = re.compile(r"\s*//[/!](?!/)")
COMMENT = re.compile(r"\s*//")
# "beside" is not among them: next to a thing is what it may rightly mean.
DIALECT = re.compile(r"\b(?:whoever|whomever|somebody|anybody|everybody|in vain)\b", re.I)
TESTS = re.compile(r"(?:^|/)(?:tests|mock)(?:/|\.rs$)|_tests\.rs$")
GENERATED = re.compile(r"do not edit", re.I)

ADVICE = """
Write instead:
  /// What a publisher offers.    ->  /// The offer of a publisher: reward, deadlines and number of answers.
  /// Who published it.           ->  /// The publisher.
  /// Whether the judge leaves.   ->  /// `true` if the judge leaves.
  /// How many answers there are. ->  /// The number of answers.
  /// Where content is served.    ->  /// The locator of the content.
  /// When it was published.      ->  /// The tick in which it was published.
  /// Why a call is refused.      ->  /// The reasons to refuse a call.
  whoever, somebody               ->  the account that, an account
  anybody, everybody              ->  anyone, all
  in vain                         ->  without effect"""


class Place(NamedTuple):
    """A line of a file, counted from 1, and the words that it should not have."""

    path: str
    line: int
    words: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.words}"


def found(path: str, text: str) -> Iterator[Place]:
    """The places in one source."""
    before = ""
    for number, line in enumerate(text.splitlines(), 1):
        opening = OPENING.match(line)
        if opening and not DOC.match(before):
            yield Place(path, number, f"opens with {opening[1]}")
        if COMMENT.match(line):
            yield from (Place(path, number, word) for word in DIALECT.findall(line))
        before = line


def places() -> list[Place]:
    """The places in all tracked sources but generated ones."""
    told = subprocess.run(["git", "ls-files", "-z", "*.rs"], cwd=ROOT, stdout=subprocess.PIPE, check=True).stdout.decode()
    every: list[Place] = []
    for path in filter(None, told.split("\0")):
        # What is deleted and not committed yet is tracked still.
        if (ROOT / path).is_file():
            text = (ROOT / path).read_text(encoding="utf-8")
            if not GENERATED.search(text[:1000]):
                every += found(path, text)
    return every


def failure(those: list[Place], limit: int) -> str:
    """The message for places beyond a limit."""
    return f"{len(those)} places, {limit} at most:\n" + "\n".join(map(str, those)) + "\n" + ADVICE


def test_comments_use_plain_words() -> None:
    those = [place for place in places() if not TESTS.search(place.path)]
    assert len(those) <= LIMIT, failure(those, LIMIT)


def test_comments_of_tests_do_not_get_worse() -> None:
    those = [place for place in places() if TESTS.search(place.path)]
    assert len(those) <= LIMIT_OF_TESTS, failure(those, LIMIT_OF_TESTS)


def test_a_place_would_be_found() -> None:
    text = """//! How it works.
//!
//! What follows is no opening.
/// What it is.
struct Some {
    /// Whether it is,
    /// whoever asks.
    is: bool, // anybody after code is not looked at
    /// The whereabouts of all. What they do, is no opening either.
    all: u8,
}
// What a plain comment opens with is its own; trying is in vain.
const SOME: &str = "// nobody, //Somebody";
"""
    assert [(place.line, place.words) for place in found("some.rs", text)] == [
        (1, "opens with How"),
        (6, "opens with Whether"),
        (7, "whoever"),
        (12, "in vain"),
    ]


def test_what_is_of_tests_is_told_by_its_path() -> None:
    assert all(map(TESTS.search, ["a/src/tests.rs", "a/src/tests/b.rs", "a/tests/b.rs", "a/src/mock.rs", "a/src/b_tests.rs"]))
    assert not any(map(TESTS.search, ["testing/load/src/main.rs", "pallets/support/src/testing.rs", "a/src/mocked.rs"]))
