/* SPDX-License-Identifier: MIT
 *
 * What the relay adds to a round trip of 64 bytes, alone and beside bulk. Source and destination of the light
 * circuit are processes of their own. One circuit over a long path: load_path.
 */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/bench/load_delay.h"
#include "tests/bench/load_scenario.h"

#define LATENCY_WARM   0.3
#define LATENCY_FIRST  18000u /* number of the light circuit's peers, apart from those of bulk */
#define LATENCY_PAUSE  1000u  /* microseconds between messages beside bulk: a light circuit is mostly idle */
#define LATENCY_LEAST  100u   /* samples, if they come within LATENCY_MOST seconds */
#define LATENCY_MOST   15.0
#define LATENCY_DIRECT 5000u
#define PATH_WINDOW    (16u << 20)
#define PATH_WARM      3.0

static int latency_order(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a;
	uint32_t y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

static void latency_print(struct load_bench *b, const char *name, uint32_t *sample, uint32_t count,
			  const struct load_cost *cost)
{
	static const struct {
		const char *name;
		double part;
	} points[] = {{"p50", 0.5}, {"p99", 0.99}};
	struct load_row row = {.unit = "us", .cost = cost};

	qsort(sample, count, sizeof(*sample), latency_order);
	for (size_t i = 0; i < 2; i++) {
		snprintf(row.name, sizeof(row.name), "%s %s", name, points[i].name);
		row.value = (double)sample[(uint32_t)(points[i].part * (count - 1))] / 1000.0;
		row.rate = cost ? count / cost->wall : 0;
		load_row_print(b, &row);
	}
}

/* --- without a relay
 * -------------------------------------------------------------------------------------------------------- */

static int direct_socket(bool connects, struct sockaddr_in *in)
{
	int one = 1;
	socklen_t len = sizeof(*in);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (connects)
		return connect(fd, (struct sockaddr *)in, len) == 0 ? fd : -1;
	in->sin_family = AF_INET;
	in->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (bind(fd, (struct sockaddr *)in, len) != 0 || listen(fd, 1) != 0 ||
	    getsockname(fd, (struct sockaddr *)in, &len) != 0)
		return -1;
	return fd;
}

_Noreturn static void direct_echo(int listener, int core)
{
	char message[LOAD_LIGHT];
	int fd = accept(listener, NULL, NULL);
	ssize_t got;

	load_pin(0, core);
	while ((got = read(fd, message, sizeof(message))) > 0)
		if (write(fd, message, (size_t)got) != got)
			break;
	_exit(0);
}

void load_latency_direct(struct load_bench *b)
{
	struct sockaddr_in in = {0};
	static uint32_t sample[LATENCY_DIRECT];
	char message[LOAD_LIGHT] = {0};
	int listener = direct_socket(false, &in);
	uint32_t count = 0;
	pid_t echo;
	int fd;

	fflush(NULL);
	echo = fork();
	if (echo == 0)
		direct_echo(listener, b->target.core);
	load_pin(0, b->load_core);
	fd = direct_socket(true, &in);
	for (; fd >= 0 && count < LATENCY_DIRECT; count++) {
		uint64_t from = load_now();

		if (write(fd, message, sizeof(message)) != (ssize_t)sizeof(message) ||
		    recv(fd, message, sizeof(message), MSG_WAITALL) != (ssize_t)sizeof(message))
			break;
		sample[count] = (uint32_t)(load_now() - from);
	}
	if (fd >= 0)
		close(fd);
	close(listener);
	kill(echo, SIGTERM);
	waitpid(echo, NULL, 0);
	if (count > 0)
		latency_print(b, "round trip without a relay", sample, count, NULL);
}

/* --- through it
 * -------------------------------------------------------------------------------------------------------------
 */

static int latency_measure(struct load_bench *b, struct load_circuits *light, const char *name, bool alone)
{
	struct load_shared *shared = light->source.shared;
	struct load_mark from, to;
	struct load_cost cost;
	uint32_t count;

	load_circuits_run(light);
	load_sleep(LATENCY_WARM);
	load_mark(&from, &b->target.processes, b->target.core);
	count = atomic_load(&shared->samples);
	load_sleep(b->seconds);
	for (double waited = b->seconds;
	     waited < LATENCY_MOST && atomic_load(&shared->samples) < count + LATENCY_LEAST; waited += 0.1)
		load_sleep(0.1);
	load_mark(&to, &b->target.processes, b->target.core);
	cost = load_cost(&from, &to, &b->target.processes);
	if (atomic_load(&shared->samples) <= count) {
		fprintf(stderr, "load: no message of the light circuit came back\n");
		return -1;
	}
	if (alone) {
		struct load_row row = {.name = "64-byte round trip", .unit = "CPU us", .cost = &cost};

		row.value = cost.cpu * 1e6 / (double)(atomic_load(&shared->samples) - count);
		load_row_print(b, &row);
	}
	latency_print(b, name, shared->sample + count, atomic_load(&shared->samples) - count, &cost);
	return 0;
}

static int latency_run(struct load_bench *b, uint32_t bulk_circuits, const char *name)
{
	struct load_bulk bulk = {.circuits = bulk_circuits, .write = 16384};
	struct load_plan bulk_plan = load_bulk_plan(b, &bulk);
	struct load_plan plan = load_plan_for(b, LOAD_SOURCE, LOAD_LIGHT_CIRCUIT);
	struct load_circuits heavy = {0};
	struct load_circuits light = {0};
	int result = 0;

	plan.first = LATENCY_FIRST;
	plan.pause_us = bulk_circuits > 0 ? LATENCY_PAUSE : 0;
	if (bulk_circuits > 0)
		result = load_circuits_start(b, &bulk_plan, &heavy);
	if (result == 0)
		result = load_circuits_start(b, &plan, &light);
	if (result == 0) {
		if (bulk_circuits > 0)
			load_circuits_run(&heavy);
		result = latency_measure(b, &light, name, bulk_circuits == 0);
	}
	load_circuits_stop(&light);
	load_circuits_stop(&heavy);
	return result;
}

void load_latency(struct load_bench *b, uint32_t bulk_circuits)
{
	char name[64];

	if (bulk_circuits > 0)
		snprintf(name, sizeof(name), "round trip beside %u bulk", bulk_circuits);
	else
		snprintf(name, sizeof(name), "round trip alone");
	if (load_target_start(&b->target) != 0) {
		load_row_missing(b, name, "the relay did not start");
		return;
	}
	if (latency_run(b, bulk_circuits, name) != 0)
		load_row_missing(b, name, "failed, see above");
	load_target_stop(&b->target);
}

/* --- a long path
 * ------------------------------------------------------------------------------------------------------------
 */

static int path_run(struct load_bench *b, const struct load_plan *plan, const char *name)
{
	struct load_circuits c;
	struct load_mark from, to;
	struct load_cost cost;
	uint64_t bytes;
	int result = load_circuits_start(b, plan, &c);

	if (result == 0) {
		struct load_row row = {.unit = "MB/s", .cost = &cost};

		load_circuits_run(&c);
		load_sleep(PATH_WARM);
		load_mark(&from, &b->target.processes, b->target.core);
		bytes = load_circuits_received(&c);
		load_sleep(b->seconds);
		load_mark(&to, &b->target.processes, b->target.core);
		bytes = load_circuits_received(&c) - bytes;
		cost = load_cost(&from, &to, &b->target.processes);
		snprintf(row.name, sizeof(row.name), "%s", name);
		row.value = (double)bytes / 1e6 / cost.wall;
		load_row_print(b, &row);
	}
	load_circuits_stop(&c);
	return result;
}

void load_path(struct load_bench *b, unsigned round_trip_ms, bool both_legs)
{
	struct load_bulk bulk = {.circuits = 1, .write = 16384, .window = PATH_WINDOW};
	struct load_plan plan;
	struct load_delay delay;
	char name[64];

	snprintf(name, sizeof(name), "one circuit at %u ms%s", round_trip_ms,
		 both_legs ? ", half on each leg" : "");
	if (load_target_start(&b->target) != 0) {
		load_row_missing(b, name, "the relay did not start");
		return;
	}
	delay = load_delay_start(&b->target.address, both_legs ? round_trip_ms / 4 : round_trip_ms / 2,
				 b->load_core);
	plan = load_bulk_plan(b, &bulk);
	plan.relay = delay.address;
	if (both_legs)
		b->target.address = delay.address;
	if (path_run(b, &plan, name) != 0)
		load_row_missing(b, name, "failed, see above");
	load_delay_stop(&delay);
	load_target_stop(&b->target);
}
