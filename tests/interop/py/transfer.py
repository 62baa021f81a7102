"""The bulk protocol of all client programs. The opener writes how many bytes each side shall send (8 bytes,
big-endian); then both send and receive at once, and the opener closes when it has all."""

import hashlib
import os

import trio
from libp2p.custom_types import TProtocol

TRANSFER = TProtocol("/interop/transfer/1.0.0")
BLOCK = 16 * 1024


async def open_transfer(stream, size):
    await stream.write(size.to_bytes(8, "big"))
    result = await exchange(stream, size)
    await stream.close()
    return result


async def accept_transfer(stream):
    return await exchange(stream, int.from_bytes(await read_exactly(stream, 8), "big"))


async def exchange(stream, size):
    result = {"bytes": size}
    async with trio.open_nursery() as nursery:
        nursery.start_soon(send, stream, size, result)
        nursery.start_soon(receive, stream, size, result)
    return result


async def send(stream, size, result):
    digest = hashlib.sha256()
    for begin in range(0, size, BLOCK):
        block = os.urandom(min(BLOCK, size - begin))
        digest.update(block)
        await stream.write(block)
    result["sent"] = digest.hexdigest()


async def receive(stream, size, result):
    digest = hashlib.sha256()
    left = size
    while left > 0:
        part = await stream.read(min(left, BLOCK))
        if not part:
            raise EOFError(f"stream ended {left} of {size} bytes early")
        digest.update(part)
        left -= len(part)
    result["received"] = digest.hexdigest()


async def read_exactly(stream, size):
    got = b""
    while len(got) < size:
        part = await stream.read(size - len(got))
        if not part:
            raise EOFError("stream ended inside the transfer header")
        got += part
    return got
