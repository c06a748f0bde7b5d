#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs a development chain through its main job and checks what comes of it. See scripts/demo."""

import argparse
import concurrent.futures
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
EXAMPLES = os.path.join(ROOT, "client", "examples")
WEI = 10**18

PUBLISHER = ("publisher", "//Alice")
JUDGES = [("judge 1", "//Dave"), ("judge 2", "//Eve"), ("judge 3", "//Ferdie")]
#: Holds the sudo key of a development chain.
SUDO = "//Alice"
#: What automatic judges check answers with, by task type.
TOOLS = {"algorithm-optimization": os.path.join(EXAMPLES, "tsp", "check.py"),
         "code-analysis": os.path.join(EXAMPLES, "code-review", "check.py")}


class Failed(Exception):
    """The demo did not go as it should."""


def example(*parts):
    return os.path.join(EXAMPLES, *parts)


def say(text=""):
    print(text, flush=True)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Processes:
    """Everything that was started, so that all of it can be stopped."""

    def __init__(self, folder):
        self.folder = folder
        self.running = []

    def start(self, name, command, **environment):
        log = open(os.path.join(self.folder, name.replace(" ", "-") + ".log"), "ab")
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                   start_new_session=True, env={**os.environ, **environment})
        log.close()
        self.running.append((name, process))
        return process

    def check(self):
        for name, process in self.running:
            if process.poll() is not None:
                path = os.path.join(self.folder, name.replace(" ", "-") + ".log")
                with open(path, encoding="utf-8", errors="replace") as log:
                    tail = "".join(log.readlines()[-15:])
                raise Failed(f"{name} ended with code {process.returncode}; its log ends:\n{tail}")

    def stop(self):
        for _, process in reversed(self.running):
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGTERM)
        deadline = time.monotonic() + 15
        for _, process in self.running:
            try:
                process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


