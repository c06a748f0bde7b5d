#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Arrows between crates point one way, and files of a crate do not import each other in circles.

The allowed edges between rooms stand here, and nowhere else. A room is a folder of crates; a crate may depend on crates of
its own room's list below. Development dependencies count as well: a test that needs a higher room belongs there.
"""

import json
import os
import re
import subprocess
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

# Room: rooms that its crates may depend on. Crates of one room may depend on each other only where the room names itself.
EDGES = {
    "primitives": {"primitives"},
    # No storage, no calls: not a pallet.
    "pallets/support": {"primitives"},
    # Pallets meet through traits.
    "pallets": {"primitives", "pallets/support"},
    "runtime": {"primitives", "pallets", "pallets/support"},
    # The only rooms that speak to a node from outside, know disks of replicas, or act for an account.
    "client/sdk": {"primitives"},
    "client/replica-store": {"primitives"},
    "client/workers": {"primitives", "client/sdk", "client/replica-store"},
    "client/cli": {"primitives", "client/sdk", "client/replica-store", "client/workers"},
    # It runs the prover of the workers. Its tests start the bare runtime.
    "node": {"primitives", "pallets", "runtime", "client/sdk", "client/workers", "load/bare"},
    # The runtime that load runs compare with. Its tests compare it with the runtime.
    "load/bare": {"primitives", "runtime"},
    # It drives any node, from outside.
    "testing/load": {"primitives", "client/sdk"},
}
USE = re.compile(r"^\s*(pub(?:\([^)]*\))?\s+)?use\s+([^;]+);", re.M)
PATH = re.compile(r"\b((?:crate|super)(?:::\w+)+)")


def room(path):
    folder = os.path.relpath(path, ROOT)
    return max((name for name in EDGES if folder == name or folder.startswith(name + "/")), key=len)


def crates():
    """The crates of the workspace: name, folder, names of those they depend on."""
    told = subprocess.run(["cargo", "metadata", "--no-deps", "--offline", "--locked", "--format-version", "1"], cwd=ROOT,
                          stdout=subprocess.PIPE, check=True).stdout
    return [(package["name"], os.path.dirname(package["manifest_path"]),
             [one["name"] for one in package["dependencies"]]) for package in json.loads(told)["packages"]]


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
        """Where the names lie that a module hands on."""
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


class Architecture(unittest.TestCase):
    def test_crates_depend_only_on_what_lies_below_them(self):
        every = crates()
        folders = {name: folder for name, folder, _ in every}
        for name, folder, dependencies in every:
            for other in filter(folders.get, dependencies):
                with self.subTest(name):
                    self.assertIn(room(folders[other]), EDGES[room(folder)], f"{name} depends on {other}")

    def test_no_files_of_a_crate_import_each_other_in_a_circle(self):
        for name, folder, _ in crates():
            # Of a pallet, everything names the pallet itself.
            if room(folder) == "pallets":
                continue
            found = circles(Crate(os.path.join(folder, "src")).imports())
            text = "; ".join(", ".join("::".join(module) or "(root)" for module in part) for part in found)
            with self.subTest(name):
                self.assertFalse(found, text)

    def test_a_circle_would_be_found(self):
        self.assertEqual(circles({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}}), [["a", "b", "c"]])
        self.assertEqual(circles({"a": {"b"}, "b": set()}), [])
        self.assertEqual(tree("crate::{a::B, c::{self, D}}"), [["crate", "a", "B"], ["crate", "c", "self"], ["crate", "c", "D"]])


if __name__ == "__main__":
    unittest.main()
