// The bulk protocol of all client programs, on the streams of js-libp2p 2 (a source and a sink). The opener writes how many
// bytes each side shall send (8 bytes, big-endian); then both send and receive at once, and the opener closes when it has all.
import { createHash } from 'node:crypto'

export const TRANSFER = '/interop/transfer/1.0.0'
const BLOCK = 64 * 1024

// Reads a stream by pulling: what is not asked for stays in the window of the muxer.
class Reader {
  constructor (stream, bytesPerSecond) {
    this.chunks = stream.source[Symbol.asyncIterator]()
    this.bytesPerSecond = bytesPerSecond
    this.kept = []
  }

  // The next chunk, or null at the end of the stream.
  async next () {
    if (this.kept.length > 0) return this.kept.pop()
    const { done, value } = await this.chunks.next()
    if (done) return null
    if (this.bytesPerSecond > 0) await sleep(value.length * 1000 / this.bytesPerSecond)
    return value.subarray()
  }

  unread (bytes) {
    if (bytes.length > 0) this.kept.push(bytes)
  }
}

export async function openTransfer (stream, size, bytesPerSecond) {
  return exchange(stream, new Reader(stream, bytesPerSecond), size, { header: headerOf(size) })
}

// `tell` is called as soon as all is sent and received, which is before the opener closes.
export async function acceptTransfer (stream, bytesPerSecond, tell) {
  const reader = new Reader(stream, bytesPerSecond)
  const size = await readHeader(reader)
  await exchange(stream, reader, size, {
    hasAll: async (result) => {
      tell(result)
      await reader.next()
    }
  })
}

// Sends and receives at once. This direction of the stream ends behind `hasAll`.
async function exchange (stream, reader, size, { header, hasAll }) {
  const received = receiveBytes(reader, size)
  const result = { bytes: size }
  async function * outgoing () {
    if (header != null) yield header
    const hash = createHash('sha256')
    yield * noise(size, hash)
    Object.assign(result, { sent: hash.digest('hex'), received: await received })
    await hasAll?.(result)
  }
  await Promise.all([stream.sink(outgoing()), received])
  await stream.close()
  return result
}

function headerOf (size) {
  const header = Buffer.alloc(8)
  header.writeBigUInt64BE(BigInt(size))
  return header
}

async function readHeader (reader) {
  let header = Buffer.alloc(0)
  while (header.length < 8) {
    const chunk = await reader.next()
    if (chunk == null) throw new Error('stream ended inside the transfer header')
    header = Buffer.concat([header, chunk])
  }
  reader.unread(header.subarray(8))
  return Number(header.readBigUInt64BE())
}

function * noise (size, hash) {
  let state = (Math.random() * 0xffffffff) >>> 0 | 1
  for (let left = size; left > 0;) {
    const words = new Uint32Array(BLOCK / 4)
    for (let i = 0; i < words.length; i++) {
      state ^= state << 13; state ^= state >>> 17; state ^= state << 5
      words[i] = state
    }
    const block = new Uint8Array(words.buffer, 0, Math.min(left, BLOCK))
    hash.update(block)
    left -= block.length
    yield block
  }
}

async function receiveBytes (reader, size) {
  const hash = createHash('sha256')
  for (let left = size; left > 0;) {
    const chunk = await reader.next()
    if (chunk == null) throw new Error(`stream ended ${left} of ${size} bytes early`)
    const wanted = chunk.subarray(0, left)
    hash.update(wanted)
    left -= wanted.length
    reader.unread(chunk.subarray(wanted.length))
  }
  return hash.digest('hex')
}

function sleep (ms) {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