class Demo:
    def __init__(self, binaries, folder):
        self.folder = folder
        self.node = os.path.join(binaries, "tos-node")
        self.tos_binary = os.path.join(binaries, "tos")
        self.processes = Processes(folder)
        self.rpc = free_port()
        self.url = f"ws://127.0.0.1:{self.rpc}"
        self.names = {}

    # --- the client ----------------------------------------------------------------------------

    def tos(self, *arguments, key=None, quiet=False):
        """Runs `tos --json` and returns what it prints."""
        command = [self.tos_binary, "--url", self.url, "--json",
                   "--data-dir", os.path.join(self.folder, "client")]
        if key:
            command += ["--suri", key]
        done = subprocess.run(command + list(arguments), capture_output=True, text=True, timeout=300)
        if done.returncode != 0:
            raise Failed(f"tos {' '.join(arguments)}: code {done.returncode}\n{done.stderr.strip()}")
        lines = [line for line in done.stdout.splitlines() if line.strip()]
        if not quiet and not lines:
            raise Failed(f"tos {' '.join(arguments)} printed nothing")
        return json.loads(lines[-1]) if lines else None

    def worker(self, name, key, role, *arguments):
        slug = name.replace(" ", "-")
        port = free_port()
        self.processes.start(name, [
            self.tos_binary, "--url", self.url, "--suri", key,
            "--data-dir", os.path.join(self.folder, slug), role, "run", *arguments,
            "--serve", f"127.0.0.1:{port}", "--public-url", f"http://127.0.0.1:{port}",
        ])

    # --- the parts of the demo -----------------------------------------------------------------

    def start_node(self):
        say("Starting a development chain (half-second blocks) …")
        self.processes.start("node", [
            self.node, "--chain", "dev-fast", "--alice", "--validator", "--force-authoring",
            "--base-path", os.path.join(self.folder, "node"), "--rpc-port", str(self.rpc),
            "--port", str(free_port()), "--no-prometheus", "--no-telemetry", "--no-mdns",
            "--unsafe-force-node-key-generation",
        ])
        deadline = time.monotonic() + 300
        while True:
            self.processes.check()
            try:
                status = self.tos("chain", "status")
                if status["finalised"]["number"] > 0:
                    break
            except Failed:
                pass
            if time.monotonic() > deadline:
                raise Failed("the node finalised no block within five minutes")
            time.sleep(0.5)
        say(f"  {status['chain']}, genesis {status['genesis'][:18]}…, block {status['best']['number']} "
            f"(finalised {status['finalised']['number']})")

    def register(self, tsp, code):
        say("Registering 3 validators and 9 miners, each with a stake …")
        both = "algorithm-optimization,code-analysis"
        jobs = [(key, "validator", both) for _, key in JUDGES]
        jobs += [(key, "miner", "algorithm-optimization") for _, key, _ in tsp]
        jobs += [(key, "miner", "code-analysis") for _, key, _ in code]
        with concurrent.futures.ThreadPoolExecutor(6) as pool:
            list(pool.map(lambda j: self.tos(j[1], "register", "--types", j[2], key=j[0]), jobs))
        for name, key in [PUBLISHER, *JUDGES, *[(n, k) for n, k, _ in tsp + code]]:
            account = self.tos("keys", "show", key=key)["address"]
            self.names[account] = name

    def pin_tools(self):
        say("Pinning a checking tool for each of the two task types (governance; sudo here) …")
        for task_type, tool in TOOLS.items():
            self.tos("governance", "set-type", task_type, "--tool", tool, "--sudo", key=SUDO)

    def start_workers(self, tsp, code):
        judge = f"{sys.executable} {example('judge.py')}"
        for name, key in JUDGES:
            # They claim in the end, all at once, so that their pay can be seen.
            self.worker(name, key, "validator", "--judge-cmd", judge, "--no-claim",
                        *[part for tool in TOOLS.values() for part in ("--tool", tool)])
        for name, key, command in tsp:
            self.worker(name, key, "miner", "--solver-cmd", command,
                        "--types", "algorithm-optimization")
        for name, key, command in code:
            self.worker(name, key, "miner", "--solver-cmd", command, "--types", "code-analysis")

    def publish(self, title, *arguments):
        published = self.tos("task", "publish", *arguments, key=PUBLISHER[1])
        say(f"  {title}: {published['task']}")
        return published["task"]

    def follow(self, tasks):
        """Prints phases as tasks come into them; returns when all are closed and that is final."""
        seen = {task: [] for task in tasks}
        deadline = time.monotonic() + 900
        while True:
            self.processes.check()
            for task, title in tasks.items():
                timeline = self.rpc_call("tos_timeline", task)
                for entry in timeline[len(seen[task]):]:
                    phase = entry["phase"]
                    phase = f"closed: {phase['closed']}" if isinstance(phase, dict) else phase
                    say(f"  block {entry['block']:>4}  {title:<12} {phase}")
                seen[task] = timeline
            if all(isinstance(t[-1]["phase"], dict) for t in seen.values() if t) and all(seen.values()):
                break
            if time.monotonic() > deadline:
                raise Failed("the tasks are not closed after a quarter of an hour")
            time.sleep(0.5)
        last = max(t[-1]["block"] for t in seen.values())
        while True:
            status = self.tos("chain", "status")
            if status["finalised"]["number"] >= last:
                return status
            time.sleep(0.5)

    def pay_judges(self):
        """Claims what the judges earned, and prints it."""
        for account, name in self.names.items():
            if name.startswith("judge"):
                due = sum(int(claim["amount"]) for claim in self.rpc_call("tos_claimable", account))
                if due == 0:
                    raise Failed(f"{name} earned nothing")
                self.tos("rewards", "claim", key=dict(JUDGES)[name])
                reputation = self.rpc_call("tos_reputation", account)["global"]["score"]
                say(f"  {name:<22}claimed {due / WEI:.4f} TOS for accurate votes, reputation {reputation}")

    def rpc_call(self, method, *params, port=None):
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode()
        request = urllib.request.Request(f"http://127.0.0.1:{port or self.rpc}", body,
                                         {"content-type": "application/json"})
        with urllib.request.urlopen(request, timeout=120) as answer:
            reply = json.load(answer)
        if "error" in reply:
            raise Failed(f"{method}: {reply['error']}")
        return reply["result"]

    def report(self, task, title):
        """Prints what became of a task and returns each miner's part by the miner's name."""
        view = self.rpc_call("tos_task", task)
        say()
        say(f"{title}  ({task})")
        say(f"  reward {int(view['summary']['reward']) / WEI:g} TOS, "
            f"{view['summary']['joined']} miners, ended in round {view['summary']['round'] + 1}")
        panel = self.rpc_call("tos_round", task, view["summary"]["round"])
        agreed = panel["report"]
        if agreed is None:
            raise Failed("the automatic judges do not agree on what the tool found")
        same = sum(member["report"] == agreed for member in panel["members"])
        answers = [self.names[miner] for miner in view["answers"]]
        failing = [name for i, name in enumerate(answers) if agreed["failed"] >> i & 1]
        say(f"  pinned tool: {same} automatic judges report the same ({agreed['output'][:18]}…); "
            f"fails: {', '.join(failing) or 'nobody'}")
        say(f"  {'miner':<22}{'quality':>8}{'innovation':>12}  {'verdict':<12}{'earned TOS':>11}"
            f"{'lost TOS':>10}{'reputation':>12}")
        parts = {}
        for part in view["submissions"]:
            name = self.names[part["miner"]]
            result = part["result"] or {"quality": "–", "innovation": "–", "verdict": "no answer"}
            verdict = "duplicate" if part["duplicate"] else result["verdict"]
            earned, lost = int(part["earned"]), int(part["lost"])
            reputation = self.rpc_call("tos_reputation", part["miner"])["global"]["score"]
            parts[name] = (earned, lost, verdict)
            say(f"  {name:<22}{result['quality']:>8}{result['innovation']:>12}  {verdict:<12}"
                f"{earned / WEI:>11.4f}{lost / WEI:>10.4f}{reputation:>12}")
        return parts


