# SPDX-License-Identifier: Apache-2.0
"""Off-site backups of a node that makes blocks: shipped, interrupted, thinned out, sent on, damaged, and restored by the
drill; and what those who watch are told."""

import datetime
import importlib.machinery
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import time

import pytest

from tos_harness.paths import OPS, text
from tos_harness.ports import free_port
from tos_harness.report import say
from tos_harness.templates import ROLES, TemplateNode, run_ops, template
from tos_harness.wait import LATE

pytestmark = pytest.mark.ordered


@pytest.fixture(scope="module")
def offsite():
    """The functions of ops/offsite."""
    loader = importlib.machinery.SourceFileLoader("offsite", str(OPS / "offsite"))
    sys.dont_write_bytecode = True
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("offsite", loader))
    loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def node(program, folder):
    """A validator that makes blocks."""
    node = TemplateNode(program, folder, "validator").started("--alice", "--force-authoring", "--unsafe-force-node-key-generation")
    node.until(5)
    yield node
    node.stop()


@pytest.fixture(scope="module")
def to(folder):
    """The folder that backups are shipped to."""
    path = folder / "target"
    path.mkdir()
    return path


def test_the_newest_of_each_day_and_week_stays(offsite):
    thinned = offsite.thinned
    start = datetime.datetime(2026, 1, 1, 6)
    found = [(f"{n:03}", start + datetime.timedelta(hours=12 * n)) for n in range(120)]
    stay = [name for name, _ in found if name not in thinned(found, 3, 2)]
    # Two a day: the later of each of the last three days, and the last of the week before.
    assert stay == ["105", "115", "117", "119"], f"these stay: {stay}"
    assert thinned(found[:1], 0, 0) == [], "the only backup is thinned out"
    assert thinned([], 7, 5) == [], "nothing is thinned out to something"


def test_the_rpc_is_the_one_that_the_role_has(offsite):
    for role in ROLES:
        port, = re.findall(r"--rpc-port (\d+)", " ".join(template(role)[1]))
        found = offsite.rpc_of(str(OPS / "config" / f"{role}.env"))
        assert found == f"http://127.0.0.1:{port}", f"{role} is asked at {found}"


def told(path):
    """The metrics, by name, all of one node."""
    with open(path, encoding="utf-8") as file:
        lines = [re.fullmatch(r'(\w+)\{node="([\w-]+)"\} (\d+)', line) for line in file.read().splitlines() if not line.startswith("#")]
    assert all(lines) and len({line[2] for line in lines}) == 1, f"metrics: {lines}"
    return {line[1].removeprefix("tos_offsite_"): int(line[3]) for line in lines}


def test_every_metric_that_alerts_name_is_told(offsite):
    named = set(re.findall(r"tos_offsite_\w+", text("ops", "prometheus", "alerts.yml")))
    assert named and named <= set(offsite.METRICS), f"alerts name {named}"


def test_who_is_to_know_of_a_failure_is_told(folder):
    notice = os.path.join(folder, "notice")

    def failed(notify):
        return subprocess.run([os.path.join(OPS, "backup-failed"), "validator"], env={**os.environ, "TOS_BACKUP_NOTIFY": notify},
                              capture_output=True, text=True, timeout=LATE, check=False)

    done = failed("")
    assert done.returncode == 0 and done.stdout.startswith("<2>the off-site backup of the node (validator) failed"), f"the journal: {done}"
    done = failed(f'{{ cat; echo "$TOS_NOTICE_KIND $TOS_NOTICE_ID"; }} >"{notice}"')
    assert done.returncode == 0, f"a notice: {done}"
    with open(notice, encoding="utf-8") as file:
        first, second = file.read().splitlines()
    said = json.loads(first)
    fields = re.search(r"A notice is one JSON object:\n\n```json\n(\{.*?\n?.*?\})\n```", text("docs", "configuration.md"), re.S)
    assert set(said) == set(re.findall(r'(?:^\{|, |,\n )"(\w+)": ', re.sub(r'"facts": \{.*?\}', '"facts": 0', fields[1]))), f"fields: {said}"
    assert second == f"{said['kind']} {said['id']}" and said["facts"] == {"node": "validator"}, f"a notice: {first} {second}"
    assert failed("exit 3").returncode != 0, "a notice that was not taken is no failure"
    unit = text("ops", "systemd", "tos-backup@.service")
    after, = re.findall(r"^OnFailure=(.*)$", unit, re.M)
    assert os.path.exists(os.path.join(OPS, "systemd", after.replace("%i", ""))), f"{after} is not there"


