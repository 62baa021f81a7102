/* SPDX-License-Identifier: MIT
 *
 * How the daemon is confined in the mode that it is run in: the log names exactly the layers of the table
 * below, and the system says the same of each process. What the kernel cannot do is asked of the kernel, not
 * of the daemon.
 */
#include "tests/e2e/fixture.h"

#include <linux/prctl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset 444
#endif
#ifndef PR_GET_MDWE
#define PR_GET_MDWE 66
#endif
#define LANDLOCK_VERSION 1u

#define NO_CAPABILITY "0000000000000000"
#define WORDS_MAX     300

static const char *const with_page[] = {"DUSK_RELAY_METRICS=127.0.0.1:0", NULL};

enum mode { USER, ROOT, CONTAINER, UNIT, SOCKET, MODES };

/* In the order of the log. */
#define PROCESSES 4
static const char processes[PROCESSES + 1] = "pknm"; /* parent, keyproc, netproc, metrics */
static const char *const names[PROCESSES] = {NULL, "keyproc", "netproc", "metrics"};

/* Names of modes, and between which users theirs are: a unit's is systemd's choice. */
static const struct {
	const char *name;
	uid_t lowest; /* 0: daemon_user() */
	uid_t highest;
} modes[MODES] = {
    {"user", 0, 0},	    {"root", 1, 65535},	      {"container", 1000, 1000},
    {"unit", 61184, 65519}, {"socket", 61184, 65519},
};

/* Which processes say a word, by mode. */
/* clang-format off */
static const struct {
	const char *word;
	const char *in[MODES];
} layers[] = {
	/*                  user    root    container   unit    socket */
	{"nnp",            {"pknm", "pknm", "pknm",     "pknm", "pknm"}},
	{"nodump",         {"pknm", "pknm", "pknm",     "pknm", "pknm"}},
	{"nocaps",         {"pknm", "pknm", "pknm",     "pknm", "pknm"}},
	{"seccomp",        {"pknm", "pknm", "pknm",     "pknm", "pknm"}},
	{"landlock",       {"pknm", "pknm", "pknm",     "pknm", "pknm"}},
	{"chroot",         {"",     "pknm", "",         "",     ""}},
	{"uid",            {"",     "pknm", "",         "",     ""}},
	{"pidns",          {"",     "knm",  "p",        "",     ""}}, /* the first process of a container is its parent */
	{"mdwe",           {"pknm", "pknm", "pknm",     "pknm", "pknm"}},
	{"bounding",       {"",     "pknm", "pknm",     "pknm", "pknm"}},
	{"rlimits",        {"pknm", "pknm", "pknm",     "pknm", "pknm"}},
	{"landlock-net",   {"pknm", "pknm", "pknm",     "pknm", "pknm"}},
	{"landlock-scope", {"pknm", "pknm", "pknm",     "pknm", "pknm"}},
	{"mlock",          {"k",    "k",    "k",        "k",    "k"}},
	{"speculation",    {"k",    "k",    "k",        "k",    "k"}},
};
/* clang-format on */

static enum mode mode_now(void)
{
	size_t i = 0;

	while (i < MODES - 1 && strcmp(modes[i].name, daemon_mode()) != 0)
		i++;
	return (enum mode)i;
}

/* --- what this kernel can do --- */

static bool has_landlock(void)
{
	return syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_VERSION) >= 1;
}

/* Whether it takes a ruleset of these rights: of files, of TCP, of scopes. */
static bool takes_ruleset(uint64_t net, uint64_t scope)
{
	const uint64_t rules[] = {1, net, scope};
	size_t size = scope != 0 ? sizeof(rules) : 2 * sizeof(rules[0]);
	int fd = (int)syscall(SYS_landlock_create_ruleset, rules, size, 0);

	if (fd < 0)
		return false;
	close(fd);
	return true;
}

static bool has_landlock_net(void)
{
	return takes_ruleset(3, 0);
}

static bool has_landlock_scope(void)
{
	return takes_ruleset(3, 1);
}

static bool has_mdwe(void)
{
	return prctl(PR_GET_MDWE, 0, 0, 0, 0) >= 0;
}

