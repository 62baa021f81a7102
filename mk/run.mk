# The two commands of README.md.
#   make run     installs what is missing, builds, and runs the relay in the foreground; settings come from the environment
#   make check   installs what is missing, builds, and runs the tests: unit, e2e, attack, and each fuzzer for a few seconds

CHECK_FUZZ_SECS ?= 2
CHECK_TARGETS := unit $(if $(wildcard mk/e2e.mk),e2e) $(if $(wildcard mk/attack.mk),attack) \
                 $(if $(wildcard mk/audit.mk),audit) $(if $(wildcard mk/fuzz.mk),fuzz)

run: deps-build
	@$(MAKE) --no-print-directory -j$$(nproc) programs
	@exec $(BUILD)/bin/dusk-relay

check: deps
	@MAKE="$(MAKE)" sh mk/check.sh $(BUILD) $(CHECK_FUZZ_SECS) $(CHECK_TARGETS)

# Which libraries it was built with: `dusk-relay version` says it.
$(BUILD)/obj/parent/version.o: CPPFLAGS += -DDUSK_LIBRARIES='"$(shell for l in libsodium libcrypto libmicrohttpd libprotobuf-c libseccomp libcap-ng; do \
  printf '%s %s, ' $$l $$($(PKGCONF) --modversion $$l 2>/dev/null || echo unknown); done | sed 's/, $$//')"'

.PHONY: run check

# Writes the settings into README.md and the man page; a unit test compares them with the program.
docs: $(BUILD)/bin/dusk-relay
	@for f in 'README.md --markdown <!--' 'docs/dusk-relay.8 --man .\\"'; do set -- $$f; \
	$(BUILD)/bin/dusk-relay settings $$2 > $(BUILD)/settings.txt && \
	awk -v begin='settings: begin' -v end='settings: end' -v list=$(BUILD)/settings.txt \
	  'index($$0, end) { skip = 0 } !skip { print } index($$0, begin) { skip = 1; while ((getline line < list) > 0) print line }' \
	  $$1 > $(BUILD)/settings.new && cat $(BUILD)/settings.new > $$1; done
	@if [ -f deploy/dusk-relay.env ]; then $(BUILD)/bin/dusk-relay settings --env > deploy/dusk-relay.env; fi

.PHONY: docs
