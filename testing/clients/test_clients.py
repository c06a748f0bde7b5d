# SPDX-License-Identifier: Apache-2.0
"""Clients of others on a chain with audits in its blocks: each connects, follows heads, reads every block since genesis (or shows
the limit that docs/rpc.md names), queries, signs, sends, and is told by name of what is refused. What they call is on the list
of the RPC node's template. One of them: `-k NAME`.

The packages are there after `npm ci` in this folder and after scripts/setup.
"""

import json
import os
import re
from pathlib import Path

import pytest

from tos_harness.chain import DevChain
from tos_harness.paths import ROOT
from tos_harness.ports import free_port
from tos_harness.process import Process
from tos_harness.report import say
from tos_harness.storage import publish, quick, start_provider, status
from tos_harness.templates import template

HERE = Path(__file__).parent
ENVIRONMENTS = Path(os.environ.get("TOS_PYTHON_CLIENTS") or Path.home() / ".cache" / "tos-python-clients")
SCRIPTS = {"@polkadot/api": "polkadot-js.mjs", "polkadot-api": "papi.mjs", "dedot": "dedot.mjs", "smoldot": "smoldot.mjs"}
LIBRARIES = ("substrate-interface", "async-substrate-interface")
PROVIDER, CLIENT = ("provider", "//Bob//stash"), "//Alice"
SPECIFICATION = b'{"kind":"text","title":"Published by a client of others","data":{}}'
# Tests read within seconds what users read in hours; ports are the test's own.
OWN = ("--rpc-port", "--rpc-rate-limit")


def rpc_options(role):
    """The options of a role's template that say what is served by RPC."""
    words, options = template(role)[1], []
    for at, word in enumerate(words):
        if word.startswith("--rpc-") and word not in OWN:
            options.append(word)
            options += [following for following in words[at + 1:at + 2] if not following.startswith("--")]
    return options


@pytest.fixture(scope="module")
def names(request):
    """The clients that were asked for, all of them installed."""
    asked = [item.callspec.params["name"] for item in request.session.items if item.path == request.path and hasattr(item, "callspec")]
    missing = [name for name in asked if not (HERE / "node_modules" if name in SCRIPTS else command(name)[0][0]).exists()]
    assert not missing, f"not installed: {', '.join(missing)}; run scripts/setup, and `npm ci` in {HERE}"
    return asked


@pytest.fixture(scope="module")
def chain(binaries, folder, names):
    """A chain that serves RPC as an archive does, with a provider, an auditor, and their answers in its final blocks."""
    port = free_port()
    # A validator listens for WebSockets only where it is told to.
    chain = DevChain(binaries, folder, "--timekeeper", *rpc_options("archive"), "--listen-addr", f"/ip4/127.0.0.1/tcp/{port}/ws",
                     "--state-pruning", "archive", "--blocks-pruning", "archive", change=quick, exports_metrics=True).start()
    spec = json.loads(Path(chain.spec).read_text())
    spec["bootNodes"] = [f"/ip4/127.0.0.1/tcp/{port}/ws/p2p/{chain.rpc('system_localPeerId')}"]
    (folder / "light.json").write_text(json.dumps(spec))
    chain.say("a development chain that serves RPC as an archive does")
    account = start_provider(chain, *PROVIDER)
    chain.run("committee", "//Alice//stash", "storage", "audit", "--no-challenge")
    path = folder / "file"
    path.write_bytes(b"a file that providers keep " * 100)
    publish(chain, path, account, chain.serve_content(CLIENT), CLIENT)
    chain.eventually("an audit is answered", lambda: status(chain, account)["provider"]["answered"] > 0)
    chain.node.until(chain.node.best())
    chain.say("a provider's answers are in final blocks")
    yield chain
    chain.close()


def content(chain):
    """The content of a task, as its publication names it."""
    path = chain.folder / "specification.json"
    path.write_bytes(SPECIFICATION)
    put = chain.call("client", CLIENT, "content", "put", path)
    return {"hash": put["hash"], "size": len(SPECIFICATION), "inline": "0x" + SPECIFICATION.hex()}


def command(name):
    """The tests of one client, and variables of their own."""
    if name in SCRIPTS:
        # The light client leaves timers behind when it has ended.
        return ["node", "--test-force-exit", HERE / SCRIPTS[name]], {}
    return [ENVIRONMENTS / name / "bin" / "python", HERE / "python_client.py"], {"TOS_LIBRARY": name, "PYTHONPATH": str(ROOT / "client/python")}


@pytest.fixture(scope="module")
def clients(chain, names):
    """The clients, all running at once."""
    environment = {"TOS_URL": chain.url, "TOS_SPEC": str(chain.folder / "light.json"), "TOS_CONTENT": json.dumps(content(chain))}
    running = {}
    for name in names:
        words, own = command(name)
        log = chain.folder / f"{name.strip('@').replace('/', '-')}.log"
        running[name] = Process(name, words, log, {**environment, **own}).start()
    return running


@pytest.mark.parametrize("name", [*SCRIPTS, *LIBRARIES])
def test_a_client_works(chain, clients, name):
    code = clients[name].wait()
    chain.say(f"{name}: code {code}")
    if code:
        say(clients[name].said())
    assert code == 0
    chain.processes.check()


def test_the_template_of_the_rpc_node_serves_all_that_clients_call(chain, clients):
    named = {sample.labels["method"] for sample in chain.node.metrics() if sample.name.endswith("rpc_calls_started")}
    called, served = named & set(chain.rpc("rpc_methods")["methods"]), template("rpc")[1]
    patterns = served[served.index("--rpc-allow") + 1].split(",")
    # History beyond the pruning window is what archives are for.
    lacking = sorted(name for name in called if not name.startswith("archive_")
                     and not any(re.fullmatch(pattern.replace("*", ".*"), name) for pattern in patterns))
    assert called and not lacking, f"clients call what the template of the RPC node does not serve: {lacking}, of {sorted(called)}"
    chain.say(f"{len(called)} methods were called; the template of the RPC node serves all but archive_*")
