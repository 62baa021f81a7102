/* SPDX-License-Identifier: MIT
 *
 * The metrics page: off unless asked for; then its numbers are those of the traffic, its paths and methods
 * are few, and its process is one of those that end together.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/e2e/fixture.h"
#include "tests/e2e/http.h"

static const char *const on[] = {"DUSK_RELAY_METRICS=127.0.0.1:0", NULL};
static struct http_answer answer;

/* The counters are sent each second: asks until they have come. */
/* Each process has had some by now. */
static void expect_processor_time(void)
{
	static const char *const processes[] = {"parent", "keyproc", "netproc", "metrics"};

	for (size_t i = 0; i < sizeof(processes) / sizeof(processes[0]); i++) {
		char line[96];
		double seconds = 0;

		snprintf(line, sizeof(line), "\nprocess_cpu_seconds_total{process=\"%s\"} ", processes[i]);
		const char *found = strstr(answer.text, line);

		EXPECT_TRUE(found != NULL);
		EXPECT_TRUE(sscanf(found + strlen(line), "%lf", &seconds) == 1 && seconds > 0 &&
			    seconds < 60);
	}
}

static void expect_metric(uint16_t port, const char *name, long long value)
{
	long long got = -1;

	for (int waited = 0; waited < HTTP_PATIENCE; waited += 100) {
		if (http_get(port, "/metrics", &answer) == 200) {
			got = http_value(&answer, name);
			if (got == value)
				return;
		}
		usleep(100000);
	}
	fixture_fail(__FILE__, __LINE__, name, fixture_number(got));
}

static void expect_healthy(uint16_t port)
{
	for (int waited = 0; waited < HTTP_PATIENCE; waited += 100) {
		if (http_get(port, "/healthz", &answer) == 200)
			return;
		usleep(100000);
	}
	fixture_fail(__FILE__, __LINE__, "/healthz", answer.text);
}

static void test_off(void **state)
{
	(void)state;
	fixture_start(NULL);
	EXPECT_TRUE(daemon_child(&relay, "netproc") > 0);
	EXPECT_TRUE(daemon_child(&relay, "metrics") <= 0);
	EXPECT_TRUE(!daemon_said(&relay, "metrics"));
	fixture_stop();
}

static void test_numbers(void **state)
{
	struct client a;
	struct client b;
	struct exchange x;

	(void)state;
	fixture_start(on);
	uint16_t port = http_port(&relay);

	EXPECT_TRUE(port != 0);
	expect_metric(port, "dusk_relay_connections", 0);
	fixture_connect(&a);
	fixture_reserve(&b);
	struct exchange *y = fixture_circuit(&a, &b, &x);

	expect_metric(port, "dusk_relay_circuits", 1);
	expect_metric(port, "dusk_relay_connections", 2);
	expect_metric(port, "libp2p_relaysvc_reservations_total{type=\"opened\"}", 1);
	expect_metric(port, "libp2p_relaysvc_status", 1);
	expect_metric(port, "dusk_relay_key_operations_total{operation=\"noise_dh\"}", 2);
	expect_metric(port, "dusk_relay_confinement_layer{process=\"metrics\",layer=\"seccomp\"}", 1);
	fixture_end_circuit(&x, y);
	client_free(&a);
	client_free(&b);
	expect_metric(port, "dusk_relay_connections", 0);
	expect_metric(port, "libp2p_relaysvc_connections_total{type=\"closed\"}", 1);
	EXPECT_TRUE(strstr(answer.text, "Content-Type: text/plain; version=0.0.4") != NULL);
	EXPECT_TRUE(strstr(answer.text, "12D3") == NULL);
	expect_processor_time();
	fixture_stop();
}

static void test_paths(void **state)
{
	(void)state;
	fixture_start(on);
	uint16_t port = http_port(&relay);

	expect_healthy(port);
	EXPECT_STATUS(404, http_get(port, "/", &answer));
	EXPECT_STATUS(404, http_get(port, "/metrics/../etc/passwd", &answer));
	EXPECT_STATUS(200, http_ask(port, "HEAD /healthz HTTP/1.1\r\nHost: here\r\n\r\n", &answer));
	EXPECT_TRUE(answer.body[0] == '\0');
	EXPECT_STATUS(405, http_ask(port, "DELETE /metrics HTTP/1.1\r\nHost: here\r\n\r\n", &answer));
	fixture_stop();
}

/* While netproc stands still nothing new comes: the page says so, and serves. */
static void test_stale(void **state)
{
	(void)state;
	fixture_start(on);
	uint16_t port = http_port(&relay);
	pid_t net = daemon_child(&relay, "netproc");
	int status = 200;

	expect_healthy(port);
	EXPECT_TRUE(kill(net, SIGSTOP) == 0);
	for (int waited = 0; waited < 13500 && status == 200; waited += 250) {
		usleep(250000);
		status = http_get(port, "/healthz", &answer);
	}
	kill(net, SIGCONT);
	EXPECT_STATUS(503, status);
	expect_healthy(port);
	fixture_stop();
}

static void test_death(void **state)
{
	(void)state;
	fixture_start(on);
	EXPECT_TRUE(http_port(&relay) != 0);
	EXPECT_TRUE(kill(daemon_child(&relay, "metrics"), SIGKILL) == 0);
	EXPECT_TRUE(daemon_wait(&relay, daemon_patience(HTTP_PATIENCE)) == 0);
	EXPECT_TRUE(relay.exit_code == 1);
	EXPECT_TRUE(daemon_said(&relay, "metrics was killed from outside"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    E2E_BARE_TEST(test_off),   E2E_BARE_TEST(test_numbers), E2E_BARE_TEST(test_paths),
	    E2E_BARE_TEST(test_stale), E2E_BARE_TEST(test_death),
	};
	return cmocka_run_group_tests(tests, fixture_bare_begin, fixture_bare_end);
}
