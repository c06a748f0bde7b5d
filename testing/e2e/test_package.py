# SPDX-License-Identifier: Apache-2.0
"""The Debian packages: made twice, installed, used, upgraded, removed, purged and installed again in a system of its own.

No systemd runs here. So every unit is checked by systemd's own checker, and the command line of every unit is started
as systemd would: with its environment file, as its user, in the installed system. The nodes must answer on their ports,
the workers must wait for them, find them and say what is missing. What packages ask of systemd goes to a program that
keeps it. It takes root, a network of its own, so that the ports of the templates are free, and a PID namespace, so that
nothing that was started outlives the test. $TOS_DEBIAN is where the minimal Debian is kept.
"""

import contextlib
import glob
import hashlib
import itertools
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from tos_harness import apart
from tos_harness.paths import ROOT
from tos_harness.process import Process, run
from tos_harness.report import Progress
from tos_harness.rpc import Rpc
from tos_harness.systemd import unit
from tos_harness.wait import LATE, eventually

ROLES = {"validator": 9944, "rpc": 9945, "archive": 9946, "timekeeper": 9947, "provider": 9948}
WORKERS = ("miner", "judge", "storage", "audit")
PASSWORD = "a password of the test"
WORKER = {"user": "tos-worker", "TOS_DATA_DIR": "/var/lib/tos-worker"}
CHANGE = "# changed here\n"
SUITE, INCLUDED = "bookworm", "libssl3,libstdc++6,ca-certificates,adduser,python3"
# Another list of packages is another system.
KIND = hashlib.sha256(INCLUDED.encode()).hexdigest()[:8]
DEBIAN = Path(os.environ.get("TOS_DEBIAN") or Path.home() / ".cache" / f"tos-debian-{SUITE}-{KIND}.tar")
say = Progress().say
# The words of a worker with an account that the chain does not know, and the exit code that it ends with by itself. A member of the
# storage committee goes on and has none: it registers nowhere, and has nothing to do until its account is a session validator's.
UNKNOWN = {
    "miner": (3, "is not registered as a miner on this chain"),
    "judge": (3, "is not registered as a judge on this chain"),
    "storage": (3, "is not registered as a storage provider on this chain"),
    "audit": (None, "connected"),
}


def packages(binaries, folder, **environment):
    """Makes both packages and returns their paths by name."""
    printed = run(ROOT / "scripts/package", "--bin", binaries, "--out", folder, env={**os.environ, **environment}, limit=900).stdout
    return {os.path.basename(path).split("_")[0]: path for path in printed.split()}


def content(path):
    with open(path, "rb") as file:
        return file.read()


class System:
    """An installed Debian, in a folder."""

    def __init__(self, folder, cache):
        self.root = os.path.join(folder, "root")
        os.mkdir(self.root, 0o755)
        run("tar", "-C", self.root, "-xf", cache)
        # Only this process and its children see these.
        for kind, place in (("proc", "proc"), ("tmpfs", "run")):
            run("mount", "-t", kind, kind, os.path.join(self.root, place))

    def path(self, name):
        return os.path.join(self.root, name.lstrip("/"))

    def text(self, name):
        with open(self.path(name), encoding="utf-8") as file:
            return file.read()

    def write(self, name, text, mode=0o644):
        os.makedirs(os.path.dirname(self.path(name)), exist_ok=True)
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(self.path(name), mode)

    def command(self, words, user="root", **environment):
        clean = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "DEBIAN_FRONTEND": "noninteractive", **environment}
        return ["env", "-i", *[f"{name}={value}" for name, value in clean.items()],
                "chroot", f"--userspec={user}:{user}", self.root, *words]

    def run(self, *words, **options):
        return run(*self.command(words, **options), limit=900).stdout

    def owner(self, name):
        found = run("stat", "-c", "%u:%a", self.path(name)).stdout.strip()
        number, mode = found.split(":")
        by_number = {line.split(":")[2]: line.split(":")[0] for line in self.text("/etc/passwd").splitlines()}
        return by_number[number], mode


class Service(Process):
    """A unit's command line, running."""

    numbers = itertools.count()

    def __init__(self, system, name, instance=None, *more):
        user, environment, words = unit(system, name, instance)
        log = Path(system.path(f"/{instance or name}-{next(self.numbers)}.log"))
        super().__init__(f"{name} {instance or ''}".strip(), system.command([*words, *more], user, **environment), log)
        self.start()

    def until(self, what, holds):
        eventually(f"{self.name}: {what}", holds, alive=self.check, detail=self.tail)

    def ended(self, code, words):
        """It ends by itself, with this exit code and these words."""
        found = self.wait()
        assert found == code and words in self.said(), f"{self.name} ended with {found}, expected {code} and “{words}”: {self.tail()}"


