#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What is kept of each release in runtime/releases/ is whole, and the runtime in the works runs on the node released last.

    tests/release.py                    check; needs a build, takes a second
    tests/release.py --record COMMIT    keep a runtime that was built from COMMIT as a release

A runtime calls host functions of the node. One that calls a function which the node does not know cannot be loaded, and
a network that enacts it stops. So a new function goes into a released node first, and is named, with the release of the
node that brings it, in runtime/releases/new-host-functions.txt.
"""

import argparse
import hashlib
import json
import os
import re
import subprocess
import sys
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
RELEASES = os.path.join(ROOT, "runtime", "releases")
# What the SDK puts before a compressed runtime.
COMPRESSED = bytes([82, 188, 83, 118, 70, 219, 142, 5])
# Names of host functions, where they stand without anything between them in a program.
HOST_FUNCTION = re.compile(rb"ext_[a-z0-9_]+?_version_[1-9]")


def target():
    return os.environ.get("CARGO_TARGET_DIR") or os.path.join(os.path.expanduser("~"), ".cache", "tos-target")


def built(name):
    """A file of the last build of the runtime."""
    return os.path.join(target(), "release", "wbuild", "tos-runtime", f"tos_runtime.{name}")


def read(path):
    with open(path, "rb") as file:
        return file.read()


def blake2_256(data):
    return "0x" + hashlib.blake2b(data, digest_size=32).hexdigest()


# --- WebAssembly ----------------------------------------------------------------------------------


class Broken(Exception):
    """These bytes are not what they should be."""


class Reader:
    """Bytes, read from the front."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, count):
        end = self.at + count
        if end > len(self.data):
            raise Broken("cut off")
        part, self.at = self.data[self.at:end], end
        return part

    def number(self):
        """An unsigned LEB128."""
        value, shift = 0, 0
        while True:
            byte = self.take(1)[0]
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
            shift += 7

    def text(self):
        return self.take(self.number()).decode()


def sections(wasm):
    """The sections of a module: their number, and a reader of each."""
    if wasm[:8] == COMPRESSED:
        raise Broken("compressed; read the .compact.wasm of the same build")
    reader = Reader(wasm)
    if reader.take(8) != b"\0asm\1\0\0\0":
        raise Broken("no WebAssembly module")
    while reader.at < len(wasm):
        kind = reader.take(1)[0]
        yield kind, Reader(reader.take(reader.number()))


def imports(wasm):
    """The functions that a module takes from `env`."""
    names = []
    for kind, reader in sections(wasm):
        if kind != 2:
            continue
        for _ in range(reader.number()):
            module, name, what = reader.text(), reader.text(), reader.take(1)[0]
            if what == 0:
                reader.number()
            elif what == 1:
                reader.take(1)
                limits(reader)
            elif what == 2:
                limits(reader)
            elif what == 3:
                reader.take(2)
            else:
                raise Broken(f"import of kind {what}")
            if what == 0 and module == "env":
                names.append(name)
    return sorted(names)


def limits(reader):
    for _ in range(1 + (reader.take(1)[0] & 1)):
        reader.number()


def spec_version(wasm):
    """The version that a runtime states in its section of that name."""
    for kind, reader in sections(wasm):
        if kind == 0 and reader.text() == "runtime_version":
            for _ in range(2):
                # SCALE: names are short, so that their lengths are one byte, times four.
                reader.take(reader.take(1)[0] >> 2)
            reader.take(4)
            return int.from_bytes(reader.take(4), "little")
    raise Broken("no section runtime_version")


# --- what is kept ---------------------------------------------------------------------------------


def releases():
    """What is kept of every release, the last one last."""
    found = []
    for name in os.listdir(RELEASES):
        if re.fullmatch(r"\d+\.json", name):
            found.append(json.loads(read(os.path.join(RELEASES, name))))
    return sorted(found, key=lambda release: release["spec_version"])


def kept(release, kind):
    return os.path.join(RELEASES, f"{release['spec_version']}.{kind}")


def announced():
    """New host functions, and the release of the node that brings each."""
    named = {}
    for line in read(os.path.join(RELEASES, "new-host-functions.txt")).decode().splitlines():
        line = line.partition("#")[0].split()
        if line:
            name, version = line
            named[name] = int(version)
    return named


def unknown(wanted, release, new):
    """The functions that the released node lacks and nobody has announced."""
    return sorted(set(wanted) - set(release["node_host_functions"]) - set(new))


def record(commit, folder, program):
    """Keeps a runtime, and what the node built with it offers."""
    compact, code = (read(os.path.join(folder, f"tos_runtime.{kind}.wasm")) for kind in ("compact", "compact.compressed"))
    version = spec_version(compact)
    git = ("git", "-C", ROOT)
    full = subprocess.run((*git, "rev-parse", "--verify", f"{commit}^{{commit}}"), capture_output=True, text=True, check=True)
    node = read(program)
    release = {
        "spec_version": version,
        "commit": full.stdout.strip(),
        "blake2_256": blake2_256(code),
        "compiler": compiler(),
        "host_functions": imports(compact),
        "node_host_functions": sorted({name.decode() for name in HOST_FUNCTION.findall(node)}),
    }
    if lacking := unknown(release["host_functions"], release, ()):
        raise Broken(f"the node beside this runtime lacks {lacking}")
    with open(kept(release, "json"), "w", encoding="utf-8") as file:
        json.dump(release, file, indent=2)
        file.write("\n")
    with open(kept(release, "wasm"), "wb") as file:
        file.write(code)
    # The genesis of a network that was born with this release: later presets know more.
    spec = subprocess.run((*git, "show", f"{release['commit']}:chain-specs/local-fast.json"), capture_output=True, check=True)
    with open(kept(release, "local-fast.json"), "wb") as file:
        file.write(spec.stdout)
    print(f"kept version {version}: {release['blake2_256']}")


