# SPDX-License-Identifier: Apache-2.0
"""Follows docs/operations.md, from "By hand" to "A network of others", on a machine of its own: what the text has people type
is run as it stands, in its order, and in the end there must be a validator that makes and finalises blocks and an RPC
node with a peer, which follows it. Three times: under systemd, without it, and in containers. A validator of a network of others must start.

The machine is this one's system as if newly installed: what is written goes to a temporary folder, and there are no
other processes and no network but its own, so that all ports are free. Neither systemd nor a container engine runs
there. `systemctl` starts what the installed unit says (as test_package.py does), and `docker` is tos_harness/containers.py.
It takes root. $TOS_INSTALL_TEXT is followed instead of docs/operations.md.
"""

import base64
import contextlib
import json
import os
import re
import shutil
import signal
import socketserver
import subprocess
import tempfile
import threading
from pathlib import Path

import pytest

from tos_harness import apart
from tos_harness.containers import PATH, Engine, layers, system
from tos_harness.paths import ROOT
from tos_harness.process import LOGS, run
from tos_harness.report import Progress
from tos_harness.rpc import Rpc, Unreachable, envelope
from tos_harness.systemd import unit
from tos_harness.wait import Failed, check, eventually

TEXT = Path(os.environ.get("TOS_INSTALL_TEXT") or ROOT / "docs/operations.md")
# The machine's places of the checkout and the programs built from it.
HOME = "/root"
CHECKOUT = HOME + "/tos"
# A network that only its specification is known of.
OTHERS = "TOS Testnet"
say = Progress().say
# The stand-in for `systemctl` and `docker`: asks this test to do it.
CALL = """#!/usr/bin/python3
import base64, json, os, socket, sys
with socket.socket(socket.AF_UNIX) as sock:
    sock.connect("/run/test")
    given = b"" if sys.stdin.isatty() else sys.stdin.buffer.read()
    words = [os.path.basename(sys.argv[0]), *sys.argv[1:]]
    sock.sendall(json.dumps([words, os.getcwd(), base64.b64encode(given).decode()]).encode() + b"\\n")
    code, out, err = json.loads(sock.makefile().readline())
sys.stdout.buffer.write(base64.b64decode(out))
sys.stderr.buffer.write(base64.b64decode(err))
sys.exit(code)
"""


def blocks(text, heading):
    """The commands under a heading, block by block, and of what is below it."""
    found = re.search(rf"^(#+) {re.escape(heading)}$", text, re.MULTILINE)
    assert found, f"there is no “{heading}” in the text"
    commands = []
    # Prose and commands take turns; a comment among the commands is no heading.
    for number, part in enumerate(re.split(r"^```(?:sh)?\n", text[found.end():], flags=re.MULTILINE)):
        if number % 2:
            commands.append(part)
        elif re.search(rf"^#{{1,{len(found.group(1))}}} ", part, re.MULTILINE):
            break
    return commands


