"""Clients left to themselves: no verb tells them to come back when the relay restarts or their way to it is lost."""

import itertools
import time

from harness.client import ClientError
from harness.forwarder import Forwarder
from scenarios.circuits import MEGABYTE, check_transfer
from scenarios.reservations import reachable_relay

CHATTERS = 3
REFRESH, CHAT = 20, 400  # seconds between the rounds of a dusk client, milliseconds between its messages
LINES = 5  # that everybody has to hear of everybody, without a gap
COMMUNITY = "dusk/community/com_0123456789abcdef"
NAMESPACES = 23  # that each dusk client registers in at once
REQUESTS = ("/dusk/gif/1.0.0", "/dusk/directory/1.0.0", "/dusk/turn-credentials/1.0.0")
AWAY = 2  # seconds without a relay, so that a library's first attempt always fails
RETURN = 60  # seconds in which a library comes back by its own clock; go-libp2p looks each 30 s


def dusk_chat(session, kind):
    """Three dusk clients meet, chat and exchange documents by themselves, and again after the relay was killed."""
    relay = session.relay()
    chatters = [start_dusk(session, relay, kind) for _ in range(CHATTERS)]
    for one in chatters:
        for protocol in REQUESTS:
            one.wait_event("request-failed", protocol=protocol, code="UNSUPPORTED")
        await_count(one, "registered", NAMESPACES)
    check_conversation(chatters, dict.fromkeys(chatters, 0))
    check_transfer(chatters[0], chatters[1], MEGABYTE)
    seen = {one: one.mark() for one in chatters}
    relay.crash()
    for one in chatters:
        one.wait_event("disconnected", 10, since=seen[one], peer=relay.peer)
    session.relay(port=relay.port)
    back = {one: one.mark() for one in chatters}
    check_conversation(chatters, back)
    for one in chatters:  # a dial that was under way when the relay came back may fail after it
        failed = [e for e in one.events[back[one]:] if e["event"] == "relay-unreachable"]
        assert len(failed) <= 1, f"the first retry of {one} behind the relay's return failed: {failed}"
    check_transfer(chatters[0], chatters[1], MEGABYTE, since=back[chatters[1]])


def start_dusk(session, relay, kind):
    rhythm = ["--dusk", "--refresh", str(REFRESH), "--chat", str(CHAT)]
    return session.client(kind, *rhythm, prefix=["env", f"DUSK_RELAY_ADDR={relay.addr}"])


def await_count(client, name, count):
    def enough(_):
        return sum(event["event"] == name for event in client.events) >= count
    client.wait_event_where(name, enough, f"{count} times")


def check_conversation(chatters, since):
    """Everybody hears everybody and gets their document; from then on no message is missed."""
    pairs = list(itertools.permutations(chatters, 2))
    for listener, speaker in pairs:
        listener.wait_event("gossip", since=since[listener], topic=COMMUNITY, **{"from": speaker.peer})
        held = speaker.wait_event("holding")["sha256"]
        listener.wait_event("document", since=since[listener], sha256=held, **{"from": speaker.peer})
    said = {one: max(e["number"] for e in one.events if e["event"] == "said") for one in chatters}
    for (listener, speaker), line in itertools.product(pairs, range(1, LINES + 1)):
        number = str(said[speaker] + line)
        listener.wait_event("gossip", topic=COMMUNITY, data=number, **{"from": speaker.peer})


def after_restart(session, kind):
    """The relay restarts, and a host reserves there again by itself: AutoRelay at its next look (30 s), js-libp2p in seconds."""
    relay = reachable_relay(session)
    host = left_alone(session, kind, relay.addr)
    since = host.mark()
    relay.stop()
    host.wait_event("disconnected", 10, since=since, peer=relay.peer)
    time.sleep(AWAY)
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
