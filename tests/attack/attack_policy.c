/* SPDX-License-Identifier: MIT
 *
 * The filters as text, for each architecture: every machine can build those of all. With the name of a text:
 * prints it as libseccomp's pseudo code (make policy keeps it in docs/policy). Without: compares each with
 * the text in docs/policy and shows the difference, so that no filter changes unseen. A table with a name
 * that an architecture does not know has no text and fails.
 */
#include <fcntl.h>
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "imsg/harden_steps.h"
#include "tests/attack/attack.h"

#define TEXT_MAX 65536

static const struct arch {
	uint32_t token;
	const char *name;
	const char *suffix; /* of the text's name */
} archs[] = {
    {SCMP_ARCH_X86_64, "x86_64", ""},
    {SCMP_ARCH_AARCH64, "aarch64", "-aarch64"},
};

/* The text depends on the builder: it says which. */
static void print_head(FILE *out, const char *name, const struct arch *arch)
{
	const struct scmp_version *version = seccomp_version();

	fprintf(out,
		"# %s: libseccomp %u.%u.%u, %s. PID stands for the process's own. Written by make policy.\n",
		name, version->major, version->minor, version->micro, arch->name);
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

static int print_policy(FILE *out, const struct attack_policy *policy, const struct arch *arch)
{
	static char text[TEXT_MAX];
	int fd = memfd_create("policy", 0);

	if (fd < 0 || harden_filter_text(fd, arch->token, policy->calls, *policy->count) != 0)
		return -1;
	ssize_t n = pread(fd, text, sizeof(text) - 1, 0);

	close(fd);
	if (n <= 0)
		return -1;
	text[n] = '\0';
	print_head(out, policy->name, arch);
	print_text(out, text);
	return 0;
}

static bool same_head(const char *path, const char *name, const struct arch *arch)
{
	char kept[200] = "", *now = NULL;
	size_t size = 0;
	FILE *in = fopen(path, "r"), *out = open_memstream(&now, &size);

	if (in == NULL || out == NULL)
		return false;
	print_head(out, name, arch);
	fclose(out);
	bool same = fgets(kept, sizeof(kept), in) != NULL && strcmp(kept, now) == 0;

	fclose(in);
	free(now);
	return same;
}

static void compare(const struct attack_policy *policy, const struct arch *arch)
{
	char kept[100], now[] = "/tmp/policy-XXXXXX", command[300];
	int fd = mkstemp(now);
	FILE *out = fd < 0 ? NULL : fdopen(fd, "w");

	snprintf(kept, sizeof(kept), "docs/policy/%s%s.pfc", policy->name, arch->suffix);
	if (out == NULL || print_policy(out, policy, arch) != 0) {
		attack_fail("%s: no filter for %s: %m", policy->name, arch->name);
		return;
	}
	fclose(out);
	if (access(kept, R_OK) != 0)
		attack_fail("%s is missing: make policy", kept);
	else if (!same_head(kept, policy->name, arch))
		attack_skip("%s was made with another libseccomp", kept);
	else {
		fflush(stdout);
		snprintf(command, sizeof(command), "diff -u %s %s", kept, now);
		attack_check(system(command) == 0,
			     "%s: the filter is not the one of %s; if meant: make policy", policy->name,
			     kept);
	}
	unlink(now);
}

/* The one whose text has that name. */
static int print_named(const char *wanted, const struct attack_policy *policy, const struct arch *arch)
{
	char name[40];

	snprintf(name, sizeof(name), "%s%s", policy->name, arch->suffix);
	return strcmp(name, wanted) == 0 ? print_policy(stdout, policy, arch) : 1;
}

int main(int argc, char **argv)
{
	bool sanitized = argc < 2 && attack_is_sanitized();

	if (sanitized)
		attack_skip("the address sanitizer's own rows are in the filter");
	for (size_t n = 0; n < ATTACK_POLICIES * sizeof(archs) / sizeof(archs[0]) && !sanitized; n++) {
		const struct attack_policy *policy = &attack_policies[n % ATTACK_POLICIES];

		if (argc < 2)
			compare(policy, &archs[n / ATTACK_POLICIES]);
		else if (print_named(argv[1], policy, &archs[n / ATTACK_POLICIES]) == 0)
			return 0;
	}
	return argc < 2 ? attack_end("policy") : 1;
}
