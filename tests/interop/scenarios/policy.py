"""What an operator can set: denied peers, a circuit's life, bandwidth."""

import time

from scenarios.circuits import MEGABYTE, check_transfer, joined

LIFE = 6  # seconds
BANDWIDTH = 2 * MEGABYTE  # bytes a second


def denied_peer(session, kind, other_kind):
    """A denied peer is refused a reservation and a circuit, and nobody else is."""
    denied = session.client(kind, "--seed", "42")
    relay = session.relay(DUSK_RELAY_DENY_PEERS=denied.peer)
    allowed, other = session.client(other_kind), session.client(other_kind)
    for client in (allowed, other):
        client.do("connect", addr=relay.addr)
        client.do("reserve", addr=relay.addr)
    allowed.do("dial", addr=relay.circuit_to(other.peer))
    denied.do("connect", addr=relay.addr)
    for verb, addr in (("reserve", relay.addr), ("dial", relay.circuit_to(other.peer))):
        code = denied.refused(verb, addr=addr)
        assert code == "PERMISSION_DENIED", f"{verb} of a denied peer gave {code}"


def circuit_life(session, listener_kind, dialler_kind):
    """A circuit with a life of 6 s says so and ends then at both ends; the connections to the relay stay."""
    relay, listener, dialler = joined(session, listener_kind, dialler_kind, DUSK_CIRCUIT_DURATION=str(LIFE))
    began = time.monotonic()
    for one, other in ((listener, dialler), (dialler, listener)):
        (connection,) = one.do("connections", peer=other.peer)["list"]
        assert connection["limit"] and connection["limit"]["seconds"] <= LIFE, f"{one} sees {connection['limit']}"
    for one, other in ((listener, dialler), (dialler, listener)):
        one.wait_event("disconnected", LIFE + 15, peer=other.peer)
    assert time.monotonic() - began > LIFE - 2, "the circuit ended early"
    for one in (listener, dialler):
        one.do("ping", peer=relay.peer)
    dialler.do("dial", addr=relay.circuit_to(listener.peer))


def bandwidth_cap(session, listener_kind, dialler_kind):
    """Under a cap of 2 MiB/s, 4 MiB each way take their time, arrive whole, and pings pass meanwhile."""
    relay, listener, dialler = joined(session, listener_kind, dialler_kind, DUSK_MAX_BANDWIDTH=str(BANDWIDTH))
    size = 4 * MEGABYTE
    began = time.monotonic()
    transfer = dialler.start("transfer", 60, peer=listener.peer, bytes=size)
    assert dialler.do("ping", peer=relay.peer)["ms"] < 2000
    opened, accepted = transfer.result(), listener.wait_event("transfer", 60, peer=dialler.peer)
    assert opened["sent"] == accepted["received"] and accepted["sent"] == opened["received"]
    least = (2 * size - 2 * MEGABYTE) / BANDWIDTH  # both ways count; a burst of a second may pass at once
    assert time.monotonic() - began > least * 0.7, f"{2 * size} bytes took {time.monotonic() - began:.1f} s"
    check_transfer(listener, dialler, 1000)
