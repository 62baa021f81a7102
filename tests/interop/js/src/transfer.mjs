// The bulk protocol of all client programs. The opener writes how many bytes each side shall send
// (8 bytes, big-endian); then both send and receive at once, and the opener closes when it has all.
import { createHash } from 'node:crypto'

export const TRANSFER = '/interop/transfer/1.0.0'
const BLOCK = 64 * 1024
const HIGH_WATER = 1024 * 1024
let bytesPerSecond = 0 // how fast a transfer reads; 0 is as fast as it can

export function setPace (rate) {
  bytesPerSecond = rate
}

// Reads a stream with back-pressure: it is paused while more than HIGH_WATER bytes wait.
export class Reader {
  constructor (stream) {
    this.stream = stream
    this.queue = []
    this.waiting = 0
    this.ended = false
    stream.addEventListener('message', (evt) => this.#add(evt.data.subarray()))
    stream.addEventListener('end', () => this.#end()) // not before what was held back is read
    stream.addEventListener('close', (evt) => this.#end(evt.error))
  }

  #add (bytes) {
    this.queue.push(bytes)
    this.waiting += bytes.length
    if (this.waiting >= (bytesPerSecond > 0 ? 1 : HIGH_WATER) && this.stream.readStatus === 'readable') this.stream.pause()
    this.wake?.()
  }

  #end (error) {
    this.ended = true
    this.error ??= error
    this.wake?.()
  }

  // The next chunk, or null at the end of the stream.
  async next () {
    while (this.queue.length === 0) {
      if (this.error != null) throw this.error
      if (this.ended) return null
      if (this.stream.readStatus === 'paused') this.stream.resume()
      if (this.queue.length === 0 && !this.ended) await new Promise((resolve) => { this.wake = resolve })
    }
    const bytes = this.queue.shift()
    this.waiting -= bytes.length
    if (bytesPerSecond > 0) await sleep(bytes.length * 1000 / bytesPerSecond)
    return bytes
  }

  unread (bytes) {
    if (bytes.length === 0) return
    this.queue.unshift(bytes)
    this.waiting += bytes.length
  }
}

export async function openTransfer (stream, size) {
  const reader = new Reader(stream)
  const header = Buffer.alloc(8)
  header.writeBigUInt64BE(BigInt(size))
  stream.send(header)
  const [sent, received] = await Promise.all([sendBytes(stream, size), receiveBytes(reader, size)])
  await stream.close()
  return { bytes: size, sent, received }
}

export async function acceptTransfer (stream) {
  const reader = new Reader(stream)
  const size = await readHeader(reader)
  const [sent, received] = await Promise.all([sendBytes(stream, size), receiveBytes(reader, size)])
  return { bytes: size, sent, received, done: reader.next().then(() => stream.close()) }
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

async function sendBytes (stream, size) {
  const hash = createHash('sha256')
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
    if (!stream.send(block)) await drained(stream)
  }
  return hash.digest('hex')
}

// stream.onDrain() waits only the first time (js-libp2p keeps the promise that it resolved once). What
// waits goes out as one frame, and rust-libp2p takes no frame above 1 MiB, so little may wait.
async function drained (stream) {
  while (stream.writableNeedsDrain) {
    await drainOrClose(stream)
    await sleep(0) // js-libp2p sends what waits right after the event
  }
}

function drainOrClose (stream) {
  return new Promise((resolve, reject) => {
    const settle = (evt) => {
      stream.removeEventListener('drain', settle)
      stream.removeEventListener('close', settle)
      if (evt.type === 'drain') resolve()
      else reject(evt.error ?? new Error('stream closed while sending'))
    }
    stream.addEventListener('drain', settle)
    stream.addEventListener('close', settle)
  })
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
