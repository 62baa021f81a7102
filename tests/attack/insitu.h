/* SPDX-License-Identifier: MIT
 *
 * What code inside the live netproc or metrics tries, one a daemon: the list that attack_insitu asks for by
 * number and insitu_read.c makes.
 */
#ifndef TESTS_ATTACK_INSITU_H
#define TESTS_ATTACK_INSITU_H

/* First bytes on a connection, then two digits: the number of the attempt. */
#define INSITU_TRIGGER "ATTACK-INSIDE-"
#define INSITU_LEN     16

/* X(name, killed): `killed` 1: the call ends the process; 0: it comes back refused, and it goes on. */
#define INSITU_ATTEMPTS(X)                                                                                   \
	X(OPEN_FILE, 1)                                                                                      \
	X(OPEN_MEMORY_OF_KEYPROC, 1)                                                                         \
	X(SOCKET, 1)                                                                                         \
	X(SOCKET_NETLINK, 1)                                                                                 \
	X(CONNECT_LISTENER, 1)                                                                               \
	X(CONNECT_ACCEPTED, 1)                                                                               \
	X(SHUT_AND_FAST_OPEN, 1)                                                                             \
	X(EXECVE, 1)                                                                                         \
	X(FORK, 1)                                                                                           \
	X(MAP_CODE, 1)                                                                                       \
	X(MAKE_CODE, 1)                                                                                      \
	X(PTRACE_KEYPROC, 1)                                                                                 \
	X(READ_KEYPROC, 1)                                                                                   \
	X(KILL_PARENT, 1)                                                                                    \
	X(KILL_KEYPROC, 1)                                                                                   \
	X(BECOME_DUMPABLE, 1)                                                                                \
	X(IO_URING, 1)                                                                                       \
	X(SEND_DESCRIPTOR, 1)                                                                                \
	X(OLD_ENTRY, 1)                                                                                      \
	X(JUMP_TO_STACK, 1)                                                                                  \
	X(ABORT, 1)                                                                                          \
	X(ACCEPT_MORE, 0)

enum insitu_attempt {
#define INSITU_ENUM(name, killed) INSITU_##name,
	INSITU_ATTEMPTS(INSITU_ENUM)
#undef INSITU_ENUM
	    INSITU_COUNT
};

#endif