def check(parts, honest_best, cheat):
    best = max(parts, key=lambda name: parts[name][0])
    if best != honest_best:
        raise Failed(f"{best} earned most; it should have been {honest_best}")
    if parts[cheat][0] != 0:
        raise Failed(f"{cheat} earned something")


def run(demo):
    venv = os.environ.get("TOS_CODE_REVIEW_VENV",
                          os.path.join(os.path.expanduser("~"), ".cache", "tos-code-review"))
    say("Installing the code analysers (pyflakes, pylint, bandit, ruff) …")
    subprocess.run([example("code-review", "setup.sh"), venv], check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    python, reviewer = sys.executable, os.path.join(venv, "bin", "python")
    stolen = os.path.join(demo.folder, "stolen.json")

    def tsp_solver(name, *extra):
        return " ".join([python, example("tsp", name), *extra])

    def reviewer_of(name):
        return f"{reviewer} {example('code-review', name)}"

    # The copycat gets at the answer of the best solver as it is written, before it is committed.
    or_opt = tsp_solver("solve_or_opt.py")
    tsp = [
        ("nearest neighbour", "//Bob", tsp_solver("solve_nearest_neighbour.py")),
        ("2-opt", "//Charlie", tsp_solver("solve_two_opt.py")),
        ("Or-opt", "//Bob//stash", f"{or_opt} | tee {stolen}"),
        ("copycat", "//Charlie//stash",
         f"{python} {os.path.join(ROOT, 'scripts', 'wait_for.py')} {stolen} && sleep 4 && "
         f"{python} {example('cheats', 'copycat.py')} --file {stolen}"),
    ]
    code = [
        ("ruff", "//One", reviewer_of("solve_ruff.py")),
        ("pylint", "//Two", reviewer_of("solve_pylint.py")),
        ("bandit", "//Eve//stash", reviewer_of("solve_bandit.py")),
        ("pyflakes", "//Ferdie//stash", reviewer_of("solve_pyflakes.py")),
        ("garbage", "//Dave//stash", f"{python} {example('cheats', 'garbage.py')}"),
    ]

    demo.start_node()
    demo.register(tsp, code)
    demo.pin_tools()
    say("Starting the workers …")
    demo.start_workers(tsp, code)

    say("Publishing two tasks …")
    port = free_port()
    demo.processes.start("content", [
        demo.tos_binary, "--url", demo.url, "--data-dir", os.path.join(demo.folder, "client"),
        "content", "serve", f"127.0.0.1:{port}"])
    tour = demo.publish(
        "shortest tour of berlin52", "--type", "algorithm-optimization", "--difficulty", "beginner",
        "--reward", "12", "--spec", example("tsp", "berlin52.json"), "--open-for", "120",
        "--min-quality", "50", "--max-participants", str(len(tsp)),
        "--param", "problem=tsp", "--param", "objective=minimise")
    review = demo.publish(
        "code review of inventory.py", "--type", "code-analysis", "--difficulty", "beginner",
        "--reward", "15", "--spec", example("code-review", "inventory.json"), "--open-for", "120",
        "--min-quality", "50", "--max-participants", str(len(code)),
        "--param", "language=python", "--param", "lines=160",
        "--public-url", f"http://127.0.0.1:{port}")

    say("What happens:")
    status = demo.follow({tour: "tour", review: "code review"})
    tours = demo.report(tour, "Shortest tour of berlin52")
    reviews = demo.report(review, "Code review of inventory.py")
    say()
    demo.pay_judges()
    check(tours, "Or-opt", "copycat")
    check(reviews, "ruff", "garbage")
    if tours["copycat"][2] != "duplicate":
        raise Failed("the copy was not found to be a duplicate")
    if reviews["garbage"][1] == 0:
        raise Failed("garbage lost no stake")
    say()
    say(f"Finalised: block {status['finalised']['number']} {status['finalised']['hash']}")
    say("The best tour and the best review won; the copy and the garbage earned nothing.")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bin", required=True, help="folder of tos-node and tos")
    parser.add_argument("--keep", metavar="DIR", help="keep logs and data there")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))

    def go(folder):
        demo = Demo(os.path.abspath(options.bin), folder)
        try:
            run(demo)
            return 0
        except Failed as failure:
            print(f"demo failed: {failure}", file=sys.stderr)
            return 1
        finally:
            demo.processes.stop()

    if options.keep:
        os.makedirs(options.keep, exist_ok=True)
        return go(os.path.abspath(options.keep))
    with tempfile.TemporaryDirectory(prefix="tos-demo-") as folder:
        return go(folder)


if __name__ == "__main__":
    sys.exit(main())
