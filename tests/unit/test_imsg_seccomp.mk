# Every policy table of the daemon, checked for order and names.
UNIT_test_imsg_seccomp := $(patsubst %.c,$(BUILD)/obj/%.o,$(wildcard keyproc/sandbox.c parent/sandbox.c netproc/sandbox.c))
