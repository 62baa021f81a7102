/* SPDX-License-Identifier: MIT
 *
 * Is this UTF-8? RFC 3629. Called for names inside multiaddresses and for rendezvous namespaces, since rust
 * clients refuse a whole answer for one string that is not.
 */
#ifndef PROTO_UTF8_H
#define PROTO_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Strict: no overlong forms, no surrogates, nothing above U+10FFFF. Empty is valid; NUL is a character. */
bool utf8_valid(const uint8_t *bytes, size_t len);

#endif
