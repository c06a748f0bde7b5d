# SPDX-License-Identifier: Apache-2.0
"""Hosts that are some milliseconds apart, on one Linux machine. Needs root.

Every host is a network namespace with a TUN device, and one process carries packets between them, each a fixed time after it came.
Kernels need nothing but TUN for it. This machine itself is one more host, without delay, so that asking a node takes no longer than usual.
"""

import collections
import ctypes
import fcntl
import os
import select
import struct
import subprocess
import sys
import time
from collections.abc import Sequence

from .process import run
from .wait import Failed

SUBNET = "10.77.0"
HERE = 254
CLONE_NEWNET = 0x40000000
TUNSETIFF, TUN_WITHOUT_HEADER = 0x400454CA, 0x1001
# Large enough for few packets, small enough for one read.
MTU = 16_000


class Hosts:
    """So many hosts, `one_way` milliseconds from each other."""

    def __init__(self, count: int, one_way: float) -> None:
        self.names = {number: f"tos-load-{os.getpid()}-{number}" for number in range(1, count + 1)}
        self.free = sorted(self.names)
        self.relay: subprocess.Popen[str] | None = None
        self.device = f"tosl{os.getpid() % 100_000}"
        try:
            for name in self.names.values():
                run("ip", "netns", "add", name)
            self.relay = subprocess.Popen(
                [sys.executable, "-m", "tos_harness.latency", str(one_way), self.device, *self.names.values()],
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
            if self.relay.stdout is None or self.relay.stdout.readline().strip() != "ready":
                raise Failed("no TUN devices: root is needed, and a kernel with TUN")
            run("ip", "addr", "add", f"{SUBNET}.{HERE}/24", "dev", self.device)
            run("ip", "link", "set", self.device, "mtu", str(MTU), "up")
            for number, name in self.names.items():
                run("ip", "-n", name, "addr", "add", f"{SUBNET}.{number}/24", "dev", self.device)
                run("ip", "-n", name, "link", "set", self.device, "mtu", str(MTU), "up")
                run("ip", "-n", name, "link", "set", "lo", "up")
        except BaseException:
            self.close()
            raise

    def take(self) -> tuple[str, str]:
        """The namespace and the address of a host that is not in use."""
        number = self.free.pop(0)
        return self.names[number], f"{SUBNET}.{number}"

    def give(self, address: str) -> None:
        self.free = sorted([*self.free, int(address.rpartition(".")[2])])

    def close(self) -> None:
        if self.relay:
            self.relay.terminate()
            self.relay.wait()
        for name in self.names.values():
            subprocess.run(["ip", "netns", "del", name], capture_output=True, check=False)


# --- the process between the hosts ----------------------------------------------------------------


def tun(device: str) -> int:
    """A TUN device in the namespace of this process."""
    fd = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(fd, TUNSETIFF, struct.pack("16sH22x", device.encode(), TUN_WITHOUT_HEADER))
    return fd


def enter(path: str) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    with open(path, "rb") as namespace:
        if libc.setns(namespace.fileno(), CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), f"cannot enter {path}")


def carry(one_way: float, device: str, names: Sequence[str]) -> None:
    hosts = {HERE: tun(device)}
    for number, name in enumerate(names, 1):
        enter(f"/run/netns/{name}")
        hosts[number] = tun(device)
    print("ready", flush=True)
    poll = select.poll()
    numbers = {}
    for number, fd in hosts.items():
        poll.register(fd, select.POLLIN)
        numbers[fd] = number
    # All wait equally long, so that the first to come is the first to go.
    waiting: collections.deque[tuple[float, int, bytes]] = collections.deque()
    while True:
        left = max(0.0, waiting[0][0] - time.monotonic()) * 1000 if waiting else None
        for fd, _ in poll.poll(left if left is None else int(left + 0.999)):
            for _ in range(64):
                try:
                    packet = os.read(fd, MTU + 64)
                except BlockingIOError:
                    break
                # IPv4 to a host that there is; everything else is lost.
                if packet[0] >> 4 == 4 and packet[16:19] == bytes((10, 77, 0)) and packet[19] in hosts:
                    if HERE in (packet[19], numbers[fd]):
                        deliver(hosts[packet[19]], packet)
                    else:
                        waiting.append((time.monotonic() + one_way / 1000, hosts[packet[19]], packet))
        now = time.monotonic()
        while waiting and waiting[0][0] <= now:
            _, fd, packet = waiting.popleft()
            deliver(fd, packet)


def deliver(fd: int, packet: bytes) -> None:
    try:
        os.write(fd, packet)
    except OSError:
        pass  # A full queue loses packets, as routers do.


if __name__ == "__main__":
    carry(float(sys.argv[1]), sys.argv[2], sys.argv[3:])
