# Rendezvous with the real pool, wheel, streams and messages; conn, limits and reservations stand in the fixture.
UNIT_RENDEZVOUS := $(patsubst %.c,$(BUILD)/obj/%.o,$(wildcard netproc/rendezvous*.c) netproc/table.c netproc/pool.c \
                     netproc/wheel.c netproc/stream.c netproc/message.c tests/unit/rendezvous_fixture.c)

UNIT_test_net_rendezvous_order    := $(BUILD)/obj/netproc/rendezvous_order.o $(BUILD)/obj/netproc/table.o
UNIT_test_net_rendezvous_cookie   := $(BUILD)/obj/netproc/rendezvous_cookie.o $(BUILD)/obj/netproc/table.o
UNIT_test_net_rendezvous_store    := $(UNIT_RENDEZVOUS)
UNIT_test_net_rendezvous_room     := $(UNIT_RENDEZVOUS)
UNIT_test_net_rendezvous_register := $(UNIT_RENDEZVOUS)
UNIT_test_net_rendezvous_discover := $(UNIT_RENDEZVOUS) $(BUILD)/obj/tests/unit/rendezvous_asker.o
UNIT_test_net_rendezvous_answer   := $(UNIT_RENDEZVOUS) $(BUILD)/obj/tests/unit/rendezvous_asker.o
UNIT_test_net_rendezvous_stream   := $(UNIT_RENDEZVOUS)
UNIT_test_net_rendezvous_turn     := $(UNIT_RENDEZVOUS)
UNIT_test_net_rendezvous_record   := $(UNIT_RENDEZVOUS)
UNIT_test_net_rendezvous_line     := $(UNIT_RENDEZVOUS) $(BUILD)/obj/tests/unit/rendezvous_asker.o
UNIT_test_net_rendezvous_edges    := $(UNIT_RENDEZVOUS)
UNIT_test_net_rendezvous_said     := $(UNIT_RENDEZVOUS) $(BUILD)/obj/tests/unit/rendezvous_asker.o
UNIT_test_net_rendezvous_work     := $(UNIT_RENDEZVOUS) $(BUILD)/obj/tests/unit/rendezvous_asker.o
UNIT_test_net_rendezvous_ends     := $(UNIT_RENDEZVOUS) $(BUILD)/obj/tests/unit/rendezvous_asker.o