def health(port):
    return bool(Rpc(f"127.0.0.1:{port}")("system_health"))


def final(port):
    """The number of the last final block."""
    return Rpc(f"127.0.0.1:{port}").final()[0]


def checked_by_systemd(system):
    """Every unit, as installed."""
    names = sorted(os.path.basename(path) for path in glob.glob(system.path("/usr/lib/systemd/system/tos-*")))
    assert {"tos-node@.service", "tos-backup@.timer", "tos-backup-failed@.service", *(f"tos-{name}.service" for name in WORKERS)} <= set(names), (
        f"units: {names}")
    # The targets that units name, which a Debian without systemd does not have.
    for path in ("remote-fs.target", "basic.target", "sysinit.target", "shutdown.target", "network-online.target", "multi-user.target", "timers.target"):
        system.write(f"/usr/lib/systemd/system/{path}", "[Unit]\nDescription=of the test\n")
    assert shutil.which("systemd-analyze"), "there is no systemd-analyze; run scripts/setup"
    for name in names:
        found = complaints(system, name)
        assert not found, f"systemd on {name}: {found}"
    miner = system.text("/usr/lib/systemd/system/tos-miner.service")
    for what, right, wrong in (("an option that is none", "Restart=", "Restrat="), ("a program that is not there", "=/usr/bin/tos ", "=/usr/bin/sot "),
                               ("an option of another section", "[Service]", "[Unit]")):
        system.write("/usr/lib/systemd/system/tos-broken.service", miner.replace(right, wrong))
        assert complaints(system, "tos-broken.service"), f"systemd's checker takes {what}"
    os.unlink(system.path("/usr/lib/systemd/system/tos-broken.service"))
    return names


def complaints(system, name):
    """The complaints of systemd's checker about a unit."""
    of_role = name.replace("@.", "@validator.")
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", f"--root={system.root}", of_role],
                          capture_output=True, text=True, timeout=LATE, check=False)
    ours = [line for line in done.stderr.splitlines() if "tos-" in line]
    return done.stderr or f"code {done.returncode}" if done.returncode or ours else ""


def install(system, debs):
    for path in debs.values():
        os.link(path, system.path("/" + os.path.basename(path)))
    names = ["/" + os.path.basename(path) for path in debs.values()]
    told = system.run("dpkg", "-i", *names)
    for name in names:
        os.unlink(system.path(name))
    return told


def nodes(system):
    """Every role, from its template, on the ports that the templates name."""
    chain = system.run("tos-node", "export-chain-spec", "--chain", "dev-fast", "--raw")
    system.write("/etc/tos/chain.json", chain)
    system.run("install", "-d", "-o", "tos", "-g", "tos", "-m", "700", "/var/lib/tos/validator")
    system.run("tos-node", "key", "generate-node-key", "--chain", "/etc/tos/chain.json", "--base-path", "/var/lib/tos/validator", user="tos")
    services = {role: Service(system, "tos-node@.service", role) for role in ROLES}
    for role, port in ROLES.items():
        services[role].until(f"it answers on port {port}", lambda port=port: health(port))
    for role, service in services.items():
        code = service.stop()
        assert code == 0, f"the {role} node ended with {code}"


def chains(system):
    """The nodes that workers need, each with blocks of its own: a worker knows its chain by block 1. A development account makes them."""
    services = {role: Service(system, "tos-node@.service", role, "--alice", "--force-authoring") for role in ("validator", "provider")}
    for role, service in services.items():
        service.until("block 2 is final", lambda port=ROLES[role]: final(port) >= 2)
    return services.values()


def workers_wait(system):
    """Every worker, without a node: it waits, says so, and ends when it is asked to."""
    system.write("/etc/tos/workers/password", PASSWORD + "\n", 0o600)
    system.write("/run/password", PASSWORD + "\n", 0o644)
    for name in ("worker", "validator"):
        system.run("tos", "--password-file", "/run/password", "keys", "new", name, **WORKER)
    assert system.owner("/var/lib/tos-worker") == ("tos-worker", "700"), "others can look into the workers' folder"
    # `tos storage init` makes this key, on a node.
    Service(system, "tos-storage.service").ended(2, "no key named `storage-proof`")
    system.run("tos", "--password-file", "/run/password", "keys", "new", "storage-proof", **WORKER)
    services = [Service(system, f"tos-{name}.service") for name in WORKERS]
    for service in services:
        service.until("it waits for its node", lambda service=service: "waiting for the node" in service.said())
    for service in services:
        code = service.stop()
        assert code == 0, f"{service.name}, which waits, ended with {code}: {service.said()}"


