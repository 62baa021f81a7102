/* SPDX-License-Identifier: MIT
 *
 * Mechanism of confinement, the same for every process; policy (which system calls) is a table in each
 * program's sandbox.c. Called by each main.c in the order of SECURITY.md. Trusts its own program only.
 */
#ifndef IMSG_HARDEN_H
#define IMSG_HARDEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* X(name, bit, text): layers that a process reports active. */
#define HARDEN_LAYERS(X)                                                                                     \
	X(NO_NEW_PRIVS, 0, "nnp")                                                                            \
	X(NOT_DUMPABLE, 1, "nodump")                                                                         \
	X(NO_CAPABILITIES, 2, "nocaps")                                                                      \
	X(SECCOMP, 3, "seccomp")                                                                             \
	X(LANDLOCK, 4, "landlock")                                                                           \
	X(CHROOT, 5, "chroot")                                                                               \
	X(OWN_USER, 6, "uid")                                                                                \
	X(PID_NAMESPACE, 7, "pidns")                                                                         \
	X(NO_WRITE_EXEC, 8, "mdwe")                                                                          \
	X(BOUNDING_SET, 9, "bounding")                                                                       \
	X(LIMITS, 10, "rlimits")                                                                             \
	X(LANDLOCK_NET, 11, "landlock-net")                                                                  \
	X(LANDLOCK_SCOPE, 12, "landlock-scope")                                                              \
	X(MEMORY_LOCKED, 13, "mlock")                                                                        \
	X(SPECULATION, 14, "speculation")

enum harden_layer {
#define HARDEN_LAYER_ENUM(name, bit, text) HARDEN_##name = 1 << bit,
	HARDEN_LAYERS(HARDEN_LAYER_ENUM)
#undef HARDEN_LAYER_ENUM
};

/* The same as rows, for all that shows or names them. */
#define HARDEN_LAYER_ONE(name, bit, word) +1
#define HARDEN_LAYER_COUNT		  (0 HARDEN_LAYERS(HARDEN_LAYER_ONE))

struct harden_layer_row {
	uint32_t bit;
	const char *word;
};

extern const struct harden_layer_row harden_layer_rows[HARDEN_LAYER_COUNT];

/* True when the bitmap holds the minimum set: no_new_privs, not dumpable, no capabilities, seccomp, and at
 * least one of own user, chroot, Landlock. */
bool harden_enough(uint32_t layers);
/* The layers of the minimum that are not in the bitmap; all of own user, chroot, Landlock when none is. */
uint32_t harden_missing(uint32_t layers);
/* What a failed start lacks: after harden_enter (NULL), or after harden_lock failed at that step. 0: no
 * layer, but something else. */
uint32_t harden_failed(const char *step);
/* Whether the step at which harden_lock failed gives up users and capabilities. */
bool harden_is_privilege(const char *step);

/* One row of a policy table: sorted by name, unique. */
enum harden_rule {
	HARDEN_ALLOW,
	HARDEN_MMAP,
	HARDEN_MPROTECT,
	HARDEN_MREMAP,
	HARDEN_MADVISE,
	HARDEN_TGKILL,
	HARDEN_NANOSLEEP,
	HARDEN_ENOSYS
};
struct harden_call {
	const char *name;
	enum harden_rule rule;
	bool optional; /* unknown to some libseccomp or architecture: then left out */
};

struct harden_limits {
	uint64_t nofile; /* RLIMIT_NOFILE to set; 0: highest open descriptor and one more */
	uint64_t data;	 /* bytes of RLIMIT_DATA; 0: as found */
	uint64_t memlock;
	uint64_t stack;
	bool fsize_zero; /* children only: the parent's stderr may be a file */
};

struct harden_user {
	uid_t user; /* 0: stay who we are */
	gid_t group;
	const char *chroot; /* root mode: an empty folder of root that others cannot write; NULL: one made and
			       removed on the spot */
};

/* First statement of a child's main: not dumpable, personality proven reset, every signal ignored that can
 * be, descriptors 0-2 there, 3 (and 4, when `highest` is not below it) are SEQPACKET sockets, the parent that
 * made 3 still lives; all beyond `highest` are closed. 0, or -1 with errno. */
int harden_enter(int highest);
/* The same for a process whose one channel is 3. */
int harden_enter_single(int highest);
/* For a process that holds secrets, before harden_lock: no huge pages, and side channels by speculation
 * closed at some cost in speed. Returns HARDEN_SPECULATION or 0. */
uint32_t harden_speculation(void);
/* Everything else up to the lock, in this order (user, chroot, capabilities, dumpable,
 * PDEATHSIG, no_new_privs, MDWE, Landlock, rlimits, seccomp). `landlock_signals`: a child; it may signal
 * nobody outside and dies with its parent (the parent must still be able to kill, and must outlive the shell
 * that started it). Layers that this kernel does not have are left out: ask harden_enough. Returns 0 and the
 * layers' bitmap, or -1 with errno and `step` naming what failed. */
int harden_lock(const struct harden_call *calls, size_t count, const struct harden_limits *limits,
		const struct harden_user *user, bool landlock_signals, uint32_t *layers, const char **step);
/* Writes the layers as words with commas, always terminated. */
void harden_layers_text(uint32_t layers, char *text, size_t size);

#endif
