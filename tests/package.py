#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The Debian packages: made twice, installed, used, upgraded, removed, purged and installed again in a system of its own.

    tests/package.py --bin DIR [--root-cache FILE]

No systemd runs here. So every unit is checked by systemd's own checker, and the command line of every unit is started
as systemd would: with its environment file, as its user, in the installed system. The nodes must answer on their ports,
the workers must wait for them, find them and say what is missing. What packages ask of systemd goes to a program that
keeps it. It takes root, a network of its own, so that the ports of the templates are free, and a PID namespace, so that
nothing that was started outlives the test.
"""

import argparse
import contextlib
import glob
import hashlib
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
# Seconds within which what should happen does, also while another build runs.
LATE = 240
ROLES = {"validator": 9944, "rpc": 9945, "archive": 9946, "timekeeper": 9947, "provider": 9948}
WORKERS = ("miner", "judge", "storage", "audit")
PASSWORD = "a password of the test"
WORKER = {"user": "tos-worker", "TOS_DATA_DIR": "/var/lib/tos-worker"}
CHANGE = "# changed here\n"
SUITE, INCLUDED = "bookworm", "libssl3,libstdc++6,ca-certificates,adduser,python3"
# The namespaces are made by starting this again, with this set.
INSIDE = "TOS_PACKAGE_TEST_INSIDE"
# What a worker with an account that the chain does not know says, and the exit code that it ends with by itself. A member of the
# storage committee goes on and has none: it registers nowhere, and has nothing to do until its account is a session validator's.
UNKNOWN = {
    "miner": (3, "is not registered as a miner on this chain"),
    "judge": (3, "is not registered as a validator on this chain"),
    "storage": (3, "is not registered as a storage provider on this chain"),
    "audit": (None, "connected"),
}


class Failed(Exception):
    """Something is not as it should be."""


def require(holds, what):
    if not holds:
        raise Failed(what)


def say(text):
    print(f"  {time.monotonic() - START:6.1f} s  {text}", flush=True)


START = time.monotonic()


def run(command, **options):
    done = subprocess.run(command, capture_output=True, text=True, timeout=LATE * 3, check=False, **options)
    require(done.returncode == 0, f"{shlex.join(command)}: code {done.returncode}\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return done.stdout


def packages(binaries, folder, **environment):
    """Makes both packages and returns their paths by name."""
    printed = run([os.path.join(ROOT, "scripts", "package"), "--bin", binaries, "--out", folder],
                  env={**os.environ, **environment})
    return {os.path.basename(path).split("_")[0]: path for path in printed.split()}


def content(path):
    with open(path, "rb") as file:
        return file.read()


class System:
    """An installed Debian, in a folder."""

    def __init__(self, folder, cache):
        self.root = os.path.join(folder, "root")
        os.mkdir(self.root, 0o755)
        run(["tar", "-C", self.root, "-xf", cache])
        # Only this process and its children see these.
        for kind, place in (("proc", "proc"), ("tmpfs", "run")):
            run(["mount", "-t", kind, kind, os.path.join(self.root, place)])

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
        return run(self.command(words, **options))

    def owner(self, name):
        found = run(["stat", "-c", "%u:%a", self.path(name)]).strip()
        number, mode = found.split(":")
        by_number = {line.split(":")[2]: line.split(":")[0] for line in self.text("/etc/passwd").splitlines()}
        return by_number[number], mode


def unit(system, name, instance=None, folder="/usr/lib/systemd/system"):
    """What systemd would start: the user, the environment and the words of the command line."""
    text = system.text(f"{folder}/{name}").replace("%i", instance or "")
    values = {}
    for line in text.splitlines():
        if "=" in line and not line.startswith("#"):
            key, value = line.split("=", 1)
            values.setdefault(key, []).append(value)
    environment = dict(part.split("=", 1) for part in values.get("Environment", []))
    for path in values["EnvironmentFile"]:
        joined = re.sub(r"\\\n", " ", system.text(path))
        environment.update(line.split("=", 1) for line in joined.splitlines() if line and not line.startswith("#"))
    if "LoadCredential" in values:
        credential, path = values["LoadCredential"][0].split(":", 1)
        folder = f"/run/credentials/{name}"
        system.write(f"{folder}/{credential}", system.text(path), 0o400)
        account = values["User"][0]
        run(["chroot", system.root, "chown", "-R", account, folder])
        environment["CREDENTIALS_DIRECTORY"] = folder
    words = []
    for word in values["ExecStart"][0].split():
        if whole := re.fullmatch(r"\$(\w+)", word):
            words += environment[whole[1]].split()
        else:
            words.append(re.sub(r"\$\{(\w+)\}", lambda found: environment[found[1]], word))
    return values["User"][0], environment, words


class Service:
    """A unit's command line, running."""

    started = []

    def __init__(self, system, name, instance=None, *more):
        self.name = f"{name} {instance or ''}".strip()
        user, environment, words = unit(system, name, instance)
        self.log = system.path(f"/{instance or name}.log")
        with open(self.log, "w", encoding="utf-8") as log:
            self.process = subprocess.Popen(system.command([*words, *more], user, **environment), stdout=log, stderr=subprocess.STDOUT)
        Service.started.append(self.process)

    def said(self):
        with open(self.log, encoding="utf-8", errors="replace") as file:
            return file.read()

    def until(self, what, holds):
        deadline = time.monotonic() + LATE
        while not holds():
            require(self.process.poll() is None, f"{self.name} ended with {self.process.returncode}: {self.said()[-1500:]}")
            require(time.monotonic() < deadline, f"{self.name}: {what}: not within {LATE} s; it said: {self.said()[-1500:]}")
            time.sleep(0.2)

    def ended(self, code, words):
        """It ends by itself, with this exit code and these words."""
        try:
            found = self.process.wait(LATE)
        except subprocess.TimeoutExpired:
            raise Failed(f"{self.name} goes on; expected “{words}”; it said: {self.said()[-1500:]}") from None
        require(found == code and words in self.said(), f"{self.name} ended with {found}, expected {code} and “{words}”: {self.said()[-1500:]}")

    def stop(self):
        """Asks it to end, as systemd does, and returns its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise Failed(f"{self.name} did not end within a minute: {self.said()[-1500:]}") from None


@contextlib.contextmanager
def no_survivors():
    """Ends every service, however the test ends: none writes into a folder that is being removed."""
    try:
        yield
    finally:
        for process in Service.started:
            process.kill()
            process.wait()


def ask(port, method, *params):
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode()
    request = urllib.request.Request(f"http://127.0.0.1:{port}", body, {"content-type": "application/json"})
    with urllib.request.urlopen(request, timeout=5) as answer:
        return json.load(answer)["result"]


def health(port):
    with contextlib.suppress(OSError):
        return bool(ask(port, "system_health"))
    return False


def final(port):
    """The number of the last final block; none has a node that does not answer."""
    with contextlib.suppress(OSError):
        return int(ask(port, "chain_getHeader", ask(port, "chain_getFinalizedHead"))["number"], 16)
    return 0


def checked_by_systemd(system):
    """Every unit, as installed."""
    names = sorted(os.path.basename(path) for path in glob.glob(system.path("/usr/lib/systemd/system/tos-*")))
    require({"tos-node@.service", "tos-backup@.timer", "tos-backup-failed@.service", *(f"tos-{name}.service" for name in WORKERS)} <= set(names), f"units: {names}")
    # The targets that units name, which a Debian without systemd does not have.
    for path in ("remote-fs.target", "basic.target", "sysinit.target", "shutdown.target", "network-online.target", "multi-user.target", "timers.target"):
        system.write(f"/usr/lib/systemd/system/{path}", "[Unit]\nDescription=of the test\n")
    require(shutil.which("systemd-analyze"), "there is no systemd-analyze; run scripts/setup")
    for name in names:
        found = complaints(system, name)
        require(not found, f"systemd on {name}: {found}")
    miner = system.text("/usr/lib/systemd/system/tos-miner.service")
    for what, right, wrong in (("an option that is none", "Restart=", "Restrat="), ("a program that is not there", "=/usr/bin/tos ", "=/usr/bin/sot "),
                               ("an option of another section", "[Service]", "[Unit]")):
        system.write("/usr/lib/systemd/system/tos-broken.service", miner.replace(right, wrong))
        require(complaints(system, "tos-broken.service"), f"systemd's checker takes {what}")
    os.unlink(system.path("/usr/lib/systemd/system/tos-broken.service"))
    return names


def complaints(system, name):
    """What systemd's checker has against a unit."""
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
        require(code == 0, f"the {role} node ended with {code}")


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
    require(system.owner("/var/lib/tos-worker") == ("tos-worker", "700"), "others can look into the workers' folder")
    # `tos storage init` makes this key, on a node.
    Service(system, "tos-storage.service").ended(2, "no key named `storage-proof`")
    system.run("tos", "--password-file", "/run/password", "keys", "new", "storage-proof", **WORKER)
    services = [Service(system, f"tos-{name}.service") for name in WORKERS]
    for service in services:
        service.until("it waits for its node", lambda service=service: "waiting for the node" in service.said())
    for service in services:
        code = service.stop()
        require(code == 0, f"{service.name}, which waits, ended with {code}: {service.said()}")


