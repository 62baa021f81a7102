# Protocols of netproc in the small world of net_fake.c.
UNIT_NET_FAKE := $(BUILD)/obj/tests/unit/net_fake.o \
	$(foreach f,pool wheel table stream ip_key limits limits_ip limits_peer limits_circuit,$(BUILD)/obj/netproc/$(f).o)
UNIT_NET_HOP := $(UNIT_NET_FAKE) \
	$(foreach f,hop hop_answer hop_reserve hop_connect stop stop_answer stop_queue reservation message key,$(BUILD)/obj/netproc/$(f).o)

UNIT_test_net_limits  := $(UNIT_NET_FAKE) $(foreach f,memory sort,$(BUILD)/obj/netproc/$(f).o)
UNIT_test_net_hop     := $(UNIT_NET_HOP)
UNIT_KEY := $(UNIT_NET_FAKE) $(BUILD)/obj/netproc/key.o $(BUILD)/obj/tests/unit/key_fixture.o
UNIT_test_net_key     := $(UNIT_KEY)
UNIT_test_net_key_vouchers := $(UNIT_KEY)
UNIT_test_net_small   := $(UNIT_NET_HOP) $(foreach f,ping identify protocols,$(BUILD)/obj/netproc/$(f).o)
UNIT_test_net_storm   := $(UNIT_NET_HOP)
UNIT_test_net_accept  := $(UNIT_NET_FAKE) $(foreach f,accept poller,$(BUILD)/obj/netproc/$(f).o)
UNIT_test_net_window  := $(UNIT_NET_FAKE) $(BUILD)/obj/netproc/circuit_credit.o
UNIT_test_net_stop_queue := $(UNIT_NET_HOP)
UNIT_test_net_rates   := $(UNIT_NET_FAKE)
UNIT_test_net_credit  := $(UNIT_NET_FAKE) $(BUILD)/obj/netproc/circuit_credit.o
