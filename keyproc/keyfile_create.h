/* SPDX-License-Identifier: MIT
 *
 * Making a key file that is either whole under its name or not there. Called by keyfile.c, before the lock.
 * Trusts the folder's descriptor; never touches a file of the final name.
 */
#ifndef KEYPROC_KEYFILE_CREATE_H
#define KEYPROC_KEYFILE_CREATE_H

/* Writes a new identity into the folder. 0; -1 with errno, EEXIST when a file of that name has come up
 * meanwhile. */
int key_file_create(int folder, const char *name);
/* Removes what a crash during an earlier key_file_create left behind. Best effort: a leftover harms nobody.
 */
void key_file_remove_stale(int folder, const char *name);

#endif
