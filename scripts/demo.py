#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs a development chain through its main job and checks what comes of it. See scripts/demo."""

import argparse
import concurrent.futures
import os
import sys
import tempfile
import time
from pathlib import Path

from tos_harness.chain import TOS, DevChain
from tos_harness.paths import ROOT, example, python
from tos_harness.process import run as run_program
from tos_harness.process import stop_when_interrupted
from tos_harness.report import say
from tos_harness.wait import Failed, check

PUBLISHER = ("publisher", "//Alice")
JUDGES = [("judge 1", "//Dave"), ("judge 2", "//Eve"), ("judge 3", "//Ferdie")]
#: Holds the sudo key of a development chain.
SUDO = "//Alice"
#: What automatic judges check answers with, by task type.
TOOLS = {"algorithm-optimization": example("tsp", "check.py"), "code-analysis": example("code-review", "check.py")}


class Demo:
    """A development chain, and the names of those who take part."""

    def __init__(self, binaries, folder):
        self.folder = folder
        self.chain = DevChain(binaries, folder)
        self.check, self.names = self.chain.processes.check, {}

    def worker(self, name, key, role, *arguments):
        self.chain.serve(name, key, role, "run", *arguments)

    def register(self, jobs):
        """Registers keys in roles for task types, and remembers names."""
        with concurrent.futures.ThreadPoolExecutor(6) as pool:
            list(pool.map(lambda job: self.tos(job[2], "register", "--types", job[3], key=job[1]), jobs))
        for name, key in [PUBLISHER, *((name, key) for name, key, *_ in jobs)]:
            self.names[self.chain.address(key)] = name

    # --- the parts of the demo -----------------------------------------------------------------

    def start_node(self):
        say("Starting a development chain (half-second blocks) …")
        self.chain.start()
        self.rpc, self.tos = self.chain.rpc, self.chain.tos
        status = self.tos("chain", "status")
        say(f"  {status['chain']}, genesis {status['genesis'][:18]}…, block {status['best']['number']} "
            f"(finalised {status['finalised']['number']})")

    def register_all(self, tsp, code):
        say("Registering 3 judges and 9 miners, each with a stake …")
        both = "algorithm-optimization,code-analysis"
        self.register([*((name, key, "judge", both) for name, key in JUDGES),
                       *((name, key, "miner", "algorithm-optimization") for name, key, _ in tsp),
                       *((name, key, "miner", "code-analysis") for name, key, _ in code)])

    def pin_tools(self):
        say("Pinning a checking tool for each of the two task types (governance; sudo here) …")
        for task_type, tool in TOOLS.items():
            self.tos("governance", "set-type", task_type, "--tool", tool, "--sudo", key=SUDO)

    def start_workers(self, tsp, code):
        judge = python("judge.py")
        for name, key in JUDGES:
            # They claim in the end, all at once, so that their pay can be seen.
            self.worker(name, key, "judge", "--judge-cmd", judge, "--no-claim",
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
            self.check()
            for task, title in tasks.items():
                timeline = self.rpc("tos_timeline", task)
                for entry in timeline[len(seen[task]):]:
                    phase = entry["phase"]
                    phase = f"closed: {phase['closed']}" if isinstance(phase, dict) else phase
                    say(f"  block {entry['block']:>4}  {title:<12} {phase}")
                seen[task] = timeline
            if all(isinstance(t[-1]["phase"], dict) for t in seen.values() if t) and all(seen.values()):
                break
            check(time.monotonic() < deadline, "the tasks are not closed after a quarter of an hour")
            time.sleep(0.5)
        last = max(t[-1]["block"] for t in seen.values())
        self.chain.node.until(last)
        return self.tos("chain", "status")

    def pay_judges(self):
        """Claims what the judges earned, and prints it."""
        for account, name in self.names.items():
            if name.startswith("judge"):
                due = sum(int(claim["amount"]) for claim in self.rpc("tos_claimable", account))
                check(due > 0, f"{name} earned nothing")
                self.tos("rewards", "claim", key=dict(JUDGES)[name])
                reputation = self.rpc("tos_reputation", account)["global"]["score"]
                say(f"  {name:<22}claimed {due / TOS:.4f} TOS for accurate votes, reputation {reputation}")

    def reputation(self, account):
        """An account's reputation over all types, with its unit."""
        return f"{self.rpc('tos_reputation', account)['global']['score']} points"

    def report(self, task, title):
        """Prints what became of a task and returns each miner's part by the miner's name."""
        view = self.rpc("tos_task", task)
        say()
        say(f"{title}  ({task})")
        say(f"  reward {int(view['summary']['reward']) / TOS:g} TOS, "
            f"{view['summary']['joined']} miners, ended in round {view['summary']['round'] + 1}")
        panel = self.rpc("tos_round", task, view["summary"]["round"])
        agreed = panel["report"]
        check(agreed is not None, "the automatic judges do not agree on what the tool found")
        same = sum(member["report"] == agreed for member in panel["members"])
        answers = [self.names[miner] for miner in view["answers"]]
        failing = [name for i, name in enumerate(answers) if agreed["failed"] >> i & 1]
        say(f"  pinned tool: {same} automatic judges report the same ({agreed['output'][:18]}…); "
            f"fails: {', '.join(failing) or 'none'}")
        say(f"  {'miner':<22}{'quality':>8}{'innovation':>12}  {'verdict':<12}{'earned TOS':>11}"
            f"{'lost TOS':>10}{'reputation':>14}")
        parts = {}
        for part in view["submissions"]:
            name = self.names[part["miner"]]
            result = part["result"] or {"quality": "–", "innovation": "–", "verdict": "no answer"}
            verdict = "duplicate" if part["duplicate"] else result["verdict"]
            earned, lost = int(part["earned"]), int(part["lost"])
            reputation = self.reputation(part["miner"])
            parts[name] = (earned, lost, verdict)
            say(f"  {name:<22}{result['quality']:>8}{result['innovation']:>12}  {verdict:<12}"
                f"{earned / TOS:>11.4f}{lost / TOS:>10.4f}{reputation:>14}")
        return parts


def fair(parts, honest_best, cheat):
    best = max(parts, key=lambda name: parts[name][0])
    check(best == honest_best, f"{best} earned most; it should have been {honest_best}")
    check(parts[cheat][0] == 0, f"{cheat} earned something")


def run(demo):
    venv = os.environ.get("TOS_CODE_REVIEW_VENV",
                          os.path.join(os.path.expanduser("~"), ".cache", "tos-code-review"))
    say("Installing the code analysers (pyflakes, pylint, bandit, ruff) …")
    run_program(example("code-review", "setup.sh"), venv, limit=1800)
    reviewer = os.path.join(venv, "bin", "python")
    stolen = os.path.join(demo.folder, "stolen.json")

    def tsp_solver(name, *extra):
        return " ".join([python("tsp", name), *extra])

    def reviewer_of(name):
        return f"{reviewer} {example('code-review', name)}"

    # The copycat gets at the answer of the best solver as it is written, before it is committed.
    or_opt = tsp_solver("solve_or_opt.py")
    tsp = [
        ("nearest neighbour", "//Bob", tsp_solver("solve_nearest_neighbour.py")),
        ("2-opt", "//Charlie", tsp_solver("solve_two_opt.py")),
        ("Or-opt", "//Bob//stash", f"{or_opt} | tee {stolen}"),
        ("copycat", "//Charlie//stash",
         f"{sys.executable} {ROOT / 'scripts' / 'wait_for.py'} {stolen} && sleep 4 && "
         f"{python('cheats', 'copycat.py')} --file {stolen}"),
    ]
    code = [
        ("ruff", "//One", reviewer_of("solve_ruff.py")),
        ("pylint", "//Two", reviewer_of("solve_pylint.py")),
        ("bandit", "//Eve//stash", reviewer_of("solve_bandit.py")),
        ("pyflakes", "//Ferdie//stash", reviewer_of("solve_pyflakes.py")),
        ("garbage", "//Dave//stash", python("cheats", "garbage.py")),
    ]

    demo.start_node()
    demo.register_all(tsp, code)
    demo.pin_tools()
    say("Starting the workers …")
    demo.start_workers(tsp, code)

    say("Publishing two tasks …")
    content = demo.chain.serve_content(PUBLISHER[1])
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
        "--public-url", content)

    say("What happens:")
    status = demo.follow({tour: "tour", review: "code review"})
    tours = demo.report(tour, "Shortest tour of berlin52")
    reviews = demo.report(review, "Code review of inventory.py")
    say()
    demo.pay_judges()
    fair(tours, "Or-opt", "copycat")
    fair(reviews, "ruff", "garbage")
    check(tours["copycat"][2] == "duplicate", "the copy was not found to be a duplicate")
    check(reviews["garbage"][1] > 0, "garbage lost no stake")
    say()
    say(f"Finalised: block {status['finalised']['number']} {status['finalised']['hash']}")
    say("The best tour and the best review won; the copy and the garbage earned nothing.")


def play(run, options):
    """Runs a demo in a folder of its own, or in the one to keep; its exit code."""
    stop_when_interrupted()
    with tempfile.TemporaryDirectory(prefix="tos-demo-") as temporary:
        folder = Path(options.keep or temporary).resolve()
        folder.mkdir(parents=True, exist_ok=True)
        demo = Demo(options.bin.resolve(), folder)
        try:
            run(demo)
            return 0
        except Failed as failure:
            print(f"demo failed: {failure}", file=sys.stderr)
            return 1
        finally:
            demo.chain.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bin", type=Path, required=True, help="folder of tos-node and tos")
    parser.add_argument("--keep", metavar="DIR", help="keep logs and data there")
    return play(run, parser.parse_args())


if __name__ == "__main__":
    sys.exit(main())
