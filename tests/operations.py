#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What operators are given holds: templates name only arguments that exist, units and container files are sound, a
public RPC node is closed where it should be, readiness is told by exit code, and a backup of a running node restores
to the same state.

    tests/operations.py --bin DIR
"""

import argparse
import configparser
import contextlib
import http.client
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
OPS = os.path.join(ROOT, "ops")
sys.path.insert(0, os.path.join(ROOT, "zombienet"))

from network import Failed, free_port  # noqa: E402

FLAG = re.compile(r"--[a-z][a-z0-9-]*")


def check(holds, what):
    """Fails unless it holds."""
    if not holds:
        raise Failed(what)


def text(*parts):
    """The text of a file of the repository."""
    with open(os.path.join(ROOT, *parts), encoding="utf-8") as file:
        return file.read()


def template(role):
    """The arguments in a role's template, as systemd reads them."""
    joined = re.sub(r"\\\n", " ", text("ops", "config", f"{role}.env"))
    values = dict(line.split("=", 1) for line in joined.splitlines() if line and not line.startswith("#"))
    return values["TOS_CHAIN"], values["TOS_ARGS"].split()


ROLES = sorted(name[:-4] for name in os.listdir(os.path.join(OPS, "config")))


class Node:
    """A node of a development chain, or of another, started from a template."""

    def __init__(self, binary, folder, role, chain="dev-fast", **changed):
        self.base = os.path.join(folder, f"{role}-{free_port()}")
        self.rpc, self.metrics = free_port(), free_port()
        arguments = " ".join(template(role)[1])
        changed = {"base-path": self.base, "port": free_port(), "rpc-port": self.rpc,
                   "prometheus-port": self.metrics, **changed}
        for name, value in changed.items():
            arguments, count = re.subn(rf"--{name} \S+", f"--{name} {value}", arguments)
            check(count == 1, f"the template of {role} has no --{name}")
        self.command = [binary, "--chain", chain, *arguments.split(), "--no-private-ip"]
        self.log = open(self.base + ".log", "w", encoding="utf-8")  # noqa: SIM115
        self.process = None

    def start(self, *more):
        """Starts it and waits until it answers."""
        self.process = subprocess.Popen([*self.command, *more], stdout=self.log, stderr=subprocess.STDOUT)
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            check(self.process.poll() is None, f"a node ended; its log is {self.log.name}")
            with contextlib.suppress(OSError, ValueError):
                self.ask("system_health")
                return self
            time.sleep(0.3)
        raise Failed(f"a node does not answer; its log is {self.log.name}")

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def post(self, body, **headers):
        """Status, headers and body of a request."""
        connection = http.client.HTTPConnection("127.0.0.1", self.rpc, timeout=20)
        try:
            connection.request("POST", "/", body, {"content-type": "application/json", **headers})
            answer = connection.getresponse()
            return answer.status, dict(answer.getheaders()), answer.read().decode(errors="replace")
        finally:
            connection.close()

    def ask(self, method, *params):
        """The reply to one JSON-RPC call."""
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
        return json.loads(self.post(body)[2])

    def result(self, method, *params):
        reply = self.ask(method, *params)
        check("result" in reply, f"{method}: {reply}")
        return reply["result"]

    def refusal(self, method, *params):
        """The code of the error that a call gets."""
        reply = self.ask(method, *params)
        check("error" in reply, f"{method} is answered: {reply}")
        return reply["error"]["code"]

    def until(self, height):
        """Waits for a final block of at least this number."""
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            header = self.result("chain_getHeader", self.result("chain_getFinalizedHead"))
            if int(header["number"], 16) >= height:
                return int(header["number"], 16)
            time.sleep(0.3)
        raise Failed(f"block {height} is not final within a minute")


# --- files ------------------------------------------------------------------------------------


