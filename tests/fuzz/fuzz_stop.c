/* SPDX-License-Identifier: MIT
 *
 * StopMessage.
 */
#include "circuit_again.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	return circuit_again(data, size, stop_message_parse, stop_message_write);
}
