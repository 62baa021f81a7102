/* SPDX-License-Identifier: MIT
 *
 * The environment and the command line of the parent. The input is cut at zero bytes: pieces before an empty
 * one are variables, those behind it flags. Whatever comes, an error is short, printable text, and what is
 * accepted is inside its ranges.
 */
#include "fuzz.h"

#include <stdlib.h>

#include "parent/exit.h"
#include "parent/settings.h"

#define PIECES 32

static struct settings settings;
static struct settings_error error;

static void check_text(const char *text, size_t size)
{
	size_t len = strnlen(text, size);

	FUZZ_ASSERT(len < size);
	for (size_t i = 0; i < len; i++)
		FUZZ_ASSERT((unsigned char)text[i] >= 0x20 && text[i] != 0x7f);
}

static void check_accepted(void)
{
	FUZZ_ASSERT(net_settings_check(&settings.net) == 0);
	FUZZ_ASSERT(settings.listen.count >= 1 && settings.listen.count <= IMSG_LISTENERS);
	FUZZ_ASSERT(settings.external.count <= IMSG_ADDRS && settings.deny_count <= SETTINGS_DENY);
	FUZZ_ASSERT(settings.note_count <= SETTINGS_NOTES);
	for (size_t i = 0; i < settings.note_count; i++)
		check_text(settings.notes[i], SETTINGS_TEXT);
	for (size_t i = 0; i < settings.external.count; i++) {
		const struct imsg_addr *address = &settings.external.address[i];

		FUZZ_ASSERT(address->index == i && address->len <= IMSG_ADDR_MAX);
		FUZZ_ASSERT(multiaddr_check(address->bytes, address->len) == 0);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);
	char *lists[2][PIECES + 1] = {{NULL}};
	size_t counts[2] = {0};
	int list = 0;

	memcpy(text, data, size);
	text[size] = '\0';
	for (size_t at = 0; at < size; at += strlen(text + at) + 1) {
		if (text[at] == '\0')
			list = 1;
		else if (counts[list] < PIECES)
			lists[list][counts[list]++] = text + at;
	}
	if (settings_load(&settings, lists[1], lists[0], &error) == 0) {
		check_accepted();
	} else {
		FUZZ_ASSERT(error.status == EXIT_USAGE || error.status == EXIT_SETTINGS);
		check_text(error.text, sizeof(error.text));
	}
	free(text);
	return 0;
}
