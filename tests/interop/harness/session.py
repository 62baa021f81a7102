"""What a scenario works with: relays and clients that are gone when it ends."""

import os
import shutil
import tempfile

from harness.client import Client
from harness.relay import Relay, free_port


class Skip(Exception):
    """The scenario cannot run here; the text says why."""


class Session:
    def __init__(self, relay_program, commands, log_folder):
        self.relay_program = relay_program
        self.commands = commands
        self.log_folder = log_folder
        self.state = tempfile.mkdtemp(prefix="interop-")
        self._relays, self._clients = [], []
        os.makedirs(log_folder, exist_ok=True)

    def relay(self, port=0, host="127.0.0.1", prefix=(), **settings):
        """Starts the relay; a second call starts it again with the same key."""
        number = len(self._relays) + 1
        log = os.path.join(self.log_folder, f"relay-{number}.log")
        relay = Relay(self.relay_program, self.state, log, port or free_port(), settings, host, prefix)
        self._relays.append(relay)
        return relay

    def client(self, kind, *arguments, prefix=()):
        number = len(self._clients) + 1
        name = f"{kind}#{number}"
        log = os.path.join(self.log_folder, f"{name}.log")
        client = Client(name, [*prefix, *self.commands[kind], *arguments], log)
        self._clients.append(client)
        return client

    def relay_log(self):
        return "".join(relay.log() for relay in self._relays)

    def end(self):
        """Stops everything, the clients first. Fails if a relay was gone already or does not end well."""
        for client in self._clients:
            client.stop()
        failures = []
        for relay in self._relays:
            try:
                relay.stop()
            except AssertionError as failure:
                failures.append(str(failure))
        shutil.rmtree(self.state, ignore_errors=True)
        if failures:
            raise AssertionError("; ".join(failures))
