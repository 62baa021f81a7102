# All of netproc with the world of the fuzzers.
UNIT_test_net_world = $(FUZZ_NET)