def workers_say_what_is_missing(system):
    """Every worker, with its node and with an account that the chain does not know."""
    for name, (ends_with, words) in UNKNOWN.items():
        service = Service(system, f"tos-{name}.service")
        if ends_with is not None:
            service.ended(ends_with, words)
        else:
            service.until(f"it says “{words}”", lambda service=service, words=words: words in service.said())
            code = service.stop()
            require(code == 0, f"{service.name} ended with {code}: {service.said()}")


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
    require('tos_offsite_failed{node="validator"} 0\n' in metrics, f"metrics: {metrics}")
    made, = os.listdir(system.path(to))
    require(os.path.exists(system.path(f"{to}/{made}/head.json")), "the unit notes no head of its node for the drill")
    # And one that fails, as long as nothing is mounted.
    system.write("/etc/tos/backup.env", settings + "TOS_BACKUP_NOTIFY=cat >/tmp/notice\n")
    Service(system, "tos-backup@.service", "validator").ended(1, "nothing is mounted there")
    require(system.text("/var/lib/tos-metrics/offsite-validator.prom") == metrics.replace("failed{node=\"validator\"} 0", "failed{node=\"validator\"} 1"),
            "a failure is not told, or forgets the last success")
    Service(system, "tos-backup-failed@.service", "validator").ended(0, "<2>the off-site backup of the node (validator) failed")
    require(json.loads(system.text("/tmp/notice"))["facts"] == {"node": "validator"}, "nobody is notified")
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
    require(codes == [0] * len(codes), f"nodes ended with {codes}")


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
    """What `systemctl enable` does."""
    for link in (*ENABLED, ANOTHER):
        path = system.path(f"/etc/systemd/system/{link}")
        os.makedirs(os.path.dirname(path), exist_ok=True)
        if not os.path.islink(path):
            template = re.sub(r"@\w+", "@", os.path.basename(link))
            os.symlink(f"/usr/lib/systemd/system/{template}", path)
    require(enabled(system) == sorted((*ENABLED, ANOTHER)), f"enabled are {enabled(system)}")


