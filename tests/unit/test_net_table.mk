UNIT_test_net_table := $(BUILD)/obj/netproc/table.o
