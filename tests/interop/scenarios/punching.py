"""Hole punching beside a circuit: the relay tells each client how it is seen, the clients do the rest."""

from harness.net import RELAY, SIDES, Net
from harness.relay import free_port


def direct_connection(session, kind, other_kind):
    """Two clients, each behind address translation, turn their circuit into a direct connection."""
    net = Net()
    try:
        play(session, net, {"a": kind, "b": other_kind})
    finally:
        net.end()


def play(session, net, kinds):
    port = free_port()
    external = f"/ip4/{RELAY}/tcp/{port}"
    relay = session.relay(port=port, host=RELAY, prefix=net.inside("relay"), DUSK_RELAY_EXTERNAL_ADDR=external)
    clients = {side: start(session, net, kinds[side], side, relay) for side in SIDES}
    clients["b"].do("dial", addr=relay.circuit_to(clients["a"].peer))
    for side, other in (("a", "b"), ("b", "a")):
        await_direct(clients[side], clients[other], SIDES[other][0])
    clients["b"].do("ping", peer=clients["a"].peer)


def start(session, net, kind, side, relay):
    """A client that listens, has a reservation, and knows from identify how the relay sees it."""
    place = net.inside(side)
    seen_at = f"/ip4/{SIDES[side][0]}/tcp/"
    if kind == "go":
        client = session.client(kind, "--autorelay", relay.addr, "--punch", prefix=place)
        client.do("await-circuit-addr", timeout=30)
        client.do("await-own-protocol", timeout=30, protocol="/libp2p/dcutr")  # offered once its own address is known
    else:
        client = session.client(kind, "--listen", "--punch", prefix=place)
        seen_at += await_port(client, side)
        client.do("connect", addr=relay.addr)
        client.do("reserve", addr=relay.addr)
    observed = client.do("identify", peer=relay.peer)["observed"]
    assert observed.startswith(seen_at), f"{client} is seen at {observed}, which is not {seen_at}"
    return client


def await_port(client, side):
    """The port that the client listens on where the relay's connection leaves: rust-libp2p dials from that port only if it listens
    there already, loopback is not enough, and from another one no hole is punched."""
    here = f"/ip4/{SIDES[side][1]}."
    event = client.wait_event_where("listening", lambda event: event["addr"].startswith(here), here)
    return event["addr"].split("/")[4]


def await_direct(client, other, address):
    """Waits for a connection that goes to the other's outer address and through no relay."""
    def direct(event):
        return event["peer"] == other.peer and event["remote"].startswith(f"/ip4/{address}/tcp/") \
            and "/p2p-circuit" not in event["remote"]
    client.wait_event_where("connected", direct, "a direct connection", 40)
