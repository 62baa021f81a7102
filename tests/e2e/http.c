/* SPDX-License-Identifier: MIT */
#include "tests/e2e/http.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

uint16_t http_port(struct daemon *d)
{
	unsigned port = 0;

	if (daemon_expect(d, "metrics: /metrics and /healthz on port ", HTTP_PATIENCE) != 0)
		return 0;
	const char *line = strstr((const char *)bytes_at(&d->log) + d->mark, "/healthz on port ");
	const char *at = line != NULL ? strstr(line, "on port ") : NULL;

	return at != NULL && sscanf(at, "on port %u", &port) == 1 ? (uint16_t)port : 0;
}

int http_connect(uint16_t port)
{
	struct sockaddr_in address = {
	    .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
		return fd;
	if (fd >= 0)
		close(fd);
	return -1;
}

bool http_write(int fd, const char *bytes, size_t len)
{
	while (len > 0) {
		ssize_t n = send(fd, bytes, len, MSG_NOSIGNAL);

		if (n <= 0)
			return false;
		bytes += n;
		len -= (size_t)n;
	}
	return true;
}

void http_read(int fd, struct http_answer *answer)
{
	struct pollfd ready = {.fd = fd, .events = POLLIN};

	memset(answer, 0, sizeof(*answer));
	while (answer->len < sizeof(answer->text) - 1 && poll(&ready, 1, HTTP_PATIENCE) > 0) {
		ssize_t n = read(fd, answer->text + answer->len, sizeof(answer->text) - 1 - answer->len);

		if (n <= 0)
			break;
		answer->len += (size_t)n;
	}
	close(fd);
	if (sscanf(answer->text, "HTTP/1.%*1d %d ", &answer->status) != 1)
		answer->status = 0;
	const char *body = strstr(answer->text, "\r\n\r\n");

	answer->body = body != NULL ? body + 4 : "";
}

bool http_is_closed(int fd, int timeout_ms)
{
	struct pollfd ready = {.fd = fd, .events = POLLIN};
	char dropped[4096];

	while (poll(&ready, 1, timeout_ms) > 0) {
		if (read(fd, dropped, sizeof(dropped)) <= 0)
			return true;
	}
	return false;
}

int http_ask(uint16_t port, const char *request, struct http_answer *answer)
{
	int fd = http_connect(port);

	memset(answer, 0, sizeof(*answer));
	if (fd < 0)
		return 0;
	http_write(fd, request, strlen(request));
	http_read(fd, answer);
	return answer->status;
}

int http_get(uint16_t port, const char *path, struct http_answer *answer)
{
	char request[512];

	snprintf(request, sizeof(request), "GET %s HTTP/1.1\r\nHost: here\r\n\r\n", path);
	return http_ask(port, request, answer);
}

long long http_value(const struct http_answer *answer, const char *name)
{
	size_t len = strlen(name);

	for (const char *at = answer->body; (at = strstr(at, name)) != NULL; at += len) {
		if (at > answer->text && at[-1] == '\n' && at[len] == ' ')
			return strtoll(at + len + 1, NULL, 10);
	}
	return -1;
}
