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

#define TAG    0xabcdef
#define LATEST 1000

static struct span text(const char *s)
{
	return (struct span){(const uint8_t *)s, strlen(s)};
}

static void layout_is_tag_serial_namespace(void **state)
{
	static const uint8_t want[] = {0xab, 0xcd, 0xef, 0x01, 0x02, 0x03, 0x04, 0x05, 'c', 'h', 'a', 't'};
	uint8_t out[RENDEZVOUS_COOKIE_MAX];

	(void)state;
	assert_int_equal(rendezvous_cookie_write(out, TAG, 0x0102030405, text("chat")), sizeof(want));
	assert_memory_equal(out, want, sizeof(want));
	assert_int_equal(rendezvous_cookie_write(out, TAG, RENDEZVOUS_SERIAL_MAX, text("")), 8);
	assert_memory_equal(out, "\xab\xcd\xef\xff\xff\xff\xff\xff", 8);
}

static int read_with(uint32_t tag, uint64_t serial, const char *cookie_ns, const char *ns, uint64_t *after)
{
	uint8_t out[RENDEZVOUS_COOKIE_MAX];
	size_t len = rendezvous_cookie_write(out, tag, serial, text(cookie_ns));

	*after = 77;
	return rendezvous_cookie_read((struct span){out, len}, TAG, LATEST, text(ns), after);
}

static void own_cookies_go_on(void **state)
{
	uint64_t after;

	(void)state;
	assert_int_equal(read_with(TAG, 12, "chat", "chat", &after), 0);
	assert_int_equal(after, 12);
	assert_int_equal(read_with(TAG, LATEST, "", "", &after), 0);
	assert_int_equal(after, LATEST);
}

static void cookie_without_namespace_fits_any(void **state)
{
	uint64_t after;

	(void)state;
	assert_int_equal(read_with(TAG, 12, "", "chat", &after), 0);
	assert_int_equal(after, 12);
}

static void other_namespaces_are_refused(void **state)
{
	uint64_t after;

	(void)state;
	assert_int_equal(read_with(TAG, 12, "chat", "chas", &after), -1);
	assert_int_equal(read_with(TAG, 12, "chat", "chats", &after), -1);
	assert_int_equal(read_with(TAG, 12, "chat", "cha", &after), -1);
	assert_int_equal(read_with(TAG, 12, "chat", "", &after), -1);
}

static void short_ones_are_refused(void **state)
{
	static const uint8_t bytes[8] = {0};
	uint64_t after;

	(void)state;
	for (size_t len = 0; len < 8; len++)
		assert_int_equal(
		    rendezvous_cookie_read((struct span){bytes, len}, TAG, LATEST, text(""), &after), -1);
	assert_int_equal(rendezvous_cookie_read((struct span){bytes, 8}, TAG, LATEST, text(""), &after), 0);
}

static void another_start_or_the_future_is_the_start(void **state)
{
	uint64_t after;

	(void)state;
	assert_int_equal(read_with(TAG ^ 1, 12, "chat", "chat", &after), 0);
	assert_int_equal(after, 0);
	assert_int_equal(read_with(TAG, LATEST + 1, "chat", "chat", &after), 0);
	assert_int_equal(after, 0);
	assert_int_equal(read_with(TAG, RENDEZVOUS_SERIAL_MAX, "chat", "chat", &after), 0);
	assert_int_equal(after, 0);
}

static void tags_are_of_24_bits_and_differ(void **state)
{
	uint8_t key[16] = {0};
	uint32_t tag = rendezvous_cookie_tag(key);

	(void)state;
	assert_true(tag <= 0xffffff);
	key[3] = 1;
	assert_int_not_equal(rendezvous_cookie_tag(key), tag);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(layout_is_tag_serial_namespace),
	    cmocka_unit_test(own_cookies_go_on),
	    cmocka_unit_test(cookie_without_namespace_fits_any),
	    cmocka_unit_test(other_namespaces_are_refused),
	    cmocka_unit_test(short_ones_are_refused),
	    cmocka_unit_test(another_start_or_the_future_is_the_start),
	    cmocka_unit_test(tags_are_of_24_bits_and_differ),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
