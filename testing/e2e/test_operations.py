# SPDX-License-Identifier: Apache-2.0
"""The files and programs for operators hold: templates name only arguments that exist, units and container files are sound, a
public RPC node is closed where it should be, and readiness is told by exit code."""

import configparser
import contextlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time

import pytest
import yaml

from tos_harness.chain import export
from tos_harness.node import Node
from tos_harness.paths import OPS, ROOT, text
from tos_harness.ports import free_port
from tos_harness.process import Process, run
from tos_harness.report import say
from tos_harness.rpc import Rpc, Unreachable, envelope, request
from tos_harness.templates import ROLES, answered, run_ops, template
from tos_harness.wait import eventually

FLAG = re.compile(r"--[a-z][a-z0-9-]*")
NOT_FOUND, NOT_OFFERED = -32601, 1006
# A validator of a template that makes blocks alone.
ALONE = ("--alice", "--force-authoring", "--unsafe-force-node-key-generation")


@pytest.fixture(scope="session")
def options(program):
    """The options that the node knows."""
    return set(FLAG.findall(subprocess.run([program, "--help"], capture_output=True, text=True, check=True).stdout))


# --- files ------------------------------------------------------------------------------------


def test_templates_name_only_arguments_that_exist(options):
    assert set(ROLES) == {"archive", "provider", "rpc", "timekeeper", "validator"}, f"templates for {ROLES}"
    # The store has one owner: the worker, which could not start if the node had it.
    assert "--storage-provider" not in template("provider")[1], "the provider's node holds the store of `tos storage run`"
    for role in ROLES:
        chain, arguments = template(role)
        assert chain.startswith("/etc/tos/"), f"{role}: chain {chain}"
        flags = [a for a in arguments if a.startswith("--")]
        assert set(flags) <= options, f"{role}: unknown {set(flags) - options}"
        assert len(flags) == len(set(flags)), f"{role}: an argument is given twice"
        if role != "validator":
            assert "--rpc-methods safe" in " ".join(arguments), f"{role}: its RPC is not closed"
        assert "--unsafe-rpc-external" not in flags, f"{role}: unsafe methods for everybody"
    ports = [re.findall(r"--(?:port|rpc-port|prometheus-port) (\d+)", " ".join(template(role)[1])) for role in ROLES]
    every = [port for of in ports for port in of]
    assert len(every) == len(set(every)), "two roles on one machine would share a port"


def test_the_unit_is_sound(program, folder):
    path = os.path.join(OPS, "systemd", "tos-node@.service")
    unit = configparser.ConfigParser(strict=True, interpolation=None, delimiters=("=",))
    unit.optionxform = str
    unit.read(path)
    assert unit.sections() == ["Unit", "Service", "Install"], f"sections {unit.sections()}"
    service = unit["Service"]
    assert service["EnvironmentFile"] == "/etc/tos/%i.env", "not the templates' place"
    assert "${TOS_CHAIN}" in service["ExecStart"] and "$TOS_ARGS" in service["ExecStart"], service["ExecStart"]
    for role in ROLES:
        base = re.search(r"--base-path (\S+)", " ".join(template(role)[1])).group(1)
        assert base == f"/var/lib/tos/{role}", f"{role}: {base} is not the state directory of the unit"
    assert shutil.which("systemd-analyze"), "there is no systemd-analyze; run scripts/setup"
    copy = folder / "tos-node@validator.service"
    copy.write_text(text("ops", "systemd", "tos-node@.service").replace("/usr/local/bin/tos-node", str(program)))
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", copy], capture_output=True, text=True, check=False)
    complaints = [line for line in done.stderr.splitlines() if "tos-node@" in line]
    assert not complaints, f"systemd-analyze: {complaints}"


