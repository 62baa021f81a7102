/* SPDX-License-Identifier: MIT
 *
 * The list of protocols as a search. A handful: walked, not hashed.
 */
#include "netproc/protocols.h"

#include <string.h>

#include "netproc/identify.h"
#include "netproc/net.h"
#include "netproc/ping.h"
#include "netproc/protocol_list.h"
#include "netproc/relay.h"
#include "netproc/rendezvous.h"

static bool names(struct span proposal, const char *id)
{
	size_t len = strlen(id);
	return proposal.len == len && memcmp(proposal.bytes, id, len) == 0;
}

const struct stream_protocol *protocols_find(const struct net *net, struct span proposal)
{
	const struct net_settings *settings = &net->settings;
#define PROTOCOL_FIND(id, object, listed, wanted)                                                            \
	if (names(proposal, id))                                                                             \
		return (wanted) ? &object : NULL;
	PROTOCOLS(PROTOCOL_FIND)
#undef PROTOCOL_FIND
	(void)settings;
	return NULL;
}