def templates_name_only_arguments_that_exist(binary, _):
    known = set(FLAG.findall(subprocess.run([binary, "--help"], capture_output=True, text=True, check=True).stdout))
    check(set(ROLES) == {"archive", "provider", "rpc", "timekeeper", "validator"}, f"templates for {ROLES}")
    for role in ROLES:
        chain, arguments = template(role)
        check(chain.startswith("/etc/tos/"), f"{role}: chain {chain}")
        flags = [a for a in arguments if a.startswith("--")]
        check(set(flags) <= known, f"{role}: unknown {set(flags) - known}")
        check(len(flags) == len(set(flags)), f"{role}: an argument is given twice")
        if role != "validator":
            check("--rpc-methods safe" in " ".join(arguments), f"{role}: its RPC is not closed")
        check("--unsafe-rpc-external" not in flags, f"{role}: unsafe methods for everybody")
    ports = [re.findall(r"--(?:port|rpc-port|prometheus-port) (\d+)", " ".join(template(role)[1])) for role in ROLES]
    every = [port for of in ports for port in of]
    check(len(every) == len(set(every)), "two roles on one machine would share a port")


def the_unit_is_sound(binary, folder):
    path = os.path.join(OPS, "systemd", "tos-node@.service")
    unit = configparser.ConfigParser(strict=True, interpolation=None, delimiters=("=",))
    unit.optionxform = str
    unit.read(path)
    check(unit.sections() == ["Unit", "Service", "Install"], f"sections {unit.sections()}")
    service = unit["Service"]
    check(service["EnvironmentFile"] == "/etc/tos/%i.env", "not the templates' place")
    check("${TOS_CHAIN}" in service["ExecStart"] and "$TOS_ARGS" in service["ExecStart"], service["ExecStart"])
    for role in ROLES:
        base = re.search(r"--base-path (\S+)", " ".join(template(role)[1])).group(1)
        check(base == f"/var/lib/tos/{role}", f"{role}: {base} is not the state directory of the unit")
    if shutil.which("systemd-analyze"):
        copy = os.path.join(folder, "tos-node@validator.service")
        with open(copy, "w", encoding="utf-8") as file:
            file.write(text("ops", "systemd", "tos-node@.service").replace("/usr/local/bin/tos-node", binary))
        done = subprocess.run(["systemd-analyze", "verify", "--man=no", copy], capture_output=True, text=True, check=False)
        complaints = [line for line in done.stderr.splitlines() if "tos-node@" in line]
        check(not complaints, f"systemd-analyze: {complaints}")


def container_files_are_sound(binary, _):
    import yaml
    known = set(FLAG.findall(subprocess.run([binary, "--help"], capture_output=True, text=True, check=True).stdout))
    compose = yaml.safe_load(text("ops", "docker", "compose.yml"))
    declared, used = set(compose["volumes"]), set()
    for name, service in compose["services"].items():
        image = service["image"]
        check(image == "tos" or re.search(r":v?\d", image), f"{name}: image {image} is not pinned")
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            if source.startswith("."):
                check(os.path.exists(os.path.join(OPS, "docker", source)), f"{name}: {source} is missing")
            else:
                used.add(source)
        if image == "tos":
            for argument in service["command"]:
                check(argument.split("=")[0] in known, f"{name}: unknown {argument}")
            spec = service["command"][0].removeprefix("--chain=/etc/tos/")
            check(os.path.exists(os.path.join(ROOT, "chain-specs", spec)), f"{name}: no specification {spec}")
    served = [argument for argument in compose["services"]["rpc"]["command"] if argument.startswith("--rpc-")]
    here = {argument.partition("=")[::2] for argument in served} - {("--rpc-port", "9944")}
    there = set(re.findall(r"(--rpc-[\w-]+) ?([^\s-]\S*)?", " ".join(template("rpc")[1])))
    # Nothing stands before the container's node, and the ports are those inside.
    apart = {(name, value) for name, value in there if name in ("--rpc-port", "--rpc-rate-limit-trust-proxy-headers")}
    check(here == there - apart, f"the RPC of the container is not the template's: {here ^ (there - apart)}")
    check(used == declared, f"volumes {used ^ declared}")
    lines = re.sub(r"\\\n", " ", text("ops", "docker", "Dockerfile")).splitlines()
    steps = [line.split(None, 1) for line in lines if line and not line.startswith("#")]
    allowed = {"FROM", "RUN", "WORKDIR", "COPY", "USER", "VOLUME", "EXPOSE", "HEALTHCHECK", "ENTRYPOINT", "CMD"}
    names = [step[0] for step in steps if not step[0].startswith(("&&",))]
    check(set(names) - {"CMD"} <= allowed, f"instructions {set(names) - allowed}")
    for name, rest in steps:
        if name == "FROM":
            check(":" in rest and "latest" not in rest, f"not pinned: {rest}")
        if name == "COPY" and "--from" not in rest:
            for source in [part for part in rest.split() if not part.startswith("--")][:-1]:
                check(os.path.exists(os.path.join(ROOT, source)), f"COPY {source}: not there")
    users = [rest for name, rest in steps if name == "USER"]
    check(users == ["tos"], "it runs as root")


