/* SPDX-License-Identifier: MIT
 *
 * Doubly linked circular lists with links inside the entries: every step is O(1), also removal from the
 * middle.
 */
#ifndef NETPROC_LIST_H
#define NETPROC_LIST_H

#include <stdbool.h>
#include <stddef.h>

/* The struct that holds a link, a timer or a watch. */
#define container_of(pointer, type, member) ((type *)((char *)(pointer)-offsetof(type, member)))

struct list {
	struct list *next; /* of an entry: NULL when in no list; of a head: itself when empty */
	struct list *prev;
};

static inline void list_init(struct list *head)
{
	head->next = head;
	head->prev = head;
}

static inline bool list_empty(const struct list *head)
{
	return head->next == head;
}

static inline bool list_in(const struct list *entry)
{
	return entry->next != NULL;
}

static inline void list_append(struct list *head, struct list *entry)
{
	entry->prev = head->prev;
	entry->next = head;
	head->prev->next = entry;
	head->prev = entry;
}

static inline void list_remove(struct list *entry)
{
	if (entry->next == NULL)
		return;
	entry->prev->next = entry->next;
	entry->next->prev = entry->prev;
	entry->next = NULL;
	entry->prev = NULL;
}

/* The first entry, taken out; NULL when empty. */
static inline struct list *list_shift(struct list *head)
{
	struct list *entry = head->next;

	if (entry == head)
		return NULL;
	list_remove(entry);
	return entry;
}

#endif
