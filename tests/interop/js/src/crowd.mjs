// Many nodes in one program: the clients behind one address.
import { multiaddr } from '@multiformats/multiaddr'

const TRIES = 4 // as the dusk client: again after 2, 4, 8 seconds
const kept = []

// Lets `count` nodes connect and reserve, all at once, and keeps them until the program ends.
export async function crowd (create, { addr, count }) {
  const outcomes = await Promise.allSettled(Array.from({ length: count }, () => join(create, multiaddr(addr))))
  const tries = outcomes.filter((o) => o.status === 'fulfilled').map((o) => o.value)
  const failed = outcomes.filter((o) => o.status === 'rejected').map((o) => String(o.reason))
  return { reserved: tries.length, most_tries: Math.max(0, ...tries), last_error: failed.at(-1) ?? '' }
}

// The number of tries that it took.
async function join (create, relay) {
  const node = await create()
  kept.push(node)
  for (let tries = 1; ; tries++) {
    try {
      await node.dial(relay)
      await node.components.transportManager.listen([relay.encapsulate('/p2p-circuit')])
      if (node.getMultiaddrs().length === 0) throw new Error('listening gave no circuit address')
      return tries
    } catch (error) {
      if (tries === TRIES) throw error
      await new Promise((resolve) => setTimeout(resolve, 1000 << tries))
    }
  }
}
