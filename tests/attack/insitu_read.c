/* SPDX-License-Identifier: MIT
 *
 * Linked into test builds of netproc and metrics in front of read(2) (ld --wrap): what a connection sends
 * after the trigger becomes code of the process's own, in the live, confined process. The sources of both
 * know nothing of it, so no release can hold it.
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "imsg/imsg.h"
#include "tests/attack/insitu.h"

ssize_t __real_read(int fd, void *bytes, size_t len);
ssize_t __wrap_read(int fd, void *bytes, size_t len);

static const struct sockaddr_in target = {
    .sin_family = AF_INET, .sin_port = 0x0900, .sin_addr.s_addr = 0x0100007f};
/* Known before the lock: netproc's numbers, or metrics's. */
static int listener = IMSG_FD_LISTEN, channel = IMSG_FD_PEER;
static pid_t self, parent;
static long page[512] __attribute__((aligned(4096)));

static void send_descriptor(void)
{
	char control[CMSG_SPACE(sizeof(int))] = {0};
	struct iovec part = {control, 1};
	struct msghdr message = {
	    .msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control)};
	struct cmsghdr *head = CMSG_FIRSTHDR(&message);

	head->cmsg_level = SOL_SOCKET;
	head->cmsg_type = SCM_RIGHTS;
	head->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(head), &listener, sizeof(int));
	syscall(SYS_sendmsg, channel, &message, 0);
}

static void fast_open(void)
{
	syscall(SYS_shutdown, listener, SHUT_RD);
	syscall(SYS_sendto, listener, "x", 1, MSG_FASTOPEN, &target, sizeof(target));
}

/* An instruction sequence that would end with 42, in memory that is not code. */
static void jump_to_stack(void)
{
	unsigned char code[16] = {0xc3, 0xc3, 0xc3, 0xc3};
	void (*function)(void);

	__asm__ volatile("" : : "r"(code) : "memory");
	memcpy(&function, &(void *){code}, sizeof(function));
	function();
}

static void old_entry(void)
{
#ifdef __x86_64__
	long result;

	__asm__ volatile("int $0x80" : "=a"(result) : "a"(20L) : "memory", "r8", "r9", "r10", "r11");
#else
	syscall(-1);
#endif
}

static void crash(void)
{
	__builtin_trap();
}

/* Asked at start: a filter may forbid getppid and getpid too, and would stop the attempt before its kill. */
__attribute__((constructor)) static void look_around(void)
{
	self = getpid();
	parent = getppid();
	if (strcmp(program_invocation_short_name, "metrics") == 0) {
		listener = IMSG_FD_HTTP;
		channel = IMSG_FD_PARENT;
	}
}

/* What is more than one call. */
static void (*const others[INSITU_COUNT])(void) = {
    [INSITU_SHUT_AND_FAST_OPEN] = fast_open,
    [INSITU_SEND_DESCRIPTOR] = send_descriptor,
    [INSITU_OLD_ENTRY] = old_entry,
    [INSITU_JUMP_TO_STACK] = jump_to_stack,
    [INSITU_ABORT] = crash,
};

struct one_call {
	long number;
	long argument[6];
};

/* The process started before us is keyproc, or netproc; its number is next to ours in either namespace. */
static void attempt(enum insitu_attempt which, int fd)
{
	/* Nothing here may be a call that the filter forbids: the attempt itself must be what is stopped. */
	long near = self - 1, memory = (long)page, to = (long)&target;
	struct iovec part = {page, 8};
	const long code = PROT_READ | PROT_EXEC, own = MAP_PRIVATE | MAP_ANONYMOUS;
	const struct one_call calls[INSITU_COUNT] = {
	    [INSITU_OPEN_FILE] = {SYS_openat, {AT_FDCWD, (long)"/etc/passwd", O_RDONLY}},
	    [INSITU_OPEN_MEMORY_OF_KEYPROC] = {SYS_openat, {AT_FDCWD, (long)"/proc/1/mem", O_RDONLY}},
	    [INSITU_SOCKET] = {SYS_socket, {AF_INET, SOCK_STREAM}},
	    [INSITU_SOCKET_NETLINK] = {SYS_socket, {AF_NETLINK, SOCK_RAW}},
	    [INSITU_CONNECT_LISTENER] = {SYS_connect, {listener, to, sizeof(target)}},
	    [INSITU_CONNECT_ACCEPTED] = {SYS_connect, {fd, to, sizeof(target)}},
	    [INSITU_EXECVE] = {SYS_execve, {(long)"/bin/sh"}},
	    [INSITU_FORK] = {SYS_clone, {SIGCHLD}},
	    [INSITU_MAP_CODE] = {SYS_mmap, {0, 4096, code, own, -1}},
	    [INSITU_MAKE_CODE] = {SYS_mprotect, {memory, sizeof(page), code}},
	    [INSITU_PTRACE_KEYPROC] = {SYS_ptrace, {PTRACE_SEIZE, near}},
	    [INSITU_READ_KEYPROC] = {SYS_process_vm_readv, {near, (long)&part, 1, (long)&part, 1}},
	    [INSITU_KILL_PARENT] = {SYS_kill, {parent, SIGKILL}},
	    [INSITU_KILL_KEYPROC] = {SYS_kill, {near, SIGKILL}},
	    [INSITU_BECOME_DUMPABLE] = {SYS_prctl, {PR_SET_DUMPABLE, 1}},
	    [INSITU_IO_URING] = {SYS_io_uring_setup, {8, memory}},
	    [INSITU_ACCEPT_MORE] = {SYS_accept4, {listener, 0, 0, SOCK_NONBLOCK}},
	};

	if (which >= INSITU_COUNT)
		return;
	const struct one_call *one = &calls[which];

	if (others[which] != NULL)
		others[which]();
	else
		syscall(one->number, one->argument[0], one->argument[1], one->argument[2], one->argument[3],
			one->argument[4], one->argument[5]);
}

ssize_t __wrap_read(int fd, void *bytes, size_t len)
{
	ssize_t n = __real_read(fd, bytes, len);
	const char *text = bytes;

	if (n == INSITU_LEN && memcmp(text, INSITU_TRIGGER, INSITU_LEN - 2) == 0)
		attempt((enum insitu_attempt)((text[14] - '0') * 10 + text[15] - '0'), fd);
	return n;
}
