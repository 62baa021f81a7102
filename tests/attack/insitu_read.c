/* SPDX-License-Identifier: MIT
 *
 * Linked into a test build of netproc in front of read(2) (ld --wrap): what a connection sends after the
 * trigger becomes code of netproc's own, in the live, confined process. The sources of netproc know nothing
 * of it, so no release can hold it.
 */
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
	memcpy(CMSG_DATA(head), &(int){IMSG_FD_LISTEN}, sizeof(int));
	syscall(SYS_sendmsg, IMSG_FD_PEER, &message, 0);
}

static void fast_open(void)
{
	syscall(SYS_shutdown, IMSG_FD_LISTEN, SHUT_RD);
	syscall(SYS_sendto, IMSG_FD_LISTEN, "x", 1, MSG_FASTOPEN, &target, sizeof(target));
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

/* keyproc is the process started before us; its number is next to ours in either namespace. */
static void attempt(enum insitu_attempt which, int fd)
{
	pid_t near = getpid() - 1;
	struct iovec part = {page, 8};

	switch (which) {
	case INSITU_OPEN_FILE:
		syscall(SYS_openat, AT_FDCWD, "/etc/passwd", O_RDONLY);
		break;
	case INSITU_OPEN_MEMORY_OF_KEYPROC:
		syscall(SYS_openat, AT_FDCWD, "/proc/1/mem", O_RDONLY);
		break;
	case INSITU_SOCKET:
		syscall(SYS_socket, AF_INET, SOCK_STREAM, 0);
		break;
	case INSITU_SOCKET_NETLINK:
		syscall(SYS_socket, AF_NETLINK, SOCK_RAW, 0);
		break;
	case INSITU_CONNECT_LISTENER:
		syscall(SYS_connect, IMSG_FD_LISTEN, &target, sizeof(target));
		break;
	case INSITU_CONNECT_ACCEPTED:
		syscall(SYS_connect, fd, &target, sizeof(target));
		break;
	case INSITU_SHUT_AND_FAST_OPEN:
		fast_open();
		break;
	case INSITU_EXECVE:
		syscall(SYS_execve, "/bin/sh", NULL, NULL);
		break;
	case INSITU_FORK:
		syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
		break;
	case INSITU_MAP_CODE:
		syscall(SYS_mmap, NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		break;
	case INSITU_MAKE_CODE:
		syscall(SYS_mprotect, page, sizeof(page), PROT_READ | PROT_EXEC);
		break;
	case INSITU_PTRACE_KEYPROC:
		syscall(SYS_ptrace, PTRACE_SEIZE, near, 0, 0);
		break;
	case INSITU_READ_KEYPROC:
		syscall(SYS_process_vm_readv, near, &part, 1, &part, 1, 0);
		break;
	case INSITU_KILL_PARENT:
		syscall(SYS_kill, getppid(), SIGKILL);
		break;
	case INSITU_KILL_KEYPROC:
		syscall(SYS_kill, near, SIGKILL);
		break;
	case INSITU_BECOME_DUMPABLE:
		syscall(SYS_prctl, PR_SET_DUMPABLE, 1, 0, 0, 0);
		break;
	case INSITU_IO_URING:
		syscall(SYS_io_uring_setup, 8, page);
		break;
	case INSITU_SEND_DESCRIPTOR:
		send_descriptor();
		break;
	case INSITU_OLD_ENTRY:
		old_entry();
		break;
	case INSITU_JUMP_TO_STACK:
		jump_to_stack();
		break;
	case INSITU_ABORT:
		__builtin_trap();
	case INSITU_ACCEPT_MORE:
		syscall(SYS_accept4, IMSG_FD_LISTEN, NULL, NULL, SOCK_NONBLOCK);
		break;
	case INSITU_COUNT:
		break;
	}
}

ssize_t __wrap_read(int fd, void *bytes, size_t len)
{
	ssize_t n = __real_read(fd, bytes, len);
	const char *text = bytes;

	if (n == INSITU_LEN && memcmp(text, INSITU_TRIGGER, INSITU_LEN - 2) == 0)
		attempt((enum insitu_attempt)((text[14] - '0') * 10 + text[15] - '0'), fd);
	return n;
}
