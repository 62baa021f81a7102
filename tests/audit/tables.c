/* SPDX-License-Identifier: MIT
 *
 * Prints the tables of SECURITY.md from the lists that the programs themselves are made of: `tables
 * messages`, `tables calls`, `tables layers`. Linked with imsg and each program's own sandbox.c. Run by make
 * docs-security, which writes them into SECURITY.md, and by the audit, which compares. For the audit alone:
 * `tables sorted`, and `tables filter PROGRAM`, the filter that a table makes.
 */
#include <stdio.h>
#include <string.h>

#include "imsg/harden_steps.h"
#include "imsg/imsg.h"
#include "keyproc/sandbox.h"
#include "metrics/sandbox.h"
#include "netproc/sandbox.h"
#include "parent/sandbox.h"

#define NAMES_MAX 128

static const char *process_name(uint16_t process)
{
	static const char *const names[] = {"parent", "keyproc", "netproc", "metrics"};

	return process < sizeof(names) / sizeof(names[0]) ? names[process] : "?";
}

static const char *phase_name(uint16_t phase)
{
	static const char *const names[] = {"until READY", "after READY", "any"};

	return phase < sizeof(names) / sizeof(names[0]) ? names[phase] : "?";
}

static void print_messages(void)
{
	puts("| message | from | to | when | times | bytes |\n|---|---|---|---|---|---|");
	for (size_t i = 0; i < imsg_row_count; i++) {
		const struct imsg_row *row = &imsg_rows[i];

		printf("| %s | %s | %s | %s | %s | %u |\n", row->name, process_name(row->sender),
		       process_name(row->receiver), phase_name(row->phase), row->once ? "once" : "many",
		       row->size);
	}
}

struct policy {
	const struct harden_call *calls;
	size_t count;
};

static const char *rule_text(enum harden_rule rule)
{
	switch (rule) {
	case HARDEN_ALLOW:
		return "yes";
	case HARDEN_MMAP:
		return "private and anonymous, read and write only";
	case HARDEN_MPROTECT:
		return "to read and write only";
	case HARDEN_MREMAP:
		return "may move only";
	case HARDEN_MADVISE:
		return "DONTNEED, FREE, DONTDUMP, DODUMP";
	case HARDEN_TGKILL:
		return "itself only";
	case HARDEN_NANOSLEEP:
		return "for a time, by the monotonic clock only";
	case HARDEN_ENOSYS:
		return "answered with ENOSYS";
	}
	return "?";
}

static const char *cell(const struct policy *policy, const char *name)
{
	for (size_t i = 0; i < policy->count; i++) {
		if (strcmp(policy->calls[i].name, name) == 0)
			return rule_text(policy->calls[i].rule);
	}
	return "";
}

/* Adds a name in its place, once. */
static size_t insert(const char *names[NAMES_MAX], size_t count, const char *name)
{
	size_t at = 0;

	while (at < count && strcmp(names[at], name) < 0)
		at++;
	if (count == NAMES_MAX || (at < count && strcmp(names[at], name) == 0))
		return count;
	memmove(&names[at + 1], &names[at], (count - at) * sizeof(names[0]));
	names[at] = name;
	return count + 1;
}

static void print_calls(void)
{
	const struct policy policies[] = {
	    {parent_calls, parent_call_count},
	    {key_sandbox_calls, key_sandbox_call_count},
	    {net_sandbox_calls, net_sandbox_call_count},
	    {metrics_sandbox_calls, metrics_sandbox_call_count},
	};
	const char *names[NAMES_MAX];
	size_t count = 0;

	for (size_t p = 0; p < 4; p++) {
		for (size_t i = 0; i < policies[p].count; i++)
			count = insert(names, count, policies[p].calls[i].name);
	}
	printf("| system call | parent (%zu) | keyproc (%zu) | netproc (%zu) | metrics (%zu) "
	       "|\n|---|---|---|---|---|\n",
	       policies[0].count, policies[1].count, policies[2].count, policies[3].count);
	for (size_t i = 0; i < count; i++)
		printf("| %s | %s | %s | %s | %s |\n", names[i], cell(&policies[0], names[i]),
		       cell(&policies[1], names[i]), cell(&policies[2], names[i]),
		       cell(&policies[3], names[i]));
}

static void print_layers(void)
{
	puts("| word in the log | layer |\n|---|---|");
#define LAYER_ROW(name, bit, text) printf("| `%s` | %s |\n", text, #name);
	HARDEN_LAYERS(LAYER_ROW)
#undef LAYER_ROW
}

/* Sorted and without repetition, so that a change is one line and two rows of a name cannot hide. */
static int check_sorted(const char *who, const struct harden_call *calls, size_t count)
{
	int faults = 0;

	for (size_t i = 1; i < count; i++) {
		if (strcmp(calls[i - 1].name, calls[i].name) >= 0) {
			printf("%s: %s does not stand behind %s\n", who, calls[i].name, calls[i - 1].name);
			faults++;
		}
	}
	return faults;
}

static int check_tables(void)
{
	return check_sorted("parent", parent_calls, parent_call_count) +
	       check_sorted("keyproc", key_sandbox_calls, key_sandbox_call_count) +
	       check_sorted("netproc", net_sandbox_calls, net_sandbox_call_count) +
	       check_sorted("metrics", metrics_sandbox_calls, metrics_sandbox_call_count);
}

#define LOAD_FIRST_ARGUMENT 16 /* where the low half of it stands in what a filter sees */

/* The filter of a table as numbers, one instruction a line; the process's own number, which is another in
 * each process, as PID. */
static int print_filter(const struct harden_call *calls, size_t count)
{
	static struct harden_filter filter;
	bool own = false;

	if (harden_filter_build(&filter, calls, count) != 0)
		return 1;
	for (uint16_t i = 0; i < filter.count; i++) {
		const struct sock_filter *at = &filter.code[i];

		if (own && BPF_CLASS(at->code) == BPF_JMP)
			printf("%u %u %u PID\n", at->code, at->jt, at->jf);
		else
			printf("%u %u %u %u\n", at->code, at->jt, at->jf, at->k);
		own = BPF_CLASS(at->code) == BPF_LD && at->k == LOAD_FIRST_ARGUMENT;
	}
	return 0;
}

static int print_filter_of(const char *program)
{
	if (strcmp(program, "parent") == 0)
		return print_filter(parent_calls, parent_call_count);
	if (strcmp(program, "keyproc") == 0)
		return print_filter(key_sandbox_calls, key_sandbox_call_count);
	if (strcmp(program, "netproc") == 0)
		return print_filter(net_sandbox_calls, net_sandbox_call_count);
	if (strcmp(program, "metrics") == 0)
		return print_filter(metrics_sandbox_calls, metrics_sandbox_call_count);
	return 64;
}

int main(int argc, char **argv)
{
	const char *what = argc >= 2 ? argv[1] : "";

	if (argc == 3 && strcmp(what, "filter") == 0)
		return print_filter_of(argv[2]);
	if (strcmp(what, "messages") == 0)
		print_messages();
	else if (strcmp(what, "calls") == 0)
		print_calls();
	else if (strcmp(what, "layers") == 0)
		print_layers();
	else if (strcmp(what, "sorted") == 0)
		return check_tables() == 0 ? 0 : 1;
	else
		return 64;
	return 0;
}
