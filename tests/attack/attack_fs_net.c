/* SPDX-License-Identifier: MIT
 *
 * A captured process whose filter has been lifted: Landlock alone, then the jail and the user alone (as
 * root), must still keep it from files, sockets and other processes. The control is the same attempt with no
 * layer at all. What Landlock does not cover (UDP, MPTCP, named sockets, stat) is shown as such: there the
 * filter is the only layer, and attack_calls tries it.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "imsg/harden_steps.h"
#include "tests/attack/attack.h"

static char folder[] = "/tmp/attack-fs-XXXXXX"; /* stands for the key's */
static char key[64];
static uint16_t port;
static struct sockaddr_un abstract_name = {.sun_family = AF_UNIX, .sun_path = "\0dusk-attack"};
static struct sockaddr_un path_name = {.sun_family = AF_UNIX};
static pid_t starter;

static int read_passwords(void)
{
	return open("/etc/passwd", O_RDONLY);
}

static int read_key(void)
{
	return open(key, O_RDONLY);
}

static int write_key(void)
{
	return open(key, O_WRONLY);
}

static int list_folder(void)
{
	return open(folder, O_RDONLY | O_DIRECTORY);
}

static int make_file(void)
{
	char path[80];

	snprintf(path, sizeof(path), "%s/new", folder);
	return open(path, O_WRONLY | O_CREAT, 0600);
}

static int remove_key(void)
{
	char copy[80];

	/* A link first, so that the control does not take the key from the next attempt. */
	snprintf(copy, sizeof(copy), "%s/copy", folder);
	return link(key, copy) == 0 ? unlink(copy) : -1;
}

static int make_folder(void)
{
	char path[80];

	snprintf(path, sizeof(path), "%s/sub", folder);
	return mkdir(path, 0700) == 0 ? rmdir(path) : -1;
}

static int make_device(void)
{
	return open("/dev/null", O_RDWR);
}

static int start_program(void)
{
	char *none[] = {NULL};

	/* A program that ends well is a start that succeeded: the caller sees exit 0. */
	execve("/bin/true", none, none);
	return -1;
}

static int bind_tcp(void)
{
	struct sockaddr_in any = {.sin_family = AF_INET};

	return bind(socket(AF_INET, SOCK_STREAM, 0), (struct sockaddr *)&any, sizeof(any));
}

static int connect_tcp(void)
{
	struct sockaddr_in to = {
	    .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

	return connect(socket(AF_INET, SOCK_STREAM, 0), (struct sockaddr *)&to, sizeof(to));
}

static int connect_abstract(void)
{
	return connect(socket(AF_UNIX, SOCK_STREAM, 0), (struct sockaddr *)&abstract_name,
		       sizeof(sa_family_t) + 12);
}

static int bind_path(void)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX};

	snprintf(name.sun_path, sizeof(name.sun_path), "%s/socket", folder);
	int rc = bind(socket(AF_UNIX, SOCK_STREAM, 0), (struct sockaddr *)&name, sizeof(name));

	if (rc == 0)
		unlink(name.sun_path);
	return rc;
}

static int signal_parent(void)
{
	return kill(starter, 0);
}

