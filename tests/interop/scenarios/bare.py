"""Bare circuits: hop and stop spoken by hand over js, rust and go, so that each byte, FIN and reset is seen."""

import time

STOP_PATIENCE = 10  # seconds until the relay gives up on a mute destination


def bare(session, target_kind, source_kind, answer="ok", first=""):
    """A relay, a destination that answers STOP as told, and a source; neither has a relay client."""
    relay = session.relay()
    target, source = session.client(target_kind, "--raw"), session.client(source_kind, "--raw")
    target.do("connect", addr=relay.addr)
    target.do("reserve", addr=relay.addr)
    target.do("raw-serve", answer=answer, data=first)
    source.do("connect", addr=relay.addr)
    return relay, target, source


def connect(relay, target, source, data=""):
    """A circuit: the source's end and the destination's end."""
    opened = source.do("raw-connect", peer=relay.peer, target=target.peer, data=data)
    stop = target.wait_event("raw-stop", **{"from": source.peer})
    assert not opened["limited"] and not stop["limited"], "an unlimited circuit carries a limit message"
    assert stop["addrs"] == 0, "STOP names addresses of the source"
    return opened["circuit"], stop["circuit"]


def expect(client, circuit, data, end):
    """Reads everything, or just `data` if no end is expected."""
    got = client.do("raw-read", circuit=circuit, bytes=0 if end else len(data))
    assert got == {"data": data, "end": end}, f"{client} read {got}, not {data!r} and {end or 'no end'}"


def half_close(session, target_kind, source_kind):
    """A FIN of one direction is passed on, and the other direction goes on until its own FIN."""
    relay, target, source = bare(session, target_kind, source_kind)
    near, far = connect(relay, target, source)
    source.do("raw-write", circuit=near, data="question")
    source.do("raw-close-write", circuit=near)
    expect(target, far, "question", "eof")
    for part in ("answer", ", and more"):
        target.do("raw-write", circuit=far, data=part)
        expect(source, near, part, "")
    target.do("raw-close-write", circuit=far)
    expect(source, near, "", "eof")


def reset(session, target_kind, source_kind):
    """A reset of either end reaches the other end as a reset, and the connections stay."""
    relay, target, source = bare(session, target_kind, source_kind)
    near, far = connect(relay, target, source)
    source.do("raw-reset", circuit=near)
    expect(target, far, "", "reset")
    mark = target.mark()
    near = source.do("raw-connect", peer=relay.peer, target=target.peer)["circuit"]
    far = target.wait_event("raw-stop", since=mark)["circuit"]
    target.do("raw-reset", circuit=far)
    expect(source, near, "", "reset")
    for client in (source, target):
        assert len(client.do("connections", peer=relay.peer)["list"]) == 1, f"{client} lost its connection"


def data_behind_status(session, target_kind, source_kind):
    """Bytes sent in one packet with CONNECT or with the destination's STATUS OK are not lost."""
    relay, target, source = bare(session, target_kind, source_kind, first="hello from the destination")
    near, far = connect(relay, target, source, data="hello from the source")
    expect(source, near, "hello from the destination", "")
    expect(target, far, "hello from the source", "")
    source.do("raw-write", circuit=near, data="more")
    expect(target, far, "more", "")


def departed_end(session, target_kind, source_kind):
    """When one end's connection to the relay drops, the circuit ends promptly at the other end."""
    relay, target, source = bare(session, target_kind, source_kind)
    near, _ = connect(relay, target, source)
    began = time.monotonic()
    target.kill()
    expect(source, near, "", "reset")
    assert time.monotonic() - began < 5, "the circuit outlived its destination"
    code = source.refused("raw-connect", peer=relay.peer, target=target.peer)
    assert code == "NO_RESERVATION", code


def mute_destination(session, target_kind, source_kind):
    """A destination that never answers STOP: CONNECTION_FAILED in about 10 s, and the source keeps its reservation."""
    relay, target, source = bare(session, target_kind, source_kind, answer="mute")
    source.do("reserve", addr=relay.addr)
    began = time.monotonic()
    code = source.refused("raw-connect", peer=relay.peer, target=target.peer)
    waited = time.monotonic() - began
    assert code == "CONNECTION_FAILED", code
    assert STOP_PATIENCE - 3 < waited < STOP_PATIENCE + 5, f"the answer took {waited:.1f} s"
    source.do("raw-serve", answer="ok")
    target.do("raw-connect", peer=relay.peer, target=source.peer)


def refusing_destination(session, target_kind, source_kind):
    """A destination that refuses STOP: the source is told PERMISSION_DENIED or CONNECTION_FAILED at once."""
    relay, target, source = bare(session, target_kind, source_kind, answer="refuse")
    code = source.refused("raw-connect", timeout=5, peer=relay.peer, target=target.peer)
    assert code in ("PERMISSION_DENIED", "CONNECTION_FAILED"), code


def newest_reservation(session, target_kind, source_kind):
    """Two connections of one peer reserve: circuits go to the newest; when that one goes, to the other."""
    relay = session.relay()
    older, newer = (session.client(target_kind, "--raw", "--seed", "7") for _ in range(2))
    source = session.client(source_kind, "--raw")
    for client in (older, newer):
        client.do("connect", addr=relay.addr)
        client.do("reserve", addr=relay.addr)
    source.do("connect", addr=relay.addr)
    near = source.do("raw-connect", peer=relay.peer, target=newer.peer)["circuit"]
    newer.wait_event("raw-stop")
    newer.kill()
    expect(source, near, "", "reset")
    source.do("raw-connect", peer=relay.peer, target=older.peer)
    older.wait_event("raw-stop")


def stale_connection(session, target_kind, source_kind):
    """A peer whose old connection died unnoticed comes back on a new one: circuits go to the living one."""
    relay = session.relay()
    dead, alive = (session.client(target_kind, "--raw", "--seed", "9") for _ in range(2))
    source = session.client(source_kind, "--raw")
    dead.do("connect", addr=relay.addr)
    dead.do("reserve", addr=relay.addr)
    dead.freeze()
    alive.do("connect", addr=relay.addr)
    alive.do("reserve", addr=relay.addr)
    source.do("connect", addr=relay.addr)
    connect(relay, alive, source)
