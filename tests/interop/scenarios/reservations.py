"""Reservations, the limits of profile libp2p, and go-libp2p's AutoRelay."""

from harness.client import ClientError
from harness.relay import free_port
from scenarios.circuits import MEGABYTE, check_transfer, joined

DURATION, DATA = 120, 131072  # the limits of profile libp2p
LIMITED = {"DUSK_RELAY_PROFILE": "libp2p"}


def libp2p_profile(session, listener_kind, dialler_kind):
    """Profile libp2p shows 120 s and 131072 bytes, ends a circuit there, and nothing but the circuit."""
    relay, listener, dialler = joined(session, listener_kind, dialler_kind, **LIMITED)
    renewed = listener.do("reserve", addr=relay.addr)
    if "limit" in renewed:
        assert renewed["limit"] == {"seconds": DURATION, "bytes": DATA}, f"the reservation says {renewed['limit']}"
    for one, other in ((dialler, listener), (listener, dialler)):
        check_limit_shown(one, other)
    check_circuit_ends(listener, dialler)
    for one in (listener, dialler):
        one.do("ping", peer=relay.peer)
        assert len(one.do("connections", peer=relay.peer)["list"]) == 1, f"{one} lost its connection to the relay"
    dialler.do("dial", addr=relay.circuit_to(listener.peer))
    dialler.do("ping", peer=listener.peer)


def check_limit_shown(one, other):
    (connection,) = one.do("connections", peer=other.peer)["list"]
    limit = connection["limit"]
    assert limit is not None, f"{one} is not told that its circuit to {other} is limited"
    assert limit["seconds"] in range(DURATION - 10, DURATION + 1), f"{one} sees {limit}"
    assert DATA - 32768 <= limit["bytes"] <= DATA, f"{one} sees {limit}"  # js-libp2p counts down


def check_circuit_ends(listener, dialler):
    seen = listener.mark(), dialler.mark()
    try:
        dialler.do("transfer", peer=listener.peer, bytes=MEGABYTE, allow_limited=True)
        raise AssertionError("1 MiB went through a circuit of 128 KiB")
    except ClientError:
        pass
    dialler.wait_event("disconnected", 30, since=seen[1], peer=listener.peer)
    listener.wait_event("disconnected", 30, since=seen[0], peer=dialler.peer)


def go_limited(session, listener_kind, dialler_kind):
    """go-libp2p marks a circuit of profile libp2p limited, and one of the default profile not."""
    relay, listener, dialler = joined(session, listener_kind, dialler_kind, **LIMITED)
    # Without leave to use a limited connection go-libp2p waits for a direct one.
    assert dialler.refused("transfer", peer=listener.peer, bytes=1, seconds=3) in ("TIMEOUT", "LIMITED")
    check_small(dialler, listener)
    relay.stop()
    _, listener, dialler = joined(session, listener_kind, dialler_kind)
    check_transfer(dialler, listener, 1000)  # asks for no leave


def check_small(dialler, listener):
    opened = dialler.do("transfer", peer=listener.peer, bytes=10000, allow_limited=True)
    accepted = listener.wait_event("transfer", peer=dialler.peer)
    assert opened["sent"] == accepted["received"]


def autorelay(session, listener_kind, dialler_kind):
    """A go host with AutoRelay shows a circuit address within 30 s and is reached through it."""
    port = free_port()
    external = f"/dns4/relay.example/tcp/{port},/ip4/127.0.0.1/tcp/{port}"
    relay = session.relay(port=port, DUSK_RELAY_EXTERNAL_ADDR=external)
    listener = session.client(listener_kind, "--autorelay", relay.addr)
    shown = listener.do("await-circuit-addr", timeout=30)["addrs"]
    assert any(addr.startswith(f"/dns4/relay.example/tcp/{port}/p2p/{relay.peer}/p2p-circuit") for addr in shown), shown
    dialler = session.client(dialler_kind)
    dialler.do("connect", addr=relay.addr)
    dialler.do("dial", addr=relay.circuit_to(listener.peer))
    check_transfer(dialler, listener, MEGABYTE)
