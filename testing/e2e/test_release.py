# SPDX-License-Identifier: Apache-2.0
"""Releases kept in runtime/releases/ are whole, and the runtime in the works runs on the node released last. Needs a build."""

import json
import os
import re

import pytest

from tos_harness.release import (
    COMPRESSED, HOST_FUNCTION, RELEASES, Broken, announced, blake2_256, built, imports, kept, releases, spec_version, unknown,
    without_migration)


@pytest.mark.parametrize("release", releases(), ids=lambda release: str(release["spec_version"]))
def test_a_release_is_kept_whole(release):
    code = kept(release, "wasm").read_bytes()
    assert code[:8] == COMPRESSED
    assert blake2_256(code) == release["blake2_256"]
    assert re.fullmatch("[0-9a-f]{40}", release["commit"])
    spec = json.loads(kept(release, "local-fast.json").read_bytes())
    assert "code" not in spec["genesis"]["runtimeGenesis"]
    assert unknown(release["host_functions"], release, ()) == []


def test_nothing_is_kept_of_what_is_no_release():
    assert releases()
    kinds = {name.partition(".")[0] for name in os.listdir(RELEASES) if name[0].isdigit()}
    assert kinds == {str(release["spec_version"]) for release in releases()}


def test_a_release_without_a_migration_is_the_last_one():
    assert set(without_migration()) <= {releases()[-1]["spec_version"]}, "take what is older out of without-migration.txt"


def test_the_runtime_runs_on_the_released_node():
    path = built("compact.wasm")
    assert path.exists(), f"there is no runtime at {path}; build it first"
    wasm, last, new = path.read_bytes(), releases()[-1], announced()
    assert spec_version(wasm) >= last["spec_version"], "older than the last release"
    assert unknown(imports(wasm), last, new) == [], (
        f"the node of release {last['spec_version']} lacks these. Release a node that has them first, and name them "
        "with its version in runtime/releases/new-host-functions.txt")
    stale = [name for name in new if name in last["node_host_functions"]]
    assert stale == [], "the released node has these: take them out of new-host-functions.txt"


# --- the reader itself, on a module made by hand ---


def module():
    def entry(name, kind):
        return b"\x03env" + bytes([len(name)]) + name + kind
    body = b"\x04" + entry(b"memory", b"\x02\x01\x15\x20") + entry(b"ext_b_version_1", b"\x00\x05") \
        + entry(b"table", b"\x01\x70\x00\x01") + entry(b"ext_a_version_2", b"\x00\x81\x01")
    version = b"\x0fruntime_version" + b"\x0ctos\x10node" + (7).to_bytes(4, "little") + (300).to_bytes(4, "little")
    return b"\0asm\1\0\0\0" + b"".join(
        bytes([kind, len(part)]) + part for kind, part in ((2, body), (0, b"\x04else!"), (0, version)))


def test_functions_are_told_from_other_imports():
    assert imports(module()) == ["ext_a_version_2", "ext_b_version_1"]


def test_the_version_is_found():
    assert spec_version(module()) == 300


@pytest.mark.parametrize("wrong", [module()[:30], COMPRESSED + b"...", b"\x7fELF\1\0\0\0", b""],
                         ids=["cut off", "compressed", "a program", "nothing"])
def test_anything_cut_off_compressed_or_else_is_refused(wrong):
    with pytest.raises(Broken):
        imports(wrong)


def test_a_function_that_is_not_announced_is_named():
    release = {"node_host_functions": ["ext_a_version_1"]}
    wanted = ["ext_a_version_1", "ext_b_version_1"]
    assert unknown(wanted, release, {}) == ["ext_b_version_1"]
    assert unknown(wanted, release, {"ext_b_version_1": 101}) == []


def test_names_that_stand_side_by_side_in_a_program_are_told_apart():
    found = HOST_FUNCTION.findall(b"\0ext_storage_get_version_1ext_storage_get_version_2ext_x_y_version_1 panicked")
    assert found == [b"ext_storage_get_version_1", b"ext_storage_get_version_2", b"ext_x_y_version_1"]
