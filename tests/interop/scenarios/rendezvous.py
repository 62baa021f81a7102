"""Rendezvous: registering, discovering, cookies, refusals, and the two kinds of signed records."""

import time

from scenarios.circuits import MEGABYTE, check_transfer

NS = "dusk/community/com_0123456789abcdef"
DEFAULT_TTL = 7200
BURST = 50


def member(session, relay, kind):
    """A client with a reservation, and the circuit addresses it is reachable at."""
    client = session.client(kind)
    client.do("connect", addr=relay.addr)
    client.do("reserve", addr=relay.addr)
    return client


def register(relay, client, ns=NS, **options):
    if client.name.startswith("go"):  # go signs what it is told; rust signs its confirmed addresses
        options.setdefault("addrs", [relay.circuit_to(client.peer)])
    return client.do("register", peer=relay.peer, ns=ns, **options)


def discover(relay, client, ns=NS, **options):
    return client.do("discover", peer=relay.peer, ns=ns, **options)


def peers(answer):
    return sorted(record["peer"] for record in answer["records"])


def life(session, first_kind, second_kind):
    """REGISTER, DISCOVER, refresh, cookie and UNREGISTER, seen by a second client."""
    relay = session.relay()
    first, second = member(session, relay, first_kind), member(session, relay, second_kind)
    empty = discover(relay, second)
    assert empty["records"] == [], f"nobody has registered, but {empty['records']} came"
    check_cookie(empty["cookie"])
    assert register(relay, second)["ttl"] == DEFAULT_TTL
    cookie = discover(relay, second)["cookie"]
    for _ in range(3):  # a refresh replaces, it does not add
        assert register(relay, first)["ttl"] == DEFAULT_TTL
    answer = discover(relay, second)
    assert peers(answer) == sorted([first.peer, second.peer]), f"discovered {peers(answer)}"
    check_records(relay, answer)
    assert peers(discover(relay, second, cookie=cookie)) == [first.peer], "a cookie gives what came after it"
    newest = discover(relay, second, cookie=cookie)["cookie"]
    assert peers(discover(relay, second, cookie=newest)) == [], "nothing came after the newest cookie"
    first.do("unregister", peer=relay.peer, ns=NS)
    await_gone(relay, second, first.peer)


def check_cookie(cookie):
    raw = bytes.fromhex(cookie)
    assert len(raw) >= 8 and raw[8:].decode() == NS, f"the cookie is {cookie}"


def check_records(relay, answer):
    for record in answer["records"]:
        assert record["ns"] == NS and 0 < record["ttl"] <= DEFAULT_TTL, record
        assert record["addrs"], f"{record['peer']} has no address"
        for addr in record["addrs"]:
            assert addr in (relay.circuit_to(record["peer"]), relay.addr + "/p2p-circuit"), addr


def await_gone(relay, client, peer, ns=NS):
    """UNREGISTER is not answered, so what it does shows only in a later DISCOVER."""
    for _ in range(50):
        if peer not in peers(discover(relay, client, ns)):
            return
    raise AssertionError(f"{peer} is still listed after UNREGISTER")


def bad_requests(session, kind):
    """Wrong ttl, cookie of another namespace: each has its status, and the connection goes on."""
    relay = session.relay()
    client = member(session, relay, kind)
    addrs = {"addrs": [relay.circuit_to(client.peer)]} if kind == "go" else {}
    for ttl in (59, 259201):
        code = client.refused("register", peer=relay.peer, ns=NS, ttl=ttl, **addrs)
        assert code == "E_INVALID_TTL", f"ttl {ttl} gave {code}"
    for ttl in (60, 259200):
        assert register(relay, client, ttl=ttl)["ttl"] == ttl
    cookie = discover(relay, client, NS)["cookie"]
    if kind == "go":  # rust-libp2p refuses such a cookie itself
        code = client.refused("discover", peer=relay.peer, ns="another", cookie=cookie)
        assert code == "E_INVALID_COOKIE", f"the cookie of another namespace gave {code}"
    assert peers(discover(relay, client)) == [client.peer]


def privacy_guard(session, kind):
    """A record with an address, somebody else's record, and a DISCOVER of everything are refused."""
    relay = session.relay()
    client = member(session, relay, kind)
    mixed = [relay.circuit_to(client.peer), "/dns4/home.example/tcp/4001"]
    for addrs in (["/ip4/203.0.113.7/tcp/4001"], mixed, [relay.addr]):
        code = client.refused("register", peer=relay.peer, ns=NS, addrs=addrs)
        assert code == "E_NOT_AUTHORIZED", f"a record with {addrs} gave {code}"
    circuit = [relay.circuit_to(client.peer)]
    code = client.refused("register", peer=relay.peer, ns=NS, addrs=circuit, foreign=True)
    assert code == "E_NOT_AUTHORIZED", f"the record of another peer gave {code}"
    register(relay, client)
    client.refused("discover", peer=relay.peer)
    assert peers(discover(relay, client)) == [client.peer]


