"""A way to the relay that can be cut: it passes bytes on in both directions, until it resets all its connections."""

import contextlib
import socket
import struct
import threading

BLOCK = 65536
RESET_ON_CLOSE = struct.pack("ii", 1, 0)


class Forwarder:
    def __init__(self, port):
        self._target = ("127.0.0.1", port)
        self._open = set()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def addr(self, relay):
        return f"/ip4/127.0.0.1/tcp/{self.port}/p2p/{relay.peer}"

    def cut(self):
        """Resets both ends of all connections, as a path does that is lost; new ones may come. Gives how many there were."""
        pairs = list(self._open)
        for end in (end for pair in pairs for end in pair):
            with contextlib.suppress(OSError):  # it has just ended by itself
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
            stop_reading(end)
        return len(pairs)

    def close(self):
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # wakes the thread that accepts
        self._listener.close()
        self.cut()

    def _accept(self):
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return  # closed
            try:
                pair = (client, socket.create_connection(self._target))
            except OSError:
                client.close()  # the relay is away
                continue
            self._open.add(pair)
            for source, sink in (pair, pair[::-1]):
                threading.Thread(target=self._pass_on, args=(pair, source, sink), daemon=True).start()

    def _pass_on(self, pair, source, sink):
        with contextlib.suppress(OSError):
            while block := source.recv(BLOCK):
                sink.sendall(block)
        self._open.discard(pair)
        for end in pair:
            stop_reading(end)  # ends the other direction too
        source.close()


def stop_reading(end):
    with contextlib.suppress(OSError):
        end.shutdown(socket.SHUT_RD)
