/* SPDX-License-Identifier: MIT */
#include "parent/settings_gone.h"

#include <stddef.h>
#include <string.h>

/* A name that ends in '*' stands for all that begin so. */
static const struct {
	const char *name;
	const char *text;
} settings_gone_rows[] = {
    {"DUSK_PEER_RELAYS", "is gone: relays do not talk to each other; each serves its own clients"},
    {"DUSK_TURN_*", "is gone: there is no TURN server; all traffic goes through circuits"},
    {"DUSK_DIRECTORY*", "is gone: there is no directory service; the relay stores nothing but its key"},
    {"DUSK_GIF*", "is gone: there is no GIF service"},
    {"KLIPY_*", "is gone: there is no GIF service"},
    {"DUSK_RELAY_ADDR",
     "is a setting of the clients; what clients reach this relay at is DUSK_RELAY_EXTERNAL_ADDR"},
    {"DUSK_BOOTSTRAP_PEERS", "is a setting of the clients"},
    {"DUSK_RELAY_BIND", "is called DUSK_RELAY_LISTEN here"},
};

const char *settings_gone(const char *variable)
{
	for (size_t i = 0; i < sizeof(settings_gone_rows) / sizeof(settings_gone_rows[0]); i++) {
		const char *name = settings_gone_rows[i].name;
		size_t len = strlen(name);

		if (name[len - 1] == '*' ? strncmp(variable, name, len - 1) == 0
					 : strcmp(variable, name) == 0)
			return settings_gone_rows[i].text;
	}
	return NULL;
}
