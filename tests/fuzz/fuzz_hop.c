/* SPDX-License-Identifier: MIT
 *
 * HopMessage.
 */
#include "circuit_again.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	return circuit_again(data, size, hop_message_parse, hop_message_write);
}
