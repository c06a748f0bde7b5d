# SPDX-License-Identifier: Apache-2.0
"""Arrows between crates point one way, files of a crate do not import each other in circles, and lints and licences are the
same everywhere.

The allowed edges between rooms stand here, and nowhere else. A room is a folder of crates; a crate may depend on crates of
its own room's list below. Tests may depend on what their crate may; the few edges of theirs alone stand in a list of their own,
since a test that needs a higher room belongs there.
"""

import json
import os
import re
import subprocess

from tos_harness.paths import ROOT

# Room: rooms that its crates may depend on. Crates of one room may depend on each other only where the room names itself.
EDGES = {
    "primitives": {"primitives"},
    # No storage, no calls: not a pallet.
    "pallets/support": {"primitives"},
    # Pallets meet through traits.
    "pallets": {"primitives", "pallets/support"},
    # Text of both runtimes.
    "runtime/common": set(),
    "runtime/tos": {"primitives", "pallets", "pallets/support", "runtime/common"},
    # The runtime that load runs compare with.
    "runtime/bare": {"runtime/common"},
    # Types of the client, the executor, host functions: what several rooms of the node need.
    "node/common": {"primitives", "runtime/tos"},
    # Generic over block and client: it knows neither the runtime nor the rest of the node.
    "node/beacon": {"primitives"},
    "node/logging": set(),
    "node/txpool": {"primitives", "runtime/tos", "node/common"},
    # It reads events of five pallets, until the domain's counters leave the node for the indexer (docs/decisions/020-rooms-of-the-node.md).
    "node/metrics": {"primitives", "pallets", "runtime/tos", "node/common"},
    # The beacon's statistics and the log's filter are served by methods.
    "node/rpc": {"primitives", "runtime/tos", "node/common", "node/beacon", "node/logging"},
    # It runs the prover of the workers.
    "node/service": {"primitives", "runtime/tos", "client/sdk", "client/workers", "node/common", "node/beacon", "node/logging", "node/txpool", "node/metrics", "node/rpc"},
    # The command line flattens the options of the rooms that have any.
    "node/bin": {"runtime/tos", "node/common", "node/logging", "node/txpool", "node/rpc", "node/service"},
    # The only rooms that speak to a node from outside, know disks of replicas, or act for an account.
    "client/sdk": {"primitives"},
    "client/replica-store": {"primitives"},
    "client/workers": {"primitives", "client/sdk", "client/replica-store"},
    "client/cli": {"primitives", "client/sdk", "client/replica-store", "client/workers"},
    # Agents that play against the runtime, in memory.
    "testing/economy": {"primitives", "pallets", "runtime/tos"},
    # It drives any node, from outside.
    "testing/load": {"primitives", "client/sdk"},
}
# The same for tests alone.
TEST_EDGES = {
    # They compare it with the other.
    "runtime/bare": {"runtime/tos"},
    # They read the bare runtime's APIs.
    "node/common": {"runtime/bare"},
}
# Rooms of what runs on chain, and what the root of each of its crates says: no overflow, no index out of bounds.
ON_CHAIN = {"primitives", "pallets", "pallets/support", "runtime/common", "runtime/tos", "runtime/bare"}
STRICT = "#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects, clippy::indexing_slicing))]\n"
SOURCES = (".rs", ".py", ".mjs", ".sh")
# The module that the example of a code review is about: its bytes are the task, and findings name its lines.
DATA = "examples/workers/code-review/inventory.py"
USE = re.compile(r"^\s*(pub(?:\([^)]*\))?\s+)?use\s+([^;]+);", re.M)
PATH = re.compile(r"\b((?:crate|super)(?:::\w+)+)")


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def room(path):
    folder = os.path.relpath(path, ROOT)
    return max((name for name in EDGES if folder == name or folder.startswith(name + "/")), key=len)


