# Unit tests: every tests/unit/test_*.c is one cmocka program, linked with the objects its line names.
# UNIT_<name> lists the folders' objects (besides proto and imsg libraries) that the test needs.

UNIT_SRC  := $(sort $(wildcard tests/unit/test_*.c))
UNIT_BIN  := $(UNIT_SRC:tests/unit/%.c=$(BUILD)/tests/unit/%)
UNIT_LIBS := -lcmocka -lsodium -lcrypto -lprotobuf-c -lcap-ng -lseccomp

# All objects of a program but its main: what a unit test may link.
UNIT_ALL = $(foreach p,netproc keyproc parent metrics probe,$(filter-out %/main.o,$(OBJ_$(p))))

-include $(wildcard tests/unit/*.mk)

.SECONDEXPANSION:
$(BUILD)/tests/unit/%: $(BUILD)/obj/tests/unit/%.o $$(UNIT_$$*) $(BUILD)/lib/libimsg.a $(BUILD)/lib/libproto.a
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(UNIT_LIBS)

unit: $(UNIT_BIN)
	@sh tests/unit/run.sh $(UNIT_BIN)

.PHONY: unit
