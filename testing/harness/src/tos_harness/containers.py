# SPDX-License-Identifier: Apache-2.0
"""A container engine that knows what ops/docker needs and no more, where Docker's does not run.

Images, containers and named volumes are what they are in Docker as far as the files there can tell: an image is the
machine's system with what the last stage of the Dockerfile puts in it; a container has it read-only, a network address
and a name that others resolve, its volumes, a user without capabilities, and its process. Images are not pulled, so
services of other images do not run. What is asked for and not known here is an error.

It takes root and a network of its own, and mounts of its own.
"""

import os
import re
import shlex
import signal
import socket
import struct
import subprocess
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from .paths import ROOT
from .process import LOGS, run
from .wait import LATE, Failed, check

# The addresses of containers, which reach one another.
SUBNET = "10.213.7"
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def layers(folder: str, *lower: str, writable: bool = True) -> str:
    """A file system on top of others, the upper ones first; returns where it is. What is written is in `folder`/upper."""
    upper, work, root = (os.path.join(folder, part) for part in ("upper", "work", "root"))
    for path in (upper, work, root):
        os.makedirs(path)
    # What every system sees belongs to root and can be looked into.
    os.chmod(upper, 0o755)
    options = f"lowerdir={':'.join(lower)}" + (f",upperdir={upper},workdir={work}" if writable else "")
    run("mount", "-t", "overlay", "overlay", "-o", options, root)
    return root


def system(folder: str, *lower: str, writable: bool = True) -> str:
    """The same of layers in which there is a system, which can run."""
    root = layers(folder, *lower, writable=writable)
    run("mount", "-t", "proc", "proc", os.path.join(root, "proc"))
    run("mount", "--rbind", "/dev", os.path.join(root, "dev"))
    return root


def instructions(path: str) -> list[list[str]]:
    """The instructions of the Dockerfile's last stage."""
    with open(path, encoding="utf-8") as file:
        joined = re.sub(r"\\\n", " ", file.read())
    lines = [line.split(None, 1) for line in joined.splitlines() if line and not line.startswith("#")]
    last = max(number for number, line in enumerate(lines) if line[0] == "FROM")
    return lines[last + 1:]


class Image:
    """The result of the last stage of a Dockerfile for the programs in the folder `binaries`."""

    def __init__(self, folder: str, binaries: Path, dockerfile: str) -> None:
        self.user, self.entrypoint, self.health, self.volumes = "root", list[str](), list[str](), list[str]()
        self.upper = os.path.join(folder, "upper")
        # A layer of an overlay must not lie in another one of it.
        run("mount", "-t", "tmpfs", "tmpfs", folder)
        root = system(folder, "/")
        for name, rest in instructions(dockerfile):
            if name == "RUN":
                # Debian's packages are those of this machine.
                for command in (part.strip() for part in rest.split("&&")):
                    if not command.startswith(("apt-get ", "rm -rf /var/lib/apt/")):
                        run("chroot", root, "sh", "-c", command)
            elif name == "COPY":
                words = rest.split()
                *sources, target = [word for word in words if not word.startswith("--")]
                built = "--from=build" in words
                mode = next((word.partition("=")[2] for word in words if word.startswith("--chmod=")), "755")
                for source in sources:
                    source = str(binaries / os.path.basename(source)) if built else str(ROOT / source)
                    run("install", "-m", mode, source, root + target)
            elif name == "USER":
                self.user = rest
            elif name == "VOLUME":
                self.volumes = rest.split()
            elif name == "ENTRYPOINT":
                self.entrypoint = yaml.safe_load(rest)
            elif name == "HEALTHCHECK":
                self.health = yaml.safe_load(rest[rest.index("CMD") + 3:])
            else:
                check(name in ("EXPOSE", "CMD"), f"{name}: not known here")
        # From here on it is not written to.
        run("umount", "--recursive", root)
        self.root = system(os.path.join(folder, "made"), self.upper, "/", writable=False)


