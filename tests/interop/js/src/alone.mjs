// A host that is left alone with its relay (--left-alone ADDR): it searches for a relay to reserve at, and the relay carries the
// tag that tells js-libp2p to dial it again when a connection is lost. All else is the library's own doing. (A circuit address
// that it listens on by name, as the verb `reserve` does, is not reserved again once it is lost.)
const TAG = 'keep-alive-interop'

export function leftAlone (argv) {
  const at = argv.indexOf('--left-alone')
  if (at < 0) return { options: {}, start: async () => {} }
  return {
    options: { addresses: { listen: ['/p2p-circuit'] } },
    start: async (node, multiaddr) => {
      const addr = multiaddr(argv[at + 1])
      const relay = await node.dial(addr)
      await node.peerStore.merge(relay.remotePeer, { multiaddrs: [addr], tags: { [TAG]: { value: 100 } } })
    }
  }
}

// Waits until the host itself advertises a circuit address.
export async function awaitCircuitAddr (node) {
  for (;;) {
    const addrs = node.getMultiaddrs().map(String).filter((a) => a.includes('/p2p-circuit'))
    if (addrs.length > 0) return { addrs }
    await new Promise((resolve) => node.addEventListener('self:peer:update', resolve, { once: true }))
  }
}
