# What the fuzzers of imsg, keyproc and metrics link besides proto (mk/fuzz.mk).
FUZZ_imsg         := $(BUILD)/lib/libimsg.a
FUZZ_imsg_keyproc := $(filter-out %/main.o,$(OBJ_keyproc)) $(BUILD)/lib/libimsg.a
FUZZ_imsg_metrics := $(BUILD)/obj/metrics/messages.o $(BUILD)/lib/libimsg.a
FUZZ_keyfile      := $(filter-out %/main.o,$(OBJ_keyproc)) $(BUILD)/lib/libimsg.a

# Attacks: every tests/attack/attack_*.c is one program; what it needs besides the shared files is its line ATTACK_<name>.
#   make attack                      all; as root also those that need it; says what was skipped and why
#   make attack ATTACK_ONLY=calls    one
#   make policy                      writes the text of each program's filter, for each architecture, to docs/policy
ATTACK_ONLY   ?= *
ATTACK_SRC    := $(sort $(wildcard tests/attack/attack_*.c))
ATTACK_BIN    := $(ATTACK_SRC:tests/attack/%.c=$(BUILD)/tests/attack/%)
ATTACK_SHARED := $(patsubst %.c,$(BUILD)/obj/%.o,tests/attack/attack.c tests/attack/policies.c \
                   keyproc/sandbox.c metrics/sandbox.c netproc/sandbox.c parent/sandbox.c)

ATTACK_LIVE := $(BUILD)/obj/tests/attack/live_keyproc.o
ATTACK_attack_keyproc := $(ATTACK_LIVE)
ATTACK_attack_keyproc_life := $(ATTACK_LIVE)

ATTACK_DAEMON := $(patsubst %,$(BUILD)/obj/tests/attack/%.o,live_daemon daemon_state daemon_descriptors daemon_proc)
ATTACK_attack_cross := $(ATTACK_DAEMON)
ATTACK_attack_state := $(ATTACK_DAEMON)
ATTACK_attack_start := $(ATTACK_DAEMON)
ATTACK_attack_death := $(ATTACK_DAEMON)
ATTACK_attack_log   := $(ATTACK_DAEMON)
ATTACK_HOSTILE := $(patsubst %,$(BUILD)/obj/tests/attack/%.o,hostile_daemon live_daemon live_tree)
ATTACK_attack_secret := $(ATTACK_DAEMON) $(ATTACK_LIVE)
ATTACK_attack_parent := $(ATTACK_HOSTILE)
ATTACK_attack_parent_metrics := $(ATTACK_HOSTILE) $(BUILD)/obj/tests/attack/stall.o
ATTACK_attack_insitu := $(BUILD)/obj/tests/attack/live_daemon.o $(BUILD)/obj/tests/attack/live_tree.o
ATTACK_attack_minimum := $(BUILD)/obj/tests/attack/live_daemon.o

.SECONDEXPANSION:
$(BUILD)/tests/attack/%: $(BUILD)/obj/tests/attack/%.o $(ATTACK_SHARED) $$(ATTACK_$$*) $(BUILD)/lib/libimsg.a $(BUILD)/lib/libproto.a
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ -lsodium -lcap-ng -lseccomp

# netproc and metrics with a reader of orders in front of read(2): their own sources are those of the release.
$(BUILD)/tests/attack/insitu_netproc: $(OBJ_netproc) $(BUILD)/obj/tests/attack/insitu_read.o $(BUILD)/lib/libimsg.a $(BUILD)/lib/libproto.a
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -Wl,--wrap=read -o $@ $^ $(LIBS_netproc)

$(BUILD)/tests/attack/insitu_metrics: $(OBJ_metrics) $(BUILD)/obj/tests/attack/insitu_read.o $(BUILD)/lib/libimsg.a
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -Wl,--wrap=read -o $@ $^ $(LIBS_metrics)

ATTACK_TOOLS := $(patsubst %,$(BUILD)/tests/attack/%,hostile_child insitu_netproc insitu_metrics)

attack-programs: $(ATTACK_BIN) $(ATTACK_TOOLS)

attack: programs attack-programs
	@ATTACK_BUILD=$(BUILD) sh tests/attack/run.sh $(filter $(BUILD)/tests/attack/attack_$(subst *,%,$(ATTACK_ONLY)),$(ATTACK_BIN))

policy: $(BUILD)/tests/attack/attack_policy
	@mkdir -p docs/policy
	for p in keyproc metrics netproc parent keyproc-aarch64 metrics-aarch64 netproc-aarch64 parent-aarch64; do $< $$p > docs/policy/$$p.pfc || exit 1; done

.PHONY: attack attack-programs policy
