/* SPDX-License-Identifier: MIT */
#include "parent/inherited.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define INHERITED_PAGE	  "metrics" /* FileDescriptorName= of dusk-relay-metrics.socket */
#define INHERITED_RELAY	  "relay"   /* that of dusk-relay.socket */
#define INHERITED_UNNAMED "unknown" /* what sd_listen_fds_with_names(3) calls the nameless */
#define INHERITED_UNIT	  ".socket" /* a socket unit without FileDescriptorName= passes its own name */

static int inherited_fail(char error[LISTEN_TEXT], const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static int inherited_fail(char error[LISTEN_TEXT], const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(error, LISTEN_TEXT, format, arguments);
	va_end(arguments);
	return -1;
}

static bool inherited_is_relays(const char *name)
{
	size_t len = strlen(name);
	size_t end = sizeof(INHERITED_UNIT) - 1;

	return len == 0 || strcmp(name, INHERITED_RELAY) == 0 || strcmp(name, INHERITED_UNNAMED) == 0 ||
	       (len > end && strcmp(name + len - end, INHERITED_UNIT) == 0);
}

static int inherited_add(struct listen_set *set, int fd, char error[LISTEN_TEXT])
{
	return listen_inherit(set, fd) == 0 ? 0 : inherited_fail(error, "%s", set->error);
}

static int inherited_sort(struct listen_set *relay, struct listen_set *page, const struct notify *notify,
			  char error[LISTEN_TEXT])
{
	char name[NOTIFY_NAME];

	for (size_t i = 0; i < notify->inherited; i++) {
		int fd = LISTEN_FIRST_INHERITED + (int)i;
		bool is_page;

		notify_name(notify, i, name);
		is_page = strcmp(name, INHERITED_PAGE) == 0;
		if (!is_page && !inherited_is_relays(name))
			return inherited_fail(error,
					      "descriptor %d from the service manager is named \"%.64s\": "
					      "FileDescriptorName= of a socket unit must be " INHERITED_RELAY
					      " or " INHERITED_PAGE,
					      fd, name);
		if (is_page && page->count > 0)
			return inherited_fail(
			    error,
			    "descriptor %d from the service manager is a second one for the "
			    "metrics page: name one address in ListenStream= of "
			    "dusk-relay-metrics.socket",
			    fd);
		if (inherited_add(is_page ? page : relay, fd, error) != 0)
			return -1;
	}
	return 0;
}

/* The port that was asked for, if any was. */
static int inherited_check_relay(const struct listen_set *relay, const struct settings *settings,
				 char error[LISTEN_TEXT])
{
	if (settings->raw[PARENT_SETTING_port] == NULL || settings->port == 0)
		return 0;
	for (size_t i = 0; i < relay->count; i++) {
		if (listen_port(&relay->address[i]) != settings->port)
			return inherited_fail(error,
					      "the socket unit listens on port %u, DUSK_RELAY_PORT says %u: "
					      "edit ListenStream= of dusk-relay.socket, or unset "
					      "DUSK_RELAY_PORT",
					      listen_port(&relay->address[i]), settings->port);
	}
	return 0;
}

/* A port of 0 in the setting is any. */
static bool inherited_is_same(const union listen_address *wish, const union listen_address *given)
{
	if (wish->any.sa_family != given->any.sa_family ||
	    (listen_port(wish) != 0 && listen_port(wish) != listen_port(given)))
		return false;
	return wish->any.sa_family == AF_INET
		   ? wish->four.sin_addr.s_addr == given->four.sin_addr.s_addr
		   : IN6_ARE_ADDR_EQUAL(&wish->six.sin6_addr, &given->six.sin6_addr);
}

/* A service whose sockets are given has no network in which it could open the page's itself. */
static int inherited_check_page(const struct listen_set *relay, const struct listen_set *page,
				const struct settings *settings, char error[LISTEN_TEXT])
{
	bool is_wanted = settings->metrics.count > 0;
	char given[LISTEN_TEXT];
	char wish[LISTEN_TEXT];

	if (is_wanted && page->count == 0 && relay->count > 0)
		return inherited_fail(error,
				      "DUSK_RELAY_METRICS is set, but no socket unit listens for the "
				      "metrics page: enable and start dusk-relay-metrics.socket, or unset "
				      "DUSK_RELAY_METRICS");
	if (page->count == 0)
		return 0;
	listen_text(given, &page->address[0]);
	if (!is_wanted)
		return inherited_fail(error,
				      "dusk-relay-metrics.socket listens on %.64s, but DUSK_RELAY_METRICS is "
				      "not set: set DUSK_RELAY_METRICS=%.64s, or disable "
				      "dusk-relay-metrics.socket",
				      given, given);
	if (inherited_is_same(&settings->metrics.item[0].address, &page->address[0]))
		return 0;
	listen_text(wish, &settings->metrics.item[0].address);
	return inherited_fail(
	    error,
	    "dusk-relay-metrics.socket listens on %.64s, DUSK_RELAY_METRICS says %.64s: edit "
	    "its ListenStream=, or DUSK_RELAY_METRICS",
	    given, wish);
}

int inherited_take(struct listen_set *relay, struct listen_set *page, const struct notify *notify,
		   const struct settings *settings, char error[LISTEN_TEXT])
{
	if (inherited_sort(relay, page, notify, error) != 0 ||
	    inherited_check_relay(relay, settings, error) != 0)
		return -1;
	return inherited_check_page(relay, page, settings, error);
}
