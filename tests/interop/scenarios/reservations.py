"""Reservations, the limits of profile libp2p, and go-libp2p's AutoRelay."""

import time

from harness.client import ClientError
from harness.relay import free_port
from scenarios.circuits import MEGABYTE, check_transfer, joined

DURATION, DATA = 120, 131072  # the limits of profile libp2p
FIRST_LIFE = {"js": 60, "go": 80}  # seconds: js renews after 30, go at the first minute
SMALL = 10000  # bytes of a transfer that a limited circuit bears
LIMITED = {"DUSK_RELAY_PROFILE": "libp2p"}


def contents(session, kind):
    """A reservation: an hour, a voucher that verifies, no limit, the relay's address; renewals are accepted."""
    relay = session.relay()
    client = session.client(kind)
    client.do("connect", addr=relay.addr)
    for _ in range(4):
        told = client.do("reserve", addr=relay.addr)
        assert told["voucher"] and told["limit"] is None, told
        assert 3590 <= told["expire"] - time.time() <= 3610, f"expires in {told['expire'] - time.time():.0f} s"
        assert told["addrs"] == [relay.circuit_to(client.peer)], told["addrs"]


def external_address(session, kind):
    """The configured external addresses stand in identify, in its signed record, and in reservations."""
    port = free_port()
    external = [f"/dns4/relay.example/tcp/{port}", f"/ip4/127.0.0.1/tcp/{port}"]
    relay = session.relay(port=port, DUSK_RELAY_EXTERNAL_ADDR=",".join(external))
    client = session.client(kind)
    client.do("connect", addr=relay.addr)
    reserved = client.do("reserve", addr=relay.addr)["addrs"]
    told = client.do("identify", peer=relay.peer)
    for addr in external:
        circuit = f"{addr}/p2p/{relay.peer}/p2p-circuit"
        if kind.startswith("rust"):  # it tells its addresses one by one
            client.wait_event("listening", addr=f"{circuit}/p2p/{client.peer}")
        else:
            assert any(a.startswith(circuit) for a in reserved), f"reserved {reserved}"
        assert any(a.startswith(addr) for a in told["listen"]), f"identify lists {told['listen']}"
    assert told.get("signed_record", True), "identify has no signed record"


def full(session, kind):
    """At the cap a newcomer is refused and a renewal is not; when the holder leaves, the newcomer gets in."""
    relay = session.relay(DUSK_MAX_RESERVATIONS="1")
    holder, newcomer = session.client(kind), session.client(kind)
    for client in (holder, newcomer):
        client.do("connect", addr=relay.addr)
    holder.do("reserve", addr=relay.addr)
    refused_as_full(newcomer, relay)
    if kind != "js":  # js-libp2p renews only by its own clock
        holder.do("reserve", addr=relay.addr)
    newcomer.do("ping", peer=relay.peer)
    holder.kill()
    late_reserve(newcomer, relay)


def late_reserve(client, relay):
    for _ in range(20):
        try:
            return client.do("reserve", addr=relay.addr)
        except ClientError:
            time.sleep(0.1)  # the relay has yet to see that the holder is gone
    raise AssertionError("the place of a client that left is not given away")


def renewal(session, kind):
    """On a full relay the library renews by itself at three quarters of its reservation's life, and stays reachable."""
    relay = session.relay(DUSK_RESERVATION_TTL="60", DUSK_MAX_RESERVATIONS="1")
    client, dialler = session.client(kind), session.client(kind)
    client.do("connect", addr=relay.addr)
    client.do("reserve", addr=relay.addr)
    dialler.do("connect", addr=relay.addr)
    refused_as_full(dialler, relay)
    client.wait_event("reservation", 70, renewal=True)
    refused_as_full(dialler, relay)
    dialler.do("dial", addr=relay.circuit_to(client.peer))


def refused_as_full(newcomer, relay):
    code = newcomer.refused("reserve", addr=relay.addr)
    assert code in ("RESOURCE_LIMIT_EXCEEDED", "RESERVATION_REFUSED"), code


def still_reserved(session, kind):
    """On a full relay a js or AutoRelay host renews by its own clock: it is reachable after its first life."""
    life = FIRST_LIFE[kind]
    relay = reachable_relay(session, DUSK_RESERVATION_TTL=str(life), DUSK_MAX_RESERVATIONS="1")
    listener, dialler = reserved(session, kind, relay), session.client(kind)
    dialler.do("connect", addr=relay.addr)
    refused_as_full(dialler, relay)
    time.sleep(life * 1.25 + 5)  # the life itself and the quarter behind it are what has to pass
    refused_as_full(dialler, relay)
    dialler.do("dial", addr=relay.circuit_to(listener.peer))
    dialler.do("ping", peer=listener.peer)


def reachable_relay(session, port=0, **settings):
    """A relay whose external addresses are a public name, for go-libp2p's AutoRelay, and the loopback one."""
    port = port or free_port()
    external = f"/dns4/relay.example/tcp/{port},/ip4/127.0.0.1/tcp/{port}"
    return session.relay(port=port, DUSK_RELAY_EXTERNAL_ADDR=external, **settings)


def reserved(session, kind, relay):
    if kind == "go":
        client = session.client(kind, "--autorelay", relay.addr)
        client.do("await-circuit-addr", timeout=30)
    else:
        client = session.client(kind)
        client.do("connect", addr=relay.addr)
        client.do("reserve", addr=relay.addr)
    return client


def libp2p_profile(session, listener_kind, dialler_kind):
    """Profile libp2p shows 120 s and 131072 bytes, ends a circuit there, and nothing but the circuit."""
    relay, listener, dialler = joined(session, listener_kind, dialler_kind, **LIMITED)
    renewed = listener.do("reserve", addr=relay.addr)
    if "limit" in renewed:
        assert renewed["limit"] == {"seconds": DURATION, "bytes": DATA}, f"the reservation says {renewed['limit']}"
    for one, other in ((dialler, listener), (listener, dialler)):
        check_limit_shown(one, other)
    check_small(dialler, listener)
    for one, other in ((dialler, listener), (listener, dialler)):
        if one.name.startswith("js"):
            check_counted(one, other)
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


def check_counted(one, other):
    """js-libp2p counts what passes both ways: the small transfer, and a little around it."""
    (connection,) = one.do("connections", peer=other.peer)["list"]
    used = DATA - connection["limit"]["bytes"]
    assert 2 * SMALL < used < 2 * SMALL + 32768, f"{one} counts {used} bytes after {SMALL} each way"


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
    opened = dialler.do("transfer", peer=listener.peer, bytes=SMALL, allow_limited=True)
    accepted = listener.wait_event("transfer", peer=dialler.peer)
    assert opened["sent"] == accepted["received"] and accepted["sent"] == opened["received"]


def autorelay(session, listener_kind, dialler_kind):
    """A go host with AutoRelay shows a circuit address within 30 s and is reached through it."""
    relay = reachable_relay(session)
    listener = session.client(listener_kind, "--autorelay", relay.addr)
    shown = listener.do("await-circuit-addr", timeout=30)["addrs"]
    wanted = f"/dns4/relay.example/tcp/{relay.port}/p2p/{relay.peer}/p2p-circuit"
    assert any(addr.startswith(wanted) for addr in shown), shown
    dialler = session.client(dialler_kind)
    dialler.do("connect", addr=relay.addr)
    dialler.do("dial", addr=relay.circuit_to(listener.peer))
    check_transfer(dialler, listener, MEGABYTE)
