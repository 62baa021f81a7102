/* SPDX-License-Identifier: MIT
 *
 * The filters as text. With a program's name: prints its filter as libseccomp's pseudo code (make policy
 * keeps it in docs/policy). Without: compares each with the text in docs/policy and shows the difference, so
 * that no filter changes unseen.
 */
#include <fcntl.h>
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "imsg/harden_steps.h"
#include "tests/attack/attack.h"

#define TEXT_MAX 65536

/* The text depends on the builder and the machine: it says which. */
static void print_head(FILE *out, const char *name)
{
	const struct scmp_version *version = seccomp_version();
	struct utsname machine;

	uname(&machine);
	fprintf(out,
		"# %s: libseccomp %u.%u.%u, %s. PID stands for the process's own. Written by make policy.\n",
		name, version->major, version->minor, version->micro, machine.machine);
}

/* Copies, with this process's number replaced where the filter compares the one argument that holds it. */
static void print_text(FILE *out, char *text)
{
	char wanted[48];
	char *at;

	snprintf(wanted, sizeof(wanted), "lo32 == %d)", (int)getpid());
	while ((at = strstr(text, wanted)) != NULL) {
		fwrite(text, 1, (size_t)(at - text), out);
		fputs("lo32 == PID)", out);
		text = at + strlen(wanted);
	}
	fputs(text, out);
}

static int print_policy(FILE *out, const struct attack_policy *policy)
{
	static char text[TEXT_MAX];
	int fd = memfd_create("policy", 0);

	if (fd < 0 || harden_filter_text(fd, policy->calls, *policy->count) != 0)
		return -1;
	ssize_t n = pread(fd, text, sizeof(text) - 1, 0);

	close(fd);
	if (n <= 0)
		return -1;
	text[n] = '\0';
	print_head(out, policy->name);
	print_text(out, text);
	return 0;
}

static bool same_head(const char *path, const char *name)
{
	char kept[200] = "", *now = NULL;
	size_t size = 0;
	FILE *in = fopen(path, "r"), *out = open_memstream(&now, &size);

	if (in == NULL || out == NULL)
		return false;
	print_head(out, name);
	fclose(out);
	bool same = fgets(kept, sizeof(kept), in) != NULL && strcmp(kept, now) == 0;

	fclose(in);
	free(now);
	return same;
}

static void compare(const struct attack_policy *policy)
{
	char kept[100], now[] = "/tmp/policy-XXXXXX", command[300];
	int fd = mkstemp(now);
	FILE *out = fd < 0 ? NULL : fdopen(fd, "w");

	snprintf(kept, sizeof(kept), "docs/policy/%s.pfc", policy->name);
	if (out == NULL || print_policy(out, policy) != 0) {
		attack_fail("%s: no text", policy->name);
		return;
	}
	fclose(out);
	if (access(kept, R_OK) != 0)
		attack_fail("%s is missing: make policy", kept);
	else if (!same_head(kept, policy->name))
		attack_skip("%s was made with another libseccomp or on another machine", kept);
	else {
		fflush(stdout);
		snprintf(command, sizeof(command), "diff -u %s %s", kept, now);
		attack_check(system(command) == 0,
			     "%s: the filter is not the one of %s; if meant: make policy", policy->name,
			     kept);
	}
	unlink(now);
}

int main(int argc, char **argv)
{
	for (size_t p = 0; p < 3; p++) {
		if (argc > 1 && strcmp(argv[1], attack_policies[p].name) == 0)
			return print_policy(stdout, &attack_policies[p]) == 0 ? 0 : 1;
	}
	if (argc > 1)
		return 64;
	if (attack_is_sanitized()) {
		attack_skip("the address sanitizer's own rows are in the filter");
		return attack_end("policy");
	}
	for (size_t p = 0; p < 3; p++)
		compare(&attack_policies[p]);
	return attack_end("policy");
}
