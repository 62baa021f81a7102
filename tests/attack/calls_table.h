/* SPDX-License-Identifier: MIT
 *
 * One forbidden call a row: what code inside a captured process would try next. Included by attack_calls.c
 * only.
 *
 * X(name, call, allowed in, a0, a1, a2, a3, a4): `call` as libseccomp names it; a name that this architecture
 * lacks is skipped. The arguments may use what prepare() has opened before the lock: listener, file, text (a
 * path), scratch (memory), page.
 */
#ifndef TESTS_ATTACK_CALLS_TABLE_H
#define TESTS_ATTACK_CALLS_TABLE_H

#define RW    (PROT_READ | PROT_WRITE)
#define ANON  (MAP_PRIVATE | MAP_ANONYMOUS)
#define BIT32 (1L << 32)
#define BIT63 (long)(1UL << 63)

/* clang-format off */
#define ATTACK_CALLS(X)                                                                                      \
	/* files */                                                                                          \
	X("open", "open", 0, text, O_RDONLY, 0, 0, 0)                                                        \
	X("openat", "openat", 0, AT_FDCWD, text, O_RDONLY, 0, 0)                                             \
	X("openat to write", "openat", 0, AT_FDCWD, text, O_WRONLY | O_CREAT, 0600, 0)                       \
	X("openat2", "openat2", 0, AT_FDCWD, text, scratch, 24, 0)                                           \
	X("creat", "creat", 0, text, 0600, 0, 0, 0)                                                          \
	X("name_to_handle_at", "name_to_handle_at", 0, AT_FDCWD, text, scratch, scratch, 0)                  \
	X("open_by_handle_at", "open_by_handle_at", 0, AT_FDCWD, scratch, O_RDONLY, 0, 0)                    \
	X("stat by descriptor", "fstat", 0, 0, scratch, 0, 0, 0)                                             \
	X("readlink", "readlinkat", 0, AT_FDCWD, text, scratch, 16, 0)                                       \
	X("list a folder", "getdents64", 0, 0, scratch, 64, 0, 0)                                            \
	X("mkdir", "mkdirat", 0, AT_FDCWD, text, 0700, 0, 0)                                                 \
	X("unlink", "unlinkat", 0, AT_FDCWD, missing, 0, 0, 0)                                               \
	X("rename", "renameat2", 0, AT_FDCWD, missing, AT_FDCWD, missing, 0)                                 \
	X("link", "linkat", 0, AT_FDCWD, missing, AT_FDCWD, missing, 0)                                      \
	X("symlink", "symlinkat", 0, missing, AT_FDCWD, text, 0, 0)                                          \
	X("chmod", "fchmodat", 0, AT_FDCWD, missing, 0777, 0, 0)                                             \
	X("mknod", "mknodat", 0, AT_FDCWD, text, 0, 0, 0)                                                    \
	X("truncate a descriptor", "ftruncate", 0, -1, 0, 0, 0, 0)                                           \
	X("read at an offset", "pread64", 0, file, scratch, 16, 0, 0)                                        \
	X("sendfile", "sendfile", 0, -1, file, 0, 16, 0)                                                     \
	X("splice", "splice", 0, file, 0, -1, 0, 16)                                                         \
	/* programs and processes */                                                                         \
	X("execve", "execve", 0, missing, 0, 0, 0, 0)                                                        \
	X("execveat", "execveat", 0, -1, missing, 0, 0, 0)                                                   \
	X("clone without a flag", "clone", 0, CLONE_SIGHAND, 0, 0, 0, 0)                                     \
	X("clone3", "clone3", 0, scratch, 0, 0, 0, 0)                                                        \
	X("ptrace", "ptrace", 0, PTRACE_ATTACH, -1, 0, 0, 0)                                                 \
	X("process_vm_readv", "process_vm_readv", 0, -1, scratch, 1, scratch, 1)                             \
	X("process_vm_writev", "process_vm_writev", 0, -1, scratch, 1, scratch, 1)                           \
	X("process_madvise", "process_madvise", 0, -1, scratch, 1, 0, 0)                                     \
	X("kcmp", "kcmp", 0, -1, -1, 0, 0, 0)                                                                \
	X("pidfd_open", "pidfd_open", 0, -1, 0, 0, 0, 0)                                                     \
	X("pidfd_getfd", "pidfd_getfd", 0, -1, 0, 0, 0, 0)                                                   \
	X("pidfd_send_signal", "pidfd_send_signal", 0, -1, 0, 0, 0, 0)                                       \
	X("kill the parent", "kill", 0, parent, 0, 0, 0, 0)                                                  \
	X("kill all", "kill", 0, -1, 999, 0, 0, 0)                                                           \
	X("tkill", "tkill", 0, parent, 0, 0, 0, 0)                                                           \
	X("tgkill another", "tgkill", 0, parent, parent, 0, 0, 0)                                            \
	X("tgkill with a high bit", "tgkill", 0, self | BIT32, self, 0, 0, 0)                                \
	X("queue a signal", "rt_sigqueueinfo", 0, parent, 0, scratch, 0, 0)                                  \
	X("handle a signal", "rt_sigaction", 0, SIGUSR1, 0, 0, 8, 0)                                         \
	X("wait for anybody", "waitid", 0, P_ALL, 0, 0, WNOHANG, 0)                                          \
	/* sockets */                                                                                        \
	X("socket inet", "socket", 0, AF_INET, SOCK_STREAM, 0, 0, 0)                                         \
	X("socket inet6", "socket", 0, AF_INET6, SOCK_STREAM, 0, 0, 0)                                       \
	X("socket udp", "socket", 0, AF_INET, SOCK_DGRAM, 0, 0, 0)                                           \
	X("socket mptcp", "socket", 0, AF_INET, SOCK_STREAM, 262, 0, 0)                                      \
	X("socket unix", "socket", 0, AF_UNIX, SOCK_STREAM, 0, 0, 0)                                         \
	X("socket netlink", "socket", 0, AF_NETLINK, SOCK_RAW, 0, 0, 0)                                      \
	X("socket packet", "socket", 0, AF_PACKET, SOCK_RAW, 0, 0, 0)                                        \
	X("socket alg", "socket", 0, AF_ALG, SOCK_SEQPACKET, 0, 0, 0)                                        \
	X("socket vsock", "socket", 0, AF_VSOCK, SOCK_STREAM, 0, 0, 0)                                       \
	X("socketpair", "socketpair", 0, AF_UNIX, SOCK_STREAM, 0, scratch, 0)                                \
	X("connect", "connect", 0, listener, address, 16, 0, 0)                                              \
	X("bind", "bind", 0, listener, address, 16, 0, 0)                                                    \
	X("listen", "listen", 0, listener, 8, 0, 0, 0)                                                       \
	X("accept", "accept", 0, listener, 0, 0, 0, 0)                                                       \
	X("accept4", "accept4", ATTACK_NETPROC | ATTACK_METRICS, listener, 0, 0, SOCK_NONBLOCK, 0)           \
	X("shut the listener down", "shutdown", 0, listener, SHUT_RD, 0, 0, 0)                               \
	X("fast open on the listener", "sendto", 0, shut_listener, text, 4, MSG_FASTOPEN, address)           \
	X("sendto", "sendto", 0, -1, text, 4, 0, 0)                                                          \
	X("sendmsg", "sendmsg", 0, -1, scratch, 0, 0, 0)                                                     \
	X("sendmmsg", "sendmmsg", 0, -1, scratch, 1, 0, 0)                                                   \
	X("recvfrom", "recvfrom", 0, -1, scratch, 4, 0, 0)                                                   \
	X("recvmsg, for a descriptor", "recvmsg", 0, -1, scratch, 0, 0, 0)                                   \
	X("recvmmsg", "recvmmsg", 0, -1, scratch, 1, 0, 0)                                                   \
	X("setsockopt", "setsockopt", 0, listener, SOL_SOCKET, SO_KEEPALIVE, scratch, 4)                     \
	X("attach a filter", "setsockopt", 0, listener, SOL_SOCKET, SO_ATTACH_FILTER, scratch, 16)           \
	X("pidfd of the peer", "getsockopt", 0, -1, SOL_SOCKET, 77, scratch, scratch)                        \
	/* memory */                                                                                         \
	X("map code", "mmap", 0, 0, 4096, RW | PROT_EXEC, ANON, -1)                                          \
	X("map code only", "mmap", 0, 0, 4096, PROT_EXEC, ANON, -1)                                          \
	X("map a file", "mmap", 0, 0, 4096, PROT_READ, MAP_PRIVATE, file)                                    \
	X("map shared", "mmap", 0, 0, 4096, RW, MAP_SHARED | MAP_ANONYMOUS, -1)                              \
	X("map over what is there", "mmap", 0, page, 4096, RW, ANON | MAP_FIXED, -1)                         \
	X("map, high bit in prot", "mmap", 0, 0, 4096, RW | BIT32, ANON, -1)                                 \
	X("map, high bit in flags", "mmap", 0, 0, 4096, RW, ANON | BIT63, -1)                                \
	X("make code", "mprotect", 0, page, 4096, PROT_READ | PROT_EXEC, 0, 0)                               \
	X("make code, all bits", "mprotect", 0, page, 4096, RW | PROT_EXEC, 0, 0)                            \
	X("protect, high bit", "mprotect", 0, page, 4096, PROT_READ | BIT32, 0, 0)                           \
	X("make code by a key", "pkey_mprotect", 0, page, 4096, PROT_READ | PROT_EXEC, -1, 0)                \
	X("move memory to a place", "mremap", 0, page, 4096, 4096, MREMAP_MAYMOVE | MREMAP_FIXED, page)      \
	X("forget memory at fork", "madvise", 0, page, 4096, 18, 0, 0)                                       \
	X("remap file pages", "remap_file_pages", 0, page, 4096, 0, 0, 0)                                    \
	X("file in memory", "memfd_create", 0, text, 0, 0, 0, 0)                                             \
	X("secret memory", "memfd_secret", 0, 0, 0, 0, 0, 0)                                                 \
	X("fault handler", "userfaultfd", 0, 0, 0, 0, 0, 0)                                                  \
	/* the sandbox itself, and privilege */                                                              \
	X("become dumpable", "prctl", 0, PR_SET_DUMPABLE, 1, 0, 0, 0)                                        \
	X("choose a tracer", "prctl", 0, PR_SET_PTRACER, -1, 0, 0, 0)                                        \
	X("second filter", "seccomp", 0, 1, 0, 0, 0, 0)                                                      \
	X("Landlock", "landlock_create_ruleset", 0, 0, 0, 1, 0, 0)                                           \
	X("personality", "personality", 0, 0xffffffff, 0, 0, 0, 0)                                           \
	X("raise a limit", "prlimit64", 0, 0, RLIMIT_NPROC, 0, scratch, 0)                                   \
	X("setuid", "setuid", 0, 0, 0, 0, 0, 0)                                                              \
	X("setresuid", "setresuid", 0, -1, -1, -1, 0, 0)                                                     \
	X("setgroups", "setgroups", 0, 0, 0, 0, 0, 0)                                                        \
	X("capset", "capset", 0, 0, 0, 0, 0, 0)                                                              \
	X("chroot", "chroot", 0, missing, 0, 0, 0, 0)                                                        \
	X("unshare", "unshare", 0, CLONE_NEWUSER | CLONE_SIGHAND, 0, 0, 0, 0)                                \
	X("setns", "setns", 0, -1, 0, 0, 0, 0)                                                               \
	X("mount", "mount", 0, missing, missing, 0, 0, 0)                                                    \
	X("umount", "umount2", 0, missing, 0, 0, 0, 0)                                                       \
	X("open_tree", "open_tree", 0, -1, missing, 0, 0, 0)                                                 \
	X("pivot_root", "pivot_root", 0, missing, missing, 0, 0, 0)                                          \
	/* kernel surface */                                                                                 \
	X("io_uring_setup", "io_uring_setup", 0, 0, 0, 0, 0, 0)                                              \
	X("io_uring_enter", "io_uring_enter", 0, -1, 0, 0, 0, 0)                                             \
	X("bpf", "bpf", 0, -1, 0, 0, 0, 0)                                                                   \
	X("perf", "perf_event_open", 0, 0, 0, 0, 0, 0)                                                       \
	X("add_key", "add_key", 0, 0, 0, 0, 0, 0)                                                            \
	X("keyctl", "keyctl", 0, -1, 0, 0, 0, 0)                                                             \
	X("ioctl, push into a terminal", "ioctl", 0, -1, TIOCSTI, text, 0, 0)                                \
	X("ioctl, high bit", "ioctl", 0, -1, TIOCSTI | BIT32, text, 0, 0)                                    \
	X("fcntl, duplicate", "fcntl", 0, -1, F_DUPFD, 0, 0, 0)                                              \
	X("fcntl, owner", "fcntl", 0, -1, F_SETOWN, 1, 0, 0)                                                 \
	X("dup", "dup", 0, 0, 0, 0, 0, 0)                                                                    \
	X("dup3", "dup3", 0, -1, 9, 0, 0, 0)                                                                 \
	X("pipe", "pipe2", 0, scratch, 0, 0, 0, 0)                                                           \
	X("eventfd", "eventfd2", 0, 0, 0, 0, 0, 0)                                                           \
	X("timerfd", "timerfd_create", 0, 0, 0, 0, 0, 0)                                                     \
	X("inotify", "inotify_init1", 0, 0, 0, 0, 0, 0)                                                      \
	X("shared memory", "shmget", 0, 0, 0, 0, 0, 0)                                                       \
	X("message queue", "msgget", 0, -1, 0, 0, 0, 0)                                                      \
	X("modify_ldt", "modify_ldt", 0, 99, 0, 0, 0, 0)                                                     \
	X("uname", "uname", 0, scratch, 0, 0, 0, 0)                                                          \
	X("sysinfo", "sysinfo", 0, scratch, 0, 0, 0, 0)

