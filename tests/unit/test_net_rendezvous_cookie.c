/* SPDX-License-Identifier: MIT
 *
 * netproc/rendezvous_cookie: what is written is read back, and what a stranger made up is an error or means
 * "from the start". */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "netproc/rendezvous_cookie.h"
#include "netproc/rendezvous_order.h"
#include "proto/rendezvous_message.h"

#define LATEST 1000

static const uint8_t key[16] = {1, 2, 3}, other_key[16] = {1, 2, 4};

static struct span text(const char *s)
{
	return (struct span){(const uint8_t *)s, strlen(s)};
}

/* Serials one behind the other show no likeness: about half of the 64 bits differ. */
static void serials_cannot_be_read(void **state)
{
	uint8_t out[2][RENDEZVOUS_COOKIE_MAX];
	unsigned differ = 0, least = 64;

	(void)state;
	for (uint64_t serial = 1; serial <= 1000; serial++) {
		uint64_t head[2];
		unsigned bits;

		for (size_t i = 0; i < 2; i++) {
			assert_int_equal(rendezvous_cookie_write(out[i], key, serial + i, text("chat")), 12);
			memcpy(&head[i], out[i], 8);
		}
		assert_memory_equal(out[0] + 8, "chat", 4);
		bits = (unsigned)__builtin_popcountll(head[0] ^ head[1]);
		differ += bits;
		least = bits < least ? bits : least;
	}
	assert_true(differ > 31000 && differ < 33000 && least > 10);
}

static int read_with(const uint8_t *by, uint64_t serial, const char *cookie_ns, const char *ns,
		     uint64_t *after)
{
	uint8_t out[RENDEZVOUS_COOKIE_MAX];
	size_t len = rendezvous_cookie_write(out, by, serial, text(cookie_ns));

	*after = 77;
	return rendezvous_cookie_read((struct span){out, len}, key, LATEST, text(ns), after);
}

static void own_cookies_go_on(void **state)
{
	uint64_t after;

	(void)state;
	assert_int_equal(read_with(key, 12, "chat", "chat", &after), 0);
	assert_int_equal(after, 12);
	assert_int_equal(read_with(key, LATEST, "", "", &after), 0);
	assert_int_equal(after, LATEST);
}

static void cookie_without_namespace_fits_any(void **state)
{
	uint64_t after;

	(void)state;
	assert_int_equal(read_with(key, 12, "", "chat", &after), 0);
	assert_int_equal(after, 12);
}

static void other_namespaces_are_refused(void **state)
{
	uint64_t after;

	(void)state;
	assert_int_equal(read_with(key, 12, "chat", "chas", &after), -1);
	assert_int_equal(read_with(key, 12, "chat", "chats", &after), -1);
	assert_int_equal(read_with(key, 12, "chat", "cha", &after), -1);
	assert_int_equal(read_with(key, 12, "chat", "", &after), -1);
}

static void short_ones_are_refused(void **state)
{
	static const uint8_t bytes[8] = {0};
	uint64_t after;

	(void)state;
	for (size_t len = 0; len < 8; len++)
		assert_int_equal(
		    rendezvous_cookie_read((struct span){bytes, len}, key, LATEST, text(""), &after), -1);
	assert_int_equal(rendezvous_cookie_read((struct span){bytes, 8}, key, LATEST, text(""), &after), 0);
}

static void another_start_or_the_future_is_the_start(void **state)
{
	uint64_t after;

	(void)state;
	assert_int_equal(read_with(other_key, 12, "chat", "chat", &after), 0);
	assert_int_equal(after, 0);
	assert_int_equal(read_with(key, LATEST + 1, "chat", "chat", &after), 0);
	assert_int_equal(after, 0);
	assert_int_equal(read_with(key, RENDEZVOUS_SERIAL_MAX, "chat", "chat", &after), 0);
	assert_int_equal(after, 0);
}

static void the_key_follows_from_the_hash_key(void **state)
{
	uint8_t hash_key[16] = {0}, one[16], two[16];

	(void)state;
	rendezvous_cookie_key(one, hash_key);
	hash_key[3] = 1;
	rendezvous_cookie_key(two, hash_key);
	assert_memory_not_equal(one, two, 8);
	assert_memory_not_equal(one + 8, two + 8, 8);
	assert_memory_not_equal(one, one + 8, 8);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(serials_cannot_be_read),
	    cmocka_unit_test(own_cookies_go_on),
	    cmocka_unit_test(cookie_without_namespace_fits_any),
	    cmocka_unit_test(other_namespaces_are_refused),
	    cmocka_unit_test(short_ones_are_refused),
	    cmocka_unit_test(another_start_or_the_future_is_the_start),
	    cmocka_unit_test(the_key_follows_from_the_hash_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
