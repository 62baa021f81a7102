# The ground of netproc, without a socket.
UNIT_test_net_core := $(foreach f,pool wheel selection table yamux_table aead,$(BUILD)/obj/netproc/$(f).o)