/* Calls that a program may make come back, with the error of a call that reached the kernel: the filter is not merely closed. */
#define ATTACK_TWINS(X)                                                                                      \
	X("read", "read", ATTACK_ALL, -1, scratch, 1, 0, EBADF)                                              \
	X("write", "write", ATTACK_ALL, -1, scratch, 1, 0, EBADF)                                            \
	X("wait a moment", "ppoll", ATTACK_KEYPROC | ATTACK_PARENT | ATTACK_METRICS, 0, 0, (long)&now, 0, 0) \
	X("clock", "clock_gettime", ATTACK_ALL, 99, scratch, 0, 0, EINVAL)                                   \
	X("accept4", "accept4", ATTACK_NETPROC | ATTACK_METRICS, -1, 0, 0, 0, EBADF)                         \
	X("wait for events", "epoll_pwait", ATTACK_NETPROC, -1, scratch, 1, 0, EBADF)                        \
	X("map memory", "mmap", ATTACK_NETPROC, 0, 4096, RW, ANON, 0)                                        \
	X("protect memory", "mprotect", ATTACK_NETPROC, page, 4096, PROT_NONE, 0, 0)                         \
	X("drop memory", "madvise", ATTACK_NETPROC, page, 4096, MADV_DONTNEED, 0, 0)                         \
	X("random bytes", "getrandom", ATTACK_NETPROC, scratch, 8, 0, 0, 0)                                  \
	X("close", "close", ATTACK_NETPROC | ATTACK_PARENT | ATTACK_METRICS, -1, 0, 0, 0, EBADF)             \
	X("reap", "wait4", ATTACK_PARENT, -1, 0, WNOHANG, 0, ECHILD)
/* clang-format on */

#endif
