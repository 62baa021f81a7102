# End-to-end tests: every tests/e2e/test_*.c is one cmocka program that starts the built daemon of E2E_BUILD and is a peer of it.
#   make e2e                        builds all and runs all
#   make e2e E2E_BUILD=build-asan   the same tests against another build of the daemon
#   make e2e E2E_ONLY=test_yamux    one program, or several in quotes
#   make e2e E2E_SLOW=1             with the tests that wait for minutes
#   make e2e E2E_MODE=root          the daemon in root mode; others: tests/README.md
#   make e2e E2E_JOBS=1             one program after the other, not four at a time

E2E_BUILD  ?= $(BUILD)
export E2E_MODE E2E_JOBS E2E_USER
E2E_ONLY   ?= test_*
E2E_SRC    := $(sort $(wildcard tests/e2e/test_*.c))
E2E_BIN    := $(E2E_SRC:tests/e2e/%.c=$(BUILD)/tests/e2e/%)
E2E_SHARED := $(sort $(filter-out $(E2E_SRC),$(wildcard tests/e2e/*.c)))
PEER_SRC   := $(sort $(wildcard tests/peer/*.c))
PEER_OBJ   := $(PEER_SRC:%.c=$(BUILD)/obj/%.o) $(filter-out %/main.o,$(OBJ_probe))
E2E_OBJ    := $(E2E_SHARED:%.c=$(BUILD)/obj/%.o) $(PEER_OBJ)
E2E_DAEMON := $(if $(filter $(BUILD),$(E2E_BUILD)),$(PROGRAM_OUTS))

$(BUILD)/tests/e2e/%: $(BUILD)/obj/tests/e2e/%.o $(E2E_OBJ) $(BUILD)/lib/libproto.a
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ -lcmocka -lsodium -lprotobuf-c

e2e: $(E2E_BIN) $(E2E_DAEMON)
	@E2E_BUILD=$(E2E_BUILD) E2E_SLOW=$(E2E_SLOW) sh tests/e2e/run.sh $(filter $(addprefix $(BUILD)/tests/e2e/,$(subst *,%,$(E2E_ONLY))),$(E2E_BIN))

.PHONY: e2e