static int connect_mptcp(void)
{
	struct sockaddr_in to = {
	    .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

	return connect(socket(AF_INET, SOCK_STREAM, 262), (struct sockaddr *)&to, sizeof(to));
}

static int send_udp(void)
{
	struct sockaddr_in to = {
	    .sin_family = AF_INET, .sin_port = htons(9), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

	return (int)sendto(socket(AF_INET, SOCK_DGRAM, 0), "x", 1, 0, (struct sockaddr *)&to, sizeof(to));
}

static int connect_path(void)
{
	return connect(socket(AF_UNIX, SOCK_STREAM, 0), (struct sockaddr *)&path_name, sizeof(path_name));
}

static int look_at_passwords(void)
{
	struct stat st;

	return stat("/etc/passwd", &st);
}

/* The layer that must stop it: a bit of the Landlock bitmap; 0 where Landlock has nothing to say. */
static const struct attempt {
	const char *name;
	int (*attack)(void);
	uint32_t landlock;
	bool jail; /* an empty chroot stops it */
} attempts[] = {
    {"read /etc/passwd", read_passwords, HARDEN_LANDLOCK, true},
    {"read the key", read_key, HARDEN_LANDLOCK, true},
    {"write the key", write_key, HARDEN_LANDLOCK, true},
    {"list the key's folder", list_folder, HARDEN_LANDLOCK, true},
    {"make a file", make_file, HARDEN_LANDLOCK, true},
    {"link and unlink", remove_key, HARDEN_LANDLOCK, true},
    {"make a folder", make_folder, HARDEN_LANDLOCK, true},
    {"open a device", make_device, HARDEN_LANDLOCK, true},
    {"start a program", start_program, HARDEN_LANDLOCK, true},
    {"bind a named socket", bind_path, HARDEN_LANDLOCK, true},
    {"bind TCP", bind_tcp, HARDEN_LANDLOCK_NET, false},
    {"connect TCP", connect_tcp, HARDEN_LANDLOCK_NET, false},
    {"connect to an abstract socket", connect_abstract, HARDEN_LANDLOCK_SCOPE, false},
    {"signal the parent", signal_parent, HARDEN_LANDLOCK_SCOPE, false},
    {"connect MPTCP", connect_mptcp, 0, false},
    {"send UDP", send_udp, 0, false},
    {"connect to a named socket", connect_path, 0, true},
    {"stat /etc/passwd", look_at_passwords, 0, true},
};

enum { WORKED = 0, REFUSED = 1, NOT_SET_UP = 2, LACKING = 3 };

static int try_now(const struct attempt *a)
{
	return a->attack() >= 0 ? WORKED : REFUSED;
}

static int with_nothing(void *context)
{
	return attack_become_user() == 0 ? try_now(context) : NOT_SET_UP;
}

static int with_landlock(void *context)
{
	const struct attempt *a = context;
	uint32_t layers = 0;

	if (attack_become_user() != 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
	    harden_landlock(true, &layers) != 0)
		return NOT_SET_UP;
	return a->landlock == 0 || (layers & a->landlock) != 0 ? try_now(a) : LACKING;
}

static int with_jail(void *context)
{
	const struct harden_user user = {.user = ATTACK_NOBODY, .group = ATTACK_NOBODY};
	const char *step = "";
	uint32_t layers = 0;

	if (harden_become(&user, &layers, &step) != 0 || (layers & HARDEN_CHROOT) == 0)
		return NOT_SET_UP;
	return try_now(context);
}

/* Somebody to connect to, and a folder that the attacker owns: permission alone must not be what stops it. */
static void prepare(void)
{
	struct sockaddr_in any = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(any);
	int tcp = socket(AF_INET, SOCK_STREAM, 0), name = socket(AF_UNIX, SOCK_STREAM, 0),
	    path = socket(AF_UNIX, SOCK_STREAM, 0);

	starter = getpid();
	if (mkdtemp(folder) == NULL)
		exit(1);
	snprintf(key, sizeof(key), "%s/keypair", folder);
	close(open(key, O_WRONLY | O_CREAT, 0600));
	snprintf(path_name.sun_path, sizeof(path_name.sun_path), "%s/listen", folder);
	if (bind(tcp, (struct sockaddr *)&any, sizeof(any)) != 0 || listen(tcp, 100) != 0 ||
	    getsockname(tcp, (struct sockaddr *)&any, &len) != 0 ||
	    bind(name, (struct sockaddr *)&abstract_name, sizeof(sa_family_t) + 12) != 0 ||
	    listen(name, 100) != 0 || bind(path, (struct sockaddr *)&path_name, sizeof(path_name)) != 0 ||
	    listen(path, 100) != 0)
		exit(1);
	port = ntohs(any.sin_port);
	if (geteuid() == 0 && (chown(folder, ATTACK_NOBODY, ATTACK_NOBODY) != 0 ||
			       chown(key, ATTACK_NOBODY, ATTACK_NOBODY) != 0 ||
			       chown(path_name.sun_path, ATTACK_NOBODY, ATTACK_NOBODY) != 0))
		exit(1);
}

static void clean_up(void)
{
	char path[80];

	snprintf(path, sizeof(path), "%s/new", folder);
	unlink(path);
	unlink(key);
	unlink(path_name.sun_path);
	rmdir(folder);
}

static void try_landlock(const struct attempt *a)
{
	struct attack_end end = attack_in_child(with_landlock, (void *)(uintptr_t)a);

	if (end.status == NOT_SET_UP || end.status == LACKING)
		attack_skip("Landlock alone: %s: this kernel's Landlock does not know it", a->name);
	else if (a->landlock != 0)
		attack_check(end.status == REFUSED && end.signal == 0, "Landlock alone: %s: %s", a->name,
			     attack_end_text(end));
	else
		printf("  Landlock alone lets through: %s (%s)\n", a->name,
		       end.status == WORKED ? "worked" : "not here");
}

static void try_jail(const struct attempt *a)
{
	if (!a->jail)
		return;
	struct attack_end end = attack_in_child(with_jail, (void *)(uintptr_t)a);

	if (end.status == NOT_SET_UP)
		attack_skip("jail alone: %s: no chroot here", a->name);
	else
		attack_check(end.status == REFUSED && end.signal == 0, "jail alone: %s: %s", a->name,
			     attack_end_text(end));
}

int main(void)
{
	signal(SIGPIPE, SIG_IGN);
	prepare();
	for (size_t i = 0; i < sizeof(attempts) / sizeof(attempts[0]); i++) {
		const struct attempt *a = &attempts[i];
		struct attack_end end;

		/* Signals as the parent would get them: from a process of another user even the control is
		 * refused. */
		if (!(a->attack == signal_parent && geteuid() == 0)) {
			end = attack_in_child(with_nothing, (void *)(uintptr_t)a);
			if (end.status != WORKED)
				attack_skip("control of %s: does not work here without any layer", a->name);
		}
		try_landlock(a);
		if (geteuid() == 0)
			try_jail(a);
	}
	if (geteuid() != 0)
		attack_skip("jail alone: needs root");
	clean_up();
	return attack_end("fs_net");
}
