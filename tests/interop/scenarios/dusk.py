"""A client that behaves as the dusk client does: gossipsub, Kademlia and unknown requests beside the relay."""

import time

from harness.client import ClientError
from scenarios.circuits import MEGABYTE, check_transfer
from scenarios.rendezvous import discover, member, peers, register

UNKNOWN_REQUESTS = ("/dusk/gif/1.0.0", "/dusk/directory/1.0.0", "/dusk/turn-credentials/1.0.0")
TOPIC = "dusk/community/com_0123456789abcdef"
SPACES = [TOPIC, "dusk/peers"] + [f"dusk/peer/friend{number}" for number in range(20)]


def session_of_a_client(session, kind):
    """Two dusk clients start, meet through rendezvous, chat by gossipsub over a circuit, and sync documents."""
    relay = session.relay()
    alice, bob = (start_as_dusk(session, relay, kind) for _ in range(2))
    for client in (alice, bob):
        refused_requests(client, relay)
    for client in (alice, bob):
        register_everywhere(client, relay)
    meet(alice, bob, relay)
    chat(alice, bob)
    check_transfer(alice, bob, MEGABYTE)
    for client in (alice, bob):
        direct = client.do("connections", peer=relay.peer)["list"]
        assert len(direct) == 1, f"{client} has {len(direct)} connections to the relay"


def start_as_dusk(session, relay, kind):
    client = member(session, relay, kind)
    client.do("subscribe", topic=TOPIC)
    client.do("explicit-peer", peer=relay.peer)  # the dusk client takes the relay for a gossip peer
    client.do("kad-bootstrap", peer=relay.peer, addr=relay.addr.split("/p2p/")[0])
    return client


def refused_requests(client, relay):
    for protocol in UNKNOWN_REQUESTS:
        code = client.refused("request", peer=relay.peer, protocol=protocol)
        assert code == "UNSUPPORTED", f"{protocol} gave {code}"


def register_everywhere(client, relay):
    under_way = [client.start("register", peer=relay.peer, ns=ns) for ns in SPACES]
    for one in under_way:
        one.result()


def meet(alice, bob, relay):
    """Each discovers the community and dials everyone in it, connected or not."""
    everybody = sorted([alice.peer, bob.peer])
    assert peers(discover(relay, alice, TOPIC)) == peers(discover(relay, bob, TOPIC)) == everybody
    dials = [one.start("dial", addr=relay.circuit_to(other.peer)) for one, other in ((alice, bob), (bob, alice))]
    for dial in dials:
        dial.result()
    for one, other in ((alice, bob), (bob, alice)):
        one.do("explicit-peer", peer=other.peer)


def chat(alice, bob):
    for one, other in ((alice, bob), (bob, alice)):
        say(one, other, f"hello from {one}")
        say(one, other, f"a document of {one} " + "x" * 60000)


def say(one, other, text):
    """Publishes until the other has told gossipsub that it listens to the topic."""
    for _ in range(50):
        try:
            one.do("publish", topic=TOPIC, data=text)
            break
        except ClientError as error:
            assert "InsufficientPeers" in str(error) or "NoPeersSubscribedToTopic" in str(error), str(error)
            time.sleep(0.2)
    other.wait_event("gossip", data=text, **{"from": one.peer})
