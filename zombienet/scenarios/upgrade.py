# SPDX-License-Identifier: Apache-2.0
"""Four validators that were born with the last release upgrade to the runtime of this build, by the sudo key, while tasks are
in every state of unrest: all follow, finality goes on, every record is migrated, readable and worth what it was, every task
comes to its settlement, and a node that was away, a fresh one and one that joins by warp synchronisation follow too."""

import json
import uuid
from pathlib import Path

from tos_harness.chain import export
from tos_harness.network import Network
from tos_harness.paths import ROOT
from tos_harness.release import RELEASES, blake2_256, releases, without_migration
from tos_harness.wait import Failed, Idle

QUICK = True
# Whom `--old-bin` runs. Dave, who is away during the upgrade, is one of them.
OLD = ("charlie", "dave")


def run(binary, folder, options):
    upgrade(binary, folder, options, "sudo")


def upgrade(binary, folder, options, how):
    release = last_release()
    code = options.code or carried(binary, folder)
    version, newborn = newborn_with(code, binary, folder)
    if version == release["spec_version"]:
        raise Idle(f"the runtime to upgrade to is of version {version}, as the last release is")
    others = dict.fromkeys(OLD, options.old_bin) if options.old_bin else {}
    kept = RELEASES / str(release["spec_version"])
    with Network(binary, folder, "four.toml", spec=genesis(f"{kept}.local-fast.json", f"{kept}.wasm", binary, folder), others=others) as net:
        everybody = list(net.nodes)
        net.start()
        height = net.advances(everybody)
        net.say(f"born with version {release['spec_version']}, at block {height}; upgrade to {version} by {how}"
                + (f"; {' and '.join(OLD)} run the released node" if others else ""))
        for name in everybody:
            at_version(net, name, release["spec_version"])
        digest = blake2_256(Path(code).read_bytes())
        act(net, "authorise", how, digest)
        tasks = act(net, "prepare")
        net.say("authorised; tasks are open, committed to, voted on and settled")

        net.stop("dave")
        three = [name for name in everybody if name != "dave"]
        done = act(net, "apply", code)
        net.say(f"applied in block {done['upgrade']}; migrated in block {done['migrated']}")
        height = net.advances(three)
        net.same(three, height)
        found = act(net, "compare", done["upgrade"], done["migrated"])
        if found["wrong"]:
            raise Failed("; ".join(found["wrong"]))
        net.say(f"{found['tasks']} tasks say what they said{', and ' + ', '.join(found['added']) if found['added'] else ''}; "
                f"all {found['values']} values of the state decode; no wei was made or lost, with {found['fees']} wei of fees")

        # The one that was away takes the upgrade from blocks, a fresh one from the first block on; warp takes the state.
        net.start("dave")
        paid = act(net, "finish", json.dumps(tasks))["paid"]
        net.say(f"tasks of before the upgrade settled: {paid}")
        net.add("fresh-full", ["--no-timekeeper"])
        net.add("fresh-warp", ["--no-timekeeper", "--sync", "warp"])
        net.start("fresh-full", "fresh-warp")
        all_nodes = list(net.nodes)
        height = net.advances(all_nodes)
        block = net.same(all_nodes, height)
        for name in all_nodes:
            at_version(net, name, version)
            storage = act(net, "versions", node=name)["storage"]
            if storage != newborn:
                raise Failed(f"{name}: storage versions {differing(newborn, storage)} are not those of a network born with {version}")
            views = {key: net.ask(name, "tos_task", str(uuid.UUID(task[2:]))) for key, task in tasks.items()}
            if any(view["summary"]["phase"] != {"closed": "settled"} for view in views.values()):
                raise Failed(f"{name}: {views}")
        roots = {net.ask(name, "chain_getHeader", block)["stateRoot"] for name in all_nodes}
        if len(roots) != 1:
            raise Failed(f"the nodes have different states at block {height}")
        net.say(f"all {len(all_nodes)} nodes have version {version}, the same state and the settled tasks at block {height}")


def act(net, action, *arguments, **options):
    return net.script(action, *arguments, file="upgrade.mjs", **options)


def at_version(net, name, version):
    found = net.ask(name, "state_getRuntimeVersion")["specVersion"]
    if found != version:
        raise Failed(f"{name} has version {found}, not {version}")


def differing(wanted, found):
    return {name: found.get(name) for name in wanted.keys() | found.keys() if wanted.get(name) != found.get(name)}


def last_release():
    """The facts kept of the last release."""
    if not (kept := releases()):
        raise Idle("no release is kept in runtime/releases")
    if (last := kept[-1])["spec_version"] in without_migration():
        raise Idle(f"no network of release {last['spec_version']} is live, and the state has changed since without a migration")
    return last


def carried(binary, folder):
    """The runtime that a node carries, in a file."""
    spec = json.loads(export(binary, "local-fast"))
    path = folder / "code.wasm"
    path.write_bytes(bytes.fromhex(spec["genesis"]["runtimeGenesis"]["code"][2:]))
    return path


def newborn_with(code, binary, folder):
    """The version of a runtime, and the storage versions of a network that is born with it."""
    place = folder / f"{folder.name}-newborn"
    place.mkdir()
    preset = ROOT / "chain-specs/local-fast.json"
    with Network(binary, place, "four.toml", spec=genesis(preset, code, binary, place)) as net:
        net.start("alice")
        versions = act(net, "versions")
        return versions["spec"], versions["storage"]


def genesis(preset, code, binary, folder):
    """The genesis, as text, of a network with a preset and a runtime."""
    spec = json.loads(Path(preset).read_text(encoding="utf-8"))
    spec["genesis"]["runtimeGenesis"]["code"] = "0x" + Path(code).read_bytes().hex()
    path = folder / "genesis.json"
    path.write_text(json.dumps(spec), encoding="utf-8")
    return export(binary, path, "--raw")
