/* SPDX-License-Identifier: MIT
 *
 * What a hostile netproc or metrics is told to do: hostile_daemon.c writes it into a file beside the program,
 * hostile_child reads it.
 */
#ifndef TESTS_ATTACK_HOSTILE_H
#define TESTS_ATTACK_HOSTILE_H

#include <stdint.h>

#define HOSTILE_SCRIPT "hostile-script"

enum hostile_act {
	HOSTILE_MESSAGE,    /* one message of `type` with `size` bytes of payload */
	HOSTILE_TWICE,	    /* answers each PING twice */
	HOSTILE_RAW,	    /* `size` bytes of junk */
	HOSTILE_LOG,	    /* its LOG with the payload given */
	HOSTILE_LOG_FLOOD,  /* that, `size` thousand times, as fast as the channel takes them */
	HOSTILE_WEAK,	    /* says READY with the layers of the payload only */
	HOSTILE_SILENT,	    /* never says READY */
	HOSTILE_EXIT,	    /* ends with status `size` before READY */
	HOSTILE_DESCRIPTOR, /* HOSTILE_LOG, `size` times, with a descriptor in each */
	HOSTILE_DEAF,	    /* serves nobody and reads nothing; its channel fills */
	HOSTILE_BLIND,	    /* the same, but says a PONG every `size` milliseconds */
};

struct hostile_script {
	uint32_t act;
	uint32_t after_ready; /* 0: before READY */
	uint32_t type;
	uint32_t size;
	uint8_t payload[4080];
};

#endif
