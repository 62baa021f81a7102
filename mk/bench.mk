# Benchmarks (docs/BENCHMARKS.md). They print and never fail because of a number.
#   make bench                      this relay alone, about two minutes
#   make bench BENCH_ONLY=bulk      one group: bulk, rates, arrive, growth, latency, path
#   make bench-limit                the same of the bare forwarder

BENCH_OUT   := $(BUILD)/tests/bench
BENCH_PROBE := $(filter-out %/main.o,$(OBJ_probe))
BENCH_LOAD  := $(filter-out tests/bench/load.c,$(sort $(wildcard tests/bench/load*.c)))
BENCH_LIMIT := $(sort $(wildcard tests/bench/limit*.c)) tests/bench/load_seal.c
BENCH_LIBS  := -lsodium -lcrypto -lprotobuf-c
BENCH_ONLY  ?=
BENCH_FLAGS := $(foreach o,$(BENCH_ONLY),--only $(o))

$(BENCH_OUT)/bench: $(BUILD)/obj/tests/bench/load.o $(BENCH_LOAD:%.c=$(BUILD)/obj/%.o)
$(BENCH_OUT)/limit: $(BENCH_LIMIT:%.c=$(BUILD)/obj/%.o)
$(BENCH_OUT)/bench $(BENCH_OUT)/limit: $(BENCH_PROBE) $(BUILD)/lib/libproto.a
	@mkdir -p $(@D)
	@echo LINK $@
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(BENCH_LIBS)

bench-build: $(BENCH_OUT)/bench $(BENCH_OUT)/limit

bench: bench-build programs
	@$(BENCH_OUT)/bench --relay $(BUILD)/bin/dusk-relay $(BENCH_FLAGS)

bench-limit: bench-build
	@$(BENCH_OUT)/bench --relay $(BENCH_OUT)/limit --plain $(BENCH_FLAGS)

.PHONY: bench bench-build bench-limit