class Machine:
    """A newly installed system, and a person at its shell."""

    def __init__(self, folder, binaries):
        self.root = system(os.path.join(folder, "machine"), "/")
        # The same where TOS is installed already.
        subprocess.run(["chroot", self.root, "userdel", "tos"], capture_output=True, check=False)
        for path in ("etc/tos", "var/lib/tos", "usr/lib/tos"):
            run("rm", "-rf", os.path.join(self.root, path))
        home = os.path.join(folder, "home")
        os.mkdir(home)
        run("mount", "--bind", home, self.root + HOME)
        programs = self.root + HOME + "/.cache/tos-target/release"
        for path, source in ((self.root + CHECKOUT, layers(os.path.join(folder, "checkout"), str(ROOT))), (programs, binaries)):
            os.makedirs(path)
            run("mount", "--bind", source, path)
        run("mount", "-o", "remount,bind,ro", programs)
        run("mount", "-t", "tmpfs", "tmpfs", self.root + "/run")
        run("mount", "-t", "tmpfs", "tmpfs", self.root + "/tmp")
        for name in ("systemctl", "docker"):
            self.write(f"/usr/local/sbin/{name}", CALL, 0o755)
        self.services, self.codes = {}, {}
        self.engine = Engine(os.path.join(folder, "engine"), binaries)
        self.serve()
        self.shell = subprocess.Popen(
            ["env", "-i", f"PATH={PATH}", f"HOME={HOME}", "chroot", self.root, "bash", "--noprofile", "--norc"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.type(f"cd {CHECKOUT}")

    def path(self, name):
        return self.root + name

    def text(self, name):
        with open(self.path(name), encoding="utf-8") as file:
            return file.read()

    def write(self, name, text, mode=0o644):
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(self.path(name), mode)

    def type(self, block):
        """Types a block; fails when one of its commands does. Returns what was printed."""
        end = "end of the block"
        self.write("/run/block", block)
        # A person does not type `set -e`: each command is looked at, and the shell goes on. What reads the keyboard finds nothing there.
        self.shell.stdin.write(f"set -E; trap 'echo \"{end}: $?\"' ERR\n. /run/block </dev/null\ntrap - ERR; echo; echo '{end}'\n")
        self.shell.stdin.flush()
        printed, failed = [], False
        for line in self.shell.stdout:
            if line.startswith(end + ":"):
                failed = True
            elif line.startswith(end):
                check(not failed, f"a command of the text failed:\n{block}It printed:\n{''.join(printed)[-1500:]}")
                return "".join(printed)
            else:
                printed.append(line)
        raise Failed(f"the shell ended in:\n{block}")

    # --- what stands in ---------------------------------------------------------------------

    def serve(self):
        machine = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self):
                words, cwd, given = json.loads(self.rfile.readline())
                try:
                    code, out, err = machine.call(words, cwd, base64.b64decode(given))
                except Exception as error:  # noqa: BLE001
                    code, out, err = 1, b"", f"{words[0]}: {error}\n".encode()
                answer = [code, base64.b64encode(out).decode(), base64.b64encode(err).decode()]
                self.wfile.write(json.dumps(answer).encode() + b"\n")

        server = socketserver.ThreadingUnixStreamServer(self.path("/run/test"), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()

    def call(self, words, cwd, given):
        if words[0] == "docker":
            # The checkout is where it is for everybody.
            return self.engine.docker(words[1:], self.path(cwd), given)
        action, *names = words[1:]
        if action == "enable":
            assert names.pop(0) == "--now", f"{words}: not known here"
        for name in names:
            if action in ("enable", "start"):
                self.start(name)
            else:
                assert action == "stop", f"{words}: not known here"
                self.stop(name)
        return 0, b"", b""

    def start(self, name):
        """Does what systemd does for a unit: its folders, and its command as its user."""
        template, instance = name.split("@")
        user, environment, words = unit(self, f"{template}@.service", instance, "/etc/systemd/system")
        for line in self.text(f"/etc/systemd/system/{template}@.service").replace("%i", instance).splitlines():
            if line.startswith("StateDirectory="):
                for folder in line.partition("=")[2].split():
                    run("chroot", self.root, "install", "-d", "-o", user, "-g", user, "-m", "700", f"/var/lib/{folder}")
        clean = [f"{key}={value}" for key, value in {"PATH": PATH, **environment}.items()]
        with open(self.log(instance), "ab") as log:
            self.services[name] = subprocess.Popen(["env", "-i", *clean, "chroot", f"--userspec={user}:{user}", self.root, *words],
                                                   stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def stop(self, name):
        self.services[name].send_signal(signal.SIGTERM)
        self.codes[name] = self.services.pop(name).wait(60)

    def log(self, role):
        path = Path(self.path(f"/var/log/tos-{role}.log"))
        LOGS[path] = None
        return path

    def close(self):
        for process in (*self.services.values(), *(c.process for c in self.engine.running.values()), self.shell):
            process.kill()
            process.wait()


# --- what must hold -------------------------------------------------------------------------


class ContainerRpc(Rpc):
    """A node's RPC from inside of its container, where alone it listens."""

    def __init__(self, container):
        super().__init__("127.0.0.1:9944")
        self.container = container

    def reply(self, method, *params, limit=0):
        said = self.container.run(["curl", "-s", "-H", "content-type: application/json", self.http, "-d", json.dumps(envelope(method, params))])[1]
        try:
            return json.loads(said)
        except ValueError as error:
            raise Unreachable(f"{method}: {said[:200]}") from error


VALIDATOR, FULL = Rpc("127.0.0.1:9944"), Rpc("127.0.0.1:9945")


def works(validator, rpc, running):
    """The validator makes blocks and finalises them, and the RPC node has it as a peer and the same blocks."""
    def alive():
        ended = [name for name, code in running().items() if code is not None]
        assert not ended, f"{ended} ended"

    def comes(what, probe):
        eventually(what, probe, alive=alive)

    comes("both nodes answer", lambda: validator("system_health") and rpc("system_health"))
    goal = validator.number() + 2
    comes("the validator makes blocks", lambda: validator.number() >= goal)
    comes("the validator finalises blocks", lambda: validator.final()[0] >= goal)
    comes("the RPC node has a peer", lambda: rpc("system_health")["peers"] >= 1)
    comes("the RPC node follows", lambda: rpc.final()[0] >= goal)
    ours, theirs = validator("chain_getBlockHash", goal), rpc("chain_getBlockHash", goal)
    assert ours == theirs, f"block {goal} is {ours} for one and {theirs} for the other"
    return goal


def look(machine, block):
    """The places that the text has people look at say so, too."""
    printed = eventually("what the text looks at is as it says", lambda: looked(machine, block))
    assert '"ready": true' in printed, f"not ready: {printed}"
    return printed


def looked(machine, block):
    # A node may still be a block behind for a moment.
    with contextlib.suppress(Failed):
        return machine.type(block)
    return None


def by_systemd(machine, text):
    sections = blocks(text, "A network of your own on one machine")
    assert len(sections) == 10, f"the text has {len(sections)} blocks of commands, ten are known here"
    make, begin, see, end, bare, stop = sections[:6]
    machine.type(make)
    again = refusal(machine, make)
    assert "tos-account.json: cannot overwrite" in again and "chain.json is there already" in again, f"the text, once more, does: {again}"
    say("the network is made")
    machine.type(begin)
    assert sorted(machine.services) == ["tos-node@rpc", "tos-node@validator"], f"started is {list(machine.services)}"
    goal = works(VALIDATOR, FULL, lambda: {name: process.poll() for name, process in machine.services.items()})
    printed = look(machine, see)
    assert '"peers":1' in printed.replace(" ", ""), f"without a peer: {printed}"
    words = {name.partition("@")[2]: command_line(process.pid) for name, process in machine.services.items()}
    say(f"by systemd: block {goal} is final on both")
    machine.type(end)
    assert machine.codes == {"tos-node@validator": 0, "tos-node@rpc": 0}, f"stopped, they ended with {machine.codes}"
    without_systemd(machine, (bare, stop), words, goal)
    return sections[6:]


def without_systemd(machine, commands, words, before):
    bare, stop = commands
    machine.type(bare)
    pids = [int(pid) for pid in machine.type("jobs -p").split()]
    assert len(pids) == 2, f"started are {pids}"

    def running():
        return {pid: None if os.path.exists(f"/proc/{pid}/exe") else 1 for pid in pids}

    goal = works(VALIDATOR, FULL, running)
    assert goal > before, "the chain began again"
    same = dict(zip(("validator", "rpc"), map(command_line, pids), strict=True))
    assert same == words, f"not what the unit runs: {same}, {words}"
    # As in the text, but with the code of each.
    assert stop.split() == "kill $(jobs -p) wait".split(), f"they are stopped by {stop}"
    codes = machine.type("kill $(jobs -p)\n" + "\n".join(f"wait {pid}; echo $?" for pid in pids)).split()
    assert codes == ["0", "0"], f"stopped, they ended with {codes}"
    say(f"without systemd: the same commands, and block {goal}")


def command_line(pid):
    """The arguments that a node was started with; the wrappers before it are gone by then."""
    with open(f"/proc/{pid}/cmdline", encoding="utf-8") as file:
        name, *arguments = file.read().split("\0")[:-1]
    return [os.path.basename(name), *arguments]


def refusal(machine, block):
    try:
        machine.type(block)
    except Failed as failed:
        return str(failed)
    return ""


def in_containers(machine, commands):
    make, see, end, others = commands
    machine.type(make)
    engine = machine.engine
    assert sorted(engine.running) == ["rpc", "validator"], f"up is {list(engine.running)}"
    nodes = {name: ContainerRpc(container) for name, container in engine.running.items()}
    goal = works(nodes["validator"], nodes["rpc"], lambda: {name: c.process.poll() for name, c in engine.running.items()})
    look(machine, see)
    for name, container in engine.running.items():
        code = eventually(f"{name} is healthy", lambda c=container: c.run(engine.image.health)[0] == 0)
        assert code, f"{name} is not healthy"
    machine.type(end)
    assert engine.codes == {"validator": 0, "rpc": 0}, f"stopped, they ended with {engine.codes}"
    say(f"in containers: block {goal} is final on both")
    machine.type(others)
    machine.type("docker compose -f ops/docker/compose.yml up --detach")
    joined(ContainerRpc(engine.running["validator"]))
    machine.type("docker compose -f ops/docker/compose.yml down")
    assert engine.codes == {"validator": 0, "rpc": 0}, f"stopped, those on another network ended with {engine.codes}"
    say("in containers: the validator of another network starts")


def joined(validator):
    """A validator is on the network of others, alone, and it has no session keys: it waits at the beginning."""
    name = eventually("the validator of another network answers", lambda: validator("system_chain"))
    assert name == OTHERS, f"the validator is on {name}"
    assert validator.number() == 0, "a validator without session keys makes blocks"


def of_others(machine, text):
    machine.type("tos-node export-chain-spec --chain testnet --raw --output chain.json")
    machine.type(blocks(text, "A network of others")[0])
    joined(VALIDATOR)
    machine.type("systemctl stop tos-node@validator")
    assert machine.codes["tos-node@validator"] == 0, f"stopped, it ended with {machine.codes}"
    say("by systemd: the validator of another network starts")


def mounted(folder):
    """Places below a folder where something is mounted, the last first."""
    with open("/proc/self/mounts", encoding="utf-8") as file:
        return [place for place in (line.split()[1] for line in file) if place.startswith(folder)][::-1]


@pytest.fixture
def machine(binaries):
    run("ip", "link", "set", "lo", "up")
    run("mount", "-t", "tmpfs", "tmpfs", "/run")
    folder = tempfile.mkdtemp(prefix="tos-install-")
    os.chmod(folder, 0o755)
    try:
        machine = Machine(folder, binaries)
        try:
            yield machine
        finally:
            machine.close()
    finally:
        for place in mounted(folder):
            subprocess.run(["umount", "--lazy", place], check=False, capture_output=True)
        # Nothing of the machine's is in the folder any more, or it stays.
        if not mounted(folder):
            shutil.rmtree(folder, ignore_errors=True)


@pytest.mark.skipif(apart.inside(), reason="only outside")
def test_the_documentation_in_namespaces(binaries):
    """The test below. With the first process of its namespaces everything in them ends."""
    assert os.geteuid() == 0, "not tried, it takes root"
    assert apart.again(f"{__file__}::test_the_documentation", "--bin", str(binaries)) == 0


@pytest.mark.skipif(not apart.inside(), reason="in namespaces only")
def test_the_documentation(machine):
    text = TEXT.read_text(encoding="utf-8")
    machine.type(blocks(text, "By hand")[0])
    say("installed by hand")
    containers = by_systemd(machine, text)
    of_others(machine, text)
    in_containers(machine, containers)