# --- nodes ------------------------------------------------------------------------------------


def refused(reply):
    return "error" in reply


def a_public_node_is_closed(binary, folder):
    limits = {"rpc-max-connections": 20, "rpc-rate-limit": 100_000}
    node = Node(binary, folder, "rpc", **limits)
    try:
        node.start("--rpc-rate-limit-whitelisted-ips", "10.0.0.0/8")
        check("result" in node.ask("system_chain"), "an ordinary question is not answered")
        for method, params in (("author_rotateKeys", []), ("author_insertKey", ["gran", "//A", "0x00"]),
                               ("system_addReservedPeer", ["/ip4/1.2.3.4"]), ("author_removeExtrinsic", [[]]),
                               ("offchain_localStorageGet", ["PERSISTENT", "0x00"])):
            check(refused(node.ask(method, *params)), f"{method} is open")
        large = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "system_chain", "params": ["x" * 3_000_000]})
        status = 413
        with contextlib.suppress(ConnectionError):
            status = node.post(large)[0]
        check(status == 413, f"a request of 3 MB: status {status}")
        batch = json.dumps([{"jsonrpc": "2.0", "id": i, "method": "system_chain", "params": []} for i in range(21)])
        answers = json.loads(node.post(batch)[2])
        check(isinstance(answers, dict) and "error" in answers, "a batch of 21 is answered")
        check(len(json.loads(node.post(json.dumps(json.loads(batch)[:20]))[2])) == 20, "a batch of 20 is not")
        _, headers, _ = node.post('{"jsonrpc":"2.0","id":1,"method":"system_chain"}', origin="https://evil.example")
        allowed = {name.lower(): value for name, value in headers.items()}.get("access-control-allow-origin")
        check(allowed in (None, ""), f"CORS allows {allowed}")
        connections_are_bounded(node, limits["rpc-max-connections"])
    finally:
        node.stop()
    limited = Node(binary, folder, "rpc", **{"rpc-rate-limit": 30}).start()
    try:
        limited_connection(limited)
    finally:
        limited.stop()


def handshake(port):
    """A WebSocket connection, or None when it is refused."""
    sock = socket.create_connection(("127.0.0.1", port), timeout=10)
    sock.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" % port +
                 b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n")
    try:
        answer = sock.recv(64)
    except OSError:
        answer = b""
    if b" 101 " in answer:
        return sock
    sock.close()
    return None


