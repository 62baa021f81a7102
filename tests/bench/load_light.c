/* SPDX-License-Identifier: MIT
 *
 * Light circuits: the source sends 64 bytes, the destination sends them back, the source times it. The source
 * is alone in its process, so that what it measures is the relay and not the load.
 */
#include "tests/bench/load_meter.h"
#include "tests/bench/load_worker.h"

static void light_echo(struct exchange *x, const uint8_t *bytes, size_t len)
{
	exchange_write(x, bytes, len);
}

static void light_sample(struct load_worker *w, uint64_t took)
{
	uint32_t at = atomic_load(&w->shared->samples);

	atomic_fetch_add(&w->shared->done, 1);
	if (at >= LOAD_SAMPLES_MAX)
		return;
	w->shared->sample[at] = took > UINT32_MAX ? UINT32_MAX : (uint32_t)took;
	atomic_store(&w->shared->samples, at + 1);
}

static void light_answer(struct exchange *x, const uint8_t *bytes, size_t len)
{
	struct load_peer *p = x->user;
	struct load_worker *w = p->worker;
	uint64_t now = load_now();

	(void)bytes;
	p->answered += (uint32_t)len;
	if (p->answered < LOAD_LIGHT)
		return;
	light_sample(w, now - p->asked_at);
	if (w->plan.pause_us == 0)
		load_light_ask(p);
	else
		w->ask_at = now + w->plan.pause_us * 1000ull;
}

void load_light_begin(struct load_peer *p)
{
	if (p->worker->plan.role == LOAD_DESTINATION) {
		p->stop->data = light_echo;
		return;
	}
	p->x.user = p;
	p->x.data = light_answer;
}

void load_light_ask(struct load_peer *p)
{
	static const uint8_t message[LOAD_LIGHT];

	p->answered = 0;
	p->asked_at = load_now();
	exchange_write(&p->x, message, sizeof(message));
	load_peer_flush(p);
}