def an_upgrade_keeps_changes_and_leaves_running_what_runs(system, newer):
    system.write("/etc/tos/rpc.env", system.text("/etc/tos/rpc.env") + CHANGE)
    enable(system)
    systemd = Systemd(system, "tos-node@validator.service", "tos-miner.service", "cron.service")
    told = install(system, newer)
    require(system.text("/etc/tos/rpc.env").endswith(CHANGE), "an upgrade took a change of a template back")
    versions = {name: system.run("dpkg-query", "-W", "-f=${Version}", name) for name in newer}
    require(all(f"_{version}_" in newer[name] for name, version in versions.items()), f"installed are {versions}")
    for verb in ("stop", "restart", "try-restart", "start"):
        require(not systemd.asked(verb), f"an upgrade did {systemd.asked(verb)}")
    require(systemd.asked("daemon-reload"), "an upgrade does not tell systemd of new units")
    for name in ("tos-node: still the program from before the upgrade: tos-node@validator.service\n",
                 "tos: still the program from before the upgrade: tos-miner.service\n"):
        require(name in told, f"an upgrade does not say what is to be restarted: {told}")
    require(enabled(system) == sorted((*ENABLED, ANOTHER)), f"after an upgrade these are enabled: {enabled(system)}")
    systemd.gone()


