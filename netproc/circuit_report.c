/* SPDX-License-Identifier: MIT
 *
 * SIGUSR1: the ten peers that relay most over the circuits open now.
 */
#include <stdlib.h>
#include <string.h>

#include "netproc/circuit.h"
#include "netproc/net.h"
#include "netproc/sort.h"

#define REPORT_PEERS 10u

struct report_peer {
	uint8_t peer[32];
	uint64_t bytes;
	uint64_t circuits;
};

static int report_by_peer(const void *a, const void *b)
{
	return memcmp(((const struct report_peer *)a)->peer, ((const struct report_peer *)b)->peer, 32);
}

static int report_by_bytes(const void *a, const void *b)
{
	uint64_t left = ((const struct report_peer *)a)->bytes,
		 right = ((const struct report_peer *)b)->bytes;

	return left < right ? 1 : left > right ? -1 : 0;
}

/* Sums entries of the same peer, which stand side by side; returns how many are left. */
static size_t report_sum(struct report_peer *peers, size_t count)
{
	size_t i, kept = 0;

	for (i = 0; i < count; i++) {
		if (kept > 0 && report_by_peer(&peers[kept - 1], &peers[i]) == 0) {
			peers[kept - 1].bytes += peers[i].bytes;
			peers[kept - 1].circuits += peers[i].circuits;
		} else {
			peers[kept++] = peers[i];
		}
	}
	return kept;
}

static size_t report_collect(struct net *net, struct report_peer *peers)
{
	struct circuit_state *state = circuit_state(net);
	struct list *at;
	size_t count = 0;

	for (at = state->all.next; at != &state->all; at = at->next) {
		const struct circuit *circuit = container_of(at, struct circuit, all);
		uint64_t bytes = circuit->half[0].bytes + circuit->half[1].bytes;

		memcpy(peers[count].peer, circuit->counted.source, 32);
		peers[count].bytes = bytes;
		peers[count++].circuits = 1;
		memcpy(peers[count].peer, circuit->counted.destination, 32);
		peers[count].bytes = bytes;
		peers[count++].circuits = 1;
	}
	return count;
}

static void report_log(struct net *net, const struct report_peer *peer)
{
	struct peer_id id;
	struct log_peer name;

	peer_id_from_ed25519(&id, peer->peer);
	name = (struct log_peer){id.bytes, id.len};
	log_event(&net->log, LOG_EVENT_BUSIEST, &name, NULL, peer->bytes, peer->circuits, 0, NULL, 0);
}

void circuit_report(struct net *net)
{
	size_t circuits = net->counter[NET_COUNT_CIRCUITS], count, i;
	struct report_peer *peers;

	if (circuits == 0 || circuit_state(net) == NULL)
		return;
	peers = calloc(2 * circuits, sizeof(*peers));
	if (peers == NULL)
		return;
	count = report_collect(net, peers);
	sort(peers, count, sizeof(*peers), report_by_peer);
	count = report_sum(peers, count);
	sort(peers, count, sizeof(*peers), report_by_bytes);
	for (i = 0; i < count && i < REPORT_PEERS; i++)
		report_log(net, &peers[i]);
	free(peers);
}