def workers_say_what_is_missing(system):
    """Every worker, with its node and with an account that the chain does not know."""
    for name, (ends_with, words) in UNKNOWN.items():
        service = Service(system, f"tos-{name}.service")
        if ends_with is not None:
            service.ended(ends_with, words)
        else:
            service.until(f"it says “{words}”", lambda service=service, words=words: words in service.said())
            code = service.stop()
            assert code == 0, f"{service.name} ended with {code}: {service.said()}"


def a_backup_is_made(system):
    """The command line of the backup's unit, as its user, of the validator that runs."""
    to = "/mnt/backups/validator"
    system.run("install", "-d", "-o", "tos", "-g", "tos", "-m", "700", to)
    # Nothing is mounted in this system.
    settings = system.text("/etc/tos/backup.env")
    system.write("/etc/tos/backup.env", settings.replace("--mounted ", ""))
    system.run("install", "-d", "-o", "tos", "-g", "tos", "-m", "755", "/var/lib/tos-metrics")
    Service(system, "tos-backup@.service", "validator").ended(0, "backup: /mnt/backups/validator/")
    metrics = system.text("/var/lib/tos-metrics/offsite-validator.prom")
    assert 'tos_offsite_failed{node="validator"} 0\n' in metrics, f"metrics: {metrics}"
    made, = os.listdir(system.path(to))
    assert os.path.exists(system.path(f"{to}/{made}/head.json")), "the unit notes no head of its node for the drill"
    # And one that fails, as long as nothing is mounted.
    system.write("/etc/tos/backup.env", settings + "TOS_BACKUP_NOTIFY=cat >/tmp/notice\n")
    Service(system, "tos-backup@.service", "validator").ended(1, "nothing is mounted there")
    failed = metrics.replace('failed{node="validator"} 0', 'failed{node="validator"} 1')
    assert system.text("/var/lib/tos-metrics/offsite-validator.prom") == failed, "a failure is not told, or forgets the last success"
    Service(system, "tos-backup-failed@.service", "validator").ended(0, "<2>the off-site backup of the node (validator) failed")
    assert json.loads(system.text("/tmp/notice"))["facts"] == {"node": "validator"}, "no one is notified"
    system.write("/etc/tos/backup.env", settings)


def use(system):
    workers_wait(system)
    say(f"all {len(WORKERS)} workers wait for their node and end when they are asked to")
    nodes(system)
    say(f"all {len(ROLES)} roles start from their templates")
    running = chains(system)
    workers_say_what_is_missing(system)
    say(f"all {len(WORKERS)} workers find their nodes and say what is missing")
    a_backup_is_made(system)
    say("the backup's unit makes one")
    codes = [service.stop() for service in running]
    assert codes == [0] * len(codes), f"nodes ended with {codes}"


# Keeps what it is asked, and whether the programs were there then; knows which units run.
SYSTEMCTL = """#!/bin/sh
echo "$(cd /usr/bin && ls -x tos-node tos 2>/dev/null)" "$@" >>/run/asked
case "$*" in *list-units*)
    for unit in $(cat /run/running); do
        for pattern; do case "$unit" in $pattern) echo "$unit loaded active running TOS" ;; esac; done
    done ;;
esac
"""


class Systemd:
    """A system in which systemd seems to run, with these units."""

    def __init__(self, system, *running):
        self.system = system
        os.makedirs(system.path("/run/systemd/system"), exist_ok=True)
        system.write("/run/running", "\n".join(running))
        system.write("/run/asked", "")
        system.write("/usr/bin/systemctl", SYSTEMCTL, 0o755)

    def asked(self, verb):
        """The times it was asked for this, and with which words."""
        return [line for line in self.system.text("/run/asked").splitlines() if verb in line.split()]

    def gone(self):
        os.rmdir(self.system.path("/run/systemd/system"))
        os.unlink(self.system.path("/usr/bin/systemctl"))


ENABLED = ("multi-user.target.wants/tos-node@validator.service", "multi-user.target.wants/tos-miner.service",
           "timers.target.wants/tos-backup@validator.timer")
ANOTHER = "multi-user.target.wants/not-tos-node@validator.service"


def enabled(system):
    """The units, of those that sound like ours, that start by themselves."""
    place = system.path("/etc/systemd/system/")
    return sorted(path.removeprefix(place) for path in glob.glob(f"{place}*.wants/*tos-*"))


