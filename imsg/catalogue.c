/* SPDX-License-Identifier: MIT
 *
 * The catalogue as data: one row for each type, without handlers, in the order of the types.
 * Called by imsg_send, by logs, by tests and by the generators of documents. Trusts its callers.
 */
#include "imsg/imsg.h"

#include <stdalign.h>

#define ROW_TO_KEYPROC(type, sender, payload, phase, times, handler)                                         \
	IMSG_ROW_OF(KEYPROC, type, sender, payload, phase, times, NULL)
#define ROW_TO_NETPROC(type, sender, payload, phase, times, handler)                                         \
	IMSG_ROW_OF(NETPROC, type, sender, payload, phase, times, NULL)
#define ROW_TO_METRICS(type, sender, payload, phase, times, handler)                                         \
	IMSG_ROW_OF(METRICS, type, sender, payload, phase, times, NULL)
#define ROW_TO_PARENT(type, sender, payload, phase, times, handler)                                          \
	IMSG_ROW_OF(PARENT, type, sender, payload, phase, times, NULL)

const struct imsg_row imsg_rows[] = {
    /* clang-format off */
	IMSG_TO_KEYPROC(ROW_TO_KEYPROC)
	IMSG_TO_NETPROC(ROW_TO_NETPROC)
	IMSG_TO_METRICS(ROW_TO_METRICS)
	IMSG_TO_PARENT(ROW_TO_PARENT)
    /* clang-format on */
};

const size_t imsg_row_count = sizeof(imsg_rows) / sizeof(imsg_rows[0]);

_Static_assert(sizeof(imsg_rows) / sizeof(imsg_rows[0]) == IMSG_TYPE_COUNT - 1, "one row for each type");

/* A payload follows the header of 16 bytes, so it may ask for eight and no more. */
#define CHECK_PAYLOAD(type, sender, payload, phase, times, handler)                                          \
	_Static_assert(sizeof(payload) <= IMSG_PAYLOAD_MAX, #type " is too long");                           \
	_Static_assert(alignof(payload) <= 8, #type " has a wider alignment than a datagram");
IMSG_CATALOGUE(CHECK_PAYLOAD)

const struct imsg_row *imsg_row_of(uint16_t type)
{
	return type == IMSG_NONE || type >= IMSG_TYPE_COUNT ? NULL : &imsg_rows[type - 1];
}

const char *imsg_type_name(uint16_t type)
{
	const struct imsg_row *row = imsg_row_of(type);

	return row == NULL ? "unknown" : row->name;
}

const char *imsg_breach_text(enum imsg_breach why)
{
	static const char *const texts[IMSG_BREACH_COUNT] = {
#define BREACH_TEXT(name, text) [IMSG_BREACH_##name] = text,
	    IMSG_BREACHES(BREACH_TEXT)
#undef BREACH_TEXT
	};

	return texts[(unsigned)why < IMSG_BREACH_COUNT ? why : IMSG_BREACH_VALUE];
}
