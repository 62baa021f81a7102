# The audit (SECURITY.md): promises and house rules, checked on sources, objects, programs and the running daemon.
#   make audit                         all; as root also root mode; ends with a sum
#   make audit AUDIT_ONLY=imports      some files of tests/audit: includes imports floors words binaries documents dead running
#                                      filters sockets private proofs twice
#   make audit AUDIT_SKIP=twice        without one (twice builds everything two times more)
#   make docs-security                 writes the tables of messages, system calls and layers into SECURITY.md
#   make bom                           writes build/bom.json: the linked libraries with their versions (CycloneDX)

AUDIT_ONLY  ?=
AUDIT_SKIP  ?=
AUDIT_FLAGS := $(foreach n,$(AUDIT_ONLY),--only $(n)) $(foreach n,$(AUDIT_SKIP),--skip $(n))

# The tables come from the lists that the programs are made of.
$(BUILD)/tests/audit/tables: $(BUILD)/obj/tests/audit/tables.o $(BUILD)/obj/keyproc/sandbox.o $(BUILD)/obj/netproc/sandbox.o \
                             $(BUILD)/obj/parent/sandbox.o $(BUILD)/obj/metrics/sandbox.o $(BUILD)/lib/libimsg.a
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ -lcap-ng -lseccomp

audit: programs $(BUILD)/tests/audit/tables
	@CC="$(CC)" python3 -B tests/audit/run.py --build $(BUILD) $(AUDIT_FLAGS)

docs-security: $(BUILD)/tests/audit/tables
	python3 -B tests/audit/documents.py $(BUILD)

bom: programs
	python3 -B tests/audit/bom.py $(BUILD) $(VERSION) > $(BUILD)/bom.json

.PHONY: audit docs-security bom
