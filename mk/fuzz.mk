# Fuzzers: every tests/fuzz/fuzz_<name>.c is one libFuzzer program (clang, AddressSanitizer, UBSan).
#   make fuzz-build                  builds them, in $(BUILD)-fuzz
#   make fuzz SECS=60                runs each for 60 seconds; what it finds is left in $(BUILD)-fuzz/found
#   make fuzz FUZZ_ONLY=envelope     one of them
#   make fuzz-replay                 runs each over its seeds and regressions only: seconds, part of the tests
# Seeds are lines of tests/fuzz/seeds.txt. What was found once is kept as a file in tests/fuzz/regressions/<name>/.
# A new fuzzer is a new file; what it links besides proto is one line here: FUZZ_<name> = $(BUILD)/lib/libimsg.a


# The whole of netproc but its main and its process.
FUZZ_NET = $(filter-out %/main.o %/loop.o %/accept.o %/messages.o %/sandbox.o,$(OBJ_netproc)) $(BUILD)/obj/tests/fuzz/net_world.o \
           $(BUILD)/obj/tests/fuzz/net_world_script.o $(BUILD)/lib/libimsg.a

FUZZ_connection = $(FUZZ_NET)
FUZZ_handshake = $(FUZZ_NET)
FUZZ_rendezvous = $(UNIT_RENDEZVOUS) $(BUILD)/lib/libimsg.a

SECS      ?= 30
FUZZ_ONLY ?= *
FUZZ_MAX  := 9000
FUZZ_CC   ?= clang
FUZZ_SRC  := $(sort $(wildcard tests/fuzz/fuzz_*.c))
FUZZ_BIN  := $(FUZZ_SRC:tests/fuzz/%.c=$(BUILD)/tests/fuzz/%)
FUZZ_LIBS := -lsodium -lcrypto -lprotobuf-c -lcap-ng -lseccomp

# The same makefile again with other flags and another folder. (clang warns about seccomp.h's own macros.)
FUZZ_MAKE = +$(MAKE) BUILD=$(BUILD)-fuzz CC=$(FUZZ_CC) OPT=-O1 \
            SANITIZE="-fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all -Wno-missing-field-initializers"

fuzz-build:
	$(FUZZ_MAKE) fuzz-programs

fuzz: fuzz-build
	@sh tests/fuzz/run.sh $(BUILD)-fuzz $(SECS) $(FUZZ_MAX) '$(FUZZ_ONLY)'

fuzz-replay: fuzz-build
	@sh tests/fuzz/run.sh $(BUILD)-fuzz 0 $(FUZZ_MAX) '$(FUZZ_ONLY)'

fuzz-programs: $(FUZZ_BIN) $(BUILD)/tests/fuzz/seeds

.SECONDEXPANSION:
$(BUILD)/tests/fuzz/fuzz_%: $(BUILD)/obj/tests/fuzz/fuzz_%.o $$(FUZZ_$$*) $(BUILD)/lib/libproto.a
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -fsanitize=fuzzer -o $@ $^ $(FUZZ_LIBS)

$(BUILD)/tests/fuzz/seeds: $(BUILD)/obj/tests/fuzz/seeds.o
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -fsanitize=address,undefined -o $@ $^

.PHONY: fuzz fuzz-build fuzz-replay fuzz-programs
