// Interop client on js-libp2p 3. Verbs and events: ../../README.md.
//
//   client.mjs --left-alone ADDR   connects to the relay ADDR, reserves and comes back by itself
//   client.mjs --raw               no relay client: the raw-* verbs speak hop and stop themselves
//   client.mjs --seed N            a fixed identity
import { circuitRelayTransport } from '@libp2p/circuit-relay-v2'
import { identify } from '@libp2p/identify'
import { generateKeyPair, generateKeyPairFromSeed } from '@libp2p/crypto/keys'
import { noise } from '@chainsafe/libp2p-noise'
import { ping } from '@libp2p/ping'
import { tcp } from '@libp2p/tcp'
import { yamux } from '@libp2p/yamux'
import { multiaddr } from '@multiformats/multiaddr'
import { createLibp2p } from 'libp2p'
import { awaitCircuitAddr, leftAlone } from './alone.mjs'
import { crowd } from './crowd.mjs'
import { event, serve } from './jsonline.mjs'
import { rawVerbs, serveStops } from './raw.mjs'
import { TRANSFER, acceptTransfer, openTransfer, setPace } from './transfer.mjs'

const DIAL_TIMEOUT = 15_000
const AUTOMATIC_IDENTIFY = 2_000
const LIMITED = { runOnLimitedConnection: true }
const raw = process.argv.includes('--raw')
const identities = new Map() // connection id -> what identify told, a promise and its resolver

const alone = leftAlone(process.argv)
const node = await create(await privateKey(), alone.options)

await node.handle(TRANSFER, async (stream, connection) => {
  try {
    const { done, ...result } = await acceptTransfer(stream)
    event('transfer', { peer: connection.remotePeer.toString(), ...result })
    await done
  } catch (error) {
    event('transfer-failed', { peer: connection.remotePeer.toString(), text: String(error) })
    stream.abort(error)
  }
}, LIMITED)

if (raw) await serveStops(node)

// js-libp2p identifies by itself when a connection opens, and takes one identify at a time.
node.addEventListener('peer:identify', ({ detail }) => identity(detail.connection.id).resolve(detail))
node.addEventListener('connection:open', ({ detail }) => event('connected', describe(detail)))
node.addEventListener('connection:close', ({ detail }) => event('disconnected', describe(detail)))

const verbs = {
  connect: async ({ addr }) => describe(await node.dial(multiaddr(addr))),
  dial: async ({ addr }) => describe(await node.dial(multiaddr(addr), { force: true, signal: AbortSignal.timeout(DIAL_TIMEOUT) })),
  reserve,
  'await-circuit-addr': () => awaitCircuitAddr(node),
  identify: async ({ peer }) => identified(await identityOf(newest(peer))),
  ping: async ({ peer }) => ({ ms: await node.services.ping.ping(newest(peer).remotePeer, LIMITED) }),
  transfer: async ({ peer, bytes }) => openTransfer(await newest(peer).newStream(TRANSFER, LIMITED), bytes),
  pace: ({ bytes_per_second: rate }) => { setPace(rate) },
  open: openProtocol,
  connections: ({ peer }) => ({ list: connectionsOf(peer).map(describe) }),
  close: async ({ peer }) => { await Promise.all(connectionsOf(peer).map((c) => c.close())) },
  crowd: (command) => crowd(async () => create(await generateKeyPair('Ed25519')), command),
  quit: () => { setImmediate(stop) },
  ...(raw ? rawVerbs(newest) : {})
}

// Listening on the circuit address is what makes js-libp2p reserve.
async function reserve ({ addr }) {
  const circuit = multiaddr(addr).encapsulate('/p2p-circuit')
  await node.components.transportManager.listen([circuit])
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

function identity (connectionId) {
  if (!identities.has(connectionId)) identities.set(connectionId, Promise.withResolvers())
  return identities.get(connectionId)
}

// What the automatic exchange told. js-libp2p throws that away when the address it was observed at has no
// transport (rust-libp2p says /p2p/ID of the source of a circuit); then the exchange is made once more.
async function identityOf (connection) {
  const wait = new Promise((resolve) => setTimeout(resolve, AUTOMATIC_IDENTIFY, null))
  const told = await Promise.race([identity(connection.id).promise, wait])
  if (told != null) return told
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

function create (privateKey, more = {}) {
  return createLibp2p({
    ...more,
    privateKey,
    transports: raw ? [tcp()] : [tcp(), circuitRelayTransport()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    connectionGater: { denyDialMultiaddr: () => false },
    // All circuits come from one address, the relay's: js-libp2p takes 5 connections of one address a second.
    connectionManager: { dialTimeout: DIAL_TIMEOUT, inboundConnectionThreshold: 1000, maxIncomingPendingConnections: 100 },
    connectionMonitor: { pingTimeout: { minTimeout: 30_000 } }, // 5 s is too little beside 64 MiB on a busy machine
    services: { identify: identify(), ping: ping({ maxOutboundStreams: 8 }) } // were it one, two at once would end the connection
  })
}

function privateKey () {
  const at = process.argv.indexOf('--seed')
  if (at < 0) return generateKeyPair('Ed25519')
  return generateKeyPairFromSeed('Ed25519', new Uint8Array(32).fill(Number(process.argv[at + 1])))
}

async function stop () {
  await node.stop()
  process.exit(0)
}

event('ready', { peer: node.peerId.toString() })
serve(verbs, stop)
await alone.start(node, multiaddr)
