// Hop and stop spoken by hand, as ../../go/raw.go does: a circuit's bare bytes, half-closes and resets can be seen.
import { multiaddr } from '@multiformats/multiaddr'
import { event } from './jsonline.mjs'
import { hopConnect, hopReserve, readHop, readStop, splitMessage, stopStatus, withLength } from './raw-message.mjs'
import { Reader } from './transfer.mjs'

const HOP = '/libp2p/circuit/relay/0.2.0/hop'
const STOP = '/libp2p/circuit/relay/0.2.0/stop'
const OK = 100
const PERMISSION_DENIED = 202
const NAMES = {
  200: 'RESERVATION_REFUSED', 201: 'RESOURCE_LIMIT_EXCEEDED', 202: 'PERMISSION_DENIED', 203: 'CONNECTION_FAILED', 204: 'NO_RESERVATION'
}
const PATIENCE = 25_000
const PEER_CODE = Buffer.from([0xa5, 0x03]) // the multiaddr part /p2p

// How a STOP is answered: ok, mute or refuse; `first` goes in one write behind OK.
let serving = { answer: 'ok', first: '' }
const circuits = []

export async function serveStops (node) {
  await node.handle(STOP, async (stream) => {
    try {
      await serveStop(new Circuit(stream))
    } catch (error) {
      event('raw-stop-failed', { text: String(error) })
      stream.abort(error)
    }
  })
}

// The verbs of --raw; `newest` gives a peer's newest connection.
export function rawVerbs (newest) {
  return {
    reserve: async ({ addr }) => {
      const circuit = new Circuit(await newest(addr.split('/').at(-1)).newStream(HOP))
      circuit.send(hopReserve())
      granted(await circuit.message())
    },
    'raw-serve': ({ answer, data }) => { serving = { answer, first: data ?? '' } },
    'raw-connect': async ({ peer, target, data }) => {
      const circuit = new Circuit(await newest(peer).newStream(HOP))
      circuit.send(hopConnect(idBytes(target)), data)
      const { limited } = granted(await circuit.message())
      return { circuit: circuits.push(circuit) - 1, limited }
    },
    'raw-write': ({ circuit, data }) => { circuits[circuit].stream.send(Buffer.from(data)) },
    'raw-read': ({ circuit, bytes }) => circuits[circuit].read(bytes),
    'raw-close-write': ({ circuit }) => circuits[circuit].stream.close(),
    'raw-reset': ({ circuit }) => { circuits[circuit].stream.abort(new Error('told to reset')) }
  }
}

async function serveStop (circuit) {
  const { peer, addrs, limited } = readStop(await circuit.message())
  const { answer, first } = serving
  if (answer === 'ok') circuit.send(stopStatus(OK), first)
  if (answer === 'refuse') {
    circuit.send(stopStatus(PERMISSION_DENIED))
    await circuit.stream.close()
  }
  event('raw-stop', { from: idText(peer), addrs, limited, circuit: circuits.push(circuit) - 1 })
}

function granted (message) {
  const told = readHop(message)
  if (told.status !== OK) throw new Error(`refused with ${NAMES[told.status] ?? told.status}`)
  return told
}

// An end of a circuit.
class Circuit {
  constructor (stream) {
    this.stream = stream
    this.reader = new Reader(stream)
  }

  send (message, behind = '') {
    this.stream.send(Buffer.concat([withLength(message), Buffer.from(behind)]))
  }

  async message () {
    for (let got = Buffer.alloc(0); ;) {
      const part = await this.#part()
      if (part == null) throw new Error('the stream ended inside a message')
      got = Buffer.concat([got, part])
      const split = splitMessage(got)
      if (split == null) continue
      this.reader.unread(split.rest) // it belongs to the circuit
      return split.message
    }
  }

  // Reads so many bytes, or everything if that is 0, and says how the reading ended.
  async read (wanted) {
    let got = Buffer.alloc(0)
    const result = (end) => ({ data: got.toString(), end })
    try {
      while (wanted === 0 || got.length < wanted) {
        const part = await this.#part()
        if (part == null) return result('eof')
        got = Buffer.concat([got, part])
      }
    } catch (error) {
      if (error.name !== 'StreamResetError') throw error
      return result('reset')
    }
    this.reader.unread(got.subarray(wanted))
    got = got.subarray(0, wanted)
    return result('')
  }

  #part () {
    let timer
    const late = new Promise((resolve, reject) => {
      timer = setTimeout(() => reject(Object.assign(new Error('nothing came'), { name: 'TimeoutError' })), PATIENCE)
    })
    return Promise.race([this.reader.next(), late]).finally(() => clearTimeout(timer))
  }
}

function idBytes (peer) {
  return multiaddr(`/p2p/${peer}`).bytes.subarray(PEER_CODE.length + 1)
}

function idText (bytes) {
  return multiaddr(Buffer.concat([PEER_CODE, Buffer.from([bytes.length]), bytes])).toString().split('/').at(-1)
}
