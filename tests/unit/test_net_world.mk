# All of netproc with the world of the fuzzers.
UNIT_test_net_world = $(FUZZ_NET)
# The same world, one connection.
UNIT_test_net_hold = $(FUZZ_NET)
# The same world; its malloc counts.
UNIT_test_net_steady = $(FUZZ_NET)
# The same world, one connection.
UNIT_test_net_conn_io = $(FUZZ_NET)
# The same world, two connections and a circuit.
UNIT_test_net_circuit = $(FUZZ_NET)
