"""Clients left to themselves: no verb tells them to come back when the relay restarts or their way to it is lost."""

import time

from harness.client import ClientError
from harness.forwarder import Forwarder
from scenarios.circuits import MEGABYTE, check_transfer
from scenarios.reservations import reachable_relay

RETURN = 60  # seconds in which a library comes back by its own clock; go-libp2p looks each 30 s


def after_restart(session, kind):
    """The relay restarts, and a host reserves there again by itself: AutoRelay at its next look (30 s), js-libp2p at once."""
    relay = reachable_relay(session)
    host = left_alone(session, kind, relay.addr)
    since = host.mark()
    relay.stop()
    host.wait_event("disconnected", 10, since=since, peer=relay.peer)
    await_return(session, kind, reachable_relay(session, port=relay.port), host)


def after_loss(session, kind):
    """The connection to the relay is lost on the way, and a host connects and reserves again by itself."""
    relay = reachable_relay(session)
    way = Forwarder(relay.port)
    try:
        host = left_alone(session, kind, way.addr(relay))
        since = host.mark()
        assert way.cut() > 0, f"{host} has no connection by the way that is cut"
        host.wait_event("disconnected", 10, since=since, peer=relay.peer)
        await_return(session, kind, relay, host)
    finally:
        way.close()


def left_alone(session, kind, addr):
    host = session.client(kind, "--autorelay" if kind == "go" else "--left-alone", addr)
    host.do("await-circuit-addr", timeout=30)
    return host


def await_return(session, kind, relay, host):
    """Dials the host until it has a reservation again."""
    dialler = session.client(kind)
    dialler.do("connect", addr=relay.addr)
    until = time.monotonic() + RETURN
    while time.monotonic() < until:
        try:
            dialler.do("dial", addr=relay.circuit_to(host.peer))
            return check_transfer(dialler, host, MEGABYTE)
        except ClientError as error:
            assert error.code in ("NO_RESERVATION", "CONNECTION_FAILED"), str(error)
            time.sleep(0.5)  # the host decides when
    raise AssertionError(f"{host} did not reserve again within {RETURN} s")
