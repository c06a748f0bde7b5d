#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The Debian packages: made twice, installed, used, upgraded, removed and purged in a system of its own.

    tests/package.py --bin DIR [--root-cache FILE]

No systemd runs here. So every unit is checked by systemd's own checker, and the command line of every unit is started
as systemd would: with its environment file, as its user, in the installed system. The nodes must answer on their ports
and the workers must find them. It takes root, and a network of its own, so that the ports of the templates are free.
"""

import argparse
import glob
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
SUITE, INCLUDED = "bookworm", "libssl3,libstdc++6,ca-certificates,adduser"
# The network namespace is made by starting this again, with this set.
INSIDE = "TOS_PACKAGE_TEST_INSIDE"


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

    def __init__(self, system, name, instance=None):
        self.name = f"{name} {instance or ''}".strip()
        user, environment, words = unit(system, name, instance)
        self.log = system.path(f"/{instance or name}.log")
        with open(self.log, "w", encoding="utf-8") as log:
            self.process = subprocess.Popen(system.command(words, user, **environment), stdout=log, stderr=subprocess.STDOUT)

    def said(self):
        with open(self.log, encoding="utf-8", errors="replace") as file:
            return file.read()

    def until(self, what, holds, ends=False):
        deadline = time.monotonic() + LATE
        while not holds():
            ended = self.process.poll() is not None
            # Once more: it may have said it just before it ended.
            if ended and ends and holds():
                return
            require(not ended, f"{self.name} ended with {self.process.returncode}: {self.said()[-1500:]}")
            require(time.monotonic() < deadline, f"{self.name}: {what}: not within {LATE} s; it said: {self.said()[-1500:]}")
            time.sleep(0.2)

    def stop(self):
        """Asks it to end, as systemd does, and returns its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise Failed(f"{self.name} did not end within a minute: {self.said()[-1500:]}") from None