def crates():
    """The crates of the workspace: name, folder, and those they depend on, each with the kind of the dependency: of the crate (none),
    of what builds it, or of its tests."""
    told = subprocess.run(["cargo", "metadata", "--no-deps", "--offline", "--locked", "--format-version", "1"], cwd=ROOT,
                          stdout=subprocess.PIPE, check=True).stdout
    return [(package["name"], os.path.dirname(package["manifest_path"]),
             [(one["name"], one["kind"]) for one in package["dependencies"]]) for package in json.loads(told)["packages"]]


def allowed(name, kind):
    """The rooms that crates of a room may depend on, by a dependency of this kind."""
    return EDGES[name] | (TEST_EDGES.get(name, set()) if kind == "dev" else set())


def tree(text):
    """The paths of a `use` tree, as lists of names."""
    text = text.strip()
    depth, parts, part = 0, [], ""
    for char in text:
        depth += (char == "{") - (char == "}")
        if char == "," and depth == 0:
            parts.append(part)
            part = ""
        else:
            part += char
    parts.append(part)
    if len(parts) > 1:
        return [path for one in parts if one.strip() for path in tree(one)]
    head, brace, rest = text.partition("{")
    names = [name.split(" as ")[0].strip() for name in head.strip().split("::") if name.strip()]
    if not brace:
        return [names]
    return [names + path for path in tree(rest.rpartition("}")[0]) if rest.strip() != "}"]


class Crate:
    """The files of one crate as modules, without tests."""

    def __init__(self, source):
        self.files, self.code = {}, {}
        root = next((os.path.join(source, name) for name in ("lib.rs", "main.rs")
                     if os.path.exists(os.path.join(source, name))), None)
        if root:
            self.add((), root, source)
        self.handed = {module: self.hands_on(module) for module in self.files}

    def add(self, module, path, folder):
        with open(path, encoding="utf-8") as file:
            code = file.read()
        # Comments, then what only tests compile: modules in files of their own, and the module at the end.
        code = re.sub(r"//[^\n]*", "", code)
        declared = re.findall(r"((?:#\[[^\]]*\]\s*)*)(?:pub(?:\([^)]*\))?\s+)?mod\s+(\w+)\s*;", code)
        code = code.split("#[cfg(test)]\nmod tests {")[0]
        self.files[module], self.code[module] = path, code
        for attributes, name in declared:
            if "cfg(test)" in attributes or "path" in attributes:
                continue
            for child in (os.path.join(folder, name + ".rs"), os.path.join(folder, name, "mod.rs")):
                if os.path.exists(child):
                    self.add(module + (name,), child, os.path.join(folder, name))

    def absolute(self, module, names):
        if not names:
            return None
        if names[0] == "crate":
            return names[1:]
        if names[0] in ("self", "super"):
            at = list(module)
            while names and names[0] in ("self", "super"):
                at = at[:-1] if names[0] == "super" else at
                names = names[1:]
            return at + names
        # A child of this module, or another crate.
        return list(module) + names if module + (names[0],) in self.files else None

    def uses(self, module, only=None):
        for public, text in USE.findall(self.code[module]):
            if only is None or bool(public) == only:
                for names in tree(text):
                    if path := self.absolute(module, names):
                        yield path

    def hands_on(self, module):
        """The paths of names that a module hands on."""
        return {path[-1]: path for path in self.uses(module, only=True)}

    def resolve(self, path, left=8):
        """The module in which what a path names is defined."""
        module = ()
        while path and module + (path[0],) in self.files:
            module, path = module + (path[0],), path[1:]
        if path and left and path[0] in self.handed[module]:
            return self.resolve(self.handed[module][path[0]] + path[1:], left - 1)
        # A module itself, or everything in it: its names are what binds, not it.
        return module if path and path[0] not in ("*", "self") else None

    def imports(self):
        edges = {module: set() for module in self.files}
        for module, code in self.code.items():
            paths = list(self.uses(module, only=False))
            named = {path[-1]: path for path in paths}
            without = USE.sub("", code)
            paths += [path for text in PATH.findall(without) if (path := self.absolute(module, text.split("::")))]
            # `name::item`, where a module was imported by its name.
            for first, item in re.findall(r"\b(\w+)::(\w+)", without):
                if first in named:
                    paths.append(named[first] + [item])
                elif module + (first,) in self.files:
                    paths.append(list(module) + [first, item])
            for path in paths:
                target = self.resolve(path)
                # What a module takes from those it lies in ties it to nothing else.
                if target is not None and module[:len(target)] != target:
                    edges[module].add(target)
        return edges


