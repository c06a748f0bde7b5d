# SPDX-License-Identifier: Apache-2.0
"""Releases as runtime/releases/ keeps them: the version and the host functions of a runtime, and those of a node.

A runtime calls host functions of the node. One that calls a function which the node does not know cannot be loaded, and
a network that enacts it stops. So a new function goes into a released node first, and is named, with the release of the
node that brings it, in runtime/releases/new-host-functions.txt.
"""

import hashlib
import json
import os
import re
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from .paths import ROOT, target

RELEASES = ROOT / "runtime/releases"
# The prefix that the SDK gives a compressed runtime.
COMPRESSED = bytes([82, 188, 83, 118, 70, 219, 142, 5])
# Names of host functions, where they stand without anything between them in a program.
HOST_FUNCTION = re.compile(rb"ext_[a-z0-9_]+?_version_[1-9]")


def built(name: str) -> Path:
    """A file of the last build of the runtime."""
    return target() / "release" / "wbuild" / "tos-runtime" / f"tos_runtime.{name}"


def blake2_256(data: bytes) -> str:
    return "0x" + hashlib.blake2b(data, digest_size=32).hexdigest()


# --- WebAssembly ----------------------------------------------------------------------------------


class Broken(Exception):
    """These bytes are not what they should be."""


class Reader:
    """Bytes, read from the front."""

    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0

    def take(self, count: int) -> bytes:
        end = self.at + count
        if end > len(self.data):
            raise Broken("cut off")
        part, self.at = self.data[self.at:end], end
        return part

    def number(self) -> int:
        """An unsigned LEB128."""
        value, shift = 0, 0
        while True:
            byte = self.take(1)[0]
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
            shift += 7

    def text(self) -> str:
        return self.take(self.number()).decode()


def sections(wasm: bytes) -> Iterator[tuple[int, Reader]]:
    """The sections of a module: their number, and a reader of each."""
    if wasm[:8] == COMPRESSED:
        raise Broken("compressed; read the .compact.wasm of the same build")
    reader = Reader(wasm)
    if reader.take(8) != b"\0asm\1\0\0\0":
        raise Broken("no WebAssembly module")
    while reader.at < len(wasm):
        kind = reader.take(1)[0]
        yield kind, Reader(reader.take(reader.number()))


def imports(wasm: bytes) -> list[str]:
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


def limits(reader: Reader) -> None:
    for _ in range(1 + (reader.take(1)[0] & 1)):
        reader.number()


def spec_version(wasm: bytes) -> int:
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


def releases() -> list[dict[str, Any]]:
    """The facts kept of every release, the last one last."""
    found = []
    for name in os.listdir(RELEASES):
        if re.fullmatch(r"\d+\.json", name):
            found.append(json.loads((RELEASES / name).read_bytes()))
    return sorted(found, key=lambda release: release["spec_version"])


def kept(release: dict[str, Any], kind: str) -> Path:
    return RELEASES / f"{release['spec_version']}.{kind}"


def lines(name: str) -> list[list[str]]:
    """The words of each line of a list that is kept with the releases, without its comments."""
    text = (RELEASES / name).read_text(encoding="utf-8")
    return [words for line in text.splitlines() if (words := line.partition("#")[0].split())]


def announced() -> dict[str, int]:
    """New host functions, and the release of the node that brings each."""
    return {name: int(version) for name, version in lines("new-host-functions.txt")}


def without_migration() -> list[int]:
    """The releases whose state the runtime in the works does not take over."""
    return [int(version) for version, in lines("without-migration.txt")]


def unknown(wanted: Iterable[str], release: dict[str, Any], new: Iterable[str]) -> list[str]:
    """The functions that the released node lacks and that are not announced."""
    return sorted(set(wanted) - set(release["node_host_functions"]) - set(new))


def record(commit: str, folder: Path, program: Path) -> dict[str, Any]:
    """Keeps a runtime, and what the node built with it offers."""
    compact, code = ((folder / f"tos_runtime.{kind}.wasm").read_bytes() for kind in ("compact", "compact.compressed"))
    version = spec_version(compact)
    git = ("git", "-C", str(ROOT))
    full = subprocess.run((*git, "rev-parse", "--verify", f"{commit}^{{commit}}"), capture_output=True, text=True, check=True)
    node = program.read_bytes()
    release: dict[str, Any] = {
        "spec_version": version,
        "commit": full.stdout.strip(),
        "blake2_256": blake2_256(code),
        "compiler": compiler(),
        "host_functions": imports(compact),
        "node_host_functions": sorted({name.decode() for name in HOST_FUNCTION.findall(node)}),
    }
    if lacking := unknown(release["host_functions"], release, ()):
        raise Broken(f"the node of this build lacks {lacking}")
    kept(release, "json").write_text(json.dumps(release, indent=2) + "\n", encoding="utf-8")
    kept(release, "wasm").write_bytes(code)
    # The genesis of a network that was born with this release: later presets know more.
    spec = subprocess.run((*git, "show", f"{release['commit']}:chain-specs/local-fast.json"), capture_output=True, check=True)
    kept(release, "local-fast.json").write_bytes(spec.stdout)
    return release


def compiler() -> str:
    """The compiler of the runtime, of which its bytes are a function as they are of its source."""
    toolchain = os.environ.get("WASM_BUILD_TOOLCHAIN")
    command = ["rustup", "run", toolchain, "rustc"] if toolchain else ["rustc"]
    return subprocess.run([*command, "--version"], capture_output=True, text=True, check=True).stdout.strip()
