/* SPDX-License-Identifier: MIT
 *
 * The steps of harden_lock, one file each. Called by harden.c only, and by tests that take the steps apart.
 * Each trusts its own program only.
 */
#ifndef IMSG_HARDEN_STEPS_H
#define IMSG_HARDEN_STEPS_H

#include <linux/filter.h>

#include "imsg/harden.h"

#define HARDEN_FILTER_MAX 2048 /* instructions; ours have 20 to 150 */

struct harden_filter {
	struct sock_filter code[HARDEN_FILTER_MAX];
	uint16_t count;
};

/* Builds the filter of a table: everything else kills the process. Needs malloc, so before the lock.
 * 0, or -1 with errno (ENOENT: a name that is not optional is unknown here). */
int harden_filter_build(struct harden_filter *filter, const struct harden_call *calls, size_t count);
/* Writes the filter of a table for an architecture (SCMP_ARCH_*) as libseccomp's pseudo code to a descriptor.
 * 0, or -1 with errno. */
int harden_filter_text(int fd, uint32_t arch, const struct harden_call *calls, size_t count);
/* Loads it by seccomp(2), for all threads. 0; 1 when this kernel has no filters; -1 with errno. */
int harden_filter_load(const struct harden_filter *filter);

/* Denies all paths, TCP bind and connect, abstract sockets and (`signals`) signals to outside, as far as the
 * kernel knows them. 0 and the bits of the layers in `layers` (none when there is no Landlock), or -1 with
 * errno. Needs no_new_privs. */
int harden_landlock(bool signals, uint32_t *layers);

/* Root mode: bounding set, securebits, groups, chroot, gid, uid, then no capability; each proven. Without
 * root: drops what is held. 0 and the bits CHROOT and OWN_USER in `layers`, or -1 with errno and `step`. */
int harden_become(const struct harden_user *user, uint32_t *layers, const char **step);
/* What can be proven about user and capabilities: the bits NO_CAPABILITIES, BOUNDING_SET. */
uint32_t harden_capability_layers(void);

/* gcc and clang say differently that the address sanitizer is in the build. */
#ifdef __SANITIZE_ADDRESS__
#define HARDEN_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HARDEN_SANITIZED 1
#endif
#endif

#ifdef HARDEN_SANITIZED
/* What the address sanitizer's runtime calls; a release has neither table nor rows. */
extern const struct harden_call harden_sanitizer_calls[];
extern const size_t harden_sanitizer_call_count;
#endif

#endif
