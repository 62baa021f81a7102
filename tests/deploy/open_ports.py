"""Prints every TCP port of an IPv4 address that takes a connection, a few hundred at a time."""

import asyncio
import sys


async def is_open(address, port, room):
    async with room:
        try:
            _, writer = await asyncio.wait_for(asyncio.open_connection(address, port), 5)
        except (OSError, asyncio.TimeoutError):
            return False
        writer.close()
        return True


async def main(address):
    room = asyncio.Semaphore(300)
    ports = range(1, 65536)
    found = await asyncio.gather(*(is_open(address, port, room) for port in ports))
    print(" ".join(str(port) for port, opened in zip(ports, found) if opened))


asyncio.run(main(sys.argv[1]))
