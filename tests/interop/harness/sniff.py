"""Writes every packet of eth0 to a file, one behind the other, until SIGTERM."""

import signal
import socket
import sys

ALL_PROTOCOLS = 3


def main(path):
    with open(path, "wb", buffering=0) as out, \
            socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ALL_PROTOCOLS)) as wire:
        wire.bind(("eth0", 0))
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        print("listening", flush=True)
        while True:
            out.write(wire.recv(65536))


if __name__ == "__main__":
    main(sys.argv[1])
