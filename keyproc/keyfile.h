/* SPDX-License-Identifier: MIT
 *
 * The key file: opened, checked, created. Called by main.c once, before the lock.
 * Trusts the folder's descriptor, which the parent chose; nothing inside the folder. A file that is there is
 * never written to and never replaced, whatever is wrong with it.
 */
#ifndef KEYPROC_KEYFILE_H
#define KEYPROC_KEYFILE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "imsg/catalogue.h"

struct key_file_wish {
	int folder;		   /* descriptor, O_RDONLY|O_DIRECTORY */
	enum imsg_key_place place; /* which of the two names */
	bool create;		   /* make a new identity when there is no file */
	bool touch;		   /* tighten modes, remove stale temporaries */
	uid_t user;		   /* who the process will be; may own the file too */
};

struct key_file_result {
	enum start_failure reason; /* when it failed */
	uint32_t system;	   /* errno or 0 */
	uint32_t detail;	   /* an owner, a mode, a size, a number of links: by reason */
	bool created;
	bool tightened; /* a mode was open to others and is no longer */
	bool open;	/* a mode is open to others and cannot be changed */
};

/* Brings the identity into the secret memory. 0, or -1 with the reason in `result`. */
int key_file_load(const struct key_file_wish *wish, struct key_file_result *result);
/* The name inside the folder. */
const char *key_file_name(enum imsg_key_place place);

#endif