def ship(node, to, *more):
    code, said = run_ops("offsite", "--json", "ship", "--base-path", node.base, "--to", to,
                         "--rpc", node.rpc.http, *more)
    assert code == 0, f"not shipped: {said}"
    return said


def test_a_backup_is_shipped_and_restored(program, folder, node, to):
    metrics = os.path.join(folder, "tos_offsite.prom")
    said = ship(node, to, "--metrics", metrics)
    assert not os.path.exists(f"{node.base}.offsite"), "something is left next to the data"
    assert told(metrics)["backups"] == 1, "the metrics do not count it"
    node.until(said["head"]["number"] + 3)
    code, drilled = drill(program, to)
    assert code == 0 and drilled["head"] == said["head"] and drilled["block"] >= said["head"]["number"], f"the drill: {drilled}"
    say(f"  restored and answering at block {drilled['block']} after {drilled['seconds']} s")


def drill(program, to):
    return run_ops("offsite", "--json", "drill", "--to", to, "--chain", "dev-fast", "--node", program,
                   "--node-arg=--state-pruning=256", "--node-arg=--blocks-pruning=archive-canonical")


def test_a_chain_that_went_on_differently_is_found_by_the_drill(program, to):
    path = os.path.join(to, sorted(os.listdir(to))[-1], "head.json")
    with open(path, encoding="utf-8") as file:
        head = json.load(file)
    for name, other in (("hash", "0x" + "11" * 32), ("number", head["number"] + 1_000_000)):
        with open(path, "w", encoding="utf-8") as file:
            json.dump({**head, name: other}, file)
        code, said = drill(program, to)
        assert code == 1 and "when the backup was taken" in said["error"], f"another {name}: {said}"


def test_without_an_answer_a_backup_is_made_and_the_drill_compares_nothing(program, folder, node):
    to = os.path.join(folder, "silent")
    os.mkdir(to)
    done = subprocess.run([sys.executable, os.path.join(OPS, "offsite"), "--json", "ship", "--base-path", node.base, "--to", to,
                           "--rpc", f"http://127.0.0.1:{free_port()}"], capture_output=True, text=True, check=False)
    assert done.returncode == 0 and json.loads(done.stdout)["head"] is None, f"a node that does not answer: {done}"
    assert "no head is noted" in done.stderr, f"it is not told: {done.stderr}"
    code, said = drill(program, to)
    assert code == 0 and "nothing to compare" in said["head"] and said["block"] > 0, f"the drill: {said}"


def test_what_sends_backups_on_gets_them_and_its_failure_is_one(program, folder, node):
    to, away, sender = (os.path.join(folder, name) for name in ("near", "away", "sender"))
    os.mkdir(to)
    metrics = os.path.join(folder, "sent.prom")
    with open(sender, "w", encoding="utf-8") as file:
        file.write(f'#!/bin/sh\nset -e\ntest -f "$1/$2/backup.json"\nrm -rf "{away}"\ncp -a "$1" "{away}"\ntest ! -e "{folder}/cut"\n')
    os.chmod(sender, 0o755)
    said = ship(node, to, "--then", sender, "--metrics", metrics)
    assert os.listdir(away) == [os.path.basename(said["backup"])], f"there arrived {os.listdir(away)}"
    code, drilled = drill(program, away)
    assert code == 0 and drilled["head"] == said["head"], f"the drill of what arrived: {drilled}"
    with open(os.path.join(folder, "cut"), "w", encoding="utf-8"):
        pass
    good = told(metrics)
    code, failed = run_ops("offsite", "ship", "--base-path", node.base, "--to", to, "--then", sender, "--metrics", metrics)
    assert code == 1 and "no further" in failed, f"what did not arrive: {failed}"
    assert told(metrics) == {**good, "failed": 1}, f"told: {told(metrics)}"
    os.mkdir(f"{to}-too")
    code, failed = run_ops("offsite", "ship", "--base-path", node.base, "--to", f"{to}-too", "--then", folder / "nothing")
    assert code == 1 and "nothing" in failed, f"a program that is not there: {failed}"


