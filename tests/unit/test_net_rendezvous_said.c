/* SPDX-License-Identifier: MIT
 *
 * What the log is told of each request: which event, of whom, with which namespace; and nothing at a level at
 * which nobody asked for it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/rendezvous_asker.h"

static struct {
	enum log_event event;
	struct peer_id peer;
	char text[256];
} said[8];
static size_t said_count;

/* In place of the one that sends. */
void log_event(struct log_sink *sink, enum log_event event, const struct log_peer *peer,
	       const struct log_peer *peer2, uint64_t n, uint64_t n2, uint64_t n3, const void *text,
	       size_t text_len)
{
	(void)n, (void)n2, (void)n3;
	assert_ptr_equal(sink, &f.net.log);
	assert_null(peer2);
	assert_true(said_count < 8 && text_len < sizeof(said[0].text));
	memset(&said[said_count], 0, sizeof(said[0]));
	said[said_count].event = event;
	if (peer != NULL)
		assert_int_equal(peer_id_parse(&said[said_count].peer, peer->bytes, peer->len), 0);
	if (text_len > 0)
		memcpy(said[said_count].text, text, text_len);
	said_count++;
}

static int before(void **state)
{
	asker_before(state);
	f.net.log.level = LOG_LEVEL_TRACE;
	said_count = 0;
	return 0;
}

static int after(void **state)
{
	int result = asker_after(state);

	said_count = 0;
	return result;
}

/* The next event; `ns` NULL: one that names neither peer nor namespace. */
static void assert_said(enum log_event event, const char *ns)
{
	struct peer_id id;

	assert_true(said_count > 0);
	assert_int_equal(said[0].event, event);
	assert_string_equal(said[0].text, ns == NULL ? "" : ns);
	conn_peer_id(conn, &id);
	assert_int_equal(peer_id_equal(&said[0].peer, &id), ns != NULL);
	memmove(&said[0], &said[1], sizeof(said) - sizeof(said[0]));
	said_count--;
}

static void assert_no_more_said(void)
{
	assert_int_equal(said_count, 0);
}

static struct fixture_record record;

static void register_as(const char *ns)
{
	struct stream *stream = fixture_stream(&f, conn);

	fixture_register(stream, ns, &record, 7200);
	if (fixture_wire(&f, stream)->stream != NULL)
		fixture_rst(stream);
}

static void unregister(const char *ns)
{
	struct rendezvous_request q = {.type = RENDEZVOUS_UNREGISTER, .has_ns = true, .ns = fixture_span(ns)};
	struct stream *stream = fixture_stream(&f, conn);

	fixture_request(stream, &q);
	fixture_rst(stream);
}

static void discover(const char *ns)
{
	static const struct span none;
	struct stream *stream = fixture_stream(&f, conn);

	fixture_discover(stream, ns, 0, none);
	fixture_rst(stream);
}

static void of_registrations(void **state)
{
	(void)state;
	fixture_record(&f, &record, &asker_peer, ENVELOPE_RECORD, 1);
	register_as("chat");
	assert_said(LOG_EVENT_REGISTERED, "chat");
	register_as("chat");
	assert_said(LOG_EVENT_REGISTERED_AGAIN, "chat");
	unregister("other");
	assert_no_more_said();
	unregister("chat");
	assert_said(LOG_EVENT_UNREGISTERED, "chat");
	record.len = 0;
	register_as("chat");
	assert_said(LOG_EVENT_REGISTER_REJECTED, "chat");
	assert_no_more_said();
}

static void of_refusals(void **state)
{
	struct multiaddr addr;

	(void)state;
	assert_int_equal(multiaddr_from_text(&addr, "/ip4/203.0.113.7/tcp/4001"), 0);
	fixture_record_of(&record, &asker_peer, ENVELOPE_RECORD, 1, &addr, 1);
	register_as("chat");
	assert_said(LOG_EVENT_GUARD_REFUSED, NULL);
	assert_said(LOG_EVENT_REGISTER_REJECTED, "chat");
	discover(NULL);
	assert_said(LOG_EVENT_GUARD_REFUSED_ALL, NULL);
	fixture_record(&f, &record, &asker_peer, ENVELOPE_RECORD, 2);
	f.net.settings.max_registrations = 0;
	register_as("chat");
	assert_said(LOG_EVENT_REGISTER_REFUSED, NULL);
	assert_said(LOG_EVENT_REGISTER_REJECTED, "chat");
	f.denied = true;
	register_as("chat");
	assert_said(LOG_EVENT_PEER_DENIED, NULL);
	assert_said(LOG_EVENT_REGISTER_REJECTED, "chat");
	discover("chat");
	assert_said(LOG_EVENT_PEER_DENIED, NULL);
	assert_no_more_said();
}

/* Answers name the asker, never what it asked for. */
static void of_answers(void **state)
{
	(void)state;
	asker_put(2, "chat");
	discover("chat");
	assert_said(LOG_EVENT_SERVED, "");
	f.net.log.level = (enum log_level)log_event_rows[LOG_EVENT_SERVED].level;
	discover("chat");
	assert_said(LOG_EVENT_SERVED, "");
	f.net.log.level--;
	discover("chat");
	assert_no_more_said();
}

static void of_nothing_that_nobody_reads(void **state)
{
	(void)state;
	fixture_record(&f, &record, &asker_peer, ENVELOPE_RECORD, 1);
	f.net.log.level = (enum log_level)log_event_rows[LOG_EVENT_REGISTERED].level;
	register_as("chat");
	assert_said(LOG_EVENT_REGISTERED, "chat");
	unregister("chat");
	said_count = 0;
	f.net.log.level--;
	register_as("chat");
	assert_no_more_said();
}

/* The longest namespace can be given back, too. */
static void the_longest_namespace_ends(void **state)
{
	char ns[256];

	(void)state;
	memset(ns, 'n', 255);
	ns[255] = '\0';
	fixture_record(&f, &record, &asker_peer, ENVELOPE_RECORD, 1);
	register_as(ns);
	assert_int_equal(store->entries.count, 1);
	unregister(ns);
	assert_int_equal(store->entries.count, 0);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, before, after)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(of_registrations),
	    CASE(of_refusals),
	    CASE(of_answers),
	    CASE(of_nothing_that_nobody_reads),
	    CASE(the_longest_namespace_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