static bool can_slow_down(void)
{
	bool store = prctl(PR_SET_SPECULATION_CTRL, PR_SPEC_STORE_BYPASS, PR_SPEC_FORCE_DISABLE, 0, 0) == 0;
	bool branch =
	    prctl(PR_SET_SPECULATION_CTRL, PR_SPEC_INDIRECT_BRANCH, PR_SPEC_FORCE_DISABLE, 0, 0) == 0;

	return store || branch;
}

static bool can_chroot(void)
{
	return chroot("/") == 0;
}

/* The daemon makes one in root mode; that of a container is there already. */
static bool can_make_pid_namespace(void)
{
	return mode_now() != ROOT || unshare(CLONE_NEWPID) == 0;
}

/* In a process of its own: some of it cannot be undone. */
static bool is_possible(bool (*attempt)(void))
{
	int status = -1;
	pid_t pid = fork();

	if (pid == 0)
		_exit(attempt() ? 0 : 1);
	return pid > 0 && waitpid(pid, &status, 0) == pid && status == 0;
}

static bool kernel_has(const char *word)
{
	static const struct {
		const char *word;
		bool (*attempt)(void);
	} questions[] = {
	    {"landlock", has_landlock},
	    {"landlock-net", has_landlock_net},
	    {"landlock-scope", has_landlock_scope},
	    {"mdwe", has_mdwe},
	    {"speculation", can_slow_down},
	    {"chroot", can_chroot},
	    {"pidns", can_make_pid_namespace},
	};

	for (size_t i = 0; i < sizeof(questions) / sizeof(questions[0]); i++)
		if (strcmp(word, questions[i].word) == 0)
			return is_possible(questions[i].attempt);
	return true;
}

/* --- what is expected --- */

/* A plain user inherits the bounding set; it may be empty already. */
static bool inherits(const char *word)
{
	char value[DAEMON_STATUS_MAX];

	return mode_now() == USER && strcmp(word, "bounding") == 0 &&
	       daemon_status(getpid(), "CapBnd", value) == 0 && strcmp(value, NO_CAPABILITY) == 0;
}

static bool is_expected(size_t layer, char process)
{
	const char *word = layers[layer].word;

	return inherits(word) || (strchr(layers[layer].in[mode_now()], process) && kernel_has(word));
}

static bool expects(const char *word, char process)
{
	size_t i = 0;

	while (strcmp(layers[i].word, word) != 0)
		i++;
	return is_expected(i, process);
}

static const char *expected_words(char process, char text[WORDS_MAX])
{
	size_t used = 0;

	text[0] = '\0';
	for (size_t i = 0; i < sizeof(layers) / sizeof(layers[0]); i++)
		if (is_expected(i, process))
			used += (size_t)snprintf(text + used, WORDS_MAX - used, "%s%s", used > 0 ? "," : "",
						 layers[i].word);
	return text;
}

/* --- what the system says --- */

static void has_status(pid_t process, const char *name, const char *wanted)
{
	char value[DAEMON_STATUS_MAX];

	EXPECT_STATUS(0, daemon_status(process, name, value));
	if (strcmp(value, wanted) != 0)
		fixture_fail(__FILE__, __LINE__, name, value);
}

static void has_no_privilege(pid_t process, char letter)
{
	char bounding[DAEMON_STATUS_MAX];

	has_status(process, "CapInh", NO_CAPABILITY);
	has_status(process, "CapPrm", NO_CAPABILITY);
	has_status(process, "CapEff", NO_CAPABILITY);
	has_status(process, "CapAmb", NO_CAPABILITY);
	has_status(process, "NoNewPrivs", "1");
	has_status(process, "Seccomp", "2");
	EXPECT_STATUS(0, daemon_status(process, "CapBnd", bounding));
	EXPECT_TRUE((strcmp(bounding, NO_CAPABILITY) == 0) == expects("bounding", letter));
}

/* Real, effective, saved and of files are one, of the mode's range. */
static uid_t user_of(pid_t process)
{
	uid_t lowest = modes[mode_now()].lowest ? modes[mode_now()].lowest : daemon_user();
	uid_t highest = modes[mode_now()].lowest ? modes[mode_now()].highest : lowest;
	char value[DAEMON_STATUS_MAX];
	unsigned id[4];

	EXPECT_STATUS(0, daemon_status(process, "Uid", value));
	EXPECT_STATUS(4, sscanf(value, "%u %u %u %u", &id[0], &id[1], &id[2], &id[3]));
	EXPECT_TRUE(id[0] == id[1] && id[0] == id[2] && id[0] == id[3]);
	if (id[0] < lowest || id[0] > highest)
		fixture_fail(__FILE__, __LINE__, "Uid", value);
	return id[0];
}

