/* SPDX-License-Identifier: MIT
 *
 * What a rendezvous request costs over the wire, each on a stream of its own: 1000 peers are registered in
 * one namespace and stay connected; one of them asks, one request after another. Called by load.c.
 */
#include <stdio.h>
#include <stdlib.h>

#include "probe/ask_rendezvous.h"
#include "tests/bench/load_scenario.h"

#define MEETING_PEERS	1000u
#define MEETING_NS	"bench"
#define MEETING_WAIT_MS 10000
#define MEETING_RECORD	1024

struct meeting {
	struct load_bench *b;
	struct client *peers; /* each counted in `here` is connected */
	uint32_t here;
	uint8_t record[MEETING_RECORD]; /* of the last */
	size_t len;
};

static int meeting_fail(const struct client *c, const char *what, int status)
{
	fprintf(stderr, "load: rendezvous: %s: status %d %s\n", what, status, c->error);
	return -1;
}

static int meeting_register(struct meeting *m, struct client *c)
{
	struct rendezvous_result result = {0};
	int failed = ask_register(c, MEETING_NS, m->record, m->len, 0, &result);
	int status = result.status;

	rendezvous_result_free(&result);
	return failed == 0 && status == RENDEZVOUS_OK ? 0 : meeting_fail(c, "REGISTER", status);
}

static int meeting_discover(struct client *c, uint64_t limit)
{
	struct rendezvous_result result = {0};
	int failed = ask_discover(c, MEETING_NS, limit, NULL, 0, &result);
	bool all = failed == 0 && result.status == RENDEZVOUS_OK && result.count == limit;
	int status = result.status;

	rendezvous_result_free(&result);
	return all ? 0 : meeting_fail(c, "DISCOVER", status);
}

static int meeting_join(struct meeting *m)
{
	struct client *c = &m->peers[m->here];
	char address[64];

	client_init(c, MEETING_WAIT_MS);
	m->here++;
	if (client_connect(c, &m->b->target.address) != 0)
		return meeting_fail(c, "connect", 0);
	snprintf(address, sizeof(address), "/ip4/127.0.0.1/tcp/%u", m->b->target.port);
	m->len = ask_rendezvous_record(c, ENVELOPE_RECORD_LEGACY, address, 1, m->record, sizeof(m->record));
	return m->len > 0 ? meeting_register(m, c) : -1;
}

/* `limit` results a request; 0: the last peer registers again. */
static int meeting_measure(struct meeting *m, const char *name, uint64_t limit)
{
	struct load_bench *b = m->b;
	struct client *c = &m->peers[m->here - 1];
	struct load_row row = {.unit = "CPU us"};
	uint64_t end = load_now() + (uint64_t)(b->seconds * 1e9);
	struct load_mark from, to;
	struct load_cost cost;
	uint64_t done = 0;
	int result = 0;

	load_mark(&from, &b->target.processes, b->target.core);
	for (; result == 0 && load_now() < end; done++)
		result = limit > 0 ? meeting_discover(c, limit) : meeting_register(m, c);
	load_mark(&to, &b->target.processes, b->target.core);
	if (result != 0) {
		load_row_missing(b, name, "refused, see above");
		return -1;
	}
	cost = load_cost(&from, &to, &b->target.processes);
	snprintf(row.name, sizeof(row.name), "%s", name);
	row.value = cost.cpu * 1e6 / (double)done;
	row.cost = &cost;
	row.rate = (double)done / cost.wall;
	load_row_print(b, &row);
	return 0;
}

static int meeting_run(struct meeting *m)
{
	while (m->here < MEETING_PEERS)
		if (meeting_join(m) != 0)
			return -1;
	meeting_measure(m, "rendezvous: REGISTER again", 0);
	meeting_measure(m, "rendezvous: DISCOVER 10", 10);
	meeting_measure(m, "rendezvous: DISCOVER 1000", MEETING_PEERS);
	return 0;
}

void load_rendezvous(struct load_bench *b)
{
	struct meeting m = {.b = b, .peers = calloc(MEETING_PEERS, sizeof(*m.peers))};

	if (!m.peers || load_target_start(&b->target) != 0) {
		load_row_missing(b, "rendezvous", "the relay did not start");
		free(m.peers);
		return;
	}
	load_pin(0, b->load_core);
	if (meeting_run(&m) != 0)
		load_row_missing(b, "rendezvous", "it has none, or failed: see above");
	while (m.here > 0)
		client_free(&m.peers[--m.here]);
	free(m.peers);
	load_target_stop(&b->target);
}
