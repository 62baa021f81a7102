/* SPDX-License-Identifier: MIT */
#include "parent/logger.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "parent/date.h"
#include "parent/filter.h"

#define LOGGER_FOR_WARNINGS (LOGGER_QUEUE / 4)

static const char *const logger_level_words[] = {"ERROR", "WARN ", "INFO ", "DEBUG", "TRACE"};

void logger_init(struct logger *log, int fd, int level)
{
	log->fd = fd;
	log->level = level;
	log->broken = false;
	log->lost = 0;
	log->used = 0;
}

bool logger_wants(const struct logger *log, enum log_level level)
{
	return (int)level <= log->level;
}

static size_t logger_head(char *line, enum log_level level)
{
	char date[DATE_TEXT];
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	date_text(date, now.tv_sec);
	int len = snprintf(line, LOGGER_LINE, "[%s %s " FILTER_TARGET "] ", date, logger_level_words[level]);
	return (size_t)len;
}

static void logger_queue(struct logger *log, enum log_level level, const char *line, size_t len)
{
	size_t room = LOGGER_QUEUE - log->used;
	size_t kept = level <= LOG_LEVEL_WARN ? 0 : LOGGER_FOR_WARNINGS;

	if (log->broken || len + kept > room) {
		log->lost++;
		return;
	}
	memcpy(log->queue + log->used, line, len);
	log->used += len;
}

/* Says how many lines were left out, once there is room again. */
static void logger_tell_lost(struct logger *log)
{
	char line[LOGGER_LINE];
	uint64_t lost = log->lost;

	if (lost == 0 || log->used > LOGGER_QUEUE / 2)
		return;
	log->lost = 0;
	size_t head = logger_head(line, LOG_LEVEL_WARN);
	int len = snprintf(line + head, sizeof(line) - head,
			   "%llu log lines left out: the log is read too slowly\n", (unsigned long long)lost);
	logger_queue(log, LOG_LEVEL_WARN, line, head + (size_t)len);
}

void logger_line(struct logger *log, enum log_level level, const char *format, ...)
{
	char line[LOGGER_LINE];
	va_list arguments;

	if (!logger_wants(log, level))
		return;
	size_t len = logger_head(line, level);
	va_start(arguments, format);
	int text = vsnprintf(line + len, sizeof(line) - len, format, arguments);
	va_end(arguments);
	if (text < 0)
		return;
	len += (size_t)text;
	if (len > sizeof(line) - 1) {
		len = sizeof(line) - 1;
		memcpy(line + len - 3, "...", 3);
	}
	line[len++] = '\n';
	logger_queue(log, level, line, len);
}

bool logger_pending(const struct logger *log)
{
	return log->used > 0;
}

/* How much to write at once: whole lines, as many as fit. */
static size_t logger_chunk(const struct logger *log)
{
	if (log->used <= LOGGER_WRITE)
		return log->used;
	const char *end = memrchr(log->queue, '\n', LOGGER_WRITE);
	return end != NULL ? (size_t)(end - log->queue) + 1 : LOGGER_WRITE;
}

void logger_write(struct logger *log)
{
	ssize_t written = write(log->fd, log->queue, logger_chunk(log));

	if (written < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (written <= 0) {
		log->broken = errno == EPIPE || errno == EBADF;
		log->lost += log->used > 0 ? 1 : 0;
		log->used = 0;
		return;
	}
	log->used -= (size_t)written;
	memmove(log->queue, log->queue + written, log->used);
	logger_tell_lost(log);
}

void logger_flush(struct logger *log, int milliseconds)
{
	struct pollfd poll_fd = {.fd = log->fd, .events = POLLOUT};

	while (logger_pending(log)) {
		if (poll(&poll_fd, 1, milliseconds) <= 0)
			return;
		logger_write(log);
	}
}
