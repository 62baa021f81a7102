# Benchmarks (docs/BENCHMARKS.md). They print and never fail because of a number.
#   make bench                      this relay alone, about two minutes, and rendezvous (mk/bench-rendezvous.mk)
#   make bench BENCH_ONLY=bulk      one group: bulk, rates, arrive, growth, latency, rendezvous, path
#   make bench-limit                the same of the bare forwarder
#   make bench-peers BENCH_RUNS=5   beside the relays of rust-libp2p and go-libp2p and the bare forwarder
#   make bench-table                the table of all rows kept (BENCH_KEPT)
#   make bench-curves               docs/bench-*.svg
#   make soak SECS=3600             everything at once for a long time; fails when memory or descriptors grow

BENCH_OUT   := $(BUILD)/tests/bench
BENCH_PROBE := $(filter-out %/main.o,$(OBJ_probe))
BENCH_LOAD  := $(filter-out tests/bench/load.c,$(sort $(wildcard tests/bench/load*.c)))
BENCH_LIMIT := $(sort $(wildcard tests/bench/limit*.c)) tests/bench/load_seal.c
BENCH_SOAK  := $(sort $(wildcard tests/bench/soak*.c))
BENCH_LIBS  := -lsodium -lcrypto -lprotobuf-c
BENCH_ONLY  ?=
BENCH_RUNS  ?= 5
BENCH_SECS  ?= 1
BENCH_KEPT  ?= $(BENCH_OUT)/kept.jsonl
SECS        ?= 3600
BENCH_FLAGS := $(foreach o,$(BENCH_ONLY),--only $(o))

$(BENCH_OUT)/bench: $(BUILD)/obj/tests/bench/load.o $(BENCH_LOAD:%.c=$(BUILD)/obj/%.o)
$(BENCH_OUT)/limit: $(BENCH_LIMIT:%.c=$(BUILD)/obj/%.o)
$(BENCH_OUT)/soak: $(BENCH_SOAK:%.c=$(BUILD)/obj/%.o) $(BENCH_LOAD:%.c=$(BUILD)/obj/%.o)
$(BENCH_OUT)/bench $(BENCH_OUT)/limit $(BENCH_OUT)/soak: $(BENCH_PROBE) $(BUILD)/lib/libproto.a
	@mkdir -p $(@D)
	@echo LINK $@
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(BENCH_LIBS)

bench-build: $(BENCH_OUT)/bench $(BENCH_OUT)/limit $(BENCH_OUT)/soak

# The daemon does not start programs that others may write.
bench-programs: programs
	@chmod go-w $(PROGRAM_OUTS)

bench: bench-build bench-programs
	@$(BENCH_OUT)/bench --relay $(BUILD)/bin/dusk-relay $(BENCH_FLAGS)
	@$(if $(BENCH_ONLY),true,$(MAKE) --no-print-directory bench-rendezvous)

bench-limit: bench-build
	@$(BENCH_OUT)/bench --relay $(BENCH_OUT)/limit --plain $(BENCH_FLAGS)

bench-peers: bench-build bench-programs
	@python3 tests/bench/compare.py $(BUILD) --kept $(BENCH_KEPT) --runs $(BENCH_RUNS) --seconds $(BENCH_SECS) $(BENCH_FLAGS)

bench-table:
	@python3 tests/bench/test_kept.py --quiet
	@python3 tests/bench/compare.py $(BUILD) --kept $(BENCH_KEPT) --table

$(BENCH_OUT)/venv/made:
	@python3 -m venv $(@D) && $(@D)/bin/pip --quiet install matplotlib
	@touch $@

# From the rows that are kept; measures those of the curves first unless BENCH_DRAW=1.
bench-curves: bench-build bench-programs $(BENCH_OUT)/venv/made
	@$(if $(BENCH_DRAW),true,python3 tests/bench/compare.py $(BUILD) --kept $(BENCH_KEPT) --runs 1 --seconds $(BENCH_SECS) --only curves)
	@$(BENCH_OUT)/venv/bin/python tests/bench/plot.py $(BENCH_KEPT) docs

soak: bench-build bench-programs
	@$(BENCH_OUT)/soak $(BUILD)/bin/dusk-relay $(SECS)

.PHONY: bench bench-build bench-programs bench-limit bench-peers bench-table bench-curves soak
