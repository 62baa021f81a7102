"""Interop client on py-libp2p: Noise, Yamux, identify, ping, and its circuit client. Verbs: ../README.md."""

import json
import logging
import sys

import trio
from libp2p import new_host
from libp2p.abc import INotifee
from libp2p.crypto.ed25519 import create_new_key_pair
from libp2p.custom_types import TProtocol
from libp2p.host.exceptions import StreamFailure
from libp2p.host.ping import PingService
from libp2p.identity.identify.identify import ID as IDENTIFY
from libp2p.identity.identify.identify import parse_identify_response
from libp2p.network.stream.exceptions import StreamEOF, StreamReset
from libp2p.peer.id import ID
from libp2p.peer.peerinfo import info_from_p2p_addr
from libp2p.relay.circuit_v2.config import RelayConfig, RelayRole
from libp2p.relay.circuit_v2.protocol import PROTOCOL_ID as HOP
from libp2p.relay.circuit_v2.protocol import CircuitV2Protocol
from libp2p.relay.circuit_v2.transport import CircuitV2Transport
from libp2p.tools.anyio_service import background_trio_service
from libp2p.utils.varint import read_length_prefixed_protobuf
from multiaddr import Multiaddr
from transfer import TRANSFER, accept_transfer, open_transfer

VERB_TIMEOUT = 40
IDENTIFY_TRIES = 5


class Client:
    def __init__(self):
        self.host = new_host(key_pair=create_new_key_pair())
        self.ping_service = PingService(self.host)
        self.circuit = CircuitV2Protocol(self.host, allow_hop=False)
        self.transport = CircuitV2Transport(self.host, self.circuit, RelayConfig(roles=RelayRole.STOP))
        self.verbs = {"connect": self.connect, "identify": self.identify, "ping": self.ping, "open": self.open,
                      "connections": self.connections, "reserve": self.reserve, "dial": self.dial,
                      "transfer": self.transfer}
        self.host.set_stream_handler(TRANSFER, accepted)
        self.host.get_network().register_notifee(Notifee())

    async def run(self):
        async with self.host.run([]), background_trio_service(self.circuit), trio.open_nursery() as nursery:
            self.nursery = nursery
            await self.circuit.event_started.wait()
            say({"event": "ready", "peer": str(self.host.get_id())})
            while True:
                line = await trio.to_thread.run_sync(sys.stdin.readline, abandon_on_cancel=True)
                command = json.loads(line) if line else {"do": "quit"}
                if command["do"] == "quit":
                    say({"id": command.get("id"), "ok": {}})
                    nursery.cancel_scope.cancel()
                    return
                nursery.start_soon(self.answer, command)

    async def answer(self, command):
        try:
            verb = self.verbs.get(command["do"])
            if verb is None:
                raise Failure("NO_VERB", f"no verb {command['do']}")
            with trio.fail_after(VERB_TIMEOUT):
                say({"id": command["id"], "ok": await verb(command) or {}})
        except Exception as error:  # whatever goes wrong is the verb's answer
            say({"id": command["id"], "error": {"code": code_of(error), "text": f"{type(error).__name__}: {error}"}})

    async def connect(self, command):
        info = info_from_p2p_addr(Multiaddr(command["addr"]))
        await self.host.connect(info)
        return {"peer": str(info.peer_id)}

    async def reserve(self, command):
        relay = info_from_p2p_addr(Multiaddr(command["addr"])).peer_id
        stream = await self.host.new_stream(relay, [HOP])
        if not await self.transport.reserve(stream, relay, self.nursery):
            raise Failure("OTHER", "no reservation")
        await stream.close()

    async def dial(self, command):
        await self.transport.dial(Multiaddr(command["addr"]))

    async def transfer(self, command):
        stream = await self.host.new_stream(peer(command), [TRANSFER])
        return await open_transfer(stream, command["bytes"])

    async def identify(self, command):
        for _ in range(IDENTIFY_TRIES):  # js-libp2p takes one at a time, and py-libp2p makes one by itself
            try:
                return await self.identify_once(command)
            except (StreamEOF, StreamReset, StreamFailure):
                await trio.sleep(0.5)
        return await self.identify_once(command)

    async def identify_once(self, command):
        stream = await self.host.new_stream(peer(command), [IDENTIFY])
        told = parse_identify_response(await read_length_prefixed_protobuf(stream, use_varint_format=True))
        await stream.close()
        return {"agent": told.agent_version, "protocol_version": told.protocol_version,
                "protocols": list(told.protocols), "listen": [str(Multiaddr(a)) for a in told.listen_addrs],
                "observed": str(Multiaddr(told.observed_addr))}

    async def ping(self, command):
        (milliseconds,) = await self.ping_service.ping(peer(command))
        return {"ms": milliseconds}

    async def open(self, command):
        stream = await self.host.new_stream(peer(command), [TProtocol(command["protocol"])])
        await stream.close()

    async def connections(self, command):
        network = self.host.get_network()
        return {"list": [{"peer": command["peer"]} for _ in network.get_connections(peer(command))]}


class Notifee(INotifee):
    """Turns the network's notifications into events."""

    async def connected(self, network, conn):
        say({"event": "connected", "peer": str(conn.muxed_conn.peer_id)})

    async def disconnected(self, network, conn):
        say({"event": "disconnected", "peer": str(conn.muxed_conn.peer_id)})

    async def opened_stream(self, network, stream):
        pass

    async def closed_stream(self, network, stream):
        pass

    async def listen(self, network, multiaddr):
        pass

    async def listen_close(self, network, multiaddr):
        pass


async def accepted(stream):
    """Answers a transfer; a failure is an event too."""
    opener = str(stream.muxed_conn.peer_id)
    try:
        say({"event": "transfer", "peer": opener, **await accept_transfer(stream)})
    except Exception as error:
        say({"event": "transfer-failed", "peer": opener, "text": f"{type(error).__name__}: {error}"})
        await stream.reset()


class Failure(Exception):
    def __init__(self, code, text):
        super().__init__(text)
        self.code = code


def peer(command):
    return ID.from_base58(command["peer"])


def code_of(error):
    if isinstance(error, Failure):
        return error.code
    if isinstance(error, trio.TooSlowError):
        return "TIMEOUT"
    text = f"{error} {error.__cause__}"
    if isinstance(error, StreamFailure) and ("not supported" in text or "ProtocolNotSupported" in text):
        return "UNSUPPORTED"
    return "OTHER"


def say(message):
    print(json.dumps(message), flush=True)


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)
    trio.run(Client().run)