def test_container_files_are_sound(options):
    compose = yaml.safe_load(text("ops", "docker", "compose.yml"))
    declared, used = set(compose["volumes"]), set()
    maker, validator = compose["services"]["network"], compose["services"]["validator"]
    program, *arguments = maker["entrypoint"]
    made = {argument.split("=")[0]: argument for argument in arguments}
    offered = subprocess.run([sys.executable, os.path.join(OPS, "new-network"), "--help"], capture_output=True, text=True, check=True).stdout
    assert set(made) <= set(FLAG.findall(offered)), f"new-network has not all of {arguments}"
    assert maker["profiles"] and maker["restart"] == "no", "a network is made whenever the nodes start"
    assert made["--base-path"] in validator["command"] and "validator:/var/lib/tos" in maker["volumes"], "the validator's keys go elsewhere"
    port = next(argument for argument in validator["command"] if argument.startswith("--port=")).removeprefix("--port=")
    assert made["--boot-address"] == f"--boot-address=/dns/validator/tcp/{port}", f"no node is at {made['--boot-address']}"
    for name, service in compose["services"].items():
        image = service["image"]
        assert image == "tos" or re.search(r":v?\d", image), f"{name}: image {image} is not pinned"
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            if source.startswith("."):
                assert os.path.exists(os.path.join(OPS, "docker", source)), f"{name}: {source} is missing"
            else:
                used.add(source)
        if image == "tos" and name != "network":
            for argument in service["command"]:
                assert argument.split("=")[0] in options, f"{name}: unknown {argument}"
            assert service["command"][0] == made["--chain"], f"{name}: {service['command'][0]}, and the network is {made['--chain']}"
            assert "network:/etc/tos:ro" in service["volumes"], f"{name}: the specification is not there, or not safe"
    served = [argument for argument in compose["services"]["rpc"]["command"] if argument.startswith("--rpc-")]
    here = {argument.partition("=")[::2] for argument in served} - {("--rpc-port", "9944")}
    there = set(re.findall(r"(--rpc-[\w-]+) ?([^\s-]\S*)?", " ".join(template("rpc")[1])))
    # Nothing stands before the container's node, and the ports are those inside.
    apart = {(name, value) for name, value in there if name in ("--rpc-port", "--rpc-rate-limit-trust-proxy-headers")}
    assert here == there - apart, f"the RPC of the container is not the template's: {here ^ (there - apart)}"
    assert used == declared, f"volumes {used ^ declared}"
    lines = re.sub(r"\\\n", " ", text("ops", "docker", "Dockerfile")).splitlines()
    steps = [line.split(None, 1) for line in lines if line and not line.startswith("#")]
    allowed = {"FROM", "RUN", "WORKDIR", "COPY", "USER", "VOLUME", "EXPOSE", "HEALTHCHECK", "ENTRYPOINT", "CMD"}
    names = [step[0] for step in steps if not step[0].startswith(("&&",))]
    assert set(names) - {"CMD"} <= allowed, f"instructions {set(names) - allowed}"
    for name, rest in steps:
        if name == "FROM":
            assert ":" in rest and "latest" not in rest, f"not pinned: {rest}"
        if name == "COPY" and "--from" not in rest:
            for source in [part for part in rest.split() if not part.startswith("--")][:-1]:
                assert os.path.exists(os.path.join(ROOT, source)), f"COPY {source}: not there"
        if name == "RUN" and "apt-get install" in rest:
            assert "python3-minimal" not in rest, "python3-minimal has no json, which the health check needs"
    assert any(name == "COPY" and rest.endswith(f"/usr/local/bin/{program}") for name, rest in steps), f"{program} is not in the image"
    users = [rest for name, rest in steps if name == "USER"]
    assert users == ["tos"], "it runs as root"


# --- nodes ------------------------------------------------------------------------------------