def kinds_apart(session, legacy_kind, newer_kind, standard_kind):
    """Records signed in rust-libp2p's way and in the standard way are each served to their own kind only."""
    relay = session.relay()
    legacy, newer, standard = (member(session, relay, kind) for kind in (legacy_kind, newer_kind, standard_kind))
    silent_legacy, silent_standard = member(session, relay, legacy_kind), member(session, relay, standard_kind)
    for client in (legacy, newer, standard):
        register(relay, client)
    for client in (legacy, newer, silent_legacy):
        found = peers(discover(relay, client))
        assert found == sorted([legacy.peer, newer.peer]), f"{client} found {found}"
    for client in (standard, silent_standard):
        found = peers(discover(relay, client))
        assert found == [standard.peer], f"{client} found {found}"


def terse_client(session, kind):
    """A REGISTER without a type is a REGISTER; each registration of an answer repeats its namespace."""
    relay = session.relay()
    client = member(session, relay, kind)
    assert register(relay, client, omit_type=True)["ttl"] == DEFAULT_TTL
    (record,) = discover(relay, client)["records"]
    assert record["ns"] == NS


def burst(session, kind):
    """50 REGISTERs and then 50 DISCOVERs at once, each on a stream of its own, are all answered."""
    relay = session.relay()
    client = member(session, relay, kind)
    spaces = [f"dusk/peer/{number}" for number in range(BURST)]
    addrs = {"addrs": [relay.circuit_to(client.peer)]} if kind == "go" else {}
    under_way = [client.start("register", peer=relay.peer, ns=ns, **addrs) for ns in spaces]
    assert [one.result()["ttl"] for one in under_way] == [DEFAULT_TTL] * BURST
    under_way = [client.start("discover", peer=relay.peer, ns=ns) for ns in spaces]
    for ns, one in zip(spaces, under_way):
        assert peers(one.result()) == [client.peer], f"{ns} has other records"


def departed(session, first_kind, second_kind):
    """A peer that disconnects is listed no longer once its grace of 60 s is over."""
    relay = session.relay()
    first, second = member(session, relay, first_kind), member(session, relay, second_kind)
    register(relay, first)
    assert peers(discover(relay, second)) == [first.peer]
    first.kill()
    await_departure(relay, second, first.peer)


def await_departure(relay, client, peer, least=30, most=100):
    began = time.monotonic()
    while peer in peers(discover(relay, client)):
        waited = time.monotonic() - began
        assert waited < most, f"{peer} is still listed {most} s after it went"
        time.sleep(2)  # only time itself can be waited for here
    waited = time.monotonic() - began
    assert waited > least, f"{peer} was dropped after {waited:.0f} s, before a reconnect could keep it"


def discover_and_dial(session, first_kind, second_kind):
    """A registers, B discovers it and dials the discovered address: a circuit, and bytes both ways."""
    relay = session.relay()
    first, second = member(session, relay, first_kind), member(session, relay, second_kind)
    register(relay, first)
    (record,) = discover(relay, second)["records"]
    second.do("dial", addr=relay.circuit_to(record["peer"]))
    check_transfer(second, first, MEGABYTE)


def big_answer(session, crowd_kind, kind):
    """1200 peers in one namespace: the answer is below the client's 1 MiB, decodes whole, and a limit is kept."""
    relay = session.relay()
    crowd = session.client(crowd_kind).do("crowd", timeout=110, addr=relay.addr, count=1200, ns=NS)
    assert crowd["reserved"] == 1200, crowd
    client = member(session, relay, kind)
    found = peers(discover(relay, client))
    assert len(found) == len(set(found)) == 1000, f"{len(found)} records came, {len(set(found))} different"
    first = discover(relay, client, limit=700)
    rest = discover(relay, client, limit=700, cookie=first["cookie"])
    pages = peers(first) + peers(rest)
    assert len(pages) == len(set(pages)) == 1200, f"two pages give {len(pages)} records, {len(set(pages))} different"


def refill(session, first_kind, second_kind):
    """After a restart of the relay a client that reserves again registers by itself, as the library does."""
    relay = session.relay()
    first = member(session, relay, first_kind)
    register(relay, first)
    since = first.mark()
    relay.stop()
    first.wait_event("disconnected", 10, since=since, peer=relay.peer)
    again = session.relay(port=relay.port)
    first.do("connect", addr=again.addr)
    first.do("reserve", addr=again.addr)
    second = member(session, again, second_kind)
    for _ in range(50):
        if peers(discover(again, second)) == [first.peer]:
            return
        time.sleep(0.1)  # the library decides when
    raise AssertionError(f"{first} did not register again")
