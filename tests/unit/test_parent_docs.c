/* SPDX-License-Identifier: MIT
 *
 * README.md, the man page and the environment file hold the settings as the program prints them. `make docs`
 * writes them. Run from the top folder of the project. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "parent/settings_text.h"

#define PAGE 131072

/* A whole file as text; NULL when it is not there. */
static char *read_file(const char *path)
{
	static char pages[2][PAGE];
	static int next;
	char *page = pages[next++ % 2];
	FILE *file = fopen(path, "r");

	if (file == NULL)
		return NULL;
	size_t len = fread(page, 1, PAGE - 1, file);
	fclose(file);
	page[len] = '\0';
	return page;
}

static char *printed(const char *form)
{
	char path[] = "/tmp/test_parent_docs.XXXXXX";
	int fd = mkstemp(path);
	int saved = dup(STDOUT_FILENO);

	assert_true(fd >= 0 && saved >= 0);
	fflush(stdout);
	dup2(fd, STDOUT_FILENO);
	int result = settings_print(form);
	dup2(saved, STDOUT_FILENO);
	close(saved);
	close(fd);
	char *page = read_file(path);
	unlink(path);
	assert_int_equal(result, 0);
	return page;
}

/* What stands between the marks of a file is what the program prints. */
static void compare(const char *path, const char *form)
{
	char *list = printed(form);
	char *page = read_file(path);
	char *begin;
	char *end;

	assert_non_null(page);
	begin = strstr(page, "settings: begin");
	assert_non_null(begin);
	begin = strchr(begin, '\n') + 1;
	end = strstr(begin, "settings: end");
	assert_non_null(end);
	while (end > begin && end[-1] != '\n')
		end--;
	if ((size_t)(end - begin) != strlen(list) || memcmp(begin, list, strlen(list)) != 0)
		fail_msg("%s does not hold the settings as the program has them: make docs", path);
}

static void test_readme(void **state)
{
	(void)state;
	compare("README.md", "--markdown");
}

static void test_man_page(void **state)
{
	(void)state;
	compare("docs/dusk-relay.8", "--man");
}

static void test_environment_file(void **state)
{
	char *list = printed("--env");
	char *page = read_file("deploy/dusk-relay.env");

	(void)state;
	if (page == NULL)
		skip();
	if (strcmp(page, list) != 0)
		fail_msg("deploy/dusk-relay.env is not what dusk-relay settings --env prints: make docs");
}

static void test_forms(void **state)
{
	(void)state;
	assert_int_equal(settings_print("--nothing"), -1);
	assert_int_equal(settings_print(""), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_readme),
	    cmocka_unit_test(test_man_page),
	    cmocka_unit_test(test_environment_file),
	    cmocka_unit_test(test_forms),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
