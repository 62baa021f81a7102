# Interop: published js, rust, go and python libp2p against the real relay. See tests/interop/README.md.
#   make interop                              all scenarios
#   make interop INTEROP_FLAGS="--only bulk"  what run.py takes
INTEROP_FLAGS ?=

interop: programs
	@python3 -B tests/interop/run.py $(INTEROP_FLAGS)

.PHONY: interop