def compiler():
    """The compiler of the runtime, of which its bytes are a function as they are of its source."""
    toolchain = os.environ.get("WASM_BUILD_TOOLCHAIN")
    command = ["rustup", "run", toolchain, "rustc"] if toolchain else ["rustc"]
    return subprocess.run([*command, "--version"], capture_output=True, text=True, check=True).stdout.strip()


# --- the check ------------------------------------------------------------------------------------


class Releases(unittest.TestCase):
    def test_every_release_is_kept_whole(self):
        self.assertTrue(releases())
        for release in releases():
            with self.subTest(release["spec_version"]):
                code = read(kept(release, "wasm"))
                self.assertEqual(code[:8], COMPRESSED)
                self.assertEqual(blake2_256(code), release["blake2_256"])
                self.assertRegex(release["commit"], "^[0-9a-f]{40}$")
                spec = json.loads(read(kept(release, "local-fast.json")))
                self.assertNotIn("code", spec["genesis"]["runtimeGenesis"])
                self.assertEqual(unknown(release["host_functions"], release, ()), [])
        kinds = {name.partition(".")[0] for name in os.listdir(RELEASES) if name[0].isdigit()}
        self.assertEqual(kinds, {str(release["spec_version"]) for release in releases()})

    def test_the_runtime_runs_on_the_released_node(self):
        path = built("compact.wasm")
        if not os.path.exists(path):
            self.fail(f"there is no runtime at {path}; build it first")
        wasm, last, new = read(path), releases()[-1], announced()
        self.assertGreaterEqual(spec_version(wasm), last["spec_version"], "older than the last release")
        self.assertEqual(
            unknown(imports(wasm), last, new), [],
            f"the node of release {last['spec_version']} lacks these. Release a node that has them first, and name them "
            "with its version in runtime/releases/new-host-functions.txt")
        stale = [name for name in new if name in last["node_host_functions"]]
        self.assertEqual(stale, [], "the released node has these: take them out of new-host-functions.txt")


class Reading(unittest.TestCase):
    """The reader itself, on a module made by hand."""

    @staticmethod
    def module():
        def entry(name, kind):
            return b"\x03env" + bytes([len(name)]) + name + kind
        body = b"\x04" + entry(b"memory", b"\x02\x01\x15\x20") + entry(b"ext_b_version_1", b"\x00\x05") \
            + entry(b"table", b"\x01\x70\x00\x01") + entry(b"ext_a_version_2", b"\x00\x81\x01")
        version = b"\x0fruntime_version" + b"\x0ctos\x10node" + (7).to_bytes(4, "little") + (300).to_bytes(4, "little")
        return b"\0asm\1\0\0\0" + b"".join(
            bytes([kind, len(part)]) + part for kind, part in ((2, body), (0, b"\x04else!"), (0, version)))

    def test_functions_are_told_from_other_imports(self):
        self.assertEqual(imports(self.module()), ["ext_a_version_2", "ext_b_version_1"])

    def test_the_version_is_found(self):
        self.assertEqual(spec_version(self.module()), 300)

    def test_what_is_cut_off_compressed_or_something_else_is_refused(self):
        for wrong in (self.module()[:30], COMPRESSED + b"...", b"\x7fELF\1\0\0\0", b""):
            with self.assertRaises(Broken):
                imports(wrong)

    def test_a_function_that_nobody_announced_is_named(self):
        release = {"node_host_functions": ["ext_a_version_1"]}
        wanted = ["ext_a_version_1", "ext_b_version_1"]
        self.assertEqual(unknown(wanted, release, {}), ["ext_b_version_1"])
        self.assertEqual(unknown(wanted, release, {"ext_b_version_1": 101}), [])

    def test_names_that_stand_side_by_side_in_a_program_are_told_apart(self):
        found = HOST_FUNCTION.findall(b"\0ext_storage_get_version_1ext_storage_get_version_2ext_x_y_version_1 panicked")
        self.assertEqual(found, [b"ext_storage_get_version_1", b"ext_storage_get_version_2", b"ext_x_y_version_1"])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--record", metavar="COMMIT", help="keep a runtime that was built from COMMIT")
    parser.add_argument("--wasm", metavar="DIR", default=os.path.dirname(built("wasm")),
                        help="where that runtime is: what scripts/reproducible --out wrote (default: the last build)")
    parser.add_argument("--node", metavar="PATH", default=os.path.join(target(), "release", "tos-node"),
                        help="the node that was built with it (default: the last build)")
    options = parser.parse_args()
    if options.record:
        record(options.record, options.wasm, options.node)
    done = unittest.main(argv=[sys.argv[0]], exit=False).result
    return 0 if done.wasSuccessful() else 1


if __name__ == "__main__":
    sys.exit(main())
