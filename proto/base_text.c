/* SPDX-License-Identifier: MIT
 *
 * Bases of multibase, see base_text.h.
 */
#include "proto/base_text.h"

#include <stdbool.h>
#include <string.h>

/* The digit that a character stands for, -1 for none. */
static int base_digit(const char *alphabet, char c)
{
	const char *at = c == '\0' ? NULL : strchr(alphabet, c);

	return at == NULL ? -1 : (int)(at - alphabet);
}

/* number = number * multiplier + addend, least significant digit first, in base `base`. False when it does
 * not fit. */
static bool base_multiply_add(uint8_t *number, size_t *used, size_t capacity, unsigned base,
			      unsigned multiplier, unsigned addend)
{
	unsigned carry = addend;

	for (size_t i = 0; i < *used; i++) {
		carry += number[i] * multiplier;
		number[i] = (uint8_t)(carry % base);
		carry /= base;
	}
	while (carry > 0) {
		if (*used == capacity)
			return false;
		number[(*used)++] = (uint8_t)(carry % base);
		carry /= base;
	}
	return true;
}

static void base_reverse(uint8_t *bytes, size_t len)
{
	for (size_t i = 0; i < len / 2; i++) {
		uint8_t swap = bytes[i];

		bytes[i] = bytes[len - 1 - i];
		bytes[len - 1 - i] = swap;
	}
}

size_t base_number_decode(const char *alphabet, const char *text, size_t len, uint8_t *out, size_t capacity)
{
	unsigned radix = (unsigned)strlen(alphabet);
	size_t zeros = 0, used = 0;

	while (zeros < len && text[zeros] == alphabet[0])
		zeros++;
	if (zeros > capacity)
		return 0;
	for (size_t i = zeros; i < len; i++) {
		int digit = base_digit(alphabet, text[i]);

		if (digit < 0 ||
		    !base_multiply_add(out, &used, capacity - zeros, 256, radix, (unsigned)digit))
			return 0;
	}
	memset(out + used, 0, zeros); /* the leading ones, once reversed */
	base_reverse(out, used + zeros);
	return used + zeros;
}

size_t base_number_encode(const char *alphabet, const uint8_t *bytes, size_t len, char *out, size_t capacity)
{
	unsigned radix = (unsigned)strlen(alphabet);
	uint8_t *digits = (uint8_t *)out;
	size_t zeros = 0, used = 0;

	while (zeros < len && bytes[zeros] == 0)
		zeros++;
	if (zeros > capacity)
		return 0;
	for (size_t i = zeros; i < len; i++)
		if (!base_multiply_add(digits, &used, capacity - zeros, radix, 256, bytes[i]))
			return 0;
	memset(digits + used, 0, zeros);
	base_reverse(digits, used + zeros);
	for (size_t i = 0; i < used + zeros; i++)
		out[i] = alphabet[digits[i]];
	return used + zeros;
}

/* 5 bits for an alphabet of 32, 6 for one of 64. */
static unsigned base_bits_of(const char *alphabet)
{
	return strlen(alphabet) == 32 ? 5 : 6;
}

size_t base_bits_decode(const char *alphabet, const char *text, size_t len, uint8_t *out, size_t capacity)
{
	unsigned width = base_bits_of(alphabet), pending = 0, held = 0;
	size_t used = 0;

	for (size_t i = 0; i < len; i++) {
		int digit = base_digit(alphabet, text[i]);

		if (digit < 0)
			return 0;
		held = held << width | (unsigned)digit;
		pending += width;
		if (pending < 8)
			continue;
		if (used == capacity)
			return 0;
		pending -= 8;
		out[used++] = (uint8_t)(held >> pending);
		held &= (1u << pending) - 1;
	}
	/* One text for each value: no whole digit may be left over, and no bit set. */
	return pending >= width || held != 0 ? 0 : used;
}

size_t base_bits_encode(const char *alphabet, const uint8_t *bytes, size_t len, char *out, size_t capacity)
{
	unsigned width = base_bits_of(alphabet), pending = 0, held = 0;
	size_t used = 0;

	if (len > capacity || (len * 8 + width - 1) / width > capacity)
		return 0;
	for (size_t i = 0; i < len; i++) {
		held = held << 8 | bytes[i];
		pending += 8;
		while (pending >= width) {
			pending -= width;
			out[used++] = alphabet[held >> pending];
			held &= (1u << pending) - 1;
		}
	}
	if (pending > 0)
		out[used++] = alphabet[held << (width - pending)];
	return used;
}
