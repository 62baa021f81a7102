/* SPDX-License-Identifier: MIT
 *
 * Writes the seed corpus: seeds FILE FOLDER. Each line of FILE is a fuzzer's name, a name for the seed, and
 * bytes in hex or, in quotes, as text; it becomes FOLDER/<fuzzer>/<name>. Lines that start with # and empty
 * ones are skipped.
 */
#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define LINE_BYTES 32768

/* Hex digits with spaces anywhere, in place. Returns the bytes, -1 for anything else. */
static long hex_decode(char *text)
{
	long len = 0;

	for (const char *at = text; *at != '\0';) {
		unsigned value;

		if (isspace((unsigned char)*at)) {
			at++;
			continue;
		}
		if (!isxdigit((unsigned char)at[0]) || !isxdigit((unsigned char)at[1]) ||
		    sscanf(at, "%2x", &value) != 1)
			return -1;
		text[len++] = (char)value;
		at += 2;
	}
	return len;
}

/* "text", in place, without the quotes. */
static long quoted_decode(char *text)
{
	size_t len = strcspn(text, "\n");

	if (len < 2 || text[len - 1] != '"')
		return -1;
	memmove(text, text + 1, len - 2);
	return (long)len - 2;
}

static bool seed_write(const char *folder, const char *fuzzer, const char *name, const char *bytes,
		       size_t len)
{
	char path[512];
	FILE *file;
	bool done;

	mkdir(folder, 0755);
	snprintf(path, sizeof(path), "%s/%s", folder, fuzzer);
	mkdir(path, 0755);
	snprintf(path, sizeof(path), "%s/%s/%s", folder, fuzzer, name);
	file = fopen(path, "wb");
	if (file == NULL)
		return false;
	done = fwrite(bytes, 1, len, file) == len;
	return fclose(file) == 0 && done;
}

static bool seed_line(const char *folder, char *line)
{
	char fuzzer[64], name[64];
	int head = 0;
	long len;

	if (line[0] == '#' || line[strspn(line, " \t\n")] == '\0')
		return true;
	if (sscanf(line, "%63s %63s %n", fuzzer, name, &head) != 2)
		return false;
	len = line[head] == '"' ? quoted_decode(line + head) : hex_decode(line + head);
	return len >= 0 && seed_write(folder, fuzzer, name, line + head, (size_t)len);
}

int main(int argc, char **argv)
{
	static char line[LINE_BYTES];
	unsigned number = 0;
	FILE *file = argc == 3 ? fopen(argv[1], "r") : NULL;

	if (file == NULL) {
		fprintf(stderr, "usage: seeds FILE FOLDER\n");
		return 1;
	}
	while (fgets(line, sizeof(line), file) != NULL) {
		number++;
		if (!seed_line(argv[2], line)) {
			fprintf(stderr, "%s:%u: not a seed\n", argv[1], number);
			return 1;
		}
	}
	fclose(file);
	return 0;
}
