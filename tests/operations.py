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

from drill import a_backup_of_a_running_node_restores_to_the_same_state
from nodes import LATE, OPS, ROLES, ROOT, Failed, Node, check, eventually, free_port, run_ops, template, text

FLAG = re.compile(r"--[a-z][a-z0-9-]*")


# --- files ------------------------------------------------------------------------------------


def templates_name_only_arguments_that_exist(binary, _):
    known = set(FLAG.findall(subprocess.run([binary, "--help"], capture_output=True, text=True, check=True).stdout))
    check(set(ROLES) == {"archive", "provider", "rpc", "timekeeper", "validator"}, f"templates for {ROLES}")
    # The store has one owner: the worker, which could not start if the node had it.
    check("--storage-provider" not in template("provider")[1], "the provider's node holds the store of `tos storage run`")
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
    check(shutil.which("systemd-analyze"), "there is no systemd-analyze; run scripts/setup")
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
    maker, validator = compose["services"]["network"], compose["services"]["validator"]
    program, *arguments = maker["entrypoint"]
    made = {argument.split("=")[0]: argument for argument in arguments}
    offered = subprocess.run([sys.executable, os.path.join(OPS, "new-network"), "--help"], capture_output=True, text=True, check=True).stdout
    check(set(made) <= set(FLAG.findall(offered)), f"new-network has not all of {arguments}")
    check(maker["profiles"] and maker["restart"] == "no", "a network is made whenever the nodes start")
    check(made["--base-path"] in validator["command"] and "validator:/var/lib/tos" in maker["volumes"], "the validator's keys go elsewhere")
    port = next(argument for argument in validator["command"] if argument.startswith("--port=")).removeprefix("--port=")
    check(made["--boot-address"] == f"--boot-address=/dns/validator/tcp/{port}", f"no node is at {made['--boot-address']}")
    for name, service in compose["services"].items():
        image = service["image"]
        check(image == "tos" or re.search(r":v?\d", image), f"{name}: image {image} is not pinned")
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            if source.startswith("."):
                check(os.path.exists(os.path.join(OPS, "docker", source)), f"{name}: {source} is missing")
            else:
                used.add(source)
        if image == "tos" and name != "network":
            for argument in service["command"]:
                check(argument.split("=")[0] in known, f"{name}: unknown {argument}")
            check(service["command"][0] == made["--chain"], f"{name}: {service['command'][0]}, and the network is {made['--chain']}")
            check("network:/etc/tos:ro" in service["volumes"], f"{name}: the specification is not there, or not safe")
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
        if name == "RUN" and "apt-get install" in rest:
            check("python3-minimal" not in rest, "python3-minimal has no json, which the health check needs")
    check(any(name == "COPY" and rest.endswith(f"/usr/local/bin/{program}") for name, rest in steps), f"{program} is not in the image")
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
        check(refused(node.ask("state_getKeys", "0x")), "state_getKeys, which has no limit, is open")
        for function in ("Core_execute_block", "GenesisBuilder_build_state"):
            check(node.refusal("state_call", function, "0x") == 1009, f"{function} is executed for anybody")
        node.result("state_call", "Core_version", "0x")
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
    eventually("a connection is taken again", lambda: handshake(node.rpc)).close()
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

    def answers():
        with contextlib.suppress(OSError, ValueError):
            return "result" in node.ask("system_chain")
        return False

    eventually("the node answers after that", answers)


def frame(payload):
    """A masked text frame of less than 64 KiB."""
    data = payload.encode()
    length = bytes([0x80 | len(data)]) if len(data) < 126 else bytes([0xFE]) + len(data).to_bytes(2, "big")
    return b"\x81" + length + b"\0\0\0\0" + data


def limited_connection(node):
    """One connection may ask only so often in a minute: what is too much waits, and is refused in the end."""
    sock = handshake(node.rpc)
    check(sock, "no connection")
    sock.settimeout(LATE)
    began = time.monotonic()
    for number in range(60):
        sock.sendall(frame(json.dumps({"jsonrpc": "2.0", "id": number, "method": "system_chain", "params": []})))
    heard = b""
    while heard.count(b'"result"') < 30:
        more = sock.recv(65536)
        check(more, "the connection ended before thirty questions were answered")
        heard += more
    # What would be answered at once as well comes now.
    end = time.monotonic() + 3
    with contextlib.suppress(TimeoutError):
        while (left := end - time.monotonic()) > 0:
            sock.settimeout(left)
            heard += sock.recv(65536)
    sock.close()
    answered, took = heard.count(b'"result"'), time.monotonic() - began
    # One more every other second.
    check(answered <= 33 + took / 2, f"{answered} of sixty questions are answered within {took:.0f} s, thirty a minute allowed")


