/* SPDX-License-Identifier: MIT */
#include "parent/items.h"

#include <ctype.h>
#include <string.h>

int items_next(char item[ITEMS_LONGEST], const char **text)
{
	while (**text != '\0') {
		size_t len = strcspn(*text, ",");
		const char *start = *text;

		*text += len + (start[len] == ',' ? 1 : 0);
		while (len > 0 && isspace((unsigned char)start[0])) {
			start++;
			len--;
		}
		while (len > 0 && isspace((unsigned char)start[len - 1]))
			len--;
		if (len >= ITEMS_LONGEST)
			return -1;
		memcpy(item, start, len);
		item[len] = '\0';
		if (len > 0)
			return 1;
	}
	return 0;
}

int items_port(uint16_t *port, const char *text)
{
	uint32_t value = 0;

	if (text[0] == '\0' || strlen(text) > 5)
		return -1;
	for (; *text != '\0'; text++) {
		if (!isdigit((unsigned char)*text))
			return -1;
		value = value * 10 + (uint32_t)(*text - '0');
	}
	*port = (uint16_t)value;
	return value <= 65535 ? 0 : -1;
}