def connections_are_bounded(node, most):
    """No more connections than allowed, whatever is tried; and room again when they end."""
    before = resident(node.process.pid)
    held = [sock for sock in (handshake(node.rpc) for _ in range(most * 3)) if sock]
    check(0 < len(held) <= most, f"{len(held)} connections, {most} allowed")
    for sock in held:
        sock.close()
    deadline = time.monotonic() + 20
    while True:
        again = handshake(node.rpc)
        if again:
            again.close()
            break
        check(time.monotonic() < deadline, "no connection is taken any more")
        time.sleep(0.2)
    # Ten thousand attempts, by 16 threads.
    refusals = []

    def storm():
        for _ in range(625):
            with contextlib.suppress(OSError):
                sock = handshake(node.rpc)
                if sock:
                    sock.close()
                else:
                    refusals.append(1)
    threads = [threading.Thread(target=storm) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    grown = resident(node.process.pid) - before
    check(grown < 64 * 1024 * 1024, f"10,000 connections cost {grown >> 20} MiB that stay")
    print(f"  10,000 connections tried, {len(refusals)} refused; memory {grown / 2**20:+.1f} MiB", flush=True)
    time.sleep(1)
    check("result" in node.ask("system_chain"), "the node answers no more")


def frame(payload):
    """A masked text frame of less than 64 KiB."""
    data = payload.encode()
    length = bytes([0x80 | len(data)]) if len(data) < 126 else bytes([0xFE]) + len(data).to_bytes(2, "big")
    return b"\x81" + length + b"\0\0\0\0" + data


def limited_connection(node):
    """One connection may ask only so often in a minute: what is too much waits, and is refused in the end."""
    sock = handshake(node.rpc)
    check(sock, "no connection")
    sock.settimeout(3)
    for number in range(60):
        sock.sendall(frame(json.dumps({"jsonrpc": "2.0", "id": number, "method": "system_chain", "params": []})))
    heard, deadline = b"", time.monotonic() + 5
    with contextlib.suppress(TimeoutError):
        while time.monotonic() < deadline:
            heard += sock.recv(65536)
    sock.close()
    answered = heard.count(b'"result"')
    check(0 < answered <= 40, f"{answered} of sixty questions are answered at once, thirty a minute allowed")


def resident(pid):
    """Resident memory of a process in bytes."""
    for line in open(f"/proc/{pid}/status", encoding="utf-8"):  # noqa: SIM115
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    raise Failed("no resident memory")


def run_ops(name, *arguments):
    """Exit code and JSON of one of the programs in ops/."""
    done = subprocess.run([sys.executable, os.path.join(OPS, name), *arguments], capture_output=True, text=True, check=False)
    printed = (done.stdout or done.stderr).strip()
    with contextlib.suppress(ValueError):
        printed = json.loads(printed)
    return done.returncode, printed


NOT_FOUND, NOT_OFFERED = -32601, 1006
AUTHOR = ("--alice", "--force-authoring", "--unsafe-force-node-key-generation")


def exactly(sock, count):
    """So many bytes."""
    heard = b""
    while len(heard) < count:
        more = sock.recv(count - len(heard))
        check(more, "the connection ended")
        heard += more
    return heard


def over_websocket(node, method):
    """The first reply to a call by WebSocket."""
    sock = handshake(node.rpc)
    check(sock, "no connection")
    sock.settimeout(10)
    # The handshake has read 64 bytes of the response's header.
    end = b""
    while not end.endswith(b"\r\n\r\n"):
        end = end[-3:] + exactly(sock, 1)
    sock.sendall(frame(json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": []})))
    try:
        while True:
            kind, length = exactly(sock, 2)
            if length >= 126:
                length = int.from_bytes(exactly(sock, 2 if length == 126 else 8), "big")
            body = exactly(sock, length)
            # The server also pings.
            if kind & 0x0F == 1:
                return json.loads(body)
    finally:
        sock.close()


def only_listed_methods_are_served(binary, folder):
    node = Node(binary, folder, "archive")
    lists = ("--rpc-allow", "chain_*,system_health", "--rpc-allow", "state_getMetadata", "--rpc-deny", "chain_getBlock")
    try:
        node.start(*lists)
        node.result("chain_getHeader")
        for method in ("chain_getBlock", "system_chain", "state_call", "author_submitExtrinsic", "tos_chain", "nonsense"):
            check(node.refusal(method) == NOT_FOUND, f"{method}: another error than that of an unknown method")
        listed = set(node.result("rpc_methods")["methods"])
        wrong = {name for name in listed if not name.startswith("chain_")} ^ {"system_health", "state_getMetadata", "rpc_methods"}
        check(not wrong and "chain_getBlock" not in listed, f"served is {sorted(listed)}")
        check("result" in over_websocket(node, "chain_subscribeNewHeads"), "an allowed subscription is refused")
        reply = over_websocket(node, "state_subscribeRuntimeVersion")
        check(reply.get("error", {}).get("code") == NOT_FOUND, f"a subscription that is not allowed: {reply}")
        connection = http.client.HTTPConnection("127.0.0.1", node.rpc, timeout=20)
        connection.request("GET", "/health")
        check(connection.getresponse().status == 200, "/health is closed though system_health is allowed")
        connection.close()
    finally:
        node.stop()
    for lists, near in ((["--rpc-allow", "chain_getBlok"], "chain_getBlock"), (["--rpc-deny", "autor_*"], "author_")):
        mistaken = Node(binary, folder, "archive")
        done = subprocess.run([*mistaken.command, *lists], capture_output=True, text=True, check=False, timeout=60)
        check(done.returncode != 0 and f"{lists[0]} {lists[1]}" in done.stderr and near in done.stderr,
              f"{lists}: {done.returncode}, {done.stderr[-300:]}")
    public = Node(binary, folder, "rpc")
    try:
        public.start()
        listed = set(public.result("rpc_methods")["methods"])
        needed = {"author_submitAndWatchExtrinsic", "author_submitExtrinsic", "author_unwatchExtrinsic", "chain_getBlock",
                  "chain_subscribeFinalizedHeads", "chainHead_v1_follow", "payment_queryInfo", "state_call",
                  "state_getKeysPaged", "state_getMetadata", "state_queryStorageAt", "state_subscribeRuntimeVersion",
                  "system_accountNextIndex", "system_health", "tos_beacon", "tos_subscribeTasks", "tos_task"}
        check(needed <= listed, f"a public node lacks {sorted(needed - listed)}")
        open_to_all = {name for name in listed if name.startswith(("author_rotate", "author_insert", "offchain_", "dev_"))}
        check(not open_to_all, f"a public node serves {sorted(open_to_all)}")
    finally:
        public.stop()


def lines_of(node):
    """The lines of a node's log, each of which must be an object with all fields."""
    lines = []
    with open(node.log.name, encoding="utf-8") as file:
        for text_line in file:
            try:
                line = json.loads(text_line)
            except ValueError:
                raise Failed(f"not JSON: {text_line[:200]!r}") from None
            missing = {"timestamp", "level", "target", "message", "fields", "spans"} - set(line)
            check(not missing, f"without {missing}: {line}")
            check(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z", line["timestamp"]), f"not RFC 3339: {line}")
            check(line["level"] in ("ERROR", "WARN", "INFO", "DEBUG", "TRACE"), f"level {line}")
            check("\x1b" not in line["message"], f"colours: {line}")
            lines.append(line)
    return lines


def a_json_log_has_one_object_a_line(binary, folder):
    node = Node(binary, folder, "validator")
    json_log = ("--log-format", "json", "--log", "beacon=debug", "--enable-log-reloading", "--detailed-log-output")
    try:
        node.start(*AUTHOR, *json_log)
        node.until(15)
        lines = lines_of(node)
        check(len(lines) > 20, f"only {len(lines)} lines")
        check(any("Imported" in line["message"] for line in lines), "nothing about blocks")
        check(all("thread" in line for line in lines[5:]), "a detailed log names no threads")

        def debug(lines):
            return sum(line["target"] == "babe" and line["level"] == "DEBUG" for line in lines)
        check(debug(lines) == 0, "more is logged than was asked for")
        check(node.result("system_addLogFilter", "babe=debug") is None, "the filter is not changed")
        node.until(20)
        changed = debug(lines_of(node))
        check(changed > 0, "the filter was changed, and nothing more is logged")
        check(node.result("system_resetLogFilter") is None, "the filter is not reset")
        at_reset = debug(lines_of(node))
        node.until(25)
        check(debug(lines_of(node)) <= at_reset + 2, "the filter was reset, and more is logged still")
    finally:
        node.stop()
    lines_of(node)
    mistaken = Node(binary, folder, "validator")
    done = subprocess.run([*mistaken.command, *json_log, "--unsafe-force-node-key-generation", "--rpc-allow", "nonsense"],
                          capture_output=True, text=True, check=False, timeout=60)
    last = json.loads(done.stderr.strip().splitlines()[-1])
    check(done.returncode == 1 and last["level"] == "ERROR" and "nonsense" in last["message"], f"a failed start: {last}")


def a_chain_without_anything_of_tos_runs_on_the_same_node(binary, folder):
    maker = os.path.join(os.path.dirname(binary), "tos-bare-spec")
    if not os.path.exists(maker):
        print("  skipped: no tos-bare-spec, which `cargo build --release --workspace --features tos-bare-runtime/wasm` makes",
              flush=True)
        return
    chain = os.path.join(folder, "bare.json")
    with open(chain, "w", encoding="utf-8") as file:
        subprocess.run([maker, "--validators", "1", "--slot-ms", "500"], stdout=file, check=True)
    # As a timekeeper, too: there is no time to keep, and no harm in trying.
    node = Node(binary, folder, "validator", chain=chain)
    try:
        node.start(*AUTHOR, "--log-format", "json", "--offchain-worker", "always", "--timekeeper")
        node.until(15)
        for method, params in (("tos_chain", []), ("tos_parameters", []), ("tos_beacon", []), ("tos_storageStats", []), ("tos_tasks", [])):
            check(node.refusal(method, *params) == NOT_OFFERED, f"{method}: not the error that this chain has no such thing")
        reply = over_websocket(node, "tos_subscribeTasks")
        check(reply.get("error", {}).get("code") == NOT_OFFERED, f"a subscription to tasks: {reply}")
        connection = http.client.HTTPConnection("127.0.0.1", node.metrics, timeout=20)
        connection.request("GET", "/metrics")
        metrics = connection.getresponse().read().decode()
        connection.close()
        for name in ("tos_metrics_failed_reads", "tos_metrics_unread_blocks_total"):
            value = re.search(rf"^{name}\{{[^}}]*\}} (\d+)$", metrics, re.MULTILINE)
            check(value and value.group(1) == "0", f"{name}: {value and value.group(1)}")
        bad = [line for line in lines_of(node) if line["level"] == "ERROR"]
        check(not bad, f"errors in the log: {bad[:3]}")
    finally:
        node.stop()


def readiness_and_a_backup_drill(binary, folder):
    check(run_ops("ready", "--url", f"http://127.0.0.1:{free_port()}")[0] == 4, "a node that is not there")
    check(run_ops("ready", "--url", "nonsense")[0] == 2, "an address that is none")
    node = Node(binary, folder, "validator")
    try:
        node.start("--alice", "--force-authoring", "--unsafe-force-node-key-generation")
        node.until(5)
        url = f"http://127.0.0.1:{node.rpc}"
        code, said = run_ops("ready", "--url", url, "--peers", "0", "--json")
        check(code == 0 and said["ready"], f"a node that finalises: {said}")
        code, said = run_ops("ready", "--url", url, "--json")
        check(code == 1 and said["reasons"] == ["0 peers, 1 wanted"], f"a node without peers: {said}")

        # Taken while blocks come twice a second.
        to = os.path.join(folder, "backup")
        code, taken = run_ops("backup", "--json", "take", "--base-path", node.base, "--to", to)
        check(code == 0 and taken["process"] == node.process.pid, f"no backup of a running node: {taken}")
        check(run_ops("backup", "take", "--base-path", node.base, "--to", to)[0] == 1, "a backup is overwritten")
        height = int(node.result("chain_getHeader")["number"], 16)
        node.until(height + 4)
        restored = os.path.join(folder, "restored")
        began = time.monotonic()
        code, said = run_ops("backup", "--json", "restore", "--from", to, "--base-path", restored)
        check(code == 0 and not said["keys"], f"not restored: {said}")
        check(not any("keystore" in path for path, _, _ in os.walk(restored)), "keys were taken without being asked for")
        check(run_ops("backup", "restore", "--from", to, "--base-path", restored)[0] == 1, "a node is overwritten")

        copy = Node(binary, folder, "archive", **{"base-path": restored})
        # Nothing but what was restored: without peers and without authoring.
        copy.command = [part for part in copy.command if part not in ("--state-pruning", "--blocks-pruning", "archive")]
        try:
            copy.start("--reserved-only", "--state-pruning", "1000", "--unsafe-force-node-key-generation")
            took = time.monotonic() - began
            header = copy.result("chain_getHeader")
            number = int(header["number"], 16)
            check(number > 0, "the restored node is at genesis")
            block = node.result("chain_getBlockHash", number)
            check(copy.result("chain_getBlockHash", number) == block, "another block than the original's")
            check(header["stateRoot"] == node.result("chain_getHeader", block)["stateRoot"], "another state root")
            # The state itself, not only what the header says of it.
            for prefix in ("0x26aa394eea5630e07c48ae0c9558cef7", "0xf0c365c3cf59d671eb72da0e7a4113c4"):
                keys = [n.result("state_getKeysPaged", prefix, 1000, None, block) for n in (node, copy)]
                check(keys[0] == keys[1] and keys[0], "the states have different keys")
                values = [n.result("state_queryStorageAt", keys[0], block) for n in (node, copy)]
                check(values[0] == values[1], "the states have different values")
        finally:
            copy.stop()
        print(f"  backup: the node stood still for {taken['pauseSeconds']} s ({taken['linked']} files linked, "
              f"{taken['copied']} copied); restored and answering at block {number} after {took:.1f} s", flush=True)

        spoilt = next(p for p in json.load(open(os.path.join(to, "backup.json"), encoding="utf-8"))["files"])  # noqa: SIM115
        with open(os.path.join(to, spoilt), "ab") as file:
            file.write(b"x")
        code, said = run_ops("backup", "verify", "--from", to)
        check(code == 1 and spoilt in said, f"a changed file is not found: {said}")
    finally:
        node.stop()


TESTS = (templates_name_only_arguments_that_exist, the_unit_is_sound, container_files_are_sound, a_public_node_is_closed,
         only_listed_methods_are_served, a_json_log_has_one_object_a_line,
         a_chain_without_anything_of_tos_runs_on_the_same_node, readiness_and_a_backup_drill)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", required=True, help="folder of tos-node")
    parser.add_argument("--only", choices=[test.__name__ for test in TESTS], action="append", help="just this one; repeatable")
    options = parser.parse_args()
    binary, failed = os.path.join(os.path.abspath(options.bin), "tos-node"), 0
    with tempfile.TemporaryDirectory(prefix="tos-operations-") as folder:
        for test in TESTS:
            if options.only and test.__name__ not in options.only:
                continue
            name, began = test.__name__.replace("_", " "), time.monotonic()
            try:
                test(binary, folder)
                print(f"ok      {name} ({time.monotonic() - began:.0f} s)", flush=True)
            except Failed as error:
                failed += 1
                print(f"FAILED  {name}: {error}", flush=True)
                for log in sorted(f for f in os.listdir(folder) if f.endswith(".log")):
                    with open(os.path.join(folder, log), encoding="utf-8", errors="replace") as file:
                        print(f"--- end of {log}\n" + "".join(file.readlines()[-8:]), flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
