# Benchmarks (docs/BENCHMARKS.md). They print and never fail because of a number.
#   make bench                      this relay alone, about two minutes
#   make bench BENCH_ONLY=bulk      one group: bulk, rates, arrive, growth, latency, path

BENCH_OUT   := $(BUILD)/tests/bench
BENCH_LOAD  := $(sort $(wildcard tests/bench/load*.c))
BENCH_OBJ   := $(BENCH_LOAD:%.c=$(BUILD)/obj/%.o) $(filter-out %/main.o,$(OBJ_probe))
BENCH_LIBS  := -lsodium -lcrypto -lprotobuf-c
BENCH_ONLY  ?=
BENCH_FLAGS := $(foreach o,$(BENCH_ONLY),--only $(o))

$(BENCH_OUT)/bench: $(BENCH_OBJ) $(BUILD)/lib/libproto.a
	@mkdir -p $(@D)
	@echo LINK $@
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(BENCH_LIBS)

bench-build: $(BENCH_OUT)/bench

bench: bench-build programs
	@$(BENCH_OUT)/bench --relay $(BUILD)/bin/dusk-relay $(BENCH_FLAGS)

.PHONY: bench bench-build
