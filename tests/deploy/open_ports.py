"""Prints every TCP port of an IPv4 address near by (one that refuses at once) that takes a connection."""

import socket
import sys


def is_open(address, port):
    with socket.socket() as client:
        client.settimeout(2)
        return client.connect_ex((address, port)) == 0


print(" ".join(str(port) for port in range(1, 65536) if is_open(sys.argv[1], port)))
