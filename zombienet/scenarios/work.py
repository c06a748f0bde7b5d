# SPDX-License-Identifier: Apache-2.0
"""A task goes from publication to settlement while validators are killed in every phase: its workers talk to different
nodes, find theirs again, and lose no answer, no vote and no stake; all nodes end with the same final state."""

from tos_harness.chain import write_spec
from tos_harness.cli import Tos
from tos_harness.network import Network
from tos_harness.paths import example, python
from tos_harness.process import Processes
from tos_harness.wait import Failed

QUICK = False
KIND = "algorithm-optimization"
# Each phase outlasts the end and the return of a validator, while a build runs as well.
PHASE_LENGTHS = {"answerReveal": 90, "voteCommit": 90, "voteReveal": 90, "challenge": 60}
# Whom each worker asks: no two of a role the same node.
JUDGES = (("//Dave", "bob"), ("//Eve", "charlie"), ("//Ferdie", "dave"))
MINERS = (("//One", "charlie", "solve_nearest_neighbour.py"), ("//Two", "dave", "solve_two_opt.py"))


class Workers:
    """The client, and its workers, each at a node that is named."""

    def __init__(self, net, binary):
        self.net, self.program, self.processes = net, binary.parent / "tos", Processes(net.folder)

    def at(self, node):
        return Tos(self.program, self.net.nodes[node].url, self.net.folder)

    def ask(self, node, key, *words):
        """The answer of the client."""
        return self.at(node)(*words, key=key, user=slug(key))

    def start(self, node, key, *words):
        """A worker, from now on."""
        self.processes.start(f"worker-{slug(key)}", self.at(node).command(*words, key=key, user=slug(key)))


def slug(key):
    return key.strip("/").lower()


def run(binary, folder, options):
    spec = write_spec(binary, folder / "genesis.json", "local-fast", lambda genesis: genesis["clock"]["phaseLengths"].update(PHASE_LENGTHS))
    net = Network(binary, folder, "four.toml", spec=spec.read_text(encoding="utf-8"))
    workers = Workers(net, binary)
    try:
        everybody = list(net.nodes)
        net.start()
        net.advances(everybody)
        for key, node in JUDGES:
            workers.ask(node, key, "judge", "register", "--types", KIND)
        for key, node, _ in MINERS:
            workers.ask(node, key, "miner", "register", "--types", KIND)
        judge = python("judge.py")
        for key, node in JUDGES:
            workers.start(node, key, "judge", "run", "--judge-cmd", judge)
        for key, node, solver in MINERS:
            command = f"sleep 2; {python('tsp', solver)}"
            workers.start(node, key, "miner", "run", "--solver-cmd", command)
        task = workers.ask(
            "alice", "//Alice", "task", "publish", "--type", KIND, "--difficulty", "beginner", "--reward", "10",
            "--spec", example("tsp", "berlin52.json"), "--open-for", "120", "--min-quality", "1",
            "--max-participants", "2", "--param", "problem=tsp", "--param", "objective=minimise")["task"]
        net.say(f"published {task}")
        view = live(net, workers, task)
        judge_the_end(net, workers, task, view)
        height = net.advances(everybody)
        net.same(everybody, height)
        views = [net.ask(name, "tos_task", task) for name in everybody]
        if any(other != views[0] for other in views):
            raise Failed("the nodes tell different things of the task")
        net.say(f"settled; all nodes say the same at block {height}")
    finally:
        workers.processes.close()
        net.close()


def live(net, workers, task):
    """Kills one validator after another, a different one in every phase, until the task is closed."""
    seen, order = [], ["bob", "charlie", "dave"]
    while True:
        workers.processes.check()
        view = net.eventually("the task is known", lambda: net.ask("alice", "tos_task", task))
        phase = view["summary"]["phase"]
        if isinstance(phase, dict):
            break
        if phase not in seen and (phase != "open" or view["summary"]["joined"] > 0):
            seen.append(phase)
            name = order[len(seen) % len(order)]
            net.kill(name)
            net.start(name)
            net.say(f"{name} killed and back during {phase}")
    wanted = {"open", "answerReveal", "voteCommit", "voteReveal", "challenge"}
    if not wanted <= set(seen):
        raise Failed(f"too fast to be hit in every phase: {seen}")
    return view


def judge_the_end(net, workers, task, view):
    """Nothing was lost."""
    if view["summary"]["phase"] != {"closed": "settled"} or view["summary"]["round"] != 0:
        raise Failed(f"the task ended as {view['summary']['phase']} in round {view['summary']['round']}")
    if len(view["submissions"]) != 2 or any(part["content"] is None for part in view["submissions"]):
        raise Failed("an answer or its salt was lost")
    members = net.ask("alice", "tos_round", task, 0)["members"]
    if len(members) != 3 or any(member["vote"] is None for member in members):
        raise Failed("a vote or its salt was lost")
    for key, node in JUDGES:
        status = workers.ask(node, key, "judge", "status")["judge"]
        if status["stake"] != status["required"]:
            raise Failed(f"{key} was slashed")
