# The clock is set while the daemon runs. The machine's own is left alone: the programs are linked with a time of day that steps.
#   make e2e-clock   about a minute

CLOCK     := $(BUILD)/tests/clock
CLOCK_OUT := $(foreach p,parent keyproc netproc,$(CLOCK)/$(OUT_$(p)))

define clock_template
$(CLOCK)/$(OUT_$(1)): $(OBJ_$(1)) $(BUILD)/obj/tests/clock/clock_step.o $(foreach l,$(USES_$(1)),$(BUILD)/lib/lib$(l).a)
	@mkdir -p $$(@D)
	$(Q)$$(CC) $$(CFLAGS) $$(LDFLAGS) -o $$@ $$^ $$(LIBS_$(1))
	@chmod go-w $$@
endef
$(foreach p,parent keyproc netproc,$(eval $(call clock_template,$(p))))

.SECONDEXPANSION:
$(CLOCK)/tests/e2e/test_clock: $(BUILD)/obj/tests/clock/test_clock.o $$(E2E_OBJ) $(BUILD)/lib/libproto.a
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ -lcmocka -lsodium -lprotobuf-c

e2e-clock: $(CLOCK_OUT) $(CLOCK)/tests/e2e/test_clock
	@E2E_BUILD=$(CLOCK) sh tests/e2e/run.sh $(CLOCK)/tests/e2e/test_clock

.PHONY: e2e-clock
