# SPDX-License-Identifier: Apache-2.0
"""Storage on a development chain: providers, what they say, and where their replicas lie."""

import io
import os
import tarfile
from pathlib import Path
from typing import Any

from .chain import DevChain
from .paths import ROOT
from .ports import free_port

# Deadlines count blocks, of half a second: a killed provider has six seconds and more to be back, while a build runs as well.
CONFIG = {"window": 12, "challengeTicks": 40, "auditTicks": 40}
CLIENT = "//Dave"


def quick(genesis: dict[str, Any]) -> None:
    """Changes a genesis so that windows pass within seconds."""
    genesis["storage"]["config"].update(CONFIG)


def sources(*folders: str) -> bytes:
    """A tar of source folders, the same for the same sources."""
    names: list[str] = []
    for folder in folders:
        for base, folders_in, files in os.walk(ROOT / folder):
            folders_in[:] = sorted(f for f in folders_in if f not in ("target", "node_modules"))
            names += [os.path.join(base, name) for name in sorted(files)]
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as archive:
        for name in names:
            entry = tarfile.TarInfo(os.path.relpath(name, ROOT))
            content = Path(name).read_bytes()
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return data.getvalue()


def start_provider(chain: DevChain, name: str, key: str, *options: str) -> str:
    """A provider that takes what it is offered; returns its account."""
    port = free_port()
    made = chain.call(name, key, "storage", "init", "--bond", "5000", "--public-url", f"http://127.0.0.1:{port}")
    chain.run(name, key, "storage", "run", "--serve", f"127.0.0.1:{port}", "--auto", "--named-only", "--settle-every", "4", *options)
    return str(made["provider"])


def publish(chain: DevChain, path: Path, provider: str, url: str, key: str = CLIENT) -> str:
    """Offers a file, which is served at `url`, to a provider; returns the deal."""
    made = chain.call("client", key, "storage", "publish", path, "--price", "0.5", "--retention", "365d", "--provider", provider,
                      "--public-url", url)
    return str(made["deal"])


def show(chain: DevChain, deal: str) -> Any:
    """A deal as the chain knows it."""
    return chain.call("client", CLIENT, "storage", "show", deal)


def status(chain: DevChain, provider: str) -> Any:
    """A provider as the chain knows it."""
    return chain.call("client", CLIENT, "storage", "status", provider)


def sealed_file(chain: DevChain, name: str, replica: str) -> Path:
    """The file of a user's replica."""
    digits = replica.replace("-", "")
    return chain.folder / name / "storage" / "replicas" / digits[:2] / digits / "sealed.bin"
