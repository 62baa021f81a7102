/* SPDX-License-Identifier: MIT
 *
 * Short binary values as text: base58btc, base36, base32 and base64url as multibase names them.
 * Called by peer_id.c and multiaddr_text.c. base58 and base36 take time with the square of the length:
 * callers bound it.
 */
#ifndef PROTO_BASE_TEXT_H
#define PROTO_BASE_TEXT_H

#include <stddef.h>
#include <stdint.h>

#define BASE58_ALPHABET	   "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
#define BASE36_ALPHABET	   "0123456789abcdefghijklmnopqrstuvwxyz"
#define BASE32_ALPHABET	   "abcdefghijklmnopqrstuvwxyz234567"
#define BASE64URL_ALPHABET "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

/* The text read as one big number in the base of the alphabet, each leading zero digit a zero byte (base58,
 * base36). Returns the bytes written to `out`, 0 when the text is empty, has another character or does not
 * fit. */
size_t base_number_decode(const char *alphabet, const char *text, size_t len, uint8_t *out, size_t capacity);
/* The other way. Returns the characters written (no terminator), 0 when they do not fit. */
size_t base_number_encode(const char *alphabet, const uint8_t *bytes, size_t len, char *out, size_t capacity);

/* Groups of bits without padding (base32, base64url; RFC 4648). Left-over bits must be zero. Same results. */
size_t base_bits_decode(const char *alphabet, const char *text, size_t len, uint8_t *out, size_t capacity);
size_t base_bits_encode(const char *alphabet, const uint8_t *bytes, size_t len, char *out, size_t capacity);

#endif
