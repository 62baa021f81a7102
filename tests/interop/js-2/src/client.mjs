// Interop client on js-libp2p 2, with the rendezvous client of Canvas. Verbs and events: ../../README.md.
//
//   client.mjs --left-alone ADDR   connects to the relay ADDR, reserves and comes back by itself
import { noise } from '@chainsafe/libp2p-noise'
import { yamux } from '@chainsafe/libp2p-yamux'
import { circuitRelayTransport } from '@libp2p/circuit-relay-v2'
import { identify } from '@libp2p/identify'
import { ping } from '@libp2p/ping'
import { tcp } from '@libp2p/tcp'
import { multiaddr } from '@multiformats/multiaddr'
import { createLibp2p } from 'libp2p'
import { event, serve } from '../../js/src/jsonline.mjs'
import { awaitCircuitAddr, leftAlone } from '../../js/src/alone.mjs'
import { rendezvousService, rendezvousVerbs } from './rendezvous.mjs'
import { TRANSFER, acceptTransfer, openTransfer } from './transfer.mjs'

const DIAL_TIMEOUT = 15_000
const AUTOMATIC_IDENTIFY = 2_000
const LIMITED = { runOnLimitedConnection: true }
let bytesPerSecond = 0
const identities = new Map() // connection id -> what identify told

// What js-libp2p 2 documents as its defaults. Left unset, its six attempts to connect again all come within milliseconds, and a relay
// that is away for longer is given up.
const RECONNECT = { reconnectRetryInterval: 1_000, reconnectBackoffFactor: 2 }

const alone = leftAlone(process.argv)
const node = await createLibp2p({
  ...alone.options,
  transports: [tcp(), circuitRelayTransport()],
  connectionEncrypters: [noise()],
  streamMuxers: [yamux()],
  connectionGater: { denyDialMultiaddr: () => false },
  connectionManager: { dialTimeout: DIAL_TIMEOUT, ...RECONNECT },
  connectionMonitor: { pingTimeout: { minTimeout: 30_000 } },
  services: { identify: identify(), ping: ping(), rendezvous: rendezvousService() }
})

await node.handle(TRANSFER, async ({ stream, connection }) => {
  const peer = connection.remotePeer.toString()
  try {
    await acceptTransfer(stream, bytesPerSecond, (result) => event('transfer', { peer, ...result }))
  } catch (error) {
    event('transfer-failed', { peer, text: String(error) })
    stream.abort(error)
  }
}, LIMITED)

node.addEventListener('peer:identify', ({ detail }) => identities.set(detail.connection.id, detail))
node.addEventListener('connection:open', ({ detail }) => event('connected', describe(detail)))
node.addEventListener('connection:close', ({ detail }) => event('disconnected', describe(detail)))

const verbs = {
  connect: async ({ addr }) => describe(await node.dial(multiaddr(addr))),
  dial: async ({ addr }) => describe(await node.dial(multiaddr(addr), { force: true, signal: AbortSignal.timeout(DIAL_TIMEOUT) })),
  reserve,
  'await-circuit-addr': () => awaitCircuitAddr(node),
  identify: async ({ peer }) => identified(await identityOf(newest(peer))),
  ping: async ({ peer }) => ({ ms: await node.services.ping.ping(newest(peer).remotePeer, LIMITED) }),
  transfer: async ({ peer, bytes }) => openTransfer(await newest(peer).newStream(TRANSFER, LIMITED), bytes, bytesPerSecond),
  pace: ({ bytes_per_second }) => { bytesPerSecond = bytes_per_second },
  open: openProtocol,
  connections: ({ peer }) => ({ list: connectionsOf(peer).map(describe) }),
  close: async ({ peer }) => { await Promise.all(connectionsOf(peer).map((c) => c.close())) },
  ...rendezvousVerbs(node),
  quit: () => { setImmediate(stop) }
}

// Listening on the circuit address is what makes js-libp2p reserve.
async function reserve ({ addr }) {
  await node.components.transportManager.listen([multiaddr(addr).encapsulate('/p2p-circuit')])
  const addrs = node.getMultiaddrs().map(String).filter((a) => a.includes('/p2p-circuit'))
  if (addrs.length === 0) throw new Error('listening gave no circuit address')
  return { addrs }
}

async function openProtocol ({ peer, protocol }) {
  const stream = await newest(peer).newStream(protocol, LIMITED)
  await stream.close()
}

function connectionsOf (peer) {
  return node.getConnections().filter((c) => c.remotePeer.toString() === peer && c.status === 'open')
}

function newest (peer) {
  const found = connectionsOf(peer).at(-1)
  if (found == null) throw new Error(`not connected to ${peer}`)
  return found
}

function describe (connection) {
  return {
    peer: connection.remotePeer.toString(),
    remote: connection.remoteAddr.toString(),
    direction: connection.direction,
    limit: limitOf(connection)
  }
}

function limitOf ({ limits }) {
  if (limits == null) return null
  return { seconds: Number(limits.seconds ?? 0), bytes: Number(limits.bytes ?? 0) }
}

// What the automatic exchange told, which js-libp2p throws away when the address it was observed at has no transport
// (rust-libp2p says /p2p/ID of the source of a circuit); then the exchange is made once more.
async function identityOf (connection) {
  for (let waited = 0; waited < AUTOMATIC_IDENTIFY; waited += 50) {
    if (identities.has(connection.id)) return identities.get(connection.id)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  const message = await node.services.identify._identify(connection)
  return { ...message, listenAddrs: message.listenAddrs.map((a) => multiaddr(a)), observedAddr: multiaddr(message.observedAddr) }
}

function identified (result) {
  return {
    agent: result.agentVersion,
    protocol_version: result.protocolVersion,
    protocols: result.protocols,
    listen: result.listenAddrs.map(String),
    observed: result.observedAddr?.toString() ?? null,
    signed_record: result.signedPeerRecord != null
  }
}

async function stop () {
  await node.stop()
  process.exit(0)
}

event('ready', { peer: node.peerId.toString() })
serve(verbs, stop)
await alone.start(node, multiaddr)