def circles(edges):
    """The strongly connected parts of more than one."""
    index, low, stack, found = {}, {}, [], []

    def visit(node):
        index[node] = low[node] = len(index)
        stack.append(node)
        for other in edges[node]:
            if other not in index:
                visit(other)
                low[node] = min(low[node], low[other])
            elif other in stack:
                low[node] = min(low[node], index[other])
        if low[node] == index[node]:
            part = []
            while not part or part[-1] != node:
                part.append(stack.pop())
            if len(part) > 1:
                found.append(sorted(part))

    for node in edges:
        if node not in index:
            visit(node)
    return found


def test_crates_depend_only_on_what_lies_below_them(subtests):
    every = crates()
    folders = {name: folder for name, folder, _ in every}
    for name, folder, dependencies in every:
        for other, kind in dependencies:
            if other in folders:
                with subtests.test(name):
                    assert room(folders[other]) in allowed(room(folder), kind), f"{name} depends on {other} ({kind or 'normal'})"


def test_an_edge_of_tests_is_none_of_the_crate():
    for name, tests in TEST_EDGES.items():
        assert tests and not tests & EDGES[name], name
        assert tests & allowed(name, None) == set() and tests <= allowed(name, "dev")


def test_no_files_of_a_crate_import_each_other_in_a_circle(subtests):
    """By the names that they import: everything of a module (`*`), as files of a pallet take it of the pallet, ties to none of it."""
    for name, folder, _ in crates():
        found = circles(Crate(os.path.join(folder, "src")).imports())
        text = "; ".join(", ".join("::".join(module) or "(root)" for module in part) for part in found)
        with subtests.test(name):
            assert not found, text


def test_a_circle_would_be_found():
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}}) == [["a", "b", "c"]]
    assert circles({"a": {"b"}, "b": set()}) == []
    assert tree("crate::{a::B, c::{self, D}}") == [["crate", "a", "B"], ["crate", "c", "self"], ["crate", "c", "D"]]


def licence(path):
    """The licence of the crate that a file belongs to; of what belongs to none, the workspace's."""
    folder = os.path.dirname(path)
    while folder and not os.path.exists(os.path.join(ROOT, folder, "Cargo.toml")):
        folder = os.path.dirname(folder)
    stated = re.search(r'^license = "([^"]+)"$', read(os.path.join(ROOT, folder, "Cargo.toml")), re.M)
    return (stated or re.search(r'^license = "([^"]+)"$', read(os.path.join(ROOT, "Cargo.toml")), re.M)).group(1)


def test_every_crate_inherits_the_lints(subtests):
    for name, folder, _ in crates():
        with subtests.test(name):
            assert "\n[lints]\nworkspace = true\n" in read(os.path.join(folder, "Cargo.toml"))


def test_code_that_runs_on_chain_neither_overflows_nor_indexes_out_of_bounds(subtests):
    for name, folder, _ in crates():
        if room(folder) in ON_CHAIN:
            with subtests.test(name):
                assert STRICT in read(os.path.join(folder, "src", "lib.rs"))


def test_every_source_file_states_the_licence_of_its_crate():
    told = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, stdout=subprocess.PIPE, check=True).stdout.decode()
    without = []
    for path in told.split("\0"):
        if path != DATA and path.endswith(SOURCES) and os.path.exists(os.path.join(ROOT, path)):
            mark = "//" if path.endswith((".rs", ".mjs")) else "#"
            if f"{mark} SPDX-License-Identifier: {licence(path)}" not in read(os.path.join(ROOT, path)).split("\n")[:2]:
                without.append(path)
    assert without == []
