/* SPDX-License-Identifier: MIT
 *
 * One forbidden call at a time, inside each program's own lock-down (seccomp, Landlock, limits: the very
 * function that its main calls): each ends the process with SIGSYS. Without the lock the same call comes
 * back, so the row really makes it. Allowed twins come back under the lock with the error of a call that was
 * made.
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/attack/attack.h"
#include "tests/attack/calls_table.h"

static long listener, shut_listener, file, parent, self, page;
static uint8_t memory[4096];
static const struct timespec now;
static const long scratch = (long)memory;
static const long text = (long)"/tmp/dusk-attack/never-made";
static const long missing = (long)"";
static struct sockaddr_in to;
static const long address = (long)&to;

struct attempt {
	const struct attack_policy *policy; /* NULL: without a lock */
	long number;
	long argument[5];
	int expected; /* errno of a twin */
};

static int open_listener(void)
{
	struct sockaddr_in any = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

	if (fd >= 0 && (bind(fd, (struct sockaddr *)&any, sizeof(any)) != 0 || listen(fd, 8) != 0))
		return -1;
	return fd;
}

/* What a captured process would have at hand; opened in the test, inherited by each attempt. */
static void prepare(void)
{
	listener = open_listener();
	shut_listener = open_listener();
	shutdown((int)shut_listener, SHUT_RD);
	file = open("/proc/self/exe", O_RDONLY);
	page = (long)mmap(NULL, 4096, RW, ANON, -1, 0);
	to = (struct sockaddr_in){
	    .sin_family = AF_INET, .sin_port = htons(9), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	parent = getpid();
}

static int make_call(void *context)
{
	struct attempt *a = context;
	const char *step = "";
	uint32_t layers = 0;

	if (a->policy != NULL && a->policy->lock(&layers, &step) != 0)
		return 2;
	long rc = syscall(a->number, a->argument[0], a->argument[1], a->argument[2], a->argument[3],
			  a->argument[4], sizeof(to));

	return rc == -1 && errno == a->expected ? 4 : 3;
}

/* Evaluates the row's arguments in the child, where self is itself. */
#define ROW_FILL(name, call, allowed, a0, a1, a2, a3, a4)                                                    \
	case __COUNTER__ - first_row:                                                                        \
		a->number = seccomp_syscall_resolve_name(call);                                              \
		memcpy(a->argument,                                                                          \
		       (const long[5]){(long)(a0), (long)(a1), (long)(a2), (long)(a3), (long)(a4)},          \
		       sizeof(a->argument));                                                                 \
		break;

struct row {
	const char *name;
	const char *call;
	unsigned allowed;
};

#define ROW_NAME(name, call, allowed, a0, a1, a2, a3, a4) {name, call, allowed},
static const struct row rows[] = {ATTACK_CALLS(ROW_NAME)};

enum { first_row = __COUNTER__ + 1 };

static void fill_arguments(struct attempt *a, int index)
{
	switch (index) {
		ATTACK_CALLS(ROW_FILL)
	default:
		break;
	}
}

struct row_attempt {
	struct attempt attempt;
	int index;
};

static int make_row(void *context)
{
	struct row_attempt *r = context;

	self = getpid();
	fill_arguments(&r->attempt, r->index);
	return make_call(&r->attempt);
}

static void try_row(int index)
{
	struct row_attempt r = {.index = index};
	const struct row *row = &rows[index];

	if (seccomp_syscall_resolve_name(row->call) < 0) {
		attack_skip("%s: this architecture has no %s", row->name, row->call);
		return;
	}
	struct attack_end free_end = attack_in_child(make_row, &r);

	attack_check(free_end.signal != SIGSYS, "%s: killed without any filter", row->name);
	for (size_t p = 0; p < ATTACK_POLICIES; p++) {
		r.attempt.policy = &attack_policies[p];
		if ((row->allowed & r.attempt.policy->program) != 0)
			continue;
		struct attack_end end = attack_in_child(make_row, &r);

		attack_check(end.signal == SIGSYS, "%s: %s: %s", r.attempt.policy->name, row->name,
			     attack_end_text(end));
	}
}

#define TWIN_TRY(name, call, allowed, a0, a1, a2, a3, error)                                                 \
	try_twin(name, allowed,                                                                              \
		 &(struct attempt){.number = seccomp_syscall_resolve_name(call),                             \
				   .argument = {(long)(a0), (long)(a1), (long)(a2), (long)(a3), 0},          \
				   .expected = error});

static void try_twin(const char *name, unsigned allowed, struct attempt *a)
{
	/* mmap's fifth argument. */
	a->argument[4] = a->number == SYS_mmap ? -1 : 0;
	for (size_t p = 0; p < ATTACK_POLICIES; p++) {
		a->policy = &attack_policies[p];
		if ((allowed & a->policy->program) == 0)
			continue;
		struct attack_end end = attack_in_child(make_call, a);

		attack_check(end.signal == 0 && end.status == (a->expected != 0 ? 4 : 3),
			     "%s: allowed twin %s: %s", a->policy->name, name, attack_end_text(end));
	}
}

/* Numbers of other worlds: x32, past the end, negative. */
static void try_strange_numbers(void)
{
	static const long numbers[] = {-1,
				       100000,
				       0x7fffffff,
				       1L << 31,
				       SYS_read | 0x40000000,
				       SYS_getpid | 0x40000000,
				       SYS_execve | 0x40000000,
				       520 | 0x40000000,
				       1023};

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		for (size_t p = 0; p < ATTACK_POLICIES; p++) {
			struct attempt a = {.policy = &attack_policies[p], .number = numbers[i]};
			struct attack_end end = attack_in_child(make_call, &a);

			attack_check(end.signal == SIGSYS, "%s: number %#lx: %s", a.policy->name,
				     (unsigned long)numbers[i], attack_end_text(end));
		}
	}
}

