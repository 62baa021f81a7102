/* SPDX-License-Identifier: MIT
 *
 * A policy table to a seccomp filter: built by libseccomp before the lock, loaded as the last step by
 * seccomp(2) itself, so that nothing is allocated or freed under the filter. Called by harden.c and by tests.
 * Trusts its table; does not trust the builder: tests/attack tries the loaded filter.
 */
#include "imsg/harden_steps.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#ifndef MADV_FREE
#define MADV_FREE 8
#endif

#define READ_WRITE (PROT_READ | PROT_WRITE)

/* All comparisons are of the full 64 bits: an allow rule then fails closed. */
static int add_mmap(scmp_filter_ctx context, int call)
{
	static const uint64_t flags[] = {MAP_PRIVATE | MAP_ANONYMOUS,
					 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE};
	int rc = 0;

	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]) && rc == 0; i++)
		rc = seccomp_rule_add(context, SCMP_ACT_ALLOW, call, 2,
				      SCMP_A2(SCMP_CMP_MASKED_EQ, ~(uint64_t)READ_WRITE, 0),
				      SCMP_A3(SCMP_CMP_EQ, flags[i]));
	return rc;
}

static int add_madvise(scmp_filter_ctx context, int call)
{
	static const uint64_t advices[] = {MADV_DONTNEED, MADV_FREE, MADV_DONTDUMP, MADV_DODUMP};
	int rc = 0;

	for (size_t i = 0; i < sizeof(advices) / sizeof(advices[0]) && rc == 0; i++)
		rc = seccomp_rule_add(context, SCMP_ACT_ALLOW, call, 1, SCMP_A2(SCMP_CMP_EQ, advices[i]));
	return rc;
}

static int add_rule(scmp_filter_ctx context, enum harden_rule rule, int call)
{
	switch (rule) {
	case HARDEN_ALLOW:
		return seccomp_rule_add(context, SCMP_ACT_ALLOW, call, 0);
	case HARDEN_MMAP:
		return add_mmap(context, call);
	case HARDEN_MPROTECT:
		return seccomp_rule_add(context, SCMP_ACT_ALLOW, call, 1,
					SCMP_A2(SCMP_CMP_MASKED_EQ, ~(uint64_t)READ_WRITE, 0));
	case HARDEN_MREMAP:
		return seccomp_rule_add(context, SCMP_ACT_ALLOW, call, 1,
					SCMP_A3(SCMP_CMP_EQ, MREMAP_MAYMOVE));
	case HARDEN_MADVISE:
		return add_madvise(context, call);
	case HARDEN_TGKILL:
		return seccomp_rule_add(context, SCMP_ACT_ALLOW, call, 1,
					SCMP_A0(SCMP_CMP_EQ, (uint64_t)getpid()));
	case HARDEN_NANOSLEEP:
		return seccomp_rule_add(context, SCMP_ACT_ALLOW, call, 3,
					SCMP_A0(SCMP_CMP_EQ, CLOCK_MONOTONIC), SCMP_A1(SCMP_CMP_EQ, 0),
					SCMP_A3(SCMP_CMP_EQ, 0));
	case HARDEN_ENOSYS:
		return seccomp_rule_add(context, SCMP_ACT_ERRNO(ENOSYS), call, 0);
	}
	return -EINVAL;
}

/* Rules are given by this machine's numbers, also those of a filter for another architecture: libseccomp
 * translates them. */
static int add_table(scmp_filter_ctx context, uint32_t arch, const struct harden_call *calls, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		/* Negative: the error, or a call that only other architectures have. */
		bool exists = seccomp_syscall_resolve_name_arch(arch, calls[i].name) >= 0;

		if (!exists && !calls[i].optional)
			return -ENOENT;
		if (!exists)
			continue;
		int rc = add_rule(context, calls[i].rule, seccomp_syscall_resolve_name(calls[i].name));

		/* EEXIST: the same rule twice, as sanitizer rows may be. */
		if (rc != 0 && rc != -EEXIST)
			return rc;
	}
	return 0;
}

/* That architecture alone. */
static int set_arch(scmp_filter_ctx context, uint32_t arch)
{
	if (arch == seccomp_arch_native())
		return 0;
	int rc = seccomp_arch_add(context, arch);

	return rc != 0 ? rc : seccomp_arch_remove(context, seccomp_arch_native());
}

/* The whole policy as libseccomp holds it; NULL with errno. */
static scmp_filter_ctx context_of(uint32_t arch, const struct harden_call *calls, size_t count)
{
	scmp_filter_ctx context = seccomp_init(SCMP_ACT_KILL_PROCESS);
	int rc;

	if (context == NULL)
		return NULL;
	rc = seccomp_attr_set(context, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
	if (rc == 0)
		rc = set_arch(context, arch);
	if (rc == 0)
		rc = add_table(context, arch, calls, count);
#ifdef HARDEN_SANITIZED
	if (rc == 0)
		rc = add_table(context, arch, harden_sanitizer_calls, harden_sanitizer_call_count);
#endif
	if (rc == 0)
		return context;
	seccomp_release(context);
	errno = -rc;
	return NULL;
}

/* libseccomp before 2.6 exports to a descriptor only; a pipe holds 64 KiB and needs no file system. */
static int export_code(scmp_filter_ctx context, struct harden_filter *filter)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0)
		return -1;
	int rc = seccomp_export_bpf(context, ends[1]);
	ssize_t n = rc == 0 ? read(ends[0], filter->code, sizeof(filter->code)) : -1;

	close(ends[0]);
	close(ends[1]);
	if (rc == 0 && n > 0 && (size_t)n < sizeof(filter->code) &&
	    (size_t)n % sizeof(filter->code[0]) == 0) {
		filter->count = (uint16_t)((size_t)n / sizeof(filter->code[0]));
		return 0;
	}
	errno = rc < 0 ? -rc : E2BIG;
	return -1;
}

int harden_filter_build(struct harden_filter *filter, const struct harden_call *calls, size_t count)
{
	scmp_filter_ctx context = context_of(seccomp_arch_native(), calls, count);

	if (context == NULL)
		return -1;
	int rc = export_code(context, filter);

	seccomp_release(context);
	return rc;
}

int harden_filter_text(int fd, uint32_t arch, const struct harden_call *calls, size_t count)
{
	scmp_filter_ctx context = context_of(arch, calls, count);

	if (context == NULL)
		return -1;
	int rc = seccomp_export_pfc(context, fd);

	seccomp_release(context);
	if (rc == 0)
		return 0;
	errno = -rc;
	return -1;
}

int harden_filter_load(const struct harden_filter *filter)
{
	struct sock_fprog program = {.len = filter->count, .filter = (struct sock_filter *)filter->code};
	long rc = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program);

	if (rc == 0)
		return 0;
	if (rc > 0) { /* the thread that could not be brought under the filter */
		errno = EBUSY;
		return -1;
	}
	return errno == ENOSYS || errno == EINVAL ? 1 : -1;
}
