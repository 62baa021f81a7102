"""A client whose network changes under it: the old connection dies, and the relay does not hear of it."""

from harness.net import RELAY, Net
from scenarios.circuits import MEGABYTE, check_transfer


def changed_address(session, kind, other_kind):
    """A client gets another outer address and comes back: circuits go to its new connection, not to the dead one."""
    net = Net()
    try:
        play(session, net, kind, other_kind)
    finally:
        net.end()


def play(session, net, kind, other_kind):
    relay = session.relay(host=RELAY, prefix=net.inside("relay"))
    client, other = session.client(kind, prefix=net.inside("a")), session.client(other_kind, prefix=net.inside("b"))
    for one in (client, other):
        one.do("connect", addr=relay.addr)
    client.do("reserve", addr=relay.addr)
    since = client.mark()
    net.move("a")
    client.start("ping", peer=relay.peer)  # nobody hears of a dead connection before it is used
    client.wait_event("disconnected", 40, since=since, peer=relay.peer)
    client.do("connect", addr=relay.addr)
    client.do("reserve", addr=relay.addr)
    assert f"peer disconnected: {client.peer}" not in relay.log(), "the relay knew that the old connection was dead"
    other.do("dial", addr=relay.circuit_to(client.peer))
    check_transfer(other, client, MEGABYTE)
