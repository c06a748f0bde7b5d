# SPDX-License-Identifier: Apache-2.0
"""Chains of the tests' own: a preset with some of its genesis changed."""

import json
import subprocess

# Seconds; making the genesis state takes some beside a build.
LATE = 300


class Refused(Exception):
    """The node does not make such a specification."""


def write(node, path, chain, change):
    """Writes to `path` the raw specification of the chain `chain` after `change(genesis)`; nodes then need not make the state."""
    spec = exported(node, chain)
    change(spec["genesis"]["runtimeGenesis"]["patch"])
    store(path, spec)
    store(path, exported(node, path, "--raw"))


def exported(node, chain, *options):
    done = subprocess.run([node, "export-chain-spec", "--chain", chain, *options], capture_output=True, text=True, timeout=LATE)
    if done.returncode != 0:
        raise Refused(f"no specification of {chain}: {done.stderr.strip()[-600:]}")
    return json.loads(done.stdout)


def store(path, spec):
    with open(path, "w", encoding="utf-8") as file:
        json.dump(spec, file)