def a_removal_stops_and_disables_and_keeps_settings(system):
    systemd = Systemd(system, "tos-node@validator.service", "tos-miner.service", "tos-backup@validator.timer")
    system.run("dpkg", "--remove", "tos-node", "tos")
    stopped = " ".join(systemd.asked("stop"))
    for pattern in ("tos-node@*.service", "tos-backup@*.timer", "tos-backup@*.service", *(f"tos-{name}.service" for name in WORKERS)):
        require(pattern in stopped.split(), f"a removal does not stop {pattern}: {stopped}")
    for line in systemd.asked("stop"):
        of_package = "tos-node" if "tos-node@*.service" in line else "tos"
        require(of_package in line.partition(" stop ")[0].split(), f"stopped when its program was gone: {line}")
    require(enabled(system) == [ANOTHER], f"after a removal these are enabled: {enabled(system)}")
    require(not os.path.exists(system.path("/usr/bin/tos-node")) and system.text("/etc/tos/rpc.env").endswith(CHANGE),
            "a removal left the program or took the settings")
    systemd.gone()


def a_purge_names_what_it_leaves(system):
    secret, = glob.glob(system.path("/var/lib/tos/validator/chains/*/network/secret_ed25519"))
    kept = {path: content(path) for path in (secret, *(system.path(name) for name in ("/etc/tos/chain.json", "/etc/tos/workers/password")))}
    keys = sorted(os.listdir(system.path("/var/lib/tos-worker/keys")))
    require(len(keys) == 3, f"keys: {keys}")
    told = system.run("dpkg", "--purge", "tos-node", "tos")
    left = sorted(path for path in glob.glob(system.path("/etc/tos/**"), recursive=True) if not os.path.isdir(path))
    require(left == sorted(set(kept) - {secret}), f"a purge left {left}")
    require(not os.path.exists(system.path("/var/lib/tos-metrics")), "a purge left metrics")
    for path in kept:
        require(content(path) == kept[path], f"a purge changed {path}")
    require(sorted(os.listdir(system.path("/var/lib/tos-worker/keys"))) == keys, "a purge took keys")
    lines = told.splitlines()
    for name in ("/etc/tos/chain.json", "/etc/tos/workers/password"):
        require(lines.count(name) == 1, f"a purge does not say, once, that {name} stays: {told}")
    for name in ("tos-node: keys and data stay in /var/lib/tos;", "tos: keys and data stay in /var/lib/tos-worker;"):
        require(name in told, f"a purge does not say where the keys are: {told}")


def keep(system, debs, newer):
    """Upgrade, removal, purge and installation again. Without systemd as well, as in a container."""
    an_upgrade_keeps_changes_and_leaves_running_what_runs(system, newer)
    say("an upgrade keeps changes, leaves running what runs and names it")
    a_removal_stops_and_disables_and_keeps_settings(system)
    say("a removal stops and disables, and keeps settings")
    install(system, newer)
    require(system.text("/etc/tos/rpc.env").endswith(CHANGE), "installed again, a change is gone")
    require(enabled(system) == [ANOTHER], f"installed again, these start by themselves: {enabled(system)}")
    enable(system)
    a_purge_names_what_it_leaves(system)
    require(enabled(system) == [ANOTHER], f"after a purge without systemd these are enabled: {enabled(system)}")
    say("a purge takes the templates, keeps what is not the packages' and names it")
    install(system, debs)
    require(CHANGE not in system.text("/etc/tos/rpc.env"), "a purge kept a template")
    shown = system.run("tos", "keys", "list", **WORKER)
    require("storage-proof" in shown and system.owner("/var/lib/tos") == ("tos", "700"), f"installed again, the keys are not the worker's: {shown}")
    say("installed again, they find what was kept")


