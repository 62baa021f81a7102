"""Several clients at once: both dialling, ten members, a slow reader, a relay that restarts."""

import time
from itertools import cycle, islice

from harness.client import ClientError
from scenarios.circuits import MEGABYTE, check_transfer, joined
from scenarios.rendezvous import discover, member, peers, register

MEMBERS = 10
STALL = 60  # seconds
CROWD = 200
SLOW = 64 * 1024  # bytes a second


def dial_each_other(session, first_kind, second_kind):
    """Both dial the other at the same moment, twice: every dial succeeds, and bytes flow."""
    relay = session.relay()
    first, second = member(session, relay, first_kind), member(session, relay, second_kind)
    for _ in range(2):
        pairs = (first, second), (second, first)
        for dial in [one.start("dial", addr=relay.circuit_to(other.peer)) for one, other in pairs]:
            dial.result()
    check_transfer(first, second, MEGABYTE)
    check_transfer(second, first, MEGABYTE)


def ten_members(session, *kinds):
    """Ten members, of one kind or of all in turn, discover each other and all dial all others at once: 90 dials."""
    relay = session.relay()
    members = [member(session, relay, kind) for kind in islice(cycle(kinds), MEMBERS)]
    if len(kinds) == 1:  # each kind of record is served to its own kind only
        meet(relay, members)
    pairs = [(one, other) for one in members for other in members if one is not other]
    dials = [one.start("dial", addr=relay.circuit_to(other.peer)) for one, other in pairs]
    # go answers a dial with the connection that the other's dial has just made: then none of its own is to wait for.
    for (one, other), dial in zip(pairs, dials):
        if dial.result().get("direction") == "inbound":
            one.wait_event("connected", peer=other.peer, direction="inbound")
        else:
            other.wait_event("connected", peer=one.peer, direction="inbound")
    check_transfer(members[0], members[-1], MEGABYTE)


def meet(relay, members):
    for one in members:
        register(relay, one)
    for one in members:
        assert peers(discover(relay, one)) == sorted(other.peer for other in members)


def slow_reader(session, listener_kind, dialler_kind):
    """A reader at 64 KiB/s holds its sender back, while pings pass and another circuit runs at full speed."""
    relay, listener, dialler = joined(session, listener_kind, dialler_kind)
    bystander, friend = member(session, relay, listener_kind), member(session, relay, dialler_kind)
    friend.do("dial", addr=relay.circuit_to(bystander.peer))
    listener.do("pace", bytes_per_second=SLOW)
    began = time.monotonic()
    slow = dialler.start("transfer", 120, peer=listener.peer, bytes=2 * MEGABYTE)
    for client in (listener, dialler):
        assert client.do("ping", peer=relay.peer)["ms"] < 2000, f"{client} waits for the relay"
    check_transfer(friend, bystander, 16 * MEGABYTE)
    assert time.monotonic() - began < 2 * MEGABYTE / SLOW, "the slow circuit slowed the other one"
    opened, accepted = slow.result(), listener.wait_event("transfer", 60, peer=dialler.peer)
    assert opened["sent"] == accepted["received"], "what the slow reader got is not what was sent"
    assert time.monotonic() - began > 2 * MEGABYTE / SLOW * 0.7, "the reader was not slow at all"


def stalled_reader(session, listener_kind, dialler_kind):
    """A reader that stops for a minute: the relay's memory stays small, pings pass, and then all bytes arrive."""
    relay, listener, dialler = joined(session, listener_kind, dialler_kind)
    before = relay.private_memory()
    listener.do("pace", bytes_per_second=1024)  # 64 KiB, and then a minute of nothing
    size = 32 * MEGABYTE
    transfer = dialler.start("transfer", 150, peer=listener.peer, bytes=size)
    for _ in range(STALL // 5):
        time.sleep(5)  # the time that passes is the test
        for client in (listener, dialler):
            assert client.do("ping", peer=relay.peer)["ms"] < 5000, f"{client} waits for the relay"
        grown = relay.private_memory() - before
        assert grown < 16 * MEGABYTE, f"the relay holds {grown} bytes more for a reader that does not read"
    listener.do("pace", bytes_per_second=0)
    opened, accepted = transfer.result(), listener.wait_event("transfer", 60, peer=dialler.peer)
    assert opened["sent"] == accepted["received"] and accepted["bytes"] == size


def one_address(session, *kinds):
    """200 clients behind one address connect and reserve at once, with the caps for an address in force."""
    relay = session.relay(DUSK_LIMIT_PRIVATE_IPS="1")
    clients = [session.client(kind) for kind in kinds]
    share = CROWD // len(clients)
    shares = [share] * (len(clients) - 1) + [CROWD - share * (len(clients) - 1)]
    crowds = [client.start("crowd", 110, addr=relay.addr, count=size) for client, size in zip(clients, shares)]
    for crowd, size in zip(crowds, shares):
        told = crowd.result()
        assert told["reserved"] == size, f"{crowd.client}: {told}"


def restart(session, listener_kind, dialler_kind):
    """The relay restarts: same peer id, clients see the end, come back at once and find each other again."""
    relay, listener, dialler = joined(session, listener_kind, dialler_kind)
    check_transfer(dialler, listener, MEGABYTE)
    seen = listener.mark(), dialler.mark()
    relay.stop()
    for client, since in zip((listener, dialler), seen):
        client.wait_event("disconnected", 10, since=since, peer=relay.peer)
    again = session.relay(port=relay.port)
    assert again.addr == relay.addr, f"the relay came back as {again.addr}"
    listener.do("connect", addr=again.addr)
    listener.do("reserve", addr=again.addr)
    dialler.do("connect", addr=again.addr)
    since = listener.mark()
    dialler.do("dial", addr=again.circuit_to(listener.peer))
    check_transfer(dialler, listener, MEGABYTE, since=since)


def several_circuits(session, kind):
    """A dusk client dials a connected peer again every two minutes: further circuits open or are refused softly."""
    relay, listener, dialler = joined(session, kind, kind)
    refused = 0
    for _ in range(5):
        pending = dialler.start("dial", addr=relay.circuit_to(listener.peer))
        refused += outcome(pending) == "RESOURCE_LIMIT_EXCEEDED"
    assert refused < 5, "not one further circuit of the pair was allowed"
    check_transfer(dialler, listener, MEGABYTE)


def outcome(pending):
    try:
        pending.result()
    except ClientError as error:
        assert error.code == "RESOURCE_LIMIT_EXCEEDED", str(error)
        return error.code
    return "ok"