def health(port):
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "system_health", "params": []}).encode()
    request = urllib.request.Request(f"http://127.0.0.1:{port}", body, {"content-type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:
            return "result" in json.load(answer)
    except OSError:
        return False


def checked_by_systemd(system):
    """Every unit, as installed."""
    names = sorted(os.path.basename(path) for path in glob.glob(system.path("/usr/lib/systemd/system/tos-*")))
    require({"tos-node@.service", "tos-backup@.timer", *(f"tos-{name}.service" for name in WORKERS)} <= set(names), f"units: {names}")
    # The targets that units name, which a Debian without systemd does not have.
    for path in ("remote-fs.target", "basic.target", "sysinit.target", "shutdown.target", "network-online.target", "multi-user.target", "timers.target"):
        system.write(f"/usr/lib/systemd/system/{path}", "[Unit]\nDescription=of the test\n")
    if not shutil.which("systemd-analyze"):
        say("no systemd-analyze here: units are not checked by it")
        return names
    for name in names:
        of_role = name.replace("@.", "@validator.")
        done = subprocess.run(["systemd-analyze", "verify", "--man=no", f"--root={system.root}", of_role],
                              capture_output=True, text=True, timeout=LATE, check=False)
        ours = [line for line in done.stderr.splitlines() if "tos-" in line]
        require(done.returncode == 0 and not ours, f"systemd on {name}: {done.stderr}")
    return names


def install(system, debs):
    for path in debs.values():
        os.link(path, system.path("/" + os.path.basename(path)))
    names = ["/" + os.path.basename(path) for path in debs.values()]
    system.run("dpkg", "-i", *names)
    for name in names:
        os.unlink(system.path(name))


def nodes(system):
    """Every role, from its template, on the ports that the templates name. Those that workers need go on."""
    chain = system.run("tos-node", "export-chain-spec", "--chain", "dev-fast", "--raw")
    system.write("/etc/tos/chain.json", chain)
    system.run("install", "-d", "-o", "tos", "-g", "tos", "-m", "700", "/var/lib/tos/validator")
    system.run("tos-node", "key", "generate-node-key", "--chain", "/etc/tos/chain.json", "--base-path", "/var/lib/tos/validator", user="tos")
    services = {role: Service(system, "tos-node@.service", role) for role in ROLES}
    for role, port in ROLES.items():
        services[role].until(f"it answers on port {port}", lambda port=port: health(port))
    # Those that no worker needs.
    for role in ("rpc", "archive", "timekeeper"):
        code = services.pop(role).stop()
        require(code == 0, f"the {role} node ended with {code}")
    return list(services.values())


def workers(system):
    """Every worker, without a node and with one."""
    system.write("/etc/tos/workers/password", PASSWORD + "\n", 0o600)
    system.write("/run/password", PASSWORD + "\n", 0o644)
    worker = {"user": "tos-worker", "TOS_DATA_DIR": "/var/lib/tos-worker"}
    for name in ("worker", "validator"):
        system.run("tos", "--password-file", "/run/password", "keys", "new", name, **worker)
    require(system.owner("/var/lib/tos-worker") == ("tos-worker", "700"), "others can look into the workers' folder")
    waiting = Service(system, "tos-audit.service")
    waiting.until("it waits for its node", lambda: "wait" in waiting.said().lower())
    require(waiting.stop() == 0, f"a worker that waits ended with {waiting.process.returncode}: {waiting.said()}")
    return {"miner": "connected", "judge": "connected", "storage": "storage-proof", "audit": "connected"}


def use(system):
    expected = workers(system)
    say("a worker waits for its node and ends when it is asked to")
    running = nodes(system)
    say(f"all {len(ROLES)} roles start from their templates")
    try:
        for name, words in expected.items():
            service = Service(system, f"tos-{name}.service")
            service.until(f"it says “{words}”", lambda service=service, words=words: words in service.said(), ends=True)
            service.stop()
        say(f"all {len(WORKERS)} workers find their nodes or say what is missing")
    finally:
        codes = [service.stop() for service in running]
    require(codes == [0] * len(codes), f"nodes ended with {codes}")


def keep(system, debs, newer):
    """An upgrade keeps what was changed; a removal keeps it too; a purge keeps what cannot be made again."""
    template = system.text("/etc/tos/rpc.env")
    system.write("/etc/tos/rpc.env", template + "# changed here\n")
    install(system, newer)
    require(system.text("/etc/tos/rpc.env").endswith("# changed here\n"), "an upgrade took a change of a template back")
    versions = {name: system.run("dpkg-query", "-W", "-f=${Version}", name) for name in debs}
    require(all(f"_{version}_" in newer[name] for name, version in versions.items()), f"installed are {versions}")
    secret, keys = glob.glob(system.path("/var/lib/tos/validator/chains/*/network/secret_ed25519")), system.path("/var/lib/tos-worker/keys")
    require(secret and os.path.isdir(keys), "there are no keys to keep")
    system.run("dpkg", "--remove", "tos-node", "tos")
    require(not os.path.exists(system.path("/usr/bin/tos-node")) and os.path.exists(system.path("/etc/tos/rpc.env")),
            "a removal left the program or took the settings")
    told = system.run("dpkg", "--purge", "tos-node", "tos")
    require(not glob.glob(system.path("/etc/tos/*.env")) and not glob.glob(system.path("/etc/tos/workers/*.env")), "a purge left templates")
    require(os.path.exists(secret[0]) and os.listdir(keys), "a purge took keys")
    require(told.count("stay in") == 2, f"a purge does not say where the keys are: {told}")


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
    say(f"{len(names)} units are checked")
    use(system)
    keep(system, debs, newer)
    say("an upgrade and a removal keep what was changed, a purge keeps keys and data")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", required=True, metavar="DIR", help="folder of tos-node and tos")
    parser.add_argument("--root-cache", metavar="FILE", help="where a minimal Debian is kept",
                        default=os.path.join(os.path.expanduser("~"), ".cache", f"tos-debian-{SUITE}.tar"))
    options = parser.parse_args()
    if os.geteuid() != 0:
        print("package: not tried, it takes root", file=sys.stderr)
        return 1
    if INSIDE not in os.environ:
        if not os.path.exists(options.root_cache):
            # It needs the network, which there is none of inside.
            with tempfile.TemporaryDirectory(prefix="tos-package-") as folder:
                made = os.path.join(folder, "made")
                run(["debootstrap", "--variant=minbase", f"--include={INCLUDED}", SUITE, made])
                os.makedirs(os.path.dirname(options.root_cache), exist_ok=True)
                # Under another name first: an interrupted run leaves no half of a system.
                run(["tar", "-C", made, "-cf", options.root_cache + ".new", "."])
                os.rename(options.root_cache + ".new", options.root_cache)
        os.environ[INSIDE] = "1"
        os.execvp("unshare", ["unshare", "--net", "--mount", "--", sys.executable, *sys.argv])
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    run(["ip", "link", "set", "lo", "up"])
    with tempfile.TemporaryDirectory(prefix="tos-package-") as folder:
        try:
            test(options, folder)
        except Failed as failure:
            print(f"package: {failure}", file=sys.stderr)
            return 1
        finally:
            for place in ("proc", "run"):
                subprocess.run(["umount", os.path.join(folder, "root", place)], check=False, capture_output=True)
    print(json.dumps({"package": "ok"}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
