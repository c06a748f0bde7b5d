# SPDX-License-Identifier: Apache-2.0
"""A stage that fails is told as failed, whatever its commands do after that; a warning of the compiler is a failure; the
version of packages sorts by what they were made of, and their purge leaves no link to what it takes; a network that does
not start ends with the reason."""

import http.server
import importlib
import json
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time

import pytest

from tos_harness.paths import ROOT


def shell(text):
    """The exit code and the messages of a script that uses scripts/lib.sh."""
    done = subprocess.run(["bash", "-c", f'set -euo pipefail\n. "{ROOT}/scripts/lib.sh"\ntrap summary EXIT\n{text}'],
                          capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, done.stderr


def stages(said):
    """The end of each stage, by its name, as the summary tells."""
    lines = said.partition("stages (minutes:seconds)")[2].splitlines()
    return {name: outcome for _, outcome, name in (line.split(None, 2) for line in lines[1:] if " in all" not in line)}


def test_a_stage_ends_with_its_first_failure():
    code, said = shell('work() { false; say "went on"; }\nstage work work')
    assert code == 1
    assert "went on" not in said
    assert stages(said) == {"work": "FAILED"}


def test_a_failed_stage_ends_the_script_and_a_good_one_does_not():
    code, said = shell('stage one true\nstage two bash -c "exit 7"\nstage three true')
    assert code == 7
    assert stages(said) == {"one": "ok", "two": "FAILED"}


def test_a_failure_beside_others_is_told_after_all_have_ended():
    code, said = shell('bad() { false; say "went on"; }\ngood() { sleep 0.2; say "came to its end"; }\n'
                       'beside bad bad good good\nsay "not reached"')
    assert code == 1
    assert stages(said) == {"bad": "FAILED", "good": "ok"}
    assert "came to its end" in said
    assert "went on" not in said
    assert "not reached" not in said


def test_every_stage_runs_and_each_tells_its_failure_where_a_script_goes_on():
    code, said = shell('bad() { false; say "went on"; }\n'
                       'all() { beside bad bad good true; stage worse bad; stage last true; }\nset +e\nall\nset -e')
    assert code == 0
    assert "went on" not in said
    assert stages(said) == {"bad": "FAILED", "good": "ok", "worse": "FAILED", "last": "ok"}


def test_a_stage_that_could_not_see_its_failures_is_refused():
    for call in ("stage work work", "beside work work other true"):
        for within in ("all || true", "if all; then :; fi", "! all"):
            _, said = shell(f'work() {{ false; say "went on"; }}\nall() {{ {call}; }}\n{within}')
            assert "failures are not seen" in said
            assert "went on" not in said
            assert "ok" not in stages(said).values()


def test_an_interrupted_run_waits_until_everything_has_cleaned_up(tmp_path):
    # A node is out of reach of the signals, in a session of its own; what has started it stops it.
    stage = ('import signal, subprocess, sys, time\n'
             'signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))\n'
             'node = subprocess.Popen(["sleep", "600"], start_new_session=True)\n'
             'open(f"{sys.argv[1]}/{node.pid}", "w").close()\n'
             'try:\n    time.sleep(600)\n'
             'finally:\n    time.sleep(0.3)\n    node.kill()\n    node.wait()\n')

    folder = str(tmp_path)
    text = f'work() {{ python3 -c {shlex.quote(stage)} "{folder}"; }}\nbeside one work two work'
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        process = subprocess.Popen(["bash", "-c", f'. "{ROOT}/scripts/lib.sh"\n{text}'], stdin=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL, start_new_session=True,
                                   preexec_fn=heard)
        deadline = time.monotonic() + 60
        while len(nodes := os.listdir(folder)) < 2 and time.monotonic() < deadline:
            time.sleep(0.05)
        assert len(nodes) == 2
        process.send_signal(number)
        assert process.wait(60) == 130
        for node in nodes:
            assert not os.path.exists(f"/proc/{node}"), f"{number.name} leaves a node"
            os.remove(os.path.join(folder, node))


def test_what_runs_meanwhile_is_shown_when_it_is_over_and_ends_with_its_first_failure():
    code, said = shell('good() { sleep 0.3; say "built"; }\nbad() { false; say "went on"; }\n'
                       'meanwhile good good bad bad never true\nstage front true\nmeanwhile_over\nsay "not reached"')
    assert code == 1
    assert stages(said) == {"front": "ok", "good": "ok", "bad": "FAILED"}
    assert said.index("front: done") < said.index("built")
    assert "went on" not in said
    assert "not reached" not in said


def test_what_runs_meanwhile_is_stopped_when_the_script_fails_before(tmp_path):
    begun = time.monotonic()
    code, said = shell(f'long() {{ echo $BASHPID >"{tmp_path}/pid"; say "compiling"; sleep 600; }}\n'
                       f'front() {{ while [ ! -s "{tmp_path}/pid" ]; do sleep 0.05; done; false; }}\n'
                       'meanwhile short true long long\nstage front front\nmeanwhile_over')
    assert code == 1
    assert time.monotonic() - begun < 30
    assert "compiling" in said
    assert stages(said) == {"front": "FAILED", "short": "ok"}
    assert not os.path.exists(f"/proc/{(tmp_path / 'pid').read_text().strip()}")


def test_what_is_killed_meanwhile_is_a_failure_and_leaves_nothing(tmp_path):
    code, said = shell(f'long() {{ sleep 600 & echo $! >"{tmp_path}/pid"; wait; }}\nmeanwhile long long\n'
                       f'while [ ! -s "{tmp_path}/pid" ]; do sleep 0.05; done\nkill -9 "$TOS_MEANWHILE"\nmeanwhile_over\n'
                       'say "not reached"')
    assert code == 137
    assert stages(said) == {"meanwhile": "FAILED"}
    assert "not reached" not in said
    assert not os.path.exists(f"/proc/{(tmp_path / 'pid').read_text().strip()}")


def judged(*messages):
    lines = "".join(json.dumps({"reason": "compiler-message", "message": message}) + "\n" for message in messages)
    return subprocess.run([os.path.join(ROOT, "scripts", "no_warnings.py")], input=lines, capture_output=True,
                          text=True, timeout=60, check=False)


def heard():
    """Hears signals: a shell cannot trap what was ignored when it began, as in a background job or under nohup."""
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


# A program in the place of the node: its first validator fails, the others go on until they are stopped.
FAILING = """#!/usr/bin/env bash
case " $* " in
*" export-chain-spec "*)
    echo '{"genesis": {"runtimeGenesis": {"patch": {"session": {"keys": [1, 2]}, "staking": {"stakers": [1, 2]}}}}}'
    ;;
*" --alice "*)
    printf 'a banner\\nError: it cannot be; do something else\\nmore of the log\\n'
    exit 1
    ;;
*) exec sleep 600 ;;
esac
"""


def localnet(folder, *options):
    """The exit code, the last line and all messages of a network's start that fails."""
    node = folder / "node"
    node.write_text(FAILING)
    node.chmod(0o755)
    done = subprocess.run([ROOT / "scripts" / "localnet", "start", "2", "--dir", folder / "net", "--node", node, "--p2p-port", "0", *options],
                          capture_output=True, text=True, timeout=120, check=False)
    return done.returncode, done.stderr.strip().splitlines()[-1], done.stderr


def test_a_network_that_does_not_start_ends_with_the_error_of_its_node(tmp_path):
    code, last, said = localnet(tmp_path, "--rpc-port", "0")
    assert code == 1
    assert "alice ended: Error: it cannot be; do something else" in last, said
    assert str(tmp_path / "net" / "alice" / "log") in last, said
    assert "bob: stopped" in said


def test_a_network_whose_port_is_taken_ends_with_the_port_and_the_option(tmp_path):
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        sock.listen()
        port = sock.getsockname()[1]
        code, last, said = localnet(tmp_path, "--rpc-port", str(port))
    assert code == 1
    assert f"port {port} cannot be used" in last and "--rpc-port" in last, said


@pytest.mark.parametrize("waits", ["export-chain-spec", "--alice"])
def test_an_interrupted_start_says_so_and_leaves_no_node(tmp_path, waits):
    """While the specification is made and while nodes make their first block, Ctrl-C reaches what is in the terminal's group."""
    node = tmp_path / "node"
    # Writes its process, and makes no block.
    waiting = FAILING.replace("printf 'a banner", f'echo $$ >"{tmp_path}/waits"; exec sleep 600\n    printf \'a banner')
    if waits == "export-chain-spec":
        waiting = waiting.replace("    echo '{", f'    echo $$ >"{tmp_path}/waits"; exec sleep 600\n    echo \'{{', 1)
    node.write_text(waiting)
    node.chmod(0o755)
    started = subprocess.Popen([ROOT / "scripts" / "localnet", "start", "2", "--dir", tmp_path / "net", "--node", node, "--rpc-port", "0",
                                "--p2p-port", "0"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
                               start_new_session=True, preexec_fn=heard)
    deadline = time.monotonic() + 60
    while not ((tmp_path / "waits").exists() and (tmp_path / "waits").read_text().strip()) and time.monotonic() < deadline:
        time.sleep(0.05)
    os.killpg(started.pid, signal.SIGINT)
    _, said = started.communicate(timeout=60)
    assert started.returncode == 130, said
    assert "interrupted: stopping" in said, said
    assert not os.path.exists(f"/proc/{(tmp_path / 'waits').read_text().strip()}"), said


@pytest.mark.parametrize("ports, parts", [
    # The same port twice, also as the second of one node and the first of another, and as a default.
    (("--rpc-port", "9944", "--p2p-port", "9944"), ("--rpc-port 9944 and --p2p-port 9944", "port 9944 would be used twice")),
    (("--rpc-port", "9944", "--p2p-port", "9945"), ("port 9945 would be used twice", "2 or more apart")),
    (("--rpc-port", "9945", "--p2p-port", "9944"), ("port 9945 would be used twice",)),
    (("--rpc-port", "30334", "--p2p-port", "30333"), ("port 30334 would be used twice",)),
    # No ports.
    (("--rpc-port", "80000"), ("--rpc-port 80000", "ports end at 65535", "choose a lower one")),
    (("--rpc-port", "9944", "--p2p-port", "65535"), ("--p2p-port 65535", "would need port 65536")),
    (("--rpc-port", "port"), ("--rpc-port: not a number", "'port'")),
    (("--rpc-port", "099"), ("--rpc-port: not a number", "'099'")),
])
def test_ports_that_cannot_be_end_a_start_before_it_begins(tmp_path, ports, parts):
    code, last, said = localnet(tmp_path, *ports)
    assert code == 2, said
    assert all(part in last for part in parts), said
    assert not (tmp_path / "net").exists()


@pytest.mark.parametrize("count", ["0", "5", "12"])
def test_a_network_of_another_size_is_refused_with_the_sizes_there_are(count):
    done = subprocess.run([ROOT / "scripts" / "localnet", "start", count], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert f"1 to 4 nodes, not {count}" in done.stderr.splitlines()[-1], done.stderr


class Heights(http.server.BaseHTTPRequestHandler):
    """The RPC of a node that makes a block between two questions: the second number that it is asked for is the higher one."""

    def do_POST(self):
        call = json.loads(self.rfile.read(int(self.headers["content-length"])))
        if call["method"] == "chain_getFinalizedHead":
            result = "0xf1"
        else:
            final = call["params"] == ["0xf1"]
            result = {"number": "0x7" if final else "0x9"}
        body = json.dumps({"jsonrpc": "2.0", "id": call["id"], "result": result}).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def began(pid):
    """The time at which a process began, as scripts/localnet records it."""
    with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
        return file.read().rpartition(") ")[2].split()[19]


@pytest.fixture
def node_rpc():
    """The port of a node's RPC."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Heights) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


def test_the_status_of_a_network_takes_one_program_and_tells_final_blocks_before_best_ones(tmp_path, node_rpc):
    """Each number took programs of its own, seconds in all, and what was final when the last had ended was above what had been best."""
    counted = tmp_path / "harness"
    (counted / "bin").mkdir(parents=True)
    shutil.copy(ROOT / "testing/harness/requirements.txt", counted / ".tos-requirements")
    (counted / "bin/python").write_text(f'#!/bin/sh\necho one >>"{tmp_path}/programs"\nexec "{sys.executable}" "$@"\n')
    (counted / "bin/python").chmod(0o755)
    network = tmp_path / "net"
    with socket.socket() as silent, subprocess.Popen(["sleep", "600"]) as process:
        silent.bind(("127.0.0.1", 0))
        ports = {"alice": node_rpc, "bob": silent.getsockname()[1], "charlie": node_rpc, "dave": node_rpc}
        for name, port in ports.items():
            (network / name).mkdir(parents=True)
            (network / name / "rpc-port").write_text(f"{port}\n")
            if name != "charlie":
                (network / name / "pid").write_text(f"{process.pid}\n")
                (network / name / "began").write_text(f"{began(process.pid)}\n")
        (network / "localnet").write_text("4\n")
        done = subprocess.run([ROOT / "scripts" / "localnet", "status", "--dir", network], env={**os.environ, "TOS_HARNESS": str(counted)},
                              capture_output=True, text=True, timeout=60, check=False)
        process.kill()
    told = [line.split("  ws:")[0].split("  log")[0] for line in done.stdout.splitlines()]
    assert told == ["alice    running  finalised 7  best 9", "bob      running  finalised ?  best ?", "charlie  stopped",
                    "dave     running  finalised 7  best 9"], done.stdout + done.stderr
    assert done.returncode == 3, "charlie does not run"
    assert (tmp_path / "programs").read_text() == "one\n"


def test_a_warning_is_shown_and_fails():
    done = judged({"level": "warning", "spans": [{}], "rendered": "unused variable"})
    assert done.returncode == 1
    assert "unused variable" in done.stderr


def test_notes_and_summaries_pass():
    done = judged({"level": "note", "spans": [{}], "rendered": "a note"},
                  {"level": "warning", "spans": [], "rendered": "1 warning emitted"})
    assert (done.returncode, done.stderr) == (0, "")


class Checkout:
    """A small checkout with this scripts/package."""

    def __init__(self, place):
        self.place = place
        self.clean = {key: value for key, value in os.environ.items() if key != "SOURCE_DATE_EPOCH" and not key.startswith("GIT_")}
        self.time = 1_700_000_000
        os.mkdir(os.path.join(self.place, "scripts"))
        for name in ("package", "lib.sh"):
            shutil.copy(os.path.join(ROOT, "scripts", name), os.path.join(self.place, "scripts", name))
        self.git("init", "--quiet")
        self.state("0.2.0")
        self.commit()

    def git(self, *words):
        when = f"{self.time} +0000"
        subprocess.run(["git", "-c", "user.name=test", "-c", "user.email=test@tos.invalid", *words], cwd=self.place, check=True,
                       env={**self.clean, "GIT_AUTHOR_DATE": when, "GIT_COMMITTER_DATE": when, "GIT_CONFIG_GLOBAL": os.devnull})

    def commit(self):
        self.time += 1
        self.git("add", ".")
        self.git("commit", "--quiet", "-m", "a commit")

    def write(self, name, text):
        with open(os.path.join(self.place, name), "w", encoding="utf-8") as file:
            file.write(text)

    def state(self, base):
        """Sets the version in Cargo.toml, which is otherwise this repository's."""
        with open(os.path.join(ROOT, "Cargo.toml"), encoding="utf-8") as file:
            self.write("Cargo.toml", re.sub(r'(?m)^version = ".*"$', f'version = "{base}"', file.read(), count=1))

    def version(self):
        done = subprocess.run([os.path.join(self.place, "scripts", "package"), "--print-version"], env=self.clean,
                              capture_output=True, text=True, timeout=60, check=True)
        return done.stdout.strip()


def ordered(*versions):
    for lower, higher in zip(versions, versions[1:]):
        assert subprocess.run(["dpkg", "--compare-versions", lower, "lt", higher], check=False).returncode == 0, (lower, higher)


@pytest.fixture
def checkout(tmp_path):
    return Checkout(tmp_path)


def test_a_snapshot_is_below_a_later_one_and_below_its_release(checkout):
    first = checkout.version()
    checkout.write("file", "one\n")
    checkout.commit()
    second = checkout.version()
    checkout.git("tag", "v0.2.0")
    assert checkout.version() == "0.2.0"
    checkout.state("0.3.0-rc.1")
    checkout.commit()
    third = checkout.version()
    checkout.git("tag", "v0.3.0-rc.1")
    assert checkout.version() == "0.3.0~rc.1"
    ordered(first, second, "0.2.0", third, "0.3.0~rc.1", "0.3.0")


@pytest.mark.parametrize("name, change", [("Cargo.toml", "# changed\n"), ("new.env", "new\n")])
def test_a_changed_checkout_is_marked_and_is_no_release(checkout, name, change):
    checkout.git("tag", "v0.2.0")
    assert checkout.version() == "0.2.0"
    with open(os.path.join(checkout.place, name), "a", encoding="utf-8") as file:
        file.write(change)
    assert re.fullmatch(r"0\.2\.0~git20231114221321\.[0-9a-f]{10}\+dirty", checkout.version())


def test_the_tag_of_another_version_makes_no_release(checkout):
    checkout.git("tag", "v0.1.9")
    assert checkout.version().startswith("0.2.0~git")


def test_a_purge_takes_the_links_to_metrics_that_it_takes(tmp_path):
    """A link in the node exporter's folder stayed, and the exporter complained of it from then on."""
    metrics, exporter = tmp_path / "var/lib/tos-metrics", tmp_path / "var/lib/prometheus/node-exporter"
    metrics.mkdir(parents=True)
    exporter.mkdir(parents=True)
    (metrics / "offsite-validator.prom").write_text("")
    (exporter / "offsite-validator.prom").symlink_to("/var/lib/tos-metrics/offsite-validator.prom")
    (exporter / "other.prom").symlink_to("/var/lib/tos-metrics-of-another/other.prom")
    (exporter / "own.prom").write_text("")
    script = (ROOT / "ops/packages/postrm").read_text(encoding="utf-8")
    for name, value in (("DERIVED", "/var/lib/tos-metrics"), ("SETTINGS", "/nonexistent"), ("HOME", "/nonexistent")):
        script = script.replace(f"@{name}@", value)
    subprocess.run(["sh", "-c", script, "postrm", "purge"], env={**os.environ, "DPKG_ROOT": str(tmp_path)}, timeout=60, check=True)
    assert not metrics.exists()
    assert sorted(os.listdir(exporter)) == ["other.prom", "own.prom"]


@pytest.fixture
def bare(tmp_path):
    """A folder of programs in which there is no compiler, as on a machine before `scripts/setup`."""
    folder = tmp_path / "bare"
    folder.mkdir()
    for name in ("bash", "dirname"):
        (folder / name).symlink_to(shutil.which(name))
    return folder


def test_what_compiles_is_settled_anew_after_set_up(bare):
    """A first build on a bare machine took the compiler that was there before set-up had brought another, and the next one compiled
    all above a C library again."""
    text = f'''. "{ROOT}/scripts/lib.sh"; echo "${{CC-none}}"
        for name in clang clang++; do printf '#!/bin/sh\\n' > "{bare}/$name"; done; /bin/chmod +x "{bare}/clang" "{bare}/clang++"
        use_native_tools; echo "$CC $CXX"'''
    environment = {name: value for name, value in os.environ.items() if name not in ("CC", "CXX")}
    done = subprocess.run([bare / "bash", "-c", text], env={**environment, "PATH": str(bare)}, capture_output=True, text=True, timeout=60,
                          check=True)
    assert done.stdout.split() == ["none", "clang", "clang++"]


def test_the_demo_tells_reputations_in_points(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "scripts")
    demo = object.__new__(importlib.import_module("demo").Demo)
    demo.rpc = lambda *call: {("tos_reputation", "alice"): {"global": {"score": 1_075}}}[call]
    assert demo.reputation("alice") == "1075 points"


@pytest.mark.parametrize("script", ["test", "demo"])
def test_scripts_that_set_up_settle_it_before_they_build(script):
    lines = (ROOT / "scripts" / script).read_text(encoding="utf-8").splitlines()
    after = next(number for number, line in enumerate(lines) if 'stage "set-up"' in line)
    assert any(line.strip() == "use_native_tools" for line in lines[after:after + 3])
