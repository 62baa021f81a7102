"""Two clients behind address translation and a relay outside, each in a network namespace of its own.

    client-a 192.168.71.2 - nat-a 11.71.0.10 -+
                                              +- relay 11.71.0.1
    client-b 192.168.72.2 - nat-b 11.71.0.20 -+

The outer addresses count as public for the clients; nothing of it leaves the namespaces.
"""

import itertools
import os
import shutil
import signal
import subprocess
import sys
import time

from harness.session import Skip

RELAY = "11.71.0.1"
SIDES = {"a": ("11.71.0.10", "192.168.71"), "b": ("11.71.0.20", "192.168.72")}


NUMBERS = itertools.count()


def moved(outer):
    """The outer address of a side that has moved."""
    return outer + "1"


class Net:
    def __init__(self):
        if os.geteuid() != 0:
            raise Skip("network namespaces need root")
        for tool in ("ip", "iptables"):
            if shutil.which(tool) is None:
                raise Skip(f"{tool} is not installed")
        self._tag = f"iop{os.getpid()}-{next(NUMBERS)}"
        self._made = []
        try:
            self._build()
        except subprocess.CalledProcessError as failure:
            self.end()
            raise Skip(f"no network namespaces here: {failure.stderr.strip()}") from None

    def inside(self, place):
        """The words before a command that run it in that place: relay, a or b."""
        return ["ip", "netns", "exec", self._name(place)]

    def move(self, side):
        """Gives a side another outer address, as an internet provider does: what was open there dies unnoticed."""
        outer, nat = SIDES[side][0], "nat" + side
        self._run(nat, f"ip addr del {outer}/24 dev wan")
        self._run(nat, f"ip addr add {moved(outer)}/24 dev wan")

    def end(self):
        for name in self._made:
            subprocess.run(["ip", "netns", "delete", name], check=False, stderr=subprocess.DEVNULL)

    def _name(self, place):
        return f"{self._tag}{place}"

    def _build(self):
        self._namespace("relay")
        self._run("relay", "ip link add br0 type bridge")
        self._run("relay", f"ip addr add {RELAY}/24 dev br0")
        self._run("relay", "ip link set br0 up")
        for side, (outer, inner) in SIDES.items():
            self._side(side, outer, inner)

    def _side(self, side, outer, inner):
        nat = "nat" + side
        self._namespace(side)
        self._namespace(nat)
        self._cable("relay", "v" + side, nat, "wan")
        self._run("relay", f"ip link set v{side} master br0")
        self._cable(nat, "lan", side, "eth0")
        self._run(nat, f"ip addr add {outer}/24 dev wan")
        self._run(nat, f"ip addr add {inner}.1/24 dev lan")
        self._run(nat, "sysctl -q net.ipv4.ip_forward=1")
        self._run(nat, "iptables -t nat -A POSTROUTING -o wan -j MASQUERADE")
        self._run(nat, "iptables -A FORWARD -i wan -m conntrack ! --ctstate ESTABLISHED,RELATED -j DROP")
        self._run(nat, "iptables -A INPUT -i wan -m conntrack ! --ctstate ESTABLISHED,RELATED -j DROP")
        self._run(side, f"ip addr add {inner}.2/24 dev eth0")
        self._run(side, f"ip route add default via {inner}.1")

    def _namespace(self, place):
        self._made.append(self._name(place))
        self._call(["ip", "netns", "add", self._name(place)])
        self._run(place, "ip link set lo up")

    def _cable(self, first, first_end, second, second_end):
        self._run(first, f"ip link add {first_end} type veth peer name {second_end} netns {self._name(second)}")
        self._run(first, f"ip link set {first_end} up")
        self._run(second, f"ip link set {second_end} up")

    def _run(self, place, command):
        self._call([*self.inside(place), *command.split()])

    def _call(self, command):
        subprocess.run(command, check=True, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


class Capture:
    """Everything that passes the network interface of a place."""

    def __init__(self, net, place, path):
        sniffer = os.path.join(os.path.dirname(os.path.abspath(__file__)), "sniff.py")
        self._path = path
        self._process = subprocess.Popen([*net.inside(place), sys.executable, sniffer, path], stdout=subprocess.PIPE)
        self._process.stdout.readline()  # it listens

    def end(self):
        time.sleep(0.2)  # the last packets are on their way
        self._process.send_signal(signal.SIGTERM)
        self._process.wait()
        with open(self._path, "rb") as packets:
            return packets.read()