class Container:
    """A process in an image with volumes."""

    def __init__(self, engine: "Engine", name: str, volumes: Sequence[str], read_only: bool = True) -> None:
        self.engine, self.name = engine, name
        folder = engine.place("container", name)
        image = engine.built()
        self.root = system(folder, image.upper, "/", writable=not read_only)
        self.mounts = []
        for volume in volumes:
            source, target, *mode = volume.split(":")
            self.mounts.append((engine.volume(source, target), target, mode == ["ro"]))
        self.netns = engine.attach(name)
        self.process: subprocess.Popen[bytes] | None = None
        self.log = os.path.join(folder, "log")

    def command(self, words: Sequence[str], user: str | None = None) -> list[str]:
        """The command line that runs these words inside."""
        steps = [f"mount --bind {file} {self.root}/etc/{os.path.basename(file)}" for file in self.engine.files]
        for source, target, read_only in self.mounts:
            steps.append(f"mount --bind {source} {self.root}{target}")
            if read_only:
                steps.append(f"mount -o remount,bind,ro {self.root}{target}")
        # Last: the volumes may lie below it.
        steps.append(f"mount -t tmpfs tmpfs {self.root}/tmp")
        user = user or self.engine.built().user
        steps.append(f"exec env -i PATH={PATH} HOME=/var/lib/tos chroot {self.root} setpriv --reuid={user} --regid={user} --init-groups "
                     f"--bounding-set=-all --inh-caps=-all --no-new-privs {shlex.join(words)}")
        return ["ip", "netns", "exec", self.netns, "unshare", "--mount", "sh", "-ec", "\n".join(steps)]

    def run(self, words: Sequence[str], given: bytes = b"") -> tuple[int, bytes, bytes]:
        """Runs something to its end: exit code and output."""
        done = subprocess.run(self.command(words), input=given, capture_output=True, check=False, timeout=LATE)
        return done.returncode, done.stdout, done.stderr

    def start(self, words: Sequence[str]) -> None:
        LOGS[Path(self.log)] = None
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(self.command(words), stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def said(self) -> str:
        with open(self.log, encoding="utf-8", errors="replace") as file:
            return file.read()


class Engine:
    """`docker`, with what is built and runs."""

    def __init__(self, folder: str, binaries: Path) -> None:
        self.folder, self.binaries = folder, binaries
        self.image: Image | None = None
        self.count, self.numbers = 0, dict[str, int]()
        self.running: dict[str, Container] = {}
        self.codes: dict[str, int] = {}
        os.makedirs(folder)
        # As in Docker, names are asked for: nodes read a file of them once, and never again.
        hosts, resolver = self.files = [os.path.join(folder, name) for name in ("hosts", "resolv.conf")]
        for path, content in ((hosts, "127.0.0.1 localhost\n"), (resolver, f"nameserver {SUBNET}.1\n")):
            with open(path, "w", encoding="utf-8") as file:
                file.write(content)
        run("ip", "link", "add", "docker0", "type", "bridge")
        run("ip", "link", "set", "docker0", "up")
        run("ip", "addr", "add", f"{SUBNET}.1/24", "dev", "docker0")
        server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        server.bind((f"{SUBNET}.1", 53))
        threading.Thread(target=self.answer_names, args=(server,), daemon=True).start()

    def answer_names(self, server: socket.socket) -> None:
        """Answers for the addresses of names of this network; no other name exists."""
        while True:
            query, asker = server.recvfrom(512)
            labels, at = [], 12
            while query[at]:
                labels.append(query[at + 1:at + 1 + query[at]])
                at += 1 + query[at]
            question = query[12:at + 5]
            number = self.numbers.get(b".".join(labels).decode("ascii", "replace").lower())
            wants_address = question[-4:] == b"\0\1\0\1"
            # Flags: an answer, by an authority, 3 for a name that does not exist.
            flags = b"\x85\x80" if number else b"\x85\x83"
            answers = int(bool(number and wants_address))
            record = b"\xc0\x0c\0\1\0\1" + struct.pack(">IH", 1, 4) + socket.inet_aton(f"{SUBNET}.{number or 1}")
            head = query[:2] + flags + struct.pack(">HHHH", 1, answers, 0, 0)
            server.sendto(head + question + record * answers, asker)

    def built(self) -> Image:
        """The image, which must be there."""
        if self.image is None:
            raise Failed("there is no image yet")
        return self.image

    def place(self, kind: str, name: str) -> str:
        self.count += 1
        path = os.path.join(self.folder, f"{kind}-{name}-{self.count}")
        os.makedirs(path)
        return path

    def volume(self, name: str, target: str) -> str:
        """The folder of a named volume; a new one begins as what the image has there."""
        path = os.path.join(self.folder, f"volume-{name}")
        if not os.path.exists(path):
            run("cp", "-a", self.built().root + target, path)
        return path

    def attach(self, name: str) -> str:
        """A network namespace with an address, under a name."""
        number = self.numbers.setdefault(name, len(self.numbers) + 2)
        netns = f"tos-{number}"
        if netns not in run("ip", "netns", "list").stdout.split():
            run("ip", "netns", "add", netns)
            run("ip", "link", "add", f"veth{number}", "type", "veth", "peer", "name", "eth0", "netns", netns)
            run("ip", "link", "set", f"veth{number}", "master", "docker0", "up")
            run("ip", "-n", netns, "addr", "add", f"{SUBNET}.{number}/24", "dev", "eth0")
            for device in ("lo", "eth0"):
                run("ip", "-n", netns, "link", "set", device, "up")
        return netns

    # --- commands ----------------------------------------------------------------------------

    def docker(self, words: Sequence[str], cwd: str, given: bytes) -> tuple[int, bytes, bytes]:
        """Runs `docker WORDS`: exit code, output and errors."""
        what, *rest = words
        if what == "build":
            check(rest[:1] == ["-f"] and rest[2:] == ["-t", "tos", "."], f"docker build {rest}: not known here")
            self.image = Image(self.place("image", "tos"), self.binaries, os.path.join(cwd, rest[1]))
            return 0, b"", b""
        image = self.built()
        if what == "run":
            check(rest[:2] == ["--rm", "tos"], f"docker run {rest}: not known here")
            volumes = [f"of-{self.count}-{number}:{target}" for number, target in enumerate(image.volumes)]
            return Container(self, "run", volumes, read_only=False).run([*image.entrypoint, *rest[2:]], given)
        check(what == "compose" and rest[:1] == ["-f"], f"docker {what} {rest}: not known here")
        with open(os.path.join(cwd, rest[1]), encoding="utf-8") as file:
            services = yaml.safe_load(file)["services"]
        action = {"run": self.compose_run, "up": self.compose_up, "exec": self.compose_exec, "down": self.compose_down}
        check(rest[2] in action, f"docker compose {rest[2]}: not known here")
        return action[rest[2]](services, rest[3:], given)

    def made(self, name: str, service: dict[str, Any]) -> Container:
        known = {"image", "build", "restart", "stop_grace_period", "security_opt", "cap_drop", "read_only", "tmpfs", "profiles",
                 "entrypoint", "command", "ports", "volumes", "depends_on"}
        check(set(service) <= known, f"{name}: {set(service) - known} is not known here")
        check(service["cap_drop"] == ["ALL"] and service["tmpfs"] == ["/tmp"] and
              service["security_opt"] == ["no-new-privileges:true"], f"{name}: its limits are others than here")
        return Container(self, name, service.get("volumes", []), service["read_only"])

    def compose_run(self, services: dict[str, Any], words: list[str], given: bytes) -> tuple[int, bytes, bytes]:
        entrypoint: list[str] | None = None
        while words[0].startswith("-"):
            option = words.pop(0)
            if option == "--entrypoint":
                entrypoint = [words.pop(0)]
            else:
                check(option in ("--rm", "-T"), f"docker compose run {option}: not known here")
        name, *arguments = words
        service = services[name]
        entrypoint = entrypoint or service.get("entrypoint") or self.built().entrypoint
        return self.made(name, service).run([*entrypoint, *(arguments or service["command"])], given)

    def compose_up(self, services: dict[str, Any], words: list[str], _: bytes) -> tuple[int, bytes, bytes]:
        check(words == ["--detach"], f"docker compose up {words}: not known here")
        for name, service in services.items():
            if service["image"] == "tos" and "profiles" not in service:
                container = self.running[name] = self.made(name, service)
                container.start([*(service.get("entrypoint") or self.built().entrypoint), *service["command"]])
        return 0, b"", b""

    def compose_exec(self, _: dict[str, Any], words: list[str], given: bytes) -> tuple[int, bytes, bytes]:
        check(words[0] == "-T", f"docker compose exec {words}: not known here")
        return self.running[words[1]].run(words[2:], given)

    def compose_down(self, services: dict[str, Any], words: list[str], _: bytes) -> tuple[int, bytes, bytes]:
        check(words == [], f"docker compose down {words}: not known here")
        processes = {name: container.process for name, container in self.running.items() if container.process}
        for process in processes.values():
            process.send_signal(signal.SIGTERM)
        for name, process in processes.items():
            grace = int(services[name]["stop_grace_period"].removesuffix("s"))
            try:
                self.codes[name] = process.wait(grace)
            except subprocess.TimeoutExpired:
                process.kill()
                self.codes[name] = process.wait()
        self.running = {}
        return 0, b"", b""
