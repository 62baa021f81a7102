/* SPDX-License-Identifier: MIT */
#include "probe/steps.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <sodium.h>

#include "probe/ask_identify.h"
#include "probe/ask_ping.h"
#include "probe/ask_relay.h"
#include "probe/ask_rendezvous.h"

#define STEPS_DETAIL_MAX 512

struct steps {
	const struct arguments *arguments;
	struct dial_target target;
	struct client client;
	struct identify_answer identify;
	struct relay_answer reservation;
	char detail[STEPS_DETAIL_MAX];
};

static int steps_resolve(struct steps *s)
{
	const char *wrong = dial_resolve(&s->target);

	if (wrong)
		return client_fail(&s->client, "%s: %s", s->target.host, wrong);
	snprintf(s->detail, sizeof(s->detail), "%s has %zu address%s", s->target.host, s->target.count,
		 s->target.count == 1 ? "" : "es");
	return 0;
}

static int steps_connect(struct steps *s)
{
	char text[DIAL_TEXT_MAX] = "";

	for (size_t i = 0; i < s->target.count; i++) {
		int fd = dial_connect(&s->target.addresses[i], s->client.timeout_ms);
		int error = errno;

		dial_text(&s->target.addresses[i], text);
		if (fd >= 0) {
			client_attach(&s->client, fd);
			snprintf(s->detail, sizeof(s->detail), "%s", text);
			return 0;
		}
		client_fail(&s->client, "%s: %s", text, strerror(error));
	}
	return -1;
}

static int steps_multistream(struct steps *s)
{
	snprintf(s->detail, sizeof(s->detail), "/noise");
	return client_wait_phase(&s->client, SESSION_NOISE, "multistream-select");
}

static int steps_noise(struct steps *s)
{
	char id[PEER_ID_TEXT_MAX];

	if (client_wait_phase(&s->client, SESSION_MUXER_HEADER, "Noise message 2") != 0)
		return -1;
	peer_id_to_text(&s->client.session.relay, id);
	snprintf(s->detail, sizeof(s->detail), "the relay is %s%s", id,
		 s->target.peer.len ? ", as the address says" : "");
	return 0;
}

static int steps_muxer(struct steps *s)
{
	snprintf(s->detail, sizeof(s->detail), "/yamux/1.0.0");
	return client_wait_phase(&s->client, SESSION_OPEN, "the muxer");
}

static int steps_identify(struct steps *s)
{
	const struct identify_message *m = &s->identify.message;
	char observed[MULTIADDR_TEXT_MAX] = "nothing";

	if (ask_identify(&s->client, &s->identify) != 0)
		return -1;
	if (m->observed.len > 0 && multiaddr_to_text(m->observed.bytes, m->observed.len, observed) != 0)
		return client_fail(&s->client, "the observed address is not a multiaddress");
	snprintf(s->detail, sizeof(s->detail), "%.*s %.*s, %zu address%s, %zu protocols, sees us at %.100s",
		 (int)m->protocol_version.len, (const char *)m->protocol_version.bytes,
		 (int)m->agent_version.len, (const char *)m->agent_version.bytes, m->addr_count,
		 m->addr_count == 1 ? "" : "es", m->protocol_count, observed);
	if (!identify_answer_lists(&s->identify, CIRCUIT_HOP_PROTOCOL))
		return client_fail(&s->client, "it does not list %s: not a relay", CIRCUIT_HOP_PROTOCOL);
	return 0;
}

static bool steps_is_full(const struct steps *s)
{
	int status = s->reservation.status;

	return s->arguments->health &&
	       (status == CIRCUIT_RESERVATION_REFUSED || status == CIRCUIT_RESOURCE_LIMIT_EXCEEDED);
}

static int steps_reserve(struct steps *s)
{
	const struct relay_answer *a = &s->reservation;
	const char *wrong;

	if (ask_reserve(&s->client, true, &s->reservation) != 0)
		return -1;
	if (steps_is_full(s)) {
		snprintf(s->detail, sizeof(s->detail), "the relay is full");
		return 0;
	}
	if (a->status != CIRCUIT_OK)
		return client_fail(&s->client, "refused with %s (%d)", circuit_status_name(a->status),
				   a->status);
	wrong = ask_relay_check(a, &s->client.session.relay, &s->client.identity.id, (uint64_t)time(NULL));
	if (wrong)
		return client_fail(&s->client, "%s", wrong);
	snprintf(s->detail, sizeof(s->detail), "%zu address%s, %s voucher", a->addr_count,
		 a->addr_count == 1 ? "" : "es", a->voucher_len ? "a good" : "no");
	return 0;
}

