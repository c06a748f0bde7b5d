# SPDX-License-Identifier: Apache-2.0
"""Pages have one sentence a line, lead nowhere that is not there, and are found from where readers begin."""

import fnmatch
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tos_harness.paths import ROOT

# What no sentence ends in: code, and where a link leads.
MASKED = re.compile(r"(`+).+?\1|\]\([^)]*\)|https?://\S+")
ITEM = re.compile(r" *(?:[*+-]|\d+\.) +")
# A full stop, what closes after it, and the sentence that follows on the line.
NEXT = re.compile(r"(?<=[^.][.!?])[\"')\]*_”’»]* +\S")
ENDED = re.compile(r"[.!?:…][\"')\]*_”’»]*$")
ABBREVIATION = re.compile(r"\b(?:e\.g|i\.e|etc|vs|cf)\.$")
# A word or three that name what a paragraph is about, in bold or italics: `**A full disk.** Nothing new is taken on.`
LABEL = re.compile(r"\*+[^*\s]+(?: [^*\s]+){0,2}[.!?]\*+$")
LINK = re.compile(r"\]\(([^)\s]+)\)")
# A path of this repository, as a command takes it.
PATH = re.compile(r"(?<![\w./$}~@-])(?:\./)?((?:chain-specs|client|docs|examples|node|ops|runtime|scripts|testing|zombienet)/[\w./@-]*\w)")
# A step of a runbook that begins with words of a log, `…` for what differs: `2. *The store in … is of another chain*: end it.`
LOGGED = re.compile(r"^\d+\. \*([^*]+)\*[:,]", re.M)
SECTIONS = ["Context", "Decision", "Considered", "Consequences"]


def pages(*patterns: str) -> list[Path]:
    told = subprocess.run(["git", "ls-files", "-z", *patterns], cwd=ROOT, stdout=subprocess.PIPE, check=True).stdout.decode()
    return [ROOT / name for name in told.split("\0") if name and (ROOT / name).exists()]


def written(text: str) -> Iterator[tuple[int, str]]:
    """The lines outside of blocks of code, with their numbers from 1."""
    fenced = False
    for number, line in enumerate(text.splitlines(), 1):
        if line.lstrip().startswith("```"):
            fenced = not fenced
        elif not fenced:
            yield number, line.rstrip()


def commands(text: str) -> Iterator[tuple[int, str]]:
    """The lines within blocks of code, with their numbers from 1."""
    outside = {number for number, _ in written(text)}
    for number, line in enumerate(text.splitlines(), 1):
        if number not in outside and not line.lstrip().startswith("```"):
            yield number, line


def prose(text: str) -> Iterator[tuple[int, str]]:
    """The lines outside of code, tables, headings and HTML."""
    for number, line in written(text):
        if line and not line.lstrip().startswith(("|", "#", "<")):
            yield number, line


def mask(line: str) -> str:
    """The line with code and links as long as they were, and without what looks like an end."""
    return MASKED.sub(lambda match: "x" * len(match.group()), line)


def crowded(line: str) -> bool:
    """A second sentence begins on the line."""
    bare = ITEM.sub("", mask(line), count=1).lstrip()
    for match in NEXT.finditer(bare):
        before = bare[:match.end() - 1].rstrip()
        if not LABEL.match(before) and not ABBREVIATION.search(bare[:match.start()]):
            return True
    return False


def faults(text: str) -> list[str]:
    """The lines that hold more than a sentence, or less."""
    found, last = [], (-1, "")
    for number, line in prose(text):
        if crowded(line):
            found.append(f"{number}: more than one sentence: {line.strip()}")
        if number == last[0] + 1 and not ITEM.match(line) and not ENDED.search(mask(last[1])):
            found.append(f"{last[0]}: breaks off within a sentence: {last[1].strip()}")
        last = number, line
    return found


def anchors(text: str) -> set[str]:
    """The names by which a forge finds the headings of a page."""
    titles = [line.lstrip("#").strip().lower() for _, line in written(text) if line.startswith("#")]
    return {re.sub(r"[^\w\- ]", "", title).replace(" ", "-") for title in titles}


def name(page: Path) -> str:
    return str(page.relative_to(ROOT))


@pytest.mark.parametrize("page", pages("*.md"), ids=name)
def test_a_line_has_one_sentence(page: Path) -> None:
    assert faults(page.read_text(encoding="utf-8")) == []


