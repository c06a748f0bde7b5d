# SPDX-License-Identifier: Apache-2.0
"""Command lines of units, for systems where no systemd runs."""

import re
from typing import Protocol

from .process import run
from .templates import settings


class System(Protocol):
    """A file system with a unit in it."""

    root: str

    def text(self, name: str) -> str: ...

    def write(self, name: str, text: str, mode: int = 0o644) -> None: ...


def unit(system: System, name: str, instance: str | None = None, folder: str = "/usr/lib/systemd/system") -> tuple[str, dict[str, str], list[str]]:
    """The user, the environment and the words of the command line that systemd would start."""
    values: dict[str, list[str]] = {}
    for line in system.text(f"{folder}/{name}").replace("%i", instance or "").splitlines():
        if "=" in line and not line.startswith("#"):
            key, value = line.split("=", 1)
            values.setdefault(key, []).append(value)
    environment = dict(part.split("=", 1) for part in values.get("Environment", []))
    for path in values["EnvironmentFile"]:
        environment.update(settings(system.text(path)))
    user = values["User"][0]
    if "LoadCredential" in values:
        credential, path = values["LoadCredential"][0].split(":", 1)
        place = f"/run/credentials/{name}"
        system.write(f"{place}/{credential}", system.text(path), 0o400)
        run("chroot", system.root, "chown", "-R", user, place)
        environment["CREDENTIALS_DIRECTORY"] = place
    words = []
    for word in values["ExecStart"][0].split():
        if whole := re.fullmatch(r"\$(\w+)", word):
            words += environment[whole[1]].split()
        else:
            words.append(re.sub(r"\$\{(\w+)\}", lambda found: environment[found[1]], word))
    return user, environment, words