def enable(system):
    """Does what `systemctl enable` does."""
    for link in (*ENABLED, ANOTHER):
        path = system.path(f"/etc/systemd/system/{link}")
        os.makedirs(os.path.dirname(path), exist_ok=True)
        if not os.path.islink(path):
            template = re.sub(r"@\w+", "@", os.path.basename(link))
            os.symlink(f"/usr/lib/systemd/system/{template}", path)
    assert enabled(system) == sorted((*ENABLED, ANOTHER)), f"enabled are {enabled(system)}"


def an_upgrade_keeps_changes_and_leaves_running_what_runs(system, newer):
    system.write("/etc/tos/rpc.env", system.text("/etc/tos/rpc.env") + CHANGE)
    enable(system)
    systemd = Systemd(system, "tos-node@validator.service", "tos-miner.service", "cron.service")
    told = install(system, newer)
    assert system.text("/etc/tos/rpc.env").endswith(CHANGE), "an upgrade took a change of a template back"
    versions = {name: system.run("dpkg-query", "-W", "-f=${Version}", name) for name in newer}
    assert all(f"_{version}_" in newer[name] for name, version in versions.items()), f"installed are {versions}"
    for verb in ("stop", "restart", "try-restart", "start"):
        assert not systemd.asked(verb), f"an upgrade did {systemd.asked(verb)}"
    assert systemd.asked("daemon-reload"), "an upgrade does not tell systemd of new units"
    for name in ("tos-node: still the program from before the upgrade: tos-node@validator.service\n",
                 "tos: still the program from before the upgrade: tos-miner.service\n"):
        assert name in told, f"an upgrade does not say what is to be restarted: {told}"
    assert enabled(system) == sorted((*ENABLED, ANOTHER)), f"after an upgrade these are enabled: {enabled(system)}"
    systemd.gone()


def a_removal_stops_and_disables_and_keeps_settings(system):
    systemd = Systemd(system, "tos-node@validator.service", "tos-miner.service", "tos-backup@validator.timer")
    system.run("dpkg", "--remove", "tos-node", "tos")
    stopped = " ".join(systemd.asked("stop"))
    for pattern in ("tos-node@*.service", "tos-backup@*.timer", "tos-backup@*.service", *(f"tos-{name}.service" for name in WORKERS)):
        assert pattern in stopped.split(), f"a removal does not stop {pattern}: {stopped}"
    for line in systemd.asked("stop"):
        of_package = "tos-node" if "tos-node@*.service" in line else "tos"
        assert of_package in line.partition(" stop ")[0].split(), f"stopped when its program was gone: {line}"
    assert enabled(system) == [ANOTHER], f"after a removal these are enabled: {enabled(system)}"
    assert not os.path.exists(system.path("/usr/bin/tos-node")) and system.text("/etc/tos/rpc.env").endswith(CHANGE), (
        "a removal left the program or took the settings")
    systemd.gone()


def a_purge_names_what_it_leaves(system):
    secret, = glob.glob(system.path("/var/lib/tos/validator/chains/*/network/secret_ed25519"))
    kept = {path: content(path) for path in (secret, *(system.path(name) for name in ("/etc/tos/chain.json", "/etc/tos/workers/password")))}
    keys = sorted(os.listdir(system.path("/var/lib/tos-worker/keys")))
    assert len(keys) == 3, f"keys: {keys}"
    exporter = system.path("/var/lib/prometheus/node-exporter")
    os.makedirs(exporter)
    for name, target in (("offsite-validator.prom", "/var/lib/tos-metrics/offsite-validator.prom"), ("other.prom", "/var/lib/tos-metrics-of-another/x.prom")):
        os.symlink(target, os.path.join(exporter, name))
    told = system.run("dpkg", "--purge", "tos-node", "tos")
    assert os.listdir(exporter) == ["other.prom"], f"a purge left links to metrics that are gone, or took another's: {os.listdir(exporter)}"
    left = sorted(path for path in glob.glob(system.path("/etc/tos/**"), recursive=True) if not os.path.isdir(path))
    assert left == sorted(set(kept) - {secret}), f"a purge left {left}"
    assert not os.path.exists(system.path("/var/lib/tos-metrics")), "a purge left metrics"
    for path in kept:
        assert content(path) == kept[path], f"a purge changed {path}"
    assert sorted(os.listdir(system.path("/var/lib/tos-worker/keys"))) == keys, "a purge took keys"
    lines = told.splitlines()
    for name in ("/etc/tos/chain.json", "/etc/tos/workers/password"):
        assert lines.count(name) == 1, f"a purge does not say, once, that {name} stays: {told}"
    for name in ("tos-node: keys and data stay in /var/lib/tos;", "tos: keys and data stay in /var/lib/tos-worker;"):
        assert name in told, f"a purge does not say where the keys are: {told}"