def test(options, folder):
    binaries = os.path.abspath(options.bin)
    first, second, third = (os.path.join(folder, name) for name in ("first", "second", "newer"))
    debs, again = packages(binaries, first), packages(binaries, second)
    require(sorted(debs) == ["tos", "tos-node"], f"packages: {debs}")
    for name, path in debs.items():
        require(content(path) == content(again[name]), f"{name} is not the same bytes when it is made again")
    say("two packages, the same bytes twice")
    newer = packages(binaries, third, SOURCE_DATE_EPOCH=str(int(time.time())))
    system = System(folder, options.root_cache)
    install(system, debs)
    for name in ("/etc/tos/validator.env", "/usr/bin/tos-node", "/usr/bin/tos", "/usr/lib/tos/backup", "/usr/lib/tos/new-network", "/usr/lib/tos/offsite"):
        require(system.owner(name)[0] == "root", f"{name} is not root's")
    require(system.owner("/var/lib/tos") == ("tos", "700"), "others can look into the nodes' folder")
    say("installed")
    names = checked_by_systemd(system)
    say(f"{len(names)} units are checked, and broken ones are found")
    use(system)
    keep(system, debs, newer)


def apart(words):
    """`words`, in a network and a PID namespace of its own. When they end, or this does, all that they started ends."""
    return ["setpriv", "--pdeathsig", "KILL", "--", "unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "--", *words]


def again_apart(inside):
    """This program once more, apart and with the variable `inside` set; its exit code."""
    with subprocess.Popen(apart([sys.executable, *sys.argv]), env={**os.environ, inside: "1"}) as process:
        # `unshare` is deaf to this. The test is its only child.
        def pass_on(number, _):
            with open(f"/proc/{process.pid}/task/{process.pid}/children", encoding="ascii") as file:
                for child in file.read().split():
                    os.kill(int(child), number)

        signal.signal(signal.SIGTERM, pass_on)
        return process.wait()


def nothing_outlives_a_failed_test():
    """A service in a session of its own, and a test that fails while it runs."""
    mark = f"86400.{os.getpid()}"
    failing = f"import subprocess\nsubprocess.Popen(['sleep', '{mark}'], start_new_session=True)\nraise SystemExit(7)"
    done = subprocess.run(apart([sys.executable, "-c", failing]), timeout=LATE, check=False)
    require(done.returncode == 7, f"the exit code of a test is lost: {done.returncode}")
    for path in glob.glob("/proc/[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            require(mark.encode() not in content(path), "a service outlives its test")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", required=True, metavar="DIR", help="folder of tos-node and tos")
    # Another list of packages is another system.
    kind = hashlib.sha256(INCLUDED.encode()).hexdigest()[:8]
    parser.add_argument("--root-cache", metavar="FILE", help="where a minimal Debian is kept",
                        default=os.path.join(os.path.expanduser("~"), ".cache", f"tos-debian-{SUITE}-{kind}.tar"))
    options = parser.parse_args()
    if os.geteuid() != 0:
        print("package: not tried, it takes root", file=sys.stderr)
        return 1
    if INSIDE not in os.environ:
        return outside(options)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    run(["ip", "link", "set", "lo", "up"])
    with tempfile.TemporaryDirectory(prefix="tos-package-") as folder:
        try:
            with no_survivors():
                test(options, folder)
        except Failed as failure:
            print(f"package: {failure}", file=sys.stderr)
            return 1
        finally:
            for place in ("proc", "run"):
                subprocess.run(["umount", os.path.join(folder, "root", place)], check=False, capture_output=True)
    print(json.dumps({"package": "ok"}))
    return 0


def outside(options):
    """What needs the network, and then the test in its namespaces."""
    if not os.path.exists(options.root_cache):
        with tempfile.TemporaryDirectory(prefix="tos-package-") as folder:
            made = os.path.join(folder, "made")
            run(["debootstrap", "--variant=minbase", f"--include={INCLUDED}", SUITE, made])
            os.makedirs(os.path.dirname(options.root_cache), exist_ok=True)
            # Under another name first: an interrupted run leaves no half of a system.
            run(["tar", "-C", made, "-cf", options.root_cache + ".new", "."])
            os.rename(options.root_cache + ".new", options.root_cache)
    try:
        nothing_outlives_a_failed_test()
    except Failed as failure:
        print(f"package: {failure}", file=sys.stderr)
        return 1
    return again_apart(INSIDE)


if __name__ == "__main__":
    sys.exit(main())
