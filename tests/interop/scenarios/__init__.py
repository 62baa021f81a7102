"""The table of scenarios: name, what plays it, with which clients, and whether it mostly waits or takes over 30 s."""

from collections import namedtuple

from scenarios import alone, bare, canvas, circuits, crowd, dusk, moving, policy, privacy, punching, rendezvous
from scenarios import reservations

Scenario = namedtuple("Scenario", "name play cases slow", defaults=(False,))

SINGLE = [("js",), ("rust",), ("rust-new",), ("go",)]
ALIKE = [("js", "js"), ("rust", "rust"), ("rust-new", "rust-new"), ("go", "go")]
PAIRS = [("js", "rust"), ("rust", "js"), ("js", "go"), ("go", "js"), ("rust", "go"), ("go", "rust")]
CROSS = PAIRS + [("rust", "rust-new")]
BARE = [("go", "go")] + PAIRS  # the bytes of a circuit as each library's own streams carry them
ROUND = [("js", "rust"), ("rust", "go"), ("go", "js")]  # each library once at each end

SCENARIOS = [
    Scenario("circuit", circuits.circuit, ALIKE + CROSS),
    Scenario("bulk", circuits.bulk, ALIKE + CROSS),
    Scenario("with-python", circuits.with_python, [("py", "py"), ("py", "go"), ("go", "py"), ("py", "js"), ("js", "py"),
                                                   ("py", "rust"), ("rust", "py")]),
    Scenario("with-js-2", circuits.with_js_2, [("js-2", "js-2"), ("js-2", "js"), ("js", "js-2"), ("js-2", "rust"),
                                               ("rust", "js-2"), ("js-2", "go"), ("go", "js-2")]),
    Scenario("ordinary-user", circuits.ordinary_user, [("js", "js"), ("rust", "rust"), ("go", "go")]),
    Scenario("plain", circuits.plain, SINGLE + [("js-2",), ("py",)]),
    Scenario("no-reservation", circuits.no_reservation, SINGLE + [("js-2",)]),
    Scenario("unknown-protocols", circuits.unknown_protocols, SINGLE + [("js-2",), ("py",)]),
    Scenario("many-streams", circuits.many_streams, SINGLE + [("js-2",), ("py",)]),
    Scenario("reservation", reservations.contents, [("go",)]),
    Scenario("external-address", reservations.external_address, SINGLE + [("js-2",)]),
    Scenario("full", reservations.full, SINGLE),
    Scenario("renewal", reservations.renewal, [("rust",), ("rust-new",)], slow=True),
    Scenario("still-reserved", reservations.still_reserved, [("js",), ("go",)], slow=True),
    Scenario("libp2p-profile", reservations.libp2p_profile, ALIKE + PAIRS),
    Scenario("go-limited", reservations.go_limited, [("go", "go"), ("js", "go"), ("rust", "go")]),
    Scenario("autorelay", reservations.autorelay, [("go", "go"), ("go", "js"), ("go", "rust")]),
    Scenario("return-after-restart", alone.after_restart, [("go",), ("js",), ("js-2",)], slow=True),
    Scenario("return-after-loss", alone.after_loss, [("go",), ("js",), ("js-2",)], slow=True),
    Scenario("rendezvous", rendezvous.life, [("rust", "rust"), ("rust-new", "rust-new"), ("rust", "rust-new"),
                                             ("rust-new", "rust"), ("go", "go")]),
    Scenario("rendezvous-refusals", rendezvous.bad_requests, [("rust",), ("rust-new",), ("go",)]),
    Scenario("rendezvous-privacy", rendezvous.privacy_guard, [("go",)]),
    Scenario("rendezvous-kinds", rendezvous.kinds_apart, [("rust", "rust-new", "go")]),
    Scenario("rendezvous-terse", rendezvous.terse_client, [("go",)]),
    Scenario("rendezvous-burst", rendezvous.burst, [("rust",), ("rust-new",), ("go",)]),
    Scenario("rendezvous-big-answer", rendezvous.big_answer, [("go", "rust")]),
    Scenario("rendezvous-refill", rendezvous.refill, [("rust", "rust"), ("rust-new", "rust-new")]),
    Scenario("rendezvous-departed", rendezvous.departed, [("rust", "rust"), ("go", "go")], slow=True),
    Scenario("canvas", canvas.life, [("js-2", "go", "rust")]),
    Scenario("canvas-one-stream", canvas.one_stream, [("js-2",)]),
    Scenario("canvas-ttl", canvas.lengths_of_life, [("js-2",)]),
    Scenario("discover-and-dial", rendezvous.discover_and_dial, [("rust", "rust"), ("rust-new", "rust"), ("go", "go")]),
    Scenario("addresses-hidden", privacy.addresses_hidden, ALIKE + [("rust", "rust-new"), ("js", "go")]),
    Scenario("hole-punching", punching.direct_connection, ALIKE[1:] + [("rust", "go"), ("go", "rust")],
             slow=True),
    Scenario("half-close", bare.half_close, BARE),
    Scenario("reset", bare.reset, BARE),
    Scenario("data-behind-status", bare.data_behind_status, BARE),
    Scenario("departed-end", bare.departed_end, ROUND),
    Scenario("mute-destination", bare.mute_destination, ROUND, slow=True),
    Scenario("refusing-destination", bare.refusing_destination, ROUND),
    Scenario("newest-reservation", bare.newest_reservation, ROUND),
    Scenario("denied-peer", policy.denied_peer, [("rust", "rust"), ("go", "go")]),
    Scenario("circuit-life", policy.circuit_life, ALIKE),
    Scenario("bandwidth-cap", policy.bandwidth_cap, ALIKE),
    Scenario("stale-connection", bare.stale_connection, ROUND),
    Scenario("changed-address", moving.changed_address, ROUND, slow=True),
    Scenario("dial-each-other", crowd.dial_each_other, ALIKE + CROSS),
    Scenario("several-circuits", crowd.several_circuits, [("rust",)]),
    Scenario("ten-members", crowd.ten_members, [("rust",), ("go",), ("rust", "go"), ("js", "rust", "go", "rust", "go")]),
    Scenario("slow-reader", crowd.slow_reader, ALIKE + PAIRS, slow=True),
    Scenario("stalled-reader", crowd.stalled_reader, [("rust", "rust"), ("go", "go"), ("rust", "go"), ("go", "rust")],
             slow=True),
    Scenario("one-address", crowd.one_address, [("go",), ("js", "rust", "go")]),
    Scenario("restart", crowd.restart, ALIKE + ROUND + [("js-2", "js-2")]),
    Scenario("dusk-chat", alone.dusk_chat, [("rust",)]),
    Scenario("dusk-client", dusk.session_of_a_client, [("rust",)]),
]
