# CONNECT, RESERVE and their limits with the real reservations and STOPs (UNIT_NET_HOP), negotiation by itself.
UNIT_CONNECT = $(UNIT_NET_HOP) $(BUILD)/obj/tests/unit/connect_fixture.o

UNIT_test_net_connect = $(UNIT_CONNECT)
UNIT_test_net_connect_ends = $(UNIT_CONNECT)
UNIT_test_net_negotiate = $(UNIT_NET_FAKE) $(foreach f,negotiate selection,$(BUILD)/obj/netproc/$(f).o)
UNIT_test_net_stop = $(UNIT_CONNECT)
UNIT_test_net_reserve = $(UNIT_CONNECT)
UNIT_test_net_limits_ip = $(UNIT_NET_FAKE)
UNIT_test_net_limits_circuit = $(UNIT_NET_FAKE)
UNIT_test_net_memory = $(UNIT_NET_FAKE) $(foreach f,memory sort,$(BUILD)/obj/netproc/$(f).o)
UNIT_test_net_upgrade = $(UNIT_NET_FAKE) $(foreach f,upgrade selection,$(BUILD)/obj/netproc/$(f).o)
