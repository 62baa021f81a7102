// The rendezvous client of Canvas, spoken to the relay under the name of the protocol that all others use. It signs records of
// the standard kind, omits what is 0 or empty (the type REGISTER, a ttl, a cookie), never names itself among those it found, and
// sends all requests of one `connect` on one stream.
import { RendezvousClient, rendezvousClient } from '@canvas-js/libp2p-rendezvous/client'
import { peerIdFromString } from '@libp2p/peer-id'

RendezvousClient.protocol = '/rendezvous/1.0.0' // its own is /canvas/rendezvous/1.0.0, with the same messages

export function rendezvousService () {
  return rendezvousClient({ autoDiscover: false })
}

export function rendezvousVerbs (node) {
  const requests = {
    register: (point, { ns, ttl }) => point.register(ns, { ttl: ttl ?? null }),
    discover: async (point, { ns, limit }) => ({ records: (await point.discover(ns, { limit })).map((peer) => record(peer, ns)) }),
    unregister: (point, { ns }) => point.unregister(ns)
  }

  // Several requests on one stream, each when the one before it is answered.
  async function sequence ({ peer, requests: list }) {
    return node.services.rendezvous.connect(peerIdFromString(peer), async (point) => {
      const answers = []
      for (const request of list) answers.push((await requests[request.do](point, request)) ?? {})
      return { answers }
    })
  }

  const alone = (name) => async (command) => (await sequence({ peer: command.peer, requests: [{ ...command, do: name }] })).answers[0]
  return { sequence, register: alone('register'), discover: alone('discover'), unregister: alone('unregister') }
}

function record (peer, ns) {
  return { peer: peer.id.toString(), ns, addrs: peer.addresses.map(({ multiaddr }) => multiaddr.toString()) }
}
