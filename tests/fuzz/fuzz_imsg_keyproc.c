/* SPDX-License-Identifier: MIT
 *
 * A whole conversation with keyproc's handlers, by a parent and a netproc that send anything of the right
 * size. Each message is: a byte that chooses the type, a length byte, that many bytes of payload; the rest is
 * zero. After a breach nothing more is answered; what is answered is what a client would accept.
 */
#include "fuzz.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "keyproc/keyproc.h"
#include "keyproc/secret.h"
#include "proto/envelope.h"

static struct imsg_channel parent, net;
static struct keyproc k;

static void open_once(void)
{
	int a[2], b[2];

	if (parent.fd > 0)
		return;
	FUZZ_ASSERT(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, a) == 0 &&
		    socketpair(AF_UNIX, SOCK_SEQPACKET, 0, b) == 0);
	imsg_channel_open(&k.parent, a[0], IMSG_PROCESS_PARENT);
	imsg_channel_open(&parent, a[1], IMSG_PROCESS_KEYPROC);
	imsg_channel_open(&k.net, b[0], IMSG_PROCESS_NETPROC);
	imsg_channel_open(&net, b[1], IMSG_PROCESS_KEYPROC);
	FUZZ_ASSERT(key_secret_reserve() == 0);
	key_secret_generate();
	FUZZ_ASSERT(key_secret_accept() == KEY_FORM_OK && key_secret_seal() == 0);
}

static void check_voucher(const struct imsg_voucher_answer *answer)
{
	struct envelope e;
	struct voucher v;

	if (answer->status != IMSG_VOUCHER_OK)
		return;
	FUZZ_ASSERT(answer->len <= IMSG_VOUCHER_MAX);
	FUZZ_ASSERT(envelope_parse(answer->envelope, answer->len, &e) == ENVELOPE_OK);
	FUZZ_ASSERT(envelope_verify(&e, ENVELOPE_VOUCHER) == ENVELOPE_OK);
	FUZZ_ASSERT(voucher_parse(e.payload.bytes, e.payload.len, &v) == 0 && v.expiration == answer->expire);
}

/* Empties an end; counts what came. */
static int drain(int fd)
{
	_Alignas(8) uint8_t in[IMSG_MAX];
	int count = 0;
	ssize_t n;

	while ((n = read(fd, in, sizeof(in))) > 0) {
		const struct imsg_row *row = imsg_row_of((uint16_t)(in[2] | in[3] << 8));

		FUZZ_ASSERT(row != NULL && n == 16 + row->size && row->sender == IMSG_PROCESS_KEYPROC);
		if (row->type == IMSG_NET_VOUCHER)
			check_voucher((const struct imsg_voucher_answer *)(const void *)(in + 16));
		count++;
	}
	return count;
}

static enum imsg_result give(const struct imsg_row *row, const uint8_t *bytes, size_t len)
{
	_Alignas(8) uint8_t datagram[IMSG_MAX], payload[IMSG_PAYLOAD_MAX] = {0};
	struct imsg_channel *from = row->sender == IMSG_PROCESS_PARENT ? &k.parent : &k.net;

	memcpy(payload, bytes, len < row->size ? len : row->size);
	size_t whole = imsg_compose(datagram, (enum imsg_type)row->type, 1, payload, row->size);

	return imsg_dispatch(from, &k.table, datagram, whole);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	open_once();
	k.table = (struct imsg_table){
	    .rows = key_rows, .count = key_row_count, .context = &k, .phase = IMSG_PHASE_START};
	k.configured = k.started = false;
	k.addr_count = 0;
	log_init(&k.log, &k.parent, IMSG_KEY_LOG, LOG_LEVEL_INFO);
	while (size >= 2) {
		const struct imsg_row *row = &key_rows[data[0] % key_row_count];
		size_t len = data[1] < size - 2 ? data[1] : size - 2;

		enum imsg_result result = give(row, data + 2, len);
		int answers = drain(net.fd);

		drain(parent.fd);
		FUZZ_ASSERT(result == IMSG_OK || (result == IMSG_BREACH && answers == 0));
		if (result != IMSG_OK)
			return 0;
		if (k.started)
			k.table.phase = IMSG_PHASE_RUN;
		data += 2 + len;
		size -= 2 + len;
	}
	return 0;
}
