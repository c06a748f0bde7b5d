#!/usr/bin/env -S sh -c 'exec "$(dirname "$0")/../scripts/python" "$0" "$@"'
# SPDX-License-Identifier: Apache-2.0
"""Runs the network scenarios with real nodes, two at a time, and leaves nothing running.

    zombienet/run.py              all scenarios
    zombienet/run.py --quick      the subset that scripts/test runs (under ten minutes on two cores)
    zombienet/run.py --only sync

Exit code 0 when all passed, 1 when one failed, 2 when the arguments are wrong. A scenario that this machine does not
allow is skipped and says why; --strict makes that a failure. A scenario for which there is nothing to try (an upgrade, just
after a release) is idle, which never is one.
"""

import argparse
import concurrent.futures
import importlib
import json
import os
import shutil
import signal
import sys
import tempfile
import time
import traceback
from pathlib import Path

from tos_harness import paths
from tos_harness.network import OPEN
from tos_harness.process import ends_of_logs, stop_all
from tos_harness.wait import Failed, Idle, Skipped

# Of each log, when a scenario fails.
LINES = 40
# The longest first, so that the others fit in meanwhile.
NAMES = ("crashes", "history", "upgrade", "referendum", "equivocation", "rotation", "work", "hostile", "clock", "upstream", "sync", "finality", "partition")


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="only the bounded subset")
    parser.add_argument("--only", action="append", choices=NAMES, metavar="NAME", help=f"one of {', '.join(NAMES)}; repeatable")
    parser.add_argument("--list", action="store_true", help="say what each scenario proves, and run nothing")
    parser.add_argument("--bin", type=Path, default=paths.binaries(), help="folder of tos-node (%(default)s)")
    parser.add_argument("--old-bin", metavar="PATH", type=Path, help="a node of the last release, which runs two of four validators where a "
                        "network is upgraded (scripts/release-node makes it)")
    parser.add_argument("--code", metavar="FILE", type=Path, help="the runtime to upgrade to, instead of the one that the node carries")
    parser.add_argument("--jobs", type=int, default=2, metavar="N", help="networks that run at a time (%(default)s)")
    parser.add_argument("--keep", action="store_true", help="keep databases and logs of failed scenarios")
    parser.add_argument("--strict", action="store_true", help="a skipped scenario is a failure")
    parser.add_argument("--json", action="store_true", help="print the results as JSON, with what scenarios measured")
    parser.add_argument("--out", metavar="FILE", help="write the same to a file")
    return parser.parse_args()


def attempt(name, module, binary, options):
    """Runs one scenario, and says how it ended."""
    print(f"{name}: {' '.join(module.__doc__.split())}", file=sys.stderr, flush=True)
    folder, began = Path(tempfile.mkdtemp(prefix=f"tos-{name}-")), time.monotonic()
    figures = None
    try:
        figures = module.run(binary, folder, options)
        outcome, reason = "ok", None
    except Skipped as skipped:
        outcome, reason = "skipped", str(skipped)
    except Idle as idle:
        outcome, reason = "idle", str(idle)
    except Failed as failed:
        outcome, reason = "failed", str(failed)
    except Exception as error:  # A defect of the scenario is a failure of it, not the end of the others.
        traceback.print_exc()
        outcome, reason = "failed", repr(error)
    seconds = round(time.monotonic() - began, 1)
    print(f"{name}: {outcome} after {seconds} s{': ' + reason if reason else ''}", file=sys.stderr, flush=True)
    if outcome == "failed":
        # The folder goes, and a failure that is seen once in a hundred runs has to be understood from what was printed.
        for log, end in ends_of_logs(LINES, folder):
            print(f"{name}: {log.name} ends:\n{end}", file=sys.stderr, flush=True)
    if outcome == "failed" and options.keep:
        print(f"{name}: logs in {folder}", file=sys.stderr)
    else:
        shutil.rmtree(folder, ignore_errors=True)
    return {"scenario": name, "outcome": outcome, "seconds": seconds, "reason": reason, "figures": figures}


def interrupted(number, _):
    """Stops everything that runs, and then this."""
    stop_all()
    for net in list(OPEN):
        net.close()
        shutil.rmtree(net.folder, ignore_errors=True)
    os._exit(128 + number)


def main():
    options = arguments()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, interrupted)
    modules = {name: importlib.import_module(f"scenarios.{name}") for name in NAMES}
    if options.list:
        for name, module in modules.items():
            print(f"{name}{' (quick)' if module.QUICK else ''}\n    {' '.join(module.__doc__.split())}")
        return 0
    binary = options.bin.resolve() / "tos-node"
    if not os.access(binary, os.X_OK):
        print(f"there is no node at {binary}; run: cargo build --release --workspace", file=sys.stderr)
        return 2
    if options.old_bin and not os.access(options.old_bin, os.X_OK):
        print(f"there is no node at {options.old_bin}; run: scripts/release-node", file=sys.stderr)
        return 2
    wanted = options.only or [name for name, module in modules.items() if module.QUICK or not options.quick]
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        results = list(pool.map(lambda name: attempt(name, modules[name], binary, options), wanted))
    if options.json:
        print(json.dumps(results))
    if options.out:
        with open(options.out, "w", encoding="utf-8") as file:
            json.dump(results, file, indent=1)
    bad = {"failed", "skipped"} if options.strict else {"failed"}
    return 1 if any(result["outcome"] in bad for result in results) else 0


if __name__ == "__main__":
    sys.exit(main())
