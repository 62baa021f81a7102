/* SPDX-License-Identifier: MIT
 *
 * What a program in a container can still do. Run inside one, linked statically:
 *   calls               tries each system call of the list with harmless arguments; prints "<name> <what the
 * kernel said>" calls memory MIB    takes that much memory and touches it; prints "took it" if it lives calls
 * processes     starts processes until none is given; prints how many there were */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PROCESSES_MOST 1000

/* Bad arguments throughout: a call that gets through to the kernel fails too, but not with EPERM. */
static const struct {
	const char *name;
	long number;
	long first, second;
} calls[] = {
    {"ptrace", SYS_ptrace, 9999, -1},
    {"process_vm_readv", SYS_process_vm_readv, -1, 0},
    {"process_vm_writev", SYS_process_vm_writev, -1, 0},
    {"io_uring_setup", SYS_io_uring_setup, 0, 0},
    {"io_uring_enter", SYS_io_uring_enter, -1, 0},
    {"userfaultfd", SYS_userfaultfd, -1, 0},
    {"memfd_create", SYS_memfd_create, 0, -1},
    {"add_key", SYS_add_key, 0, 0},
    {"keyctl", SYS_keyctl, -1, 0},
    {"unshare", SYS_unshare, 0, 0},
    {"setns", SYS_setns, -1, 0},
    {"pidfd_open", SYS_pidfd_open, -1, 0},
    {"mprotect_key", SYS_pkey_mprotect, -1, 0},
    {"name_to_handle_at", SYS_name_to_handle_at, -1, 0},
    {"truncate", SYS_truncate, 0, 0},
    {"symlinkat", SYS_symlinkat, 0, -1},
    {"kill", SYS_kill, 999999, 0},
    {"clone3", SYS_clone3, 0, 0},
    {"clone_user_namespace", SYS_clone, 0x10000000, 0},
    {"socket_netlink", SYS_socket, 16, 3},
    {"socket_packet", SYS_socket, 17, 3},
    {"socket_vsock", SYS_socket, 40, 1},
    {"ioctl_sti", SYS_ioctl, -1, 0x5412},
};

static void try_all(void)
{
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		long said = syscall(calls[i].number, calls[i].first, calls[i].second, 0L, 0L, 0L, 0L);

		if (said == 0 && calls[i].number == SYS_clone)
			_exit(0);
		printf("%s %s\n", calls[i].name, said < 0 ? strerrorname_np(errno) : "done");
	}
}

static void take_memory(size_t mib)
{
	for (size_t i = 0; i < mib; i++) {
		char *bytes = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		if (bytes == MAP_FAILED)
			return;
		memset(bytes, 1, 1 << 20);
	}
	puts("took it");
}

static void start_processes(void)
{
	int count = 1; /* this one */

	while (count < PROCESSES_MOST) {
		pid_t pid = fork();

		if (pid < 0)
			break;
		if (pid == 0) {
			sleep(5);
			_exit(0);
		}
		count++;
	}
	printf("%d processes\n", count);
}

int main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IONBF, 0);
	if (argc == 3 && strcmp(argv[1], "memory") == 0)
		take_memory((size_t)atoi(argv[2]));
	else if (argc == 2 && strcmp(argv[1], "processes") == 0)
		start_processes();
	else
		try_all();
	return 0;
}
