/* SPDX-License-Identifier: MIT
 *
 * The steps of a probe, one after another, each reported with what it found and how long it took. Called by
 * main.c.
 */
#ifndef PROBE_STEPS_H
#define PROBE_STEPS_H

#include "probe/arguments.h"

/* 0 when every step went well, 1 when one failed; its name is in the last line printed. 64 for an address of
 * no use. */
int steps_run(const struct arguments *a);

#endif
