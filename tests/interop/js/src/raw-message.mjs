// Just enough protobuf for the messages of hop and stop.

export function hopReserve () {
  return Buffer.from([8, 0])
}

export function hopConnect (target) {
  const peer = Buffer.concat([Buffer.from([10, target.length]), target])
  return Buffer.concat([Buffer.from([8, 1, 18, peer.length]), peer])
}

export function stopStatus (status) {
  return Buffer.concat([Buffer.from([8, 1, 32]), varint(status)])
}

// What the relay answers on a hop stream.
export function readHop (message) {
  const told = { status: 0, limited: false }
  for (const { field, number } of fieldsOf(message)) {
    if (field === 4) told.limited = true
    if (field === 5) told.status = number
  }
  return told
}

// What the relay asks on a stop stream.
export function readStop (message) {
  const told = { peer: Buffer.alloc(0), addrs: 0, limited: false }
  for (const { field, body } of fieldsOf(message)) {
    if (field === 3) told.limited = true
    if (field !== 2) continue
    for (const inner of fieldsOf(body)) {
      if (inner.field === 1) told.peer = inner.body
      else told.addrs++
    }
  }
  return told
}

export function withLength (message) {
  return Buffer.concat([varint(message.length), message])
}

// The first message of the bytes and what is behind it; null while it is not whole.
export function splitMessage (bytes) {
  const length = takeVarint(bytes, 0)
  if (length == null || bytes.length < length.next + length.number) return null
  const end = length.next + length.number
  return { message: bytes.subarray(length.next, end), rest: bytes.subarray(end) }
}

function * fieldsOf (message) {
  for (let at = 0; at < message.length;) {
    const tag = takeVarint(message, at)
    const value = tag == null ? null : takeVarint(message, tag.next)
    if (value == null) return
    const bytes = (tag.number & 7) === 2 ? value.number : 0
    at = value.next + bytes
    yield { field: tag.number >>> 3, number: value.number, body: message.subarray(value.next, at) }
  }
}

function varint (number) {
  const out = []
  for (; number > 0x7f; number = Math.floor(number / 128)) out.push(number % 128 + 128)
  return Buffer.from([...out, number])
}

function takeVarint (bytes, at) {
  let number = 0
  for (let scale = 1; at < bytes.length; scale *= 128, at++) {
    number += bytes[at] % 128 * scale
    if (bytes[at] < 128) return { number, next: at + 1 }
  }
  return null
}
