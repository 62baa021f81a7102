/* SPDX-License-Identifier: MIT */
#include "parent/date.h"

#define DATE_DAY  86400
#define DATE_LAST INT64_C(253402300799) /* 9999-12-31T23:59:59Z */

struct date {
	uint32_t year;
	uint32_t month; /* 1 to 12 */
	uint32_t day;	/* 1 to 31 */
};

/* Days since 1970-01-01 to a date. Years are counted from March, so that the leap day is the last of its
 * year; an era is the 400 years after which the calendar repeats. */
static struct date date_from_days(uint32_t days)
{
	uint32_t shifted = days + 719468; /* from 0000-03-01 */
	uint32_t era = shifted / 146097;
	uint32_t day_of_era = shifted % 146097;
	uint32_t year_of_era =
	    (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
	uint32_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	uint32_t march_month = (5 * day_of_year + 2) / 153;
	struct date date = {.day = day_of_year - (153 * march_month + 2) / 5 + 1,
			    .month = march_month < 10 ? march_month + 3 : march_month - 9};

	date.year = year_of_era + era * 400 + (date.month <= 2 ? 1 : 0);
	return date;
}

static char *date_digits(char *at, uint32_t value, int digits)
{
	for (int i = digits - 1; i >= 0; i--) {
		at[i] = (char)('0' + value % 10);
		value /= 10;
	}
	return at + digits;
}

void date_text(char text[DATE_TEXT], int64_t seconds)
{
	if (seconds < 0)
		seconds = 0;
	if (seconds > DATE_LAST)
		seconds = DATE_LAST;
	struct date date = date_from_days((uint32_t)(seconds / DATE_DAY));
	uint32_t second = (uint32_t)(seconds % DATE_DAY);

	char *at = date_digits(text, date.year, 4);
	*at++ = '-';
	at = date_digits(at, date.month, 2);
	*at++ = '-';
	at = date_digits(at, date.day, 2);
	*at++ = 'T';
	at = date_digits(at, second / 3600, 2);
	*at++ = ':';
	at = date_digits(at, second / 60 % 60, 2);
	*at++ = ':';
	at = date_digits(at, second % 60, 2);
	*at++ = 'Z';
	*at = '\0';
}