def test_a_public_node_is_closed(template_node):
    limits = {"rpc-max-connections": 20, "rpc-rate-limit": 100_000}
    node = template_node("rpc", **limits).started("--rpc-rate-limit-whitelisted-ips", "10.0.0.0/8")
    rpc = node.rpc
    assert answered(node, "system_chain"), "an ordinary question is not answered"
    for method, params in (("author_rotateKeys", []), ("author_insertKey", ["gran", "//A", "0x00"]),
                           ("system_addReservedPeer", ["/ip4/1.2.3.4"]), ("author_removeExtrinsic", [[]]),
                           ("offchain_localStorageGet", ["PERSISTENT", "0x00"])):
        assert not answered(node, method, *params), f"{method} is open"
    assert not answered(node, "state_getKeys", "0x"), "state_getKeys, which has no limit, is open"
    for function in ("Core_execute_block", "GenesisBuilder_build_state"):
        assert rpc.refusal("state_call", function, "0x") == 1009, f"{function} is executed for everyone"
    rpc("state_call", "Core_version", "0x")
    large = json.dumps(envelope("system_chain", ["x" * 3_000_000]))
    status = 413
    with contextlib.suppress(ConnectionError):
        status = rpc.post(large).status_code
    assert status == 413, f"a request of 3 MB: status {status}"
    batch = [envelope("system_chain", [], number) for number in range(21)]
    answers = rpc.post(json.dumps(batch)).json()
    assert isinstance(answers, dict) and "error" in answers, "a batch of 21 is answered"
    assert len(rpc.post(json.dumps(batch[:20])).json()) == 20, "a batch of 20 is not"
    headers = rpc.post(json.dumps(envelope("system_chain", [])), origin="https://evil.example").headers
    assert not headers.get("access-control-allow-origin"), f"CORS allows {headers['access-control-allow-origin']}"
    connections_are_bounded(node, limits["rpc-max-connections"])


