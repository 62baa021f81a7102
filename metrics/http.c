/* SPDX-License-Identifier: MIT */
#include "metrics/http.h"

#include <errno.h>
#include <malloc.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <time.h>

#include <microhttpd.h>

#include "metrics/page.h"
#include "metrics/sockets.h"

#define HTTP_TIMEOUT 5		   /* seconds of silence */
#define HTTP_MEMORY  16384	   /* bytes of one connection's request and answer head */
#define HTTP_HEAP    (8 * 1048576) /* bytes made ready before the lock */
#define HTTP_WAIT    1000	   /* milliseconds of a turn */

/* Places: what the parent's channel and all connections need. */
#define HTTP_POLLED (HTTP_CONNECTIONS + 2)

struct metrics_http {
	struct MHD_Daemon *daemon;
	char page[PAGE_MAX];
	size_t page_len;
	bool full; /* all connections are in use, and it was said */
};

static enum MHD_Result http_answer(struct MHD_Connection *connection, unsigned status, const char *text,
				   size_t len, const char *type)
{
	struct MHD_Response *response =
	    MHD_create_response_from_buffer(len, (void *)(uintptr_t)text, MHD_RESPMEM_MUST_COPY);
	enum MHD_Result result;

	if (response == NULL)
		return MHD_NO;
	MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
	MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
	if (status == MHD_HTTP_METHOD_NOT_ALLOWED)
		MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
	result = MHD_queue_response(connection, status, response);
	MHD_destroy_response(response);
	return result;
}

static enum MHD_Result http_words(struct MHD_Connection *connection, unsigned status, const char *text)
{
	return http_answer(connection, status, text, strlen(text), "text/plain; charset=utf-8");
}

/* A page that does not change between two messages is made once for all who ask. */
static void http_make_page(struct metrics *metrics)
{
	if (!metrics->changed)
		return;
	metrics->http->page_len =
	    page_write(metrics->http->page, sizeof(metrics->http->page), &metrics->counters);
	metrics->changed = false;
}

static enum MHD_Result http_metrics(struct metrics *metrics, struct MHD_Connection *connection)
{
	if (!metrics->counted)
		return http_words(connection, MHD_HTTP_SERVICE_UNAVAILABLE, "no counters yet\n");
	http_make_page(metrics);
	return http_answer(connection, MHD_HTTP_OK, metrics->http->page, metrics->http->page_len,
			   "text/plain; version=0.0.4; charset=utf-8");
}

static enum MHD_Result http_health(struct metrics *metrics, struct MHD_Connection *connection)
{
	if (metrics_is_fresh(metrics))
		return http_words(connection, MHD_HTTP_OK, "ok\n");
	return http_words(connection, MHD_HTTP_SERVICE_UNAVAILABLE, "no fresh counters\n");
}

static enum MHD_Result http_request(void *context, struct MHD_Connection *connection, const char *url,
				    const char *method, const char *version, const char *upload,
				    size_t *upload_len, void **state)
{
	struct metrics *metrics = context;

	(void)version;
	(void)upload;
	(void)upload_len;
	(void)state;
	if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 && strcmp(method, MHD_HTTP_METHOD_HEAD) != 0)
		return http_words(connection, MHD_HTTP_METHOD_NOT_ALLOWED, "only GET and HEAD\n");
	if (strcmp(url, "/metrics") == 0)
		return http_metrics(metrics, connection);
	if (strcmp(url, "/healthz") == 0)
		return http_health(metrics, connection);
	return http_words(connection, MHD_HTTP_NOT_FOUND, "/metrics and /healthz are here\n");
}

/* The heap never maps memory, never gives back, and holds from the start all that connections can need. That
 * of a sanitizer takes no such orders. */
static int http_reserve(void)
{
#ifndef __SANITIZE_ADDRESS__
	void *heap;

	if (mallopt(M_MMAP_MAX, 0) != 1 || mallopt(M_TRIM_THRESHOLD, HTTP_HEAP * 8) != 1)
		return -1;
	heap = malloc(HTTP_HEAP);
	if (heap == NULL)
		return -1;
	memset(heap, 0, HTTP_HEAP);
	free(heap);
#endif
	return 0;
}

