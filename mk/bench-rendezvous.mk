# make bench-rendezvous: requests per CPU second and bytes per registration, by the size of the registry. Prints, never fails.

.SECONDEXPANSION:
$(BUILD)/tests/bench/bench_rendezvous: $(BUILD)/obj/tests/bench/bench_rendezvous.o $$(UNIT_RENDEZVOUS) \
                                       $(BUILD)/lib/libimsg.a $(BUILD)/lib/libproto.a
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ -lsodium -lprotobuf-c

bench-rendezvous: $(BUILD)/tests/bench/bench_rendezvous
	$<

.PHONY: bench-rendezvous
