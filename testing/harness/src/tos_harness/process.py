# SPDX-License-Identifier: Apache-2.0
"""Programs that run to their end, and programs that run meanwhile and must not be left behind."""

import os
import shlex
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

from .wait import LATE, Failed, Refused

Word = str | Path


def run(*command: Word, limit: float = LATE, **options: Any) -> subprocess.CompletedProcess[str]:
    """Runs a program that must succeed."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=limit, check=False, **options)
    except subprocess.TimeoutExpired as late:
        said = (late.stderr or b"").decode(errors="replace").strip()
        raise Failed(f"{shlex.join(map(str, command))}: not within {limit:g} s\n{said[-1500:]}") from late
    if done.returncode != 0:
        raise Refused(f"{shlex.join(map(str, command))}: code {done.returncode}\n{done.stdout.strip()[-1500:]}{done.stderr.strip()[-1500:]}")
    return done


# Everything that runs, so that nothing is left behind however a test or a script ends.
RUNNING: list["Process"] = []
# The logs of everything that was started, in this order.
LOGS: dict[Path, None] = {}


def ends_of_logs(lines: int, within: Path | None = None) -> list[tuple[Path, str]]:
    """The last lines of each log that is there, or of those in a folder."""
    logs = [log for log in list(LOGS) if log.exists() and (within is None or log.parent == within)]
    return [(log, "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])) for log in logs]


def stop_all() -> None:
    """Ends everything, the last first."""
    running = RUNNING[::-1]
    for process in running:
        process.send(signal.SIGTERM)
    for process in running:
        process.stop(grace=15)


def stop_when_interrupted(end: type[BaseException] = SystemExit) -> None:
    """From now on an interrupt, a request to end or a lost terminal first ends everything that runs, and then raises `end`.
    Further ones change nothing."""
    signals = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

    def interrupted(number: int, _: object) -> None:
        for one in signals:
            signal.signal(one, signal.SIG_IGN)
        stop_all()
        raise end(128 + number)

    for one in signals:
        signal.signal(one, interrupted)


class Process:
    """A program with a log, in a process group of its own, which is ended with it. It can be started again on the same data."""

    def __init__(self, name: str, command: Sequence[Word], log: Path, environment: Mapping[str, str] | None = None) -> None:
        self.name, self.command, self.log = name, [str(word) for word in command], log
        self.environment = dict(environment or {})
        self.popen: subprocess.Popen[bytes] | None = None

    def start(self, *more: str, environment: Mapping[str, str] | None = None) -> Self:
        with open(self.log, "ab") as log:
            self.popen = subprocess.Popen(
                [*self.command, *more], stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
                env={**os.environ, **self.environment, **(environment or {})})
        RUNNING.append(self)
        LOGS[self.log] = None
        return self

    @property
    def pid(self) -> int:
        if self.popen is None:
            raise Failed(f"{self.name} does not run")
        return self.popen.pid

    def runs(self) -> bool:
        return self.popen is not None and self.popen.poll() is None

    def check(self) -> None:
        """Fails when it has ended by itself."""
        if self.popen and self.popen.poll() is not None:
            raise Failed(f"{self.name} ended with code {self.popen.returncode}; its log ends:\n{self.tail()}")

    def wait(self, limit: float = LATE) -> int:
        """Waits for its end, and returns its code."""
        if self.popen is None:
            raise Failed(f"{self.name} does not run")
        try:
            code = self.popen.wait(limit)
        except subprocess.TimeoutExpired:
            raise Failed(f"{self.name} goes on after {limit:g} s; its log ends:\n{self.tail()}") from None
        self._ended()
        return code

    def send(self, how: signal.Signals) -> None:
        """Sends a signal to the whole group."""
        if self.popen and self.popen.poll() is None:
            os.killpg(self.popen.pid, how)

    def stop(self, how: signal.Signals = signal.SIGTERM, grace: float = 60) -> int | None:
        """Ends it, by force when it takes too long; its exit code, or none when it did not run."""
        if self.popen is None:
            return None
        self.send(how)
        try:
            code = self.popen.wait(grace)
        except subprocess.TimeoutExpired:
            self.send(signal.SIGKILL)
            code = self.popen.wait()
        self._ended()
        return code

    def kill(self) -> None:
        """Ends it as a power cut would: no signal handler runs."""
        self.stop(signal.SIGKILL)

    def _ended(self) -> None:
        self.popen = None
        if self in RUNNING:
            RUNNING.remove(self)

    def said(self) -> str:
        """All of its log."""
        return self.log.read_text(encoding="utf-8", errors="replace") if self.log.exists() else ""

    def tail(self, lines: int = 15) -> str:
        return "\n".join(self.said().splitlines()[-lines:])


class Processes:
    """Programs that run together, by name."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.running = folder, dict[str, Process]()

    def log(self, name: str) -> Path:
        return self.folder / (name.replace(" ", "-") + ".log")

    def start(self, name: str, command: Sequence[Word], **environment: str) -> Process:
        return self.add(Process(name, command, self.log(name), environment).start())

    def add(self, process: Process) -> Process:
        """Takes one that was started elsewhere."""
        self.running[process.name] = process
        return process

    def check(self) -> None:
        """Fails when one has ended by itself."""
        for process in self.running.values():
            process.check()

    def stop(self, name: str, how: signal.Signals = signal.SIGTERM) -> None:
        self.running.pop(name).stop(how)

    def restart(self, *names: str) -> None:
        """Like a power cut: no signal handler runs. Then the same again on the same data."""
        for name in names:
            self.running[name].send(signal.SIGKILL)
        for name in names:
            self.running[name].kill()
        for name in names:
            self.running[name].start()

    def close(self) -> None:
        """Ends all, the last first."""
        running = list(self.running.values())[::-1]
        for process in running:
            process.send(signal.SIGTERM)
        for process in running:
            process.stop(grace=15)
        self.running.clear()
