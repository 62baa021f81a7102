# Unit tests of parent/: each links all of it but its main.
UNIT_parent_objects = $(filter-out %/main.o,$(OBJ_parent))
$(foreach t,$(filter test_parent_%,$(UNIT_SRC:tests/unit/%.c=%)),$(eval UNIT_$(t) = $(value UNIT_parent_objects)))

# test_parent_run starts the built programs.
unit: $(PROGRAM_OUTS)