def test_two_sentences_on_a_line_and_half_of_one_are_found() -> None:
    assert len(faults("One. Two.\n")) == 1
    assert len(faults("1. One (or not). `two` begins here.\n")) == 1
    assert len(faults("One\nand its end.\n")) == 1
    assert faults("**A label.** One of 1.2, e.g. `a. B` or [c](d.md), after 5, 10, ... ticks.\n* Two:\n  three.\n") == []
    assert faults("| One. Two. |\n\n```sh\nOne. Two.\n```\n\n# One. Two.\n") == []


@pytest.mark.parametrize("page", pages("*.md"), ids=name)
def test_links_lead_to_files_and_headings_that_are_there(page: Path) -> None:
    dead = []
    for _, line in written(page.read_text(encoding="utf-8")):
        for link in LINK.findall(re.sub(r"`[^`]*`", "", line)):
            if "://" in link:
                continue
            path, _, heading = link.partition("#")
            target = page.parent / path if path else page
            if not target.exists() or (heading and heading not in anchors(target.read_text(encoding="utf-8"))):
                dead.append(link)
    assert dead == []


@pytest.mark.parametrize("page", pages("*.md"), ids=name)
def test_paths_in_blocks_of_code_are_there(page: Path) -> None:
    named = [(number, path) for number, line in commands(page.read_text(encoding="utf-8")) for path in PATH.findall(line)]
    # What npm puts there is no part of the repository.
    assert [one for one in named if "/node_modules/" not in one[1] and not (ROOT / one[1]).exists()] == []


def test_paths_are_found_in_blocks_of_code_alone() -> None:
    text = "scripts/no\n```sh\npython3 - a.json runtime/releases/1.wasm <<'END'\n./scripts/a@.b /usr/ops/c https://x/docs/d\n```\ndocs/e\n"
    assert [path for _, line in commands(text) for path in PATH.findall(line)] == ["runtime/releases/1.wasm", "scripts/a@.b"]


def test_words_of_the_log_that_runbooks_quote_are_in_the_sources() -> None:
    quoted = LOGGED.findall((ROOT / "docs" / "runbooks.md").read_text(encoding="utf-8"))
    assert quoted
    parts = [part.strip() for words in quoted for part in words.split("…")]
    found = ["git", "grep", "--quiet", "--ignore-case", "--fixed-strings"]
    assert [part for part in parts if subprocess.run([*found, part, "--", "*.rs"], cwd=ROOT, check=False).returncode != 0] == []


def test_the_first_page_leads_to_every_page_of_the_documentation() -> None:
    first = (ROOT / "README.md").read_text(encoding="utf-8")
    assert [page.name for page in pages("docs/*.md") if page.parent.name == "docs" and f"](docs/{page.name})" not in first] == []


def test_decisions_follow_the_template_and_stand_in_the_table() -> None:
    table = (ROOT / "docs/decisions/README.md").read_text(encoding="utf-8")
    for number, page in enumerate((one for one in pages("docs/decisions/*.md") if one.name != "README.md"), 1):
        title, _, status, *rest = page.read_text(encoding="utf-8").splitlines()
        state = re.fullmatch(r"Status: ((?:proposed|accepted|superseded by \d{3}) \(\d{4}-\d\d-\d\d\))", status)
        assert state and title.startswith(f"# {number:03}: ") and page.name.startswith(f"{number:03}-"), page.name
        assert f"| {number:03} | [{title[7:]}]({page.name}) | {state[1]} |" in table, page.name
        sections = [line[3:] for line in rest if line.startswith("## ")]
        assert sections == [one for one in SECTIONS if one != "Considered" or one in sections], page.name


def test_tests_that_the_page_of_attacks_names_are_there() -> None:
    tests: set[str] = set()
    for file in pages("*.rs", "*.py"):
        tests.update(re.findall(r"(?:fn|def) (\w+)\(", file.read_text(encoding="utf-8")))
    named = re.findall(r"`([a-z][a-z0-9]*(?:_[a-z0-9]+){3,}(?:_\*)?)`", (ROOT / "docs/attacks.md").read_text(encoding="utf-8"))
    assert len(named) > 20
    assert [name for name in named if not fnmatch.filter(tests, name)] == []


def test_the_first_program_of_the_sdk_is_the_example_that_is_compiled() -> None:
    told = re.findall(r"```rust,no_run\n(.*?)```", (ROOT / "client/sdk/README.md").read_text(encoding="utf-8"), re.DOTALL)
    _, _, program = (ROOT / "client/sdk/examples/first_program.rs").read_text(encoding="utf-8").split("\n", 2)
    assert told == [program]