def connections_are_bounded(node, most):
    """No more connections than allowed, whatever is tried; and room again when they end."""
    def opens():
        with node.rpc.connected():
            return True

    before, held, refusals = node.memory()["resident"], 0, []
    with contextlib.ExitStack() as stack:
        for _ in range(most * 3):
            with contextlib.suppress(Unreachable):
                stack.enter_context(node.rpc.connected())
                held += 1
        assert 0 < held <= most, f"{held} connections, {most} allowed"
    eventually("a connection is taken again", opens)

    # Ten thousand attempts, by 16 threads.
    def storm():
        for _ in range(625):
            try:
                opens()
            except Unreachable:
                refusals.append(1)

    threads = [threading.Thread(target=storm) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    grown = node.memory()["resident"] - before
    assert grown < 64, f"10,000 connections cost {grown:.1f} MiB that stay"
    say(f"  10,000 connections tried, {len(refusals)} refused; memory {grown:+.1f} MiB")
    eventually("the node answers after that", lambda: answered(node, "system_chain"))


def test_a_connection_asks_only_so_often(template_node):
    """One connection may ask only so often in a minute: what is too much waits, and is refused in the end."""
    node = template_node("rpc", **{"rpc-rate-limit": 30}).started()
    with node.rpc.connected() as connection:
        began = time.monotonic()
        for _ in range(60):
            connection.send("system_chain")
        answers = 0
        while answers < 30:
            answers += "result" in connection.receive()
        # What would be answered at once as well comes now.
        end = time.monotonic() + 3
        with contextlib.suppress(TimeoutError):
            while (left := end - time.monotonic()) > 0:
                answers += "result" in connection.receive(left)
        took = time.monotonic() - began
    # One more every other second.
    assert answers <= 33 + took / 2, f"{answers} of sixty questions are answered within {took:.0f} s, thirty a minute allowed"


def over_websocket(node, method):
    """The first reply to a call by WebSocket."""
    with node.rpc.connected() as connection:
        return connection.reply(method)


def test_only_listed_methods_are_served(template_node):
    node = template_node("archive").started("--rpc-allow", "chain_*,system_health", "--rpc-allow", "state_getMetadata", "--rpc-deny", "chain_getBlock")
    node.rpc("chain_getHeader")
    for method in ("chain_getBlock", "system_chain", "state_call", "author_submitExtrinsic", "tos_chain", "nonsense"):
        assert node.rpc.refusal(method) == NOT_FOUND, f"{method}: another error than that of an unknown method"
    listed = set(node.rpc("rpc_methods")["methods"])
    wrong = {name for name in listed if not name.startswith("chain_")} ^ {"system_health", "state_getMetadata", "rpc_methods"}
    assert not wrong and "chain_getBlock" not in listed, f"served is {sorted(listed)}"
    assert "result" in over_websocket(node, "chain_subscribeNewHeads"), "an allowed subscription is refused"
    reply = over_websocket(node, "state_subscribeRuntimeVersion")
    assert reply.get("error", {}).get("code") == NOT_FOUND, f"a subscription that is not allowed: {reply}"
    assert request("GET", f"{node.rpc.http}/health").status_code == 200, "/health is closed though system_health is allowed"


@pytest.mark.parametrize("option, pattern, near", [("--rpc-allow", "chain_getBlok", "chain_getBlock"), ("--rpc-deny", "autor_*", "author_")])
def test_a_pattern_that_fits_no_method_is_refused(template_node, option, pattern, near):
    done = template_node("archive").fails(option, pattern)
    assert f"{option} {pattern}" in done.stderr and near in done.stderr, f"{done.returncode}, {done.stderr[-300:]}"


def test_a_public_node_serves_what_clients_need(template_node):
    listed = set(template_node("rpc").started().rpc("rpc_methods")["methods"])
    needed = {"author_submitAndWatchExtrinsic", "author_submitExtrinsic", "author_unwatchExtrinsic", "chain_getBlock",
              "chain_subscribeFinalizedHeads", "chainHead_v1_follow", "payment_queryInfo", "state_call",
              "state_getKeysPaged", "state_getMetadata", "state_queryStorageAt", "state_subscribeRuntimeVersion",
              "system_accountNextIndex", "system_health", "tos_beacon", "tos_subscribeTasks", "tos_task"}
    assert needed <= listed, f"a public node lacks {sorted(needed - listed)}"
    open_to_all = {name for name in listed if name.startswith(("author_rotate", "author_insert", "offchain_", "dev_"))}
    assert not open_to_all, f"a public node serves {sorted(open_to_all)}"


def lines_of(node):
    """The lines of a node's log, each of which must be an object with all fields."""
    lines = []
    # The node writes on.
    for text_line in node.said().rpartition("\n")[0].splitlines():
        try:
            line = json.loads(text_line)
        except ValueError:
            pytest.fail(f"not JSON: {text_line[:200]!r}")
        missing = {"timestamp", "level", "target", "message", "fields", "spans"} - set(line)
        assert not missing, f"without {missing}: {line}"
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z", line["timestamp"]), f"not RFC 3339: {line}"
        assert line["level"] in ("ERROR", "WARN", "INFO", "DEBUG", "TRACE"), f"level {line}"
        assert "\x1b" not in line["message"], f"colours: {line}"
        lines.append(line)
    return lines


JSON_LOG = ("--log-format", "json", "--log", "beacon=debug", "--enable-log-reloading", "--detailed-log-output")


def test_a_json_log_has_one_object_a_line(template_node):
    node = template_node("validator").started(*ALONE, *JSON_LOG)
    node.until(15)
    lines = lines_of(node)
    assert len(lines) > 20, f"only {len(lines)} lines"
    assert any("Imported" in line["message"] for line in lines), "nothing about blocks"
    assert all("thread" in line for line in lines[5:]), "a detailed log names no threads"

    def debug(lines):
        return sum(line["target"] == "babe" and line["level"] == "DEBUG" for line in lines)

    assert debug(lines) == 0, "more is logged than was asked for"
    assert node.rpc("system_addLogFilter", "babe=debug") is None, "the filter is not changed"
    node.until(20)
    assert debug(lines_of(node)) > 0, "the filter was changed, and nothing more is logged"
    assert node.rpc("system_resetLogFilter") is None, "the filter is not reset"
    at_reset = debug(lines_of(node))
    node.until(25)
    assert debug(lines_of(node)) <= at_reset + 2, "the filter was reset, and more is logged still"

    def errors():
        return [line["message"] for line in lines_of(node) if line["level"] == "ERROR"]

    before = errors()
    node.stop()
    assert errors() == before, "an orderly stop is logged as an error"


def test_a_failed_start_is_told_in_the_json_log(template_node):
    done = template_node("validator").fails(*JSON_LOG, "--unsafe-force-node-key-generation", "--rpc-allow", "nonsense")
    last = json.loads(done.stderr.strip().splitlines()[-1])
    assert done.returncode == 1 and last["level"] == "ERROR" and "nonsense" in last["message"], f"a failed start: {last}"


def test_a_chain_without_anything_of_tos_runs_on_the_same_node(template_node, binaries, folder):
    maker = binaries / "tos-bare-spec"
    if not maker.exists():
        pytest.skip("no tos-bare-spec, which `cargo build --release --workspace --features tos-bare-runtime/wasm` makes")
    chain = folder / "bare.json"
    chain.write_text(run(maker, "--validators", "1", "--slot-ms", "500").stdout)
    # As a timekeeper, too: there is no time to keep, and no harm in trying.
    node = template_node("validator", chain=chain).started(*ALONE, "--log-format", "json", "--timekeeper")
    node.until(15)
    for method in ("tos_chain", "tos_parameters", "tos_beacon", "tos_storageStats", "tos_tasks"):
        assert node.rpc.refusal(method) == NOT_OFFERED, f"{method}: not the error that this chain has no such thing"
    reply = over_websocket(node, "tos_subscribeTasks")
    assert reply.get("error", {}).get("code") == NOT_OFFERED, f"a subscription to tasks: {reply}"
    for name in ("tos_metrics_failed_reads", "tos_metrics_unread_blocks_total"):
        assert [sample.value for sample in node.metrics() if sample.name == name] == [0], name
    bad = [line for line in lines_of(node) if line["level"] == "ERROR"]
    assert not bad, f"errors in the log: {bad[:3]}"


def test_a_validator_of_an_existing_network_starts_with_the_documented_key(template_node, program, folder):
    """The documentation's steps for a validator of an existing network (docs/operations.md), in a folder of the test's."""
    section = text("docs", "operations.md").split("## A network of others")[1].split("\n## ")[0]
    commands = [line for line in section.split("```sh")[1].split("```")[0].splitlines() if "tos-node key" in line]
    assert len(commands) == 1, f"the documentation makes a key by {commands}"
    chain = folder / "installed.json"
    chain.write_text(export(program, "testnet", "--raw"))
    node = template_node("validator", chain=chain)
    early = node.fails()
    last = early.stderr.strip().splitlines()[-1]
    assert "no network key" in last and "generate-node-key" in last, f"a validator starts without a network key: {early.stderr[-300:]}"
    command = commands[0].removeprefix("runuser -u tos -- ").replace("/etc/tos/chain.json", str(chain))
    _, *arguments = command.replace("/var/lib/tos/validator", str(node.base)).split()
    made = run(program, *arguments).stderr.split()[-1]
    node.started()
    assert node.rpc("system_localPeerId") == made, f"the node does not use the key that was made, {made}"
    assert node.rpc("system_chain") == "TOS Testnet"


def hold(stack, *ports):
    """Listens on these ports, as long as no other program does."""
    for port in ports:
        sock = stack.enter_context(socket.socket())
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        with contextlib.suppress(OSError):
            sock.bind(("127.0.0.1", port))
            sock.listen()


def test_a_port_of_another_node_is_not_shared_or_left_in_silence(template_node, program, folder):
    """A port that is named and taken ends the start; for a default the log says which one is used, and it is."""
    first = template_node("validator").started(*ALONE)
    for option, port in (("rpc-port", first.rpc_port), ("port", first.p2p), ("prometheus-port", first.prometheus)):
        said = template_node("archive", **{option: port}).fails().stderr
        last = said.strip().splitlines()[-1]
        assert f":{port} is taken by another program" in last and f"--{option}" in last, f"--{option}: {said[-300:]}"
    defaults = {"RPC": 9944, "Network": 30333, "Metrics for Prometheus": 9615}
    with contextlib.ExitStack() as stack:
        hold(stack, *defaults.values())
        second = Process("second", [program, "--dev", "--no-telemetry"], folder / "second.log").start()
        stack.callback(second.stop)

        def used(name):
            said = rf"{name}: the port of \S+:{defaults[name]} is taken by another program, .*; this node uses (\S+) instead; --"
            found = re.search(said, second.said())
            return found and found[1]

        addresses = [eventually(f"the log says which port is used: {name}", lambda name=name: used(name), alive=second.check) for name in defaults]
        rpc, _, metrics = addresses
        eventually("the RPC is where the log says", lambda: Rpc(rpc)("system_health"), alive=second.check)
        eventually("so are the metrics", lambda: request("GET", f"http://{metrics}/metrics").status_code == 200, alive=second.check)


def test_a_start_says_what_takes_time(template_node):
    """The genesis state is made once, not at every start; what lasts is told before and after."""
    node, logs, begins = template_node("validator"), [], 0
    for _ in range(2):
        node.started("--alice", "--unsafe-force-node-key-generation").stop()
        logs.append(node.said()[begins:])
        begins = len(node.said())
    for log in logs:
        for line in (r"Opening the database", r"Database opened in \d+ ms", r"Compiling the runtime", r"Runtime tos-\d+ compiled in \d+ ms"):
            assert re.search(line, log), f"a start does not say: {line}\n{log[-600:]}"
    made = [re.search(r"Building the genesis state of .+\n(?:.*\n)*.*Genesis state built in \d+ ms", log) is not None for log in logs]
    assert made == [True, False], f"the genesis state was made at the first and at the second start: {made}"


def test_an_interrupt_while_a_node_starts_is_answered_and_heeded(program, folder):
    """Ctrl-C while the genesis state was made: not a word until the start was over."""
    node = Node(program, folder)
    for number in (signal.SIGINT, signal.SIGTERM):
        # Without a database, so that there is a genesis state to be made.
        node.forget()
        begins = len(node.said())
        node.start()
        eventually("the genesis state is being made", lambda: "Building the genesis state" in node.said()[begins:], alive=node.check)
        node.send(number)
        assert node.wait() == 0, f"ends as when it is asked to stop later: {node.tail()}"
        said = node.said()[begins:]
        assert "Interrupted: this stops as soon as its start is over" in said, said[-600:]


def test_readiness_is_told_by_exit_code(template_node):
    assert run_ops("ready", "--url", f"http://127.0.0.1:{free_port()}")[0] == 4, "a node that is not there"
    assert run_ops("ready", "--url", "nonsense")[0] == 2, "an address that is none"
    node = template_node("validator").started(*ALONE)
    node.until(5)
    url = node.rpc.http
    # While a build runs its best block may be old for a moment, and it is not ready then.
    eventually("a node that finalises is ready", lambda: run_ops("ready", "--url", url, "--peers", "0", "--json")[0] == 0)

    def lonely():
        code, said = run_ops("ready", "--url", url, "--json")
        assert code == 1 and "0 peers, 1 wanted" in said["reasons"] and not said["ready"], f"a node without peers: {said}"
        return said["reasons"] == ["0 peers, 1 wanted"]

    eventually("a node lacks nothing but peers", lonely)