int http_start(struct metrics *metrics)
{
	if (http_reserve() != 0)
		return -1;
	metrics->http = calloc(1, sizeof(*metrics->http));
	if (metrics->http == NULL)
		return -1;
	/* No date in the answers: to write one, libc would look for the time zone in a file. */
	metrics->http->daemon = MHD_start_daemon(
	    MHD_USE_SUPPRESS_DATE_NO_CLOCK, 0, NULL, NULL, http_request, metrics, MHD_OPTION_LISTEN_SOCKET,
	    (MHD_socket)IMSG_FD_HTTP, MHD_OPTION_CONNECTION_LIMIT, (unsigned)HTTP_CONNECTIONS,
	    MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)HTTP_TIMEOUT, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
	    (size_t)HTTP_MEMORY, MHD_OPTION_END);
	return metrics->http->daemon != NULL ? 0 : -1;
}

struct http_sets {
	fd_set read;
	fd_set write;
	fd_set except;
};

/* Fills in what the library waits for; the number of places. */
static nfds_t http_wanted(struct metrics *metrics, struct pollfd *polled, const struct http_sets *sets)
{
	nfds_t count = 0;

	polled[count++] = (struct pollfd){.fd = metrics->parent.fd, .events = POLLIN};
	for (int fd = 0; fd < SOCKETS_MAX && count < HTTP_POLLED; fd++) {
		int events =
		    (FD_ISSET(fd, &sets->read) ? POLLIN : 0) | (FD_ISSET(fd, &sets->write) ? POLLOUT : 0);

		if (events != 0)
			polled[count++] = (struct pollfd){.fd = fd, .events = (short)events};
	}
	return count;
}

static void http_found(const struct pollfd *polled, nfds_t count, struct http_sets *sets)
{
	*sets = (struct http_sets){0};
	for (nfds_t i = 1; i < count; i++) {
		if ((polled[i].events & POLLIN) != 0 && polled[i].revents != 0)
			FD_SET(polled[i].fd, &sets->read);
		if ((polled[i].events & POLLOUT) != 0 && polled[i].revents != 0)
			FD_SET(polled[i].fd, &sets->write);
	}
}

static struct timespec http_wait(struct MHD_Daemon *daemon)
{
	MHD_UNSIGNED_LONG_LONG wanted;
	uint64_t wait = HTTP_WAIT;

	if (MHD_get_timeout(daemon, &wanted) == MHD_YES && wanted < wait)
		wait = wanted;
	return (struct timespec){.tv_sec = (time_t)(wait / 1000), .tv_nsec = (long)(wait % 1000) * 1000000};
}

static uint64_t http_now(void)
{
	struct timespec now = {0};

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* What the operator of a relay with a busy page may want to know. */
static void http_say(struct metrics *metrics, bool full)
{
	uint64_t cut = sockets_cut();

	if (full && !metrics->http->full)
		log_event(&metrics->log, LOG_EVENT_METRICS_FULL, NULL, NULL, HTTP_CONNECTIONS, 0, 0, NULL, 0);
	metrics->http->full = full;
	if (cut > 0)
		log_event(&metrics->log, LOG_EVENT_METRICS_CUT, NULL, NULL, cut, 0, 0, NULL, 0);
}

bool http_turn(struct metrics *metrics)
{
	struct MHD_Daemon *daemon = metrics->http->daemon;
	struct pollfd polled[HTTP_POLLED];
	struct http_sets sets = {0};
	MHD_socket highest = 0;

	if (MHD_get_fdset(daemon, &sets.read, &sets.write, &sets.except, &highest) != MHD_YES)
		metrics->error = 1;
	bool full = !FD_ISSET(IMSG_FD_HTTP, &sets.read);
	nfds_t count = http_wanted(metrics, polled, &sets);
	struct timespec wait = http_wait(daemon);

	if (ppoll(polled, count, &wait, NULL) < 0) {
		metrics->error = errno == EINTR ? metrics->error : 1;
		return false;
	}
	metrics_tick(metrics, http_now());
	sockets_tick(metrics->now);
	http_found(polled, count, &sets);
	if (MHD_run_from_select(daemon, &sets.read, &sets.write, &sets.except) != MHD_YES)
		metrics->error = 1;
	http_say(metrics, full);
	return polled[0].revents != 0;
}