def resident(pid):
    """Resident memory of a process in bytes."""
    for line in open(f"/proc/{pid}/status", encoding="utf-8"):  # noqa: SIM115
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    raise Failed("no resident memory")


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
    sock.settimeout(LATE)
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
        connection = http.client.HTTPConnection("127.0.0.1", node.rpc, timeout=LATE)
        connection.request("GET", "/health")
        check(connection.getresponse().status == 200, "/health is closed though system_health is allowed")
        connection.close()
    finally:
        node.stop()
    for lists, near in ((["--rpc-allow", "chain_getBlok"], "chain_getBlock"), (["--rpc-deny", "autor_*"], "author_")):
        mistaken = Node(binary, folder, "archive")
        done = subprocess.run([*mistaken.command, *lists], capture_output=True, text=True, check=False, timeout=LATE)
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
            # The node writes on.
            if not text_line.endswith("\n"):
                break
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
                          capture_output=True, text=True, check=False, timeout=LATE)
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
        connection = http.client.HTTPConnection("127.0.0.1", node.metrics, timeout=LATE)
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


def a_validator_of_an_existing_network_starts_with_the_documented_key(binary, folder):
    """What docs/operations.md has a validator of an existing network do, in a folder of the test's."""
    section = text("docs", "operations.md").split("## A network of others")[1].split("\n## ")[0]
    commands = [line for line in section.split("```sh")[1].split("```")[0].splitlines() if "tos-node key" in line]
    check(len(commands) == 1, f"the documentation makes a key by {commands}")
    chain, node = os.path.join(folder, "installed.json"), None
    try:
        with open(chain, "w", encoding="utf-8") as file:
            subprocess.run([binary, "export-chain-spec", "--chain", "testnet", "--raw"], stdout=file, check=True, timeout=LATE)
        node = Node(binary, folder, "validator", chain=chain)
        early = subprocess.run([*node.command[:1], "--chain", chain, *node.command[3:]], capture_output=True, text=True, check=False, timeout=LATE)
        check(early.returncode != 0 and "NetworkKeyNotFound" in early.stderr, f"a validator starts without a network key: {early.stderr[-300:]}")
        for command in commands:
            command = command.removeprefix("runuser -u tos -- ").replace("/etc/tos/chain.json", chain)
            _, *arguments = command.replace("/var/lib/tos/validator", node.base).split()
            done = subprocess.run([binary, *arguments], capture_output=True, text=True, check=False, timeout=LATE)
            check(done.returncode == 0, f"{command}: {done.stderr[-300:]}")
        made = done.stderr.split()[-1]
        node.start()
        check(node.result("system_localPeerId") == made, f"the node does not use the key that was made, {made}")
        check(node.result("system_chain") == "TOS Testnet", f"it is on {node.result('system_chain')}")
    finally:
        if node:
            node.stop()


def a_start_says_what_takes_time(binary, folder):
    """The genesis state is made once, not at every start; what lasts is told before and after."""
    node, said = Node(binary, folder, "validator"), []
    try:
        for _ in range(2):
            begins = os.path.getsize(node.log.name)
            node.start("--alice", "--unsafe-force-node-key-generation")
            node.stop()
            with open(node.log.name, encoding="utf-8", errors="replace") as log:
                log.seek(begins)
                said.append(log.read())
    finally:
        node.stop()
    for log in said:
        for what in (r"Opening the database", r"Database opened in \d+ ms", r"Compiling the runtime", r"Runtime tos-\d+ compiled in \d+ ms"):
            check(re.search(what, log), f"a start does not say: {what}\n{log[-600:]}")
    made = [re.search(r"Building the genesis state of .+\n(?:.*\n)*.*Genesis state built in \d+ ms", log) is not None for log in said]
    check(made == [True, False], f"the genesis state was made at the first and at the second start: {made}")


def readiness_is_told_by_exit_code(binary, folder):
    check(run_ops("ready", "--url", f"http://127.0.0.1:{free_port()}")[0] == 4, "a node that is not there")
    check(run_ops("ready", "--url", "nonsense")[0] == 2, "an address that is none")
    node = Node(binary, folder, "validator")
    try:
        node.start("--alice", "--force-authoring", "--unsafe-force-node-key-generation")
        node.until(5)
        url = f"http://127.0.0.1:{node.rpc}"
        # Beside a build its best block may be old for a moment, and it is not ready then.
        eventually("a node that finalises is ready", lambda: run_ops("ready", "--url", url, "--peers", "0", "--json")[0] == 0)

        def lonely():
            code, said = run_ops("ready", "--url", url, "--json")
            check(code == 1 and "0 peers, 1 wanted" in said["reasons"] and not said["ready"], f"a node without peers: {said}")
            return said["reasons"] == ["0 peers, 1 wanted"]

        eventually("a node lacks nothing but peers", lonely)
    finally:
        node.stop()


TESTS = (templates_name_only_arguments_that_exist, the_unit_is_sound, container_files_are_sound, a_public_node_is_closed,
         only_listed_methods_are_served, a_json_log_has_one_object_a_line,
         a_chain_without_anything_of_tos_runs_on_the_same_node, a_start_says_what_takes_time, a_validator_of_an_existing_network_starts_with_the_documented_key,
         readiness_is_told_by_exit_code,
         a_backup_of_a_running_node_restores_to_the_same_state)


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