/* No group beside its own; a plain user's daemon has that user's. */
static void has_no_foreign_group(pid_t process)
{
	char groups[DAEMON_STATUS_MAX];
	char value[DAEMON_STATUS_MAX];
	char *rest = NULL;
	long own;

	EXPECT_STATUS(0, daemon_status(getpid(), "Groups", groups));
	if (mode_now() == USER && geteuid() != 0) {
		has_status(process, "Groups", groups);
		return;
	}
	EXPECT_STATUS(0, daemon_status(process, "Gid", value));
	own = atol(value);
	EXPECT_TRUE(own != 0);
	EXPECT_STATUS(0, daemon_status(process, "Groups", value));
	for (char *word = strtok_r(value, " \t", &rest); word; word = strtok_r(NULL, " \t", &rest))
		EXPECT_TRUE(atol(word) == own);
}

/* As many numbers as PID namespaces see it. */
static size_t namespaces_of(pid_t process)
{
	char value[DAEMON_STATUS_MAX];
	size_t count = 1;

	EXPECT_STATUS(0, daemon_status(process, "NSpid", value));
	for (const char *at = value; *at; at++)
		count += *at == '\t';
	return count;
}

/* --- the tests --- */

/* Once the line is there, all are locked. */
static void start(const char *const *settings)
{
	daemon_mark(&relay);
	fixture_start(settings);
	EXPECT(&relay, daemon_expect(&relay, " confinement parent=", DAEMON_START_MS));
}

static bool is_left_out(const char *what)
{
	return geteuid() != 0 && daemon_is_left_out("root", what, "the tests are not root");
}

/* The whole line, to its end: no process is missing, and none is too many. */
static void expect_line(size_t count)
{
	static const char *const shown[PROCESSES] = {" confinement parent=", " key=", " net=", " metrics="};
	char line[PROCESSES * (WORDS_MAX + 20)] = "";
	char words[WORDS_MAX];
	size_t used = 0;

	for (size_t i = 0; i < count; i++)
		used += (size_t)snprintf(line + used, sizeof(line) - used, "%s%s", shown[i],
					 expected_words(processes[i], words));
	snprintf(line + used, sizeof(line) - used, "\n");
	if (!daemon_said(&relay, line))
		fixture_fail(__FILE__, __LINE__, line, "was not logged");
}

static void test_log_names_the_layers_of_the_mode(void **state)
{
	(void)state;
	if (is_left_out("the layers in the log"))
		return;
	start(NULL);
	expect_line(PROCESSES - 1);
	fixture_stop();
}

static void test_log_names_those_of_metrics(void **state)
{
	(void)state;
	if (is_left_out("the layers of metrics in the log"))
		return;
	start(with_page);
	expect_line(PROCESSES);
	fixture_stop();
}

static void test_system_says_the_same(void **state)
{
	pid_t parent;
	uid_t users[PROCESSES];

	(void)state;
	if (is_left_out("the layers in /proc"))
		return;
	start(with_page);
	parent = daemon_parent(&relay);
	for (size_t i = 0; i < PROCESSES; i++) {
		pid_t process = names[i] ? daemon_child(&relay, names[i]) : parent;
		size_t deeper = names[i] && expects("pidns", processes[i]) ? 1 : 0;

		EXPECT_TRUE(process > 0);
		has_no_privilege(process, processes[i]);
		has_no_foreign_group(process);
		EXPECT_TRUE(namespaces_of(process) == namespaces_of(parent) + deeper);
		users[i] = user_of(process);
		for (size_t j = 0; j < i; j++)
			EXPECT_TRUE((users[i] != users[j]) == expects("uid", processes[i]));
	}
	fixture_stop();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    E2E_BARE_TEST(test_log_names_the_layers_of_the_mode),
	    E2E_BARE_TEST(test_log_names_those_of_metrics),
	    E2E_BARE_TEST(test_system_says_the_same),
	};

	return cmocka_run_group_tests(tests, fixture_bare_begin, fixture_bare_end);
}
