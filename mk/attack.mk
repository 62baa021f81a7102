# What the fuzzers of imsg and keyproc link besides proto (mk/fuzz.mk).
FUZZ_imsg         := $(BUILD)/lib/libimsg.a
FUZZ_imsg_keyproc := $(filter-out %/main.o,$(OBJ_keyproc)) $(BUILD)/lib/libimsg.a
FUZZ_keyfile      := $(filter-out %/main.o,$(OBJ_keyproc)) $(BUILD)/lib/libimsg.a
