"""What clients behind different networks learn of each other: never an address."""

import os
import socket

from harness.net import RELAY, SIDES, Capture, Net
from scenarios.circuits import MEGABYTE, check_transfer
from scenarios.rendezvous import discover, peers, register


def addresses_hidden(session, kind, other_kind):
    """Neither a record, identify, the circuit nor a packet on the wire shows one client the other's address."""
    net = Net()
    try:
        play(session, net, kind, other_kind)
    finally:
        net.end()


def play(session, net, kind, other_kind):
    relay = session.relay(host=RELAY, prefix=net.inside("relay"))
    captures = {side: Capture(net, side, os.path.join(session.log_folder, f"{side}.packets")) for side in SIDES}
    clients = {side: session.client(k, prefix=net.inside(side)) for side, k in zip(SIDES, (kind, other_kind))}
    for client in clients.values():
        client.do("connect", addr=relay.addr)
        client.do("reserve", addr=relay.addr)
    meet(relay, clients["a"], clients["b"])
    packets = {side: capture.end() for side, capture in captures.items()}
    for side, other in (("a", "b"), ("b", "a")):
        check_packets(packets[side], other)
        check_told(clients[side], other)


def meet(relay, first, second):
    if not first.name.startswith("js") and not second.name.startswith("js"):
        register(relay, first)
        register(relay, second)
        discover_each_other(relay, first, second)
    second.do("dial", addr=relay.circuit_to(first.peer))
    first.wait_event("connected", peer=second.peer)
    for one, other in ((first, second), (second, first)):
        one.do("identify", peer=other.peer)
        one.do("identify", peer=relay.peer)
        one.do("ping", peer=other.peer)
    check_transfer(second, first, MEGABYTE)


def discover_each_other(relay, first, second):
    for client in (first, second):
        found = discover(relay, client)
        assert client.peer in peers(found), f"{client} found {found}"
        for record in found["records"]:
            for addr in record["addrs"]:
                assert addr.startswith(relay.addr + "/p2p-circuit"), f"a record holds {addr}"


def check_packets(packets, other):
    """The control first: the relay's address has to be there, or nothing was captured."""
    assert packets.count(socket.inet_aton(RELAY)) > 10, "the capture does not show even the relay's address"
    for addr in addresses(other):
        for form in (socket.inet_aton(addr), addr.encode()):
            assert form not in packets, f"{addr} of the other client passed by on the wire"


def check_told(client, other):
    for addr in addresses(other):
        assert addr not in client.transcript(), f"{client} was told {addr}"


def addresses(side):
    outer, inner = SIDES[side]
    return outer, inner + ".2", inner + ".1"
