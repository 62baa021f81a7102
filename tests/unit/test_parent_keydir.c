/* SPDX-License-Identifier: MIT
 *
 * Where the key's folder is, and what the operator is told to do when it cannot be had: never to give away or
 * close a home or a folder of the system's, however its name is written.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "parent/exit.h"
#include "parent/parent.h"

static char top[] = "/tmp/test-keydir-XXXXXX";
static char said[1024];

static struct keydir resolved(const char *state_directory, const char *data_home, const char *home)
{
	static struct settings settings;
	struct keydir keydir;

	settings.state_directory = state_directory;
	settings.data_home = data_home;
	settings.home = home;
	assert_int_equal(keydir_resolve(&keydir, &settings), 0);
	return keydir;
}

/* Below `top`. */
static const char *path(const char *name)
{
	static char text[4][128];
	static unsigned next;
	char *at = text[next++ % 4];

	snprintf(at, sizeof(text[0]), "%s/%s", top, name);
	return at;
}

static int set_up(void **state)
{
	(void)state;
	if (mkdtemp(top) == NULL || mkdir(path("data"), 0755) != 0 || mkdir(path("home"), 0755) != 0 ||
	    mkdir(path("home/.local"), 0755) != 0)
		return -1;
	return symlink("/etc", path("etc")) != 0 || symlink("private/dusk-relay", path("dusk-relay")) != 0;
}

static int tear_down(void **state)
{
	static const char *const folders[] = {"home/.local", "home", "data"};

	(void)state;
	unlink(path("etc"));
	unlink(path("dusk-relay"));
	for (size_t i = 0; i < 3; i++)
		rmdir(path(folders[i]));
	return rmdir(top);
}

static void denied(const struct keydir *keydir)
{
	keydir_advice(keydir, false, EACCES, said, sizeof(said));
}

static void owned_by_another(const struct keydir *keydir)
{
	keydir_owner_advice(keydir, false, 1234, keydir->folder, said, sizeof(said));
}

/* What the daemon's last line says when keyproc finds the folder open to others. */
static void open_to_others(const struct keydir *keydir)
{
	static struct parent parent;
	const struct imsg_failed failed = {
	    .status = EXIT_SETTINGS, .reason = START_FAILURE_KEY_DIRECTORY_MODE, .detail = 01777};

	memset(&parent, 0, sizeof(parent));
	logger_init(&parent.log, -1, LOG_LEVEL_ERROR);
	parent.keydir = *keydir;
	parent.child[PARENT_KEYPROC].name = "keyproc";
	failure_told(&parent, &parent.child[PARENT_KEYPROC], &failed);
	snprintf(said, sizeof(said), "%s", parent.last_words);
}

static void (*const advices[])(const struct keydir *) = {denied, owned_by_another, open_to_others};

static void assert_says(const char *words)
{
	if (strstr(said, words) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", said, words);
}

static void assert_elsewhere(const struct keydir *keydir, const char *setting)
{
	char words[64];

	snprintf(words, sizeof(words), "set %s to a folder of ours (user %u)", setting, geteuid());
	for (size_t i = 0; i < 3; i++) {
		advices[i](keydir);
		assert_says(words);
		assert_null(strstr(said, "chown"));
		assert_null(strstr(said, "chmod"));
	}
}

static void test_places(void **state)
{
	static const struct {
		const char *state_directory, *data_home, *home, *folder;
	} rows[] = {
	    {"/a:/b", "/c", "/d", "/a"},
	    {"/a//:/b/", "", "", "/a"},
	    {"/", "", "", "/"},
	    {"///", "", "", "/"},
	    {"", "/c:c/", "/d", "/c:c/dusk-relay"},
	    {"", "/", "/d", "/dusk-relay"},
	    {"", "", "/d//", "/d/.local/share/dusk-relay"},
	    {"", "", "/", "/.local/share/dusk-relay"},
	    {"", "", "", "."},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct keydir keydir = resolved(rows[i].state_directory, rows[i].data_home, rows[i].home);
		assert_string_equal(keydir.folder, rows[i].folder);
	}
}

static void test_folders_of_the_system(void **state)
{
	static const char *const folders[] = {
	    "/",     "//",	   "/root",	"/root/", "/root/.",  "//root//",	  "/home/../root/",
	    "/home", "/home/test", "/home/u1/", "/etc",	  "/etc/",    "/etc/ssl/private", "/usr/local/share",
	    "/tmp",  "/tmp/",	   "/var",	"/var/",  "/var/lib", "/var/lib/",	  "/run/user/1000",
	    "/opt",  "/srv/",	   "/mnt"};

	(void)state;
	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
		struct keydir keydir = resolved(folders[i], "", "");
		assert_elsewhere(&keydir, "STATE_DIRECTORY");
	}
	struct keydir link = resolved(path("etc"), "", "");
	assert_elsewhere(&link, "STATE_DIRECTORY");
	link = resolved(path("etc/"), "", "");
	assert_elsewhere(&link, "STATE_DIRECTORY");
}

