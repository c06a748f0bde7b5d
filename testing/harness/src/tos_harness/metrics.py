# SPDX-License-Identifier: Apache-2.0
"""Metrics in the text format of Prometheus, and the account that Linux keeps of a process."""

import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from .rpc import request

LINE = re.compile(r"(\w+)(?:\{(.*)\})? (\S+)")
LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')
# Fields of /proc/PID/status, in KiB there.
FIELDS = {"VmRSS": "resident", "RssAnon": "anonymous", "VmHWM": "peak"}


class Sample(NamedTuple):
    """A value of a series."""

    name: str
    labels: dict[str, str]
    value: float


def parse(page: str) -> list[Sample]:
    """The samples on a page of metrics."""
    found = []
    for line in page.splitlines():
        if not line.startswith("#") and (match := LINE.fullmatch(line)):
            found.append(Sample(match[1], dict(LABEL.findall(match[2] or "")), float(match[3])))
    return found


def scrape(address: str, limit: float = 20) -> list[Sample]:
    """The samples that are served at an address, as `127.0.0.1:9615`."""
    return parse(request("GET", f"http://{address}/metrics", limit=limit).text)


def total(samples: Iterable[Sample], name: str, **labels: str) -> float:
    """The sum of a metric over all series with these labels."""
    return sum(sample.value for sample in samples if sample.name == name and labels.items() <= sample.labels.items())


def memory(pid: int) -> dict[str, float]:
    """Memory of a process in MiB: resident, the part of it that no file backs, and the peak."""
    found = {}
    for line in Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace").splitlines():
        name, _, value = line.partition(":")
        if name in FIELDS:
            found[FIELDS[name]] = round(int(value.split()[0]) / 1024, 1)
    return found


def cpu(pid: int) -> float:
    """Processor seconds that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def disk(folder: Path) -> int:
    """Bytes that a folder takes on disk."""
    total_bytes = 0
    for where, _, names in os.walk(folder):
        for name in names:
            try:
                total_bytes += os.stat(os.path.join(where, name)).st_blocks * 512
            except FileNotFoundError:
                pass  # A database has just compacted it away.
    return total_bytes
