# The ground of netproc, without a socket.
UNIT_test_net_core := $(foreach f,pool wheel selection aead,$(BUILD)/obj/netproc/$(f).o)
UNIT_test_net_yamux_table := $(foreach f,pool table yamux_table,$(BUILD)/obj/netproc/$(f).o)
UNIT_test_net_poller := $(BUILD)/obj/netproc/poller.o
UNIT_test_net_wheel := $(BUILD)/obj/netproc/wheel.o