static void steps_print_reservation(const struct steps *s)
{
	const struct relay_answer *a = &s->reservation;
	time_t expire = (time_t)a->expire;
	char text[MULTIADDR_TEXT_MAX];
	char when[40] = "?";
	struct tm utc;

	if (s->arguments->health || a->status != CIRCUIT_OK)
		return;
	for (size_t i = 0; i < a->addr_count; i++)
		if (multiaddr_to_text(a->addrs[i].bytes, a->addrs[i].len, text) == 0)
			printf("      address: %s%s\n", text,
			       multiaddr_is_private(a->addrs[i].bytes, a->addrs[i].len)
				   ? "  (private: nobody outside "
				     "reaches it)"
				   : "");
	if (gmtime_r(&expire, &utc))
		strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%SZ", &utc);
	printf("      expires: %s, in %lld s\n", when, (long long)(expire - time(NULL)));
	if (a->limit.present)
		printf("      limits: %u s, %llu bytes for each circuit (0: none)\n", a->limit.duration,
		       (unsigned long long)a->limit.data);
	else
		printf("      limits: none\n");
}

static int steps_discover(struct steps *s)
{
	struct rendezvous_result result;
	uint64_t random[2];
	char ns[48];
	int status;

	if (!identify_answer_lists(&s->identify, RENDEZVOUS_PROTOCOL)) {
		snprintf(s->detail, sizeof(s->detail), "skipped: the relay does not list %s",
			 RENDEZVOUS_PROTOCOL);
		return 0;
	}
	randombytes_buf(random, sizeof(random));
	snprintf(ns, sizeof(ns), "probe/%016llx%016llx", (unsigned long long)random[0],
		 (unsigned long long)random[1]);
	if (ask_discover(&s->client, ns, 0, NULL, 0, &result) != 0)
		return -1;
	snprintf(s->detail, sizeof(s->detail), "%zu registrations in %s, a cookie of %zu bytes", result.count,
		 ns, result.cookie_len);
	status = result.status;
	rendezvous_result_free(&result);
	return status == RENDEZVOUS_OK ? 0 : client_fail(&s->client, "refused with status %d", status);
}

static int steps_ping(struct steps *s)
{
	snprintf(s->detail, sizeof(s->detail), "32 bytes echoed");
	return ask_ping(&s->client, 1);
}

static const struct step {
	const char *name;
	int (*run)(struct steps *s);
	void (*print)(const struct steps *s);
} steps_list[] = {
    {"resolve", steps_resolve, NULL},
    {"connect", steps_connect, NULL},
    {"multistream", steps_multistream, NULL},
    {"noise", steps_noise, NULL},
    {"muxer", steps_muxer, NULL},
    {"identify", steps_identify, NULL},
    {"reserve", steps_reserve, steps_print_reservation},
    {"discover", steps_discover, NULL},
    {"ping", steps_ping, NULL},
};

static int steps_one(struct steps *s, const struct step *step)
{
	int64_t start = client_now();

	if (step->run(s) != 0) {
		printf("FAILED %s: %s\n", step->name, s->client.error);
		return 1;
	}
	if (!s->arguments->health)
		printf("ok  %s: %s (%lld ms)\n", step->name, s->detail, (long long)(client_now() - start));
	if (step->print)
		step->print(s);
	return 0;
}

static int steps_all(struct steps *s)
{
	char id[PEER_ID_TEXT_MAX];
	int64_t start = client_now();

	for (size_t i = 0; i < sizeof(steps_list) / sizeof(steps_list[0]); i++) {
		if (steps_one(s, &steps_list[i]) != 0)
			return 1;
		fflush(stdout);
	}
	peer_id_to_text(&s->client.session.relay, id);
	if (s->arguments->health)
		printf("ok  health: %s answers as %s (%lld ms)\n", s->arguments->multiaddr, id,
		       (long long)(client_now() - start));
	return 0;
}

int steps_run(const struct arguments *a)
{
	static struct steps s; /* far too large for a stack */
	const char *wrong;
	int result;

	s.arguments = a;
	client_init(&s.client, a->timeout_seconds * 1000);
	wrong = dial_parse(&s.target, a->multiaddr);
	if (wrong) {
		fprintf(stderr, "probe: %s: %s\n", a->multiaddr, wrong);
		return 64;
	}
	s.client.options.patient = true;
	if (s.target.peer.len > 0)
		s.client.options.expected = &s.target.peer;
	result = steps_all(&s);
	client_free(&s.client);
	return result;
}
