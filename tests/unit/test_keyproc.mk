# keyproc's own objects for its tests; crash and full-disk tests put themselves between it and the kernel.
UNIT_KEYPROC := $(filter-out %/main.o,$(OBJ_keyproc))

UNIT_test_keyproc_keyfile  := $(UNIT_KEYPROC)
UNIT_test_keyproc_owner    := $(UNIT_KEYPROC)
UNIT_test_keyproc_crash    := $(UNIT_KEYPROC)
UNIT_test_keyproc_sign     := $(UNIT_KEYPROC)
UNIT_test_keyproc_messages := $(UNIT_KEYPROC)

$(BUILD)/tests/unit/test_keyproc_crash: LDFLAGS += \
	-Wl,--wrap=openat,--wrap=write,--wrap=fsync,--wrap=close,--wrap=linkat,--wrap=unlinkat,--wrap=renameat2,--wrap=read,--wrap=fchmod
