/* SPDX-License-Identifier: MIT
 *
 * The log: lines in env_logger's format on stderr. Called by all of parent. Trusts nothing that children or
 * the environment put into a line: the caller escapes it (escape.h). Never blocks on stderr: lines wait in a
 * bounded queue and leave in writes of at most 4096 bytes when poll says that there is room. A quarter of the
 * queue is kept for warnings and errors, so that a flood of others cannot use it.
 */
#ifndef PARENT_LOGGER_H
#define PARENT_LOGGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "imsg/events.h"

#define LOGGER_LINE  1024  /* bytes of one line; longer ones are cut */
#define LOGGER_QUEUE 65536 /* bytes waiting for stderr */
#define LOGGER_WRITE 4096  /* bytes of one write: what a pipe takes whole once it polls writable */

struct logger {
	int fd;
	int level;     /* enum log_level, or FILTER_OFF */
	bool broken;   /* stderr is gone: lines go nowhere */
	uint64_t lost; /* lines that found no room */
	size_t used;
	char queue[LOGGER_QUEUE];
};

void logger_init(struct logger *log, int fd, int level);
bool logger_wants(const struct logger *log, enum log_level level);
/* Queues one line. */
void logger_line(struct logger *log, enum log_level level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* True while lines wait: poll fd for POLLOUT, then call logger_write. */
bool logger_pending(const struct logger *log);
/* One write, of whole lines where they fit. To be called when fd polls writable. */
void logger_write(struct logger *log);
/* Writes what waits, for at most `milliseconds`: for the lines before the loop and the last ones. */
void logger_flush(struct logger *log, int milliseconds);

#endif