#ifdef __x86_64__

/* The 32-bit entry: its number 3 is read, 20 getpid, 11 execve; none may be, whatever the native table
 * allows. */
static int make_old_call(void *context)
{
	const struct attack_policy *policy = context;
	const char *step = "";
	uint32_t layers = 0;
	long result;

	if (policy != NULL && policy->lock(&layers, &step) != 0)
		return 2;
	__asm__ volatile("int $0x80" : "=a"(result) : "a"(20L) : "memory", "r8", "r9", "r10", "r11");
	return 3;
}

static void try_old_entry(void)
{
	struct attack_end end = attack_in_child(make_old_call, NULL);

	if (end.status != 3) {
		attack_skip("int 0x80: this kernel has no 32-bit entry (%s)", attack_end_text(end));
		return;
	}
	for (size_t p = 0; p < ATTACK_POLICIES; p++) {
		end = attack_in_child(make_old_call, (void *)(uintptr_t)&attack_policies[p]);
		attack_check(end.signal == SIGSYS, "%s: int 0x80: %s", attack_policies[p].name,
			     attack_end_text(end));
	}
}

#else

static void try_old_entry(void)
{
	attack_skip("int 0x80: not on this architecture");
}

#endif

/* fork and vfork by name: the control run would leave two processes behind, so they have no row. */
static int fork_by_call(void *context)
{
	const struct attack_policy *policy = context;
	const char *step = "";
	uint32_t layers = 0;

	if (policy->lock(&layers, &step) != 0)
		return 2;
	return syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0) == 0 ? 0 : 3;
}

/* The whole way from a listener to a connection outwards, as a captured process would go it. */
static int connect_by_listener(void *context)
{
	const struct attack_policy *policy = context;
	const char *step = "";
	uint32_t layers = 0;

	if (policy->lock(&layers, &step) != 0)
		return 2;
	syscall(SYS_shutdown, listener, SHUT_RD);
	return syscall(SYS_sendto, listener, text, 4, MSG_FASTOPEN, &to, sizeof(to)) >= 0 ? 0 : 3;
}

static void try_both(const char *name, int (*body)(void *))
{
	for (size_t p = 0; p < ATTACK_POLICIES; p++) {
		struct attack_end end = attack_in_child(body, (void *)(uintptr_t)&attack_policies[p]);

		attack_check(end.signal == SIGSYS, "%s: %s: %s", attack_policies[p].name, name,
			     attack_end_text(end));
	}
}

int main(void)
{
	if (attack_is_sanitized()) {
		attack_skip("the address sanitizer's own rows are in the filter");
		return attack_end("calls");
	}
	prepare();
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		try_row((int)i);
	ATTACK_TWINS(TWIN_TRY)
	try_strange_numbers();
	try_old_entry();
	try_both("fork", fork_by_call);
	try_both("connect by a shut listener", connect_by_listener);
	return attack_end("calls");
}