def keep(system, debs, newer):
    """Upgrade, removal, purge and installation again. Without systemd as well, as in a container."""
    an_upgrade_keeps_changes_and_leaves_running_what_runs(system, newer)
    say("an upgrade keeps changes, leaves running what runs and names it")
    a_removal_stops_and_disables_and_keeps_settings(system)
    say("a removal stops and disables, and keeps settings")
    install(system, newer)
    assert system.text("/etc/tos/rpc.env").endswith(CHANGE), "installed again, a change is gone"
    assert enabled(system) == [ANOTHER], f"installed again, these start by themselves: {enabled(system)}"
    enable(system)
    a_purge_names_what_it_leaves(system)
    assert enabled(system) == [ANOTHER], f"after a purge without systemd these are enabled: {enabled(system)}"
    say("a purge takes the templates, keeps what is not the packages' and names it")
    install(system, debs)
    assert CHANGE not in system.text("/etc/tos/rpc.env"), "a purge kept a template"
    shown = system.run("tos", "keys", "list", **WORKER)
    assert "storage-proof" in shown and system.owner("/var/lib/tos") == ("tos", "700"), f"installed again, the keys are not the worker's: {shown}"
    say("installed again, they find what was kept")


def make_debian():
    """Makes the minimal Debian, which needs the network."""
    with tempfile.TemporaryDirectory(prefix="tos-package-") as folder:
        made = os.path.join(folder, "made")
        run("debootstrap", "--variant=minbase", f"--include={INCLUDED}", SUITE, made, limit=1800)
        DEBIAN.parent.mkdir(parents=True, exist_ok=True)
        # Under another name first: an interrupted run leaves no half of a system.
        run("tar", "-C", made, "-cf", f"{DEBIAN}.new", ".")
        os.rename(f"{DEBIAN}.new", DEBIAN)


@pytest.fixture
def system(folder):
    system = System(folder, DEBIAN)
    yield system
    for place in ("proc", "run"):
        subprocess.run(["umount", "--lazy", os.path.join(system.root, place)], check=False, capture_output=True)


@pytest.mark.skipif(apart.inside(), reason="only outside")
def test_nothing_outlives_a_failed_test():
    """A service in a session of its own, and a test that fails while it runs."""
    mark = f"86400.{os.getpid()}"
    failing = f"import subprocess\nsubprocess.Popen(['sleep', '{mark}'], start_new_session=True)\nraise SystemExit(7)"
    done = subprocess.run(apart.command([sys.executable, "-c", failing]), timeout=LATE, check=False)
    assert done.returncode == 7, f"the exit code of a test is lost: {done.returncode}"
    for path in glob.glob("/proc/[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            assert mark.encode() not in content(path), "a service outlives its test"


@pytest.mark.skipif(apart.inside(), reason="only outside")
def test_packages_in_a_system_of_their_own(binaries):
    """The test below, in its namespaces."""
    assert os.geteuid() == 0, "not tried, it takes root"
    if not DEBIAN.exists():
        make_debian()
    assert apart.again(f"{__file__}::test_packages", "--bin", str(binaries)) == 0


@pytest.mark.skipif(not apart.inside(), reason="in namespaces only")
def test_packages(binaries, folder, system):
    run("ip", "link", "set", "lo", "up")
    first, second, third = (folder / name for name in ("first", "second", "newer"))
    debs, again = packages(binaries, first), packages(binaries, second)
    assert sorted(debs) == ["tos", "tos-node"], f"packages: {debs}"
    for name, path in debs.items():
        assert content(path) == content(again[name]), f"{name} is not the same bytes when it is made again"
    say("two packages, the same bytes twice")
    newer = packages(binaries, third, SOURCE_DATE_EPOCH=str(int(time.time())))
    install(system, debs)
    for name in ("/etc/tos/validator.env", "/usr/bin/tos-node", "/usr/bin/tos", "/usr/lib/tos/backup", "/usr/lib/tos/new-network", "/usr/lib/tos/offsite"):
        assert system.owner(name)[0] == "root", f"{name} is not root's"
    assert system.owner("/var/lib/tos") == ("tos", "700"), "others can look into the nodes' folder"
    say("installed")
    names = checked_by_systemd(system)
    say(f"{len(names)} units are checked, and broken ones are found")
    use(system)
    keep(system, debs, newer)
