"""Circuits of the default profile: what two peers see of each other through the relay."""

import os
import shutil
import subprocess

from harness.session import Skip

MEGABYTE = 1 << 20
STRANGER = "12D3KooWBtg3aaRMjxwedh83aGiUkwSxDwUZkzuJcfaqUmo7R3pq"
RELAY_PROTOCOLS = {"/libp2p/circuit/relay/0.2.0/hop", "/rendezvous/1.0.0", "/ipfs/id/1.0.0", "/ipfs/ping/1.0.0"}


NOBODY = 65534  # an ordinary user


def joined(session, listener_kind, dialler_kind, **settings):
    """A relay, a client that has reserved there, and a client with a circuit to it."""
    relay = session.relay(**settings)
    listener, dialler = session.client(listener_kind), session.client(dialler_kind)
    listener.do("connect", addr=relay.addr)
    listener.do("reserve", addr=relay.addr)
    dialler.do("connect", addr=relay.addr)
    dialler.do("dial", addr=relay.circuit_to(listener.peer))
    listener.wait_event("connected", peer=dialler.peer)
    return relay, listener, dialler


def circuit(session, listener_kind, dialler_kind):
    """A reserves, B dials it; identify and ping run both ways; each sees a circuit address only; no limits."""
    relay, listener, dialler = joined(session, listener_kind, dialler_kind)
    check_both_ways(relay, listener, dialler)


def check_both_ways(relay, listener, dialler):
    for one, other in ((dialler, listener), (listener, dialler)):
        told = one.do("identify", peer=other.peer)
        assert "/interop/transfer/1.0.0" in told["protocols"], f"{one} was told the protocols {told['protocols']}"
        assert one.do("ping", peer=other.peer)["ms"] < 5000
        check_relayed(one, other, relay)
    check_relay_identify(dialler, relay)


def with_js_2(session, listener_kind, dialler_kind):
    """js-libp2p 2 at one end or both: what `circuit` looks at, and 2 MiB each way over the circuit."""
    relay, listener, dialler = joined(session, listener_kind, dialler_kind)
    check_both_ways(relay, listener, dialler)
    check_transfer(dialler, listener, 2 * MEGABYTE)


def with_python(session, listener_kind, dialler_kind):
    """py-libp2p at one end or both: identify, ping and 2 MiB each way over the circuit."""
    _, listener, dialler = joined(session, listener_kind, dialler_kind)
    for one, other in ((dialler, listener), (listener, dialler)):
        told = one.do("identify", peer=other.peer)
        assert "/interop/transfer/1.0.0" in told["protocols"], f"{one} was told the protocols {told['protocols']}"
        one.do("ping", peer=other.peer)
    check_transfer(dialler, listener, 2 * MEGABYTE)


def ordinary_user(session, listener_kind, dialler_kind):
    """The relay runs as an ordinary user: a circuit, and 16 MiB each way."""
    if os.geteuid() != 0 or shutil.which("setpriv") is None:
        raise Skip("needs root and setpriv, to become an ordinary user")
    os.chown(session.state, NOBODY, NOBODY)
    become = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
    if subprocess.run([*become, "test", "-x", session.relay_program], check=False).returncode != 0:
        raise Skip(f"an ordinary user may not start {session.relay_program}")
    _, listener, dialler = joined(session, listener_kind, dialler_kind, prefix=become)
    check_transfer(dialler, listener, 16 * MEGABYTE)


def check_relayed(one, other, relay):
    connections = one.do("connections", peer=other.peer)["list"]
    assert len(connections) == 1, f"{one} has {len(connections)} connections to {other}: {connections}"
    for connection in connections:
        bare = connection["remote"] == f"/p2p/{other.peer}"  # rust-libp2p's name for the source of a circuit
        assert bare or "/p2p-circuit" in connection["remote"], f"{one} sees {other} at {connection['remote']}"
        assert connection["limit"] is None, f"{one} sees the limit {connection['limit']} on an unlimited circuit"
        assert_only_relay_address(connection["remote"], relay)


