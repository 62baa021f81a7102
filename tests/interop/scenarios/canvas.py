"""The rendezvous client of Canvas on js-libp2p 2: it omits what is 0 or empty, and keeps one stream for several requests."""

from scenarios.circuits import MEGABYTE, check_transfer
from scenarios.rendezvous import DEFAULT_TTL, NS, discover, member, peers, register

OTHER = "canvas/another"


def life(session, kind, standard_kind, legacy_kind):
    """Canvas and go find each other's records and dial by them; rust's records, of the other kind, go to neither."""
    relay = session.relay()
    first, second, standard, legacy = (member(session, relay, k) for k in (kind, kind, standard_kind, legacy_kind))
    assert peers(discover(relay, second)) == []
    for client in (first, standard, legacy):
        assert register(relay, client)["ttl"] == DEFAULT_TTL
    answer = discover(relay, second)
    assert peers(answer) == sorted([first.peer, standard.peer]), f"{second} found {peers(answer)}"
    for record in answer["records"]:
        check_addresses(relay, record)
    assert peers(discover(relay, first)) == [standard.peer], "Canvas leaves itself out of what it found"
    assert peers(discover(relay, standard)) == sorted([first.peer, standard.peer])
    assert peers(discover(relay, legacy)) == [legacy.peer]
    second.do("dial", addr=relay.circuit_to(standard.peer))
    check_transfer(second, standard, MEGABYTE)
    standard.do("dial", addr=relay.circuit_to(first.peer))
    check_transfer(standard, first, MEGABYTE)


def check_addresses(relay, record):
    allowed = {f"{relay.addr}/p2p-circuit", relay.circuit_to(record["peer"])}
    assert record["addrs"] and set(record["addrs"]) <= allowed, record


def one_stream(session, kind):
    """Six requests on one stream are answered in turn, and the UNREGISTER among them counts; so do limits."""
    relay = session.relay()
    first, second, third = (member(session, relay, kind) for _ in range(3))
    register(relay, third, OTHER)
    register(relay, third)
    register(relay, second)
    wanted = [("register", NS), ("discover", NS), ("register", OTHER), ("discover", OTHER), ("unregister", NS), ("discover", NS)]
    answers = sequence(relay, first, [{"do": do, "ns": ns} for do, ns in wanted])
    assert [answers[at]["ttl"] for at in (0, 2)] == [DEFAULT_TTL] * 2
    both = sorted([second.peer, third.peer])
    assert [peers(answers[at]) for at in (1, 3, 5)] == [both, [third.peer], both]
    assert peers(discover(relay, second)) == [third.peer], "the UNREGISTER did not count"
    assert peers(discover(relay, second, OTHER)) == sorted([first.peer, third.peer])
    assert len(peers(discover(relay, first, limit=1))) == 1
    # What ends a stream right behind an UNREGISTER may reset it, so only a request behind it shows that it was read.
    sequence(relay, third, [{"do": "unregister", "ns": NS}, {"do": "discover", "ns": NS}])
    assert peers(discover(relay, first)) == [second.peer]


def sequence(relay, client, requests):
    return client.do("sequence", peer=relay.peer, requests=requests)["answers"]


def lengths_of_life(session, kind):
    """A ttl is absent, least, most, or out of range, and a refused one leaves the registration as it was."""
    relay = session.relay()
    client, other = member(session, relay, kind), member(session, relay, kind)
    assert register(relay, client)["ttl"] == DEFAULT_TTL
    for ttl in (60, 259200):
        assert register(relay, client, ttl=ttl)["ttl"] == ttl
    for ttl in (59, 259201):
        code = client.refused("register", peer=relay.peer, ns=NS, ttl=ttl)
        assert code == "E_INVALID_TTL", f"ttl {ttl} gave {code}"
    assert peers(discover(relay, other)) == [client.peer]
    code = client.refused("register", peer=relay.peer, ns="")
    assert code == "E_INVALID_NAMESPACE", f"no namespace gave {code}"