/* What is there on the way to the key's folder is a home, or lies in one. */
static void test_homes(void **state)
{
	static const char *const homes[] = {"/root", "/root/", "/home/nobody", "/"};
	struct keydir keydir;

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		keydir = resolved("", homes[i], "");
		denied(&keydir);
		assert_says("set XDG_DATA_HOME to");
	}
	assert_int_equal(chmod(path("home"), 0700), 0);
	for (size_t i = 0; i < 2; i++) {
		keydir = resolved("", "", path(i == 0 ? "home" : "home/"));
		denied(&keydir);
		assert_says("/home/.local belongs to user");
		assert_says("set XDG_DATA_HOME to");
		assert_null(strstr(said, "chown"));
	}
}

/* A folder that is the relay's alone may change hands, and its key anywhere. */
static void test_own_folders(void **state)
{
	char words[256];
	struct keydir keydir = resolved("", path("data/"), "");

	(void)state;
	snprintf(words, sizeof(words), ": chown -R %u:%u %s", geteuid(), getegid(), path("data"));
	denied(&keydir);
	assert_says(words);
	keydir = resolved(path("data"), "", "");
	denied(&keydir);
	assert_says(words);
	owned_by_another(&keydir);
	snprintf(words, sizeof(words), "chown %u %s", geteuid(), path("data"));
	assert_string_equal(said, words);
	open_to_others(&keydir);
	snprintf(words, sizeof(words), "(mode 1777): chmod go-w %s", path("data"));
	assert_says(words);
	keydir = resolved("/root", "", "");
	keydir_owner_advice(&keydir, false, 1234, keydir.file, said, sizeof(said));
	assert_says("chown");
	assert_says("/root/keypair");
}

/* systemd's link, with a slash behind it too. */
static void test_folder_of_the_service(void **state)
{
	(void)state;
	for (int i = 0; i < 4; i++) {
		struct keydir keydir = resolved(path(i & 1 ? "dusk-relay//" : "dusk-relay"), "", "");

		keydir_advice(&keydir, i & 2, EACCES, said, sizeof(said));
		assert_says(i & 2 ? "StateDirectory=dusk-relay " : "systemctl start");
		keydir_owner_advice(&keydir, i & 2, 62034, keydir.folder, said, sizeof(said));
		assert_says(i & 2 ? "StateDirectory=dusk-relay " : "systemctl start");
		assert_null(strstr(said, "chown"));
	}
}

static void test_who_only_asks(void **state)
{
	struct keydir keydir = resolved(path("data"), "", "");

	(void)state;
	keydir_advice(&keydir, true, EACCES, said, sizeof(said));
	assert_says("run this as the key's owner");
	assert_null(strstr(said, "chown"));
	keydir_advice(&keydir, false, EROFS, said, sizeof(said));
	assert_says("read-only");
	keydir_advice(&keydir, false, ENOTDIR, said, sizeof(said));
	assert_says("what is there is");
	keydir = resolved("/not-there", "", "");
	keydir_advice(&keydir, false, ENOENT, said, sizeof(said));
	assert_says("set STATE_DIRECTORY to");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_places),
	    cmocka_unit_test(test_folders_of_the_system),
	    cmocka_unit_test(test_homes),
	    cmocka_unit_test(test_own_folders),
	    cmocka_unit_test(test_folder_of_the_service),
	    cmocka_unit_test(test_who_only_asks),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
