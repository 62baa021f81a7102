"""The table of scenarios: name, what plays it, with which clients, and whether it takes over 30 s."""

from collections import namedtuple

from scenarios import circuits, reservations

Scenario = namedtuple("Scenario", "name play cases slow", defaults=(False,))

SINGLE = [("js",), ("rust",), ("rust-new",), ("go",)]
ALIKE = [("js", "js"), ("rust", "rust"), ("rust-new", "rust-new"), ("go", "go")]
CROSS = [("js", "rust"), ("rust", "js"), ("js", "go"), ("go", "js"), ("rust", "go"), ("go", "rust"), ("rust", "rust-new")]

SCENARIOS = [
    Scenario("circuit", circuits.circuit, ALIKE + CROSS),
    Scenario("bulk", circuits.bulk, ALIKE + CROSS),
    Scenario("no-reservation", circuits.no_reservation, SINGLE),
    Scenario("unknown-protocols", circuits.unknown_protocols, SINGLE),
    Scenario("libp2p-profile", reservations.libp2p_profile, ALIKE),
    Scenario("go-limited", reservations.go_limited, [("go", "go")]),
    Scenario("autorelay", reservations.autorelay, [("go", "go"), ("go", "js"), ("go", "rust")]),
]
