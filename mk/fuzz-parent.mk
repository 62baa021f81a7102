# What the fuzzers of parent/ link besides proto (mk/fuzz.mk).
FUZZ_parent_settings := $(filter-out %/main.o,$(OBJ_parent)) $(BUILD)/lib/libimsg.a
FUZZ_parent_children := $(filter-out %/main.o,$(OBJ_parent)) $(BUILD)/lib/libimsg.a