def assert_only_relay_address(addr, relay):
    before, _, after = addr.partition("/p2p-circuit")
    allowed = ("", f"/p2p/{addr.rpartition('/')[2]}", f"/p2p/{relay.peer}", relay.addr)
    assert before in allowed, f"{addr} holds an address that is not the relay's"
    assert not after or after.startswith("/p2p/"), f"{addr} names more than a peer behind the circuit"


def check_relay_identify(client, relay):
    told = client.do("identify", peer=relay.peer)
    assert told["protocol_version"] == "/dusk/relay/1.0.0", told["protocol_version"]
    assert set(told["protocols"]) >= RELAY_PROTOCOLS, f"the relay lists {told['protocols']}"
    assert told["observed"].startswith("/ip4/127.0.0.1/tcp/"), f"the relay observed {told['observed']}"


def bulk(session, listener_kind, dialler_kind):
    """64 MiB each way at once over one circuit arrive whole."""
    _, listener, dialler = joined(session, listener_kind, dialler_kind)
    check_transfer(dialler, listener, 64 * MEGABYTE)


def check_transfer(opener, acceptor, size, timeout=150, since=0):
    """Sends `size` bytes each way at once and compares what was sent with what arrived."""
    opened = opener.start("transfer", timeout, peer=acceptor.peer, bytes=size).result()
    accepted = acceptor.wait_event("transfer", timeout, since, peer=opener.peer)
    assert opened["bytes"] == accepted["bytes"] == size
    assert opened["sent"] == accepted["received"], f"what {opener} sent did not arrive whole at {acceptor}"
    assert accepted["sent"] == opened["received"], f"what {acceptor} sent did not arrive whole at {opener}"


def plain(session, kind):
    """A client without any circuit connects, is told who the relay is, and pings it."""
    relay = session.relay()
    client = session.client(kind)
    client.do("connect", addr=relay.addr)
    check_relay_identify(client, relay)
    for _ in range(3):
        assert client.do("ping", peer=relay.peer)["ms"] < 5000
    assert len(client.do("connections", peer=relay.peer)["list"]) == 1


def no_reservation(session, kind):
    """Dialling a peer that nobody knows, and one that is connected but has not reserved, gives NO_RESERVATION."""
    relay = session.relay()
    dialler, unreserved = session.client(kind), session.client(kind)
    unreserved.do("connect", addr=relay.addr)
    dialler.do("connect", addr=relay.addr)
    for peer in (STRANGER, unreserved.peer):
        code = dialler.refused("dial", addr=relay.circuit_to(peer))
        assert code == "NO_RESERVATION", f"dialling {peer} gave {code}"
    dialler.do("ping", peer=relay.peer)


def unknown_protocols(session, kind):
    """Protocols the relay does not speak are refused one after the other, and the connection stays."""
    relay = session.relay()
    client = session.client(kind)
    client.do("connect", addr=relay.addr)
    for name in ("/meshsub/1.1.0", "/ipfs/kad/1.0.0", "/dusk/gif/1.0.0", "/ipfs/bitswap/1.2.0", "/nobody/has/this"):
        for _ in range(3):
            code = client.refused("open", peer=relay.peer, protocol=name)
            assert code == "UNSUPPORTED", f"{name} gave {code}"
    client.do("ping", peer=relay.peer)
    assert len(client.do("connections", peer=relay.peer)["list"]) == 1
    if kind == "py":
        return
    client.do("reserve", addr=relay.addr)
    session.client(kind).do("dial", addr=relay.circuit_to(client.peer))


def many_streams(session, kind):
    """300 streams one after the other on one connection: each is acknowledged and ended."""
    relay = session.relay()
    client = session.client(kind)
    client.do("connect", addr=relay.addr)
    for _ in range(300):
        client.do("open", peer=relay.peer, protocol="/ipfs/ping/1.0.0")
    client.do("ping", peer=relay.peer)
    assert len(client.do("connections", peer=relay.peer)["list"]) == 1
