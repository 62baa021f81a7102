/* SPDX-License-Identifier: MIT
 *
 * metrics: shows the counters that the parent sends to whoever may reach its page, and holds nothing else.
 * Started by the parent with fixed descriptors, when DUSK_RELAY_METRICS names an address; gives up everything
 * but its channel and its listener; then serves until the parent is gone. It asks nothing of the other
 * processes: a request costs the relay nothing.
 */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "imsg/harden.h"
#include "metrics/http.h"
#include "metrics/metrics.h"
#include "metrics/sandbox.h"

#define EXIT_ENDED  0 /* the parent is gone: the order to stop */
#define EXIT_FAILED 1
#define MAIN_READS  16 /* messages of a turn */

/* Never exit(3): what runs at exit makes system calls that the lock forbids, and nothing here needs flushing.
 */
_Noreturn static void fail(struct metrics *metrics, enum start_failure reason, int system, uint32_t detail)
{
	struct imsg_failed failed = {.status = start_failure_rows[reason].status,
				     .reason = reason,
				     .system = (uint32_t)system,
				     .detail = detail};

	imsg_send(&metrics->parent, IMSG_METRICS_FAILED, 0, &failed, sizeof(failed));
	_exit((int)failed.status);
}

/* Reads what is there; ends the process as the channel's end demands. */
static void serve(struct metrics *metrics)
{
	for (int i = 0; i < MAIN_READS && metrics->error == 0; i++) {
		switch (imsg_receive(&metrics->parent, &metrics->table)) {
		case IMSG_OK:
			break;
		case IMSG_AGAIN:
			return;
		case IMSG_CLOSED:
			_exit(EXIT_ENDED);
		case IMSG_BREACH:
			if (metrics->table.phase == IMSG_PHASE_START)
				fail(metrics, START_FAILURE_BREACH, 0, 0);
			_exit(EXIT_FAILED);
		case IMSG_ERROR:
		default:
			metrics->error = 1;
			break;
		}
		if (metrics->table.phase == IMSG_PHASE_START && metrics->started)
			return;
	}
}

static void wait_for_start(struct metrics *metrics)
{
	while (!metrics->started && metrics->error == 0) {
		struct pollfd ready = {.fd = metrics->parent.fd, .events = POLLIN};

		if (ppoll(&ready, 1, NULL, NULL) < 0 && errno != EINTR)
			_exit(EXIT_FAILED);
		serve(metrics);
	}
}

static void start(struct metrics *metrics)
{
	struct imsg_metrics_ready ready = {0};
	const char *step = "";

	if (http_start(metrics) != 0)
		fail(metrics, START_FAILURE_RESOURCES, errno, 0);
	if (metrics_sandbox_lock(metrics->conf.user, metrics->conf.group, &ready.layers, &step) != 0)
		fail(metrics, harden_is_privilege(step) ? START_FAILURE_PRIVILEGE : START_FAILURE_CONFINEMENT,
		     errno, harden_failed(step));
	if (!harden_enough(ready.layers))
		fail(metrics, START_FAILURE_CONFINEMENT, 0, harden_missing(ready.layers));
	if (imsg_send(&metrics->parent, IMSG_METRICS_READY, 0, &ready, sizeof(ready)) != IMSG_OK)
		_exit(EXIT_FAILED);
	metrics->table.phase = IMSG_PHASE_RUN;
}

int main(void)
{
	static struct metrics metrics;
	int entered = harden_enter_single(IMSG_FD_HTTP), error = errno;

	if (imsg_channel_open(&metrics.parent, IMSG_FD_PARENT, IMSG_PROCESS_PARENT) != 0)
		return EXIT_FAILED;
	if (entered != 0)
		fail(&metrics, START_FAILURE_CONFINEMENT, error, harden_failed(NULL));
	metrics.table = (struct imsg_table){
	    .rows = metrics_rows, .count = metrics_row_count, .context = &metrics, .phase = IMSG_PHASE_START};
	log_init(&metrics.log, &metrics.parent, IMSG_METRICS_LOG, LOG_LEVEL_INFO);
	wait_for_start(&metrics);
	start(&metrics);
	while (metrics.error == 0) {
		if (http_turn(&metrics))
			serve(&metrics);
	}
	_exit(EXIT_FAILED);
}
