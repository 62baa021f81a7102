UNIT_PROBE_PARTS = $(filter-out %/main.o,$(OBJ_probe))
UNIT_test_probe_mux = $(UNIT_PROBE_PARTS)
UNIT_test_probe_parts = $(UNIT_PROBE_PARTS)