def test_a_failure_is_told_and_so_is_that_there_never_was_a_backup(folder, node, to):
    metrics = os.path.join(folder, "failing.prom")

    def failing(*more):
        code, said = run_ops("offsite", "ship", "--base-path", node.base, "--to", os.path.join(folder, "none"), "--metrics", metrics, *more)
        assert code == 1 and "not a folder" in said, f"no target: {said}"
        return told(metrics)

    assert failing() == {"last_success_timestamp_seconds": 0, "failed": 1, "bytes": 0, "backups": 0}, f"told: {told(metrics)}"
    ship(node, to, "--metrics", metrics)
    good = told(metrics)
    assert abs(good["last_success_timestamp_seconds"] - time.time()) < LATE and good["failed"] == 0 and good["bytes"] > 0, f"told: {good}"
    assert failing() == {**good, "failed": 1}, f"a failure forgets the last success: {told(metrics)}"
    code, said = run_ops("offsite", "ship", "--base-path", node.base, "--to", os.path.join(folder, "none"), "--metrics", "/nowhere/metrics")
    assert code == 1 and "not a folder" in said, f"what failed first is not said: {said}"


def test_an_interrupted_copy_leaves_the_last_good_one(node, to):
    before = sorted(os.listdir(to))
    command = [sys.executable, os.path.join(OPS, "offsite"), "ship", "--base-path", node.base, "--to", to]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        deadline = time.monotonic() + LATE
        while not any(name.endswith(".incoming") for name in os.listdir(to)):
            assert process.poll() is None and time.monotonic() < deadline, "it ended before it could be interrupted"
            time.sleep(0.001)
        process.kill()
    names = [name for name in sorted(os.listdir(to)) if not name.endswith(".incoming")]
    assert names == before, f"after an interrupted copy there are {names}"
    # Names have seconds.
    time.sleep(1.1)
    ship(node, to)
    # One a day stays, and what was half there is gone.
    names = sorted(os.listdir(to))
    assert len(names) == 1 and names > before, f"the next one left {names}"


def test_a_target_without_room_or_without_a_mount_is_refused(offsite, node, folder, to):
    before = sorted(os.listdir(to))
    small = os.path.join(folder, "small")
    os.mkdir(small)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", small], check=True)
    try:
        code, said = run_ops("offsite", "ship", "--base-path", node.base, "--to", small, "--mounted")
        assert code == 1 and "MiB free" in said and os.listdir(small) == [], f"a full target: {said}"
    finally:
        subprocess.run(["umount", small], check=True)
    code, said = run_ops("offsite", "ship", "--base-path", node.base, "--to", small + "/none")
    assert code == 1 and "not a folder" in said, f"no target: {said}"
    if not offsite.is_mounted(small):
        code, said = run_ops("offsite", "ship", "--base-path", node.base, "--to", small, "--mounted")
        assert code == 1 and "mounted" in said, f"a disk that is missing: {said}"
    assert sorted(os.listdir(to)) == before, "a refusal changed something"


def test_damage_on_the_target_is_found_by_the_drill(program, to):
    newest = os.path.join(to, sorted(os.listdir(to))[-1])
    with open(os.path.join(newest, "backup.json"), encoding="utf-8") as file:
        spoilt = os.path.join(newest, next(iter(json.load(file)["files"])))
    with open(spoilt, "ab") as file:
        file.write(b"x")
    code, said = run_ops("offsite", "drill", "--to", to, "--chain", "dev-fast", "--node", program)
    assert code == 1 and os.path.basename(spoilt) in said, f"a damaged backup: {said}"
    shutil.rmtree(newest)
