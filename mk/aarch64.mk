# The other architecture, on an x86-64 machine.
#   make check-aarch64   compiles every source, tests too, for aarch64 with all warnings as errors
# It needs gcc-aarch64-linux-gnu, whose C library comes first; other libraries' headers are this machine's, which are the same
# text but for OpenSSL's configuration (equal for both: 64 bits, little endian). Nothing is linked or run: there are no
# aarch64 libraries to link without adding a foreign architecture to the host's packages. What the filters look like there
# is tried by attack_policy.

AARCH64_CC    ?= aarch64-linux-gnu-gcc
AARCH64_AFTER := $(foreach d,/usr/include /usr/include/$(shell gcc -print-multiarch 2>/dev/null),-idirafter $(d))
AARCH64_SRC   := $(foreach d,$(LIBRARIES) $(PROGRAMS) tests/*,$(wildcard $(d)/*.c))

compile-all: $(AARCH64_SRC:%.c=$(BUILD)/obj/%.o) $(GENOBJ_proto)

check-aarch64:
	@command -v $(firstword $(AARCH64_CC)) >/dev/null || { echo "check-aarch64: no $(AARCH64_CC): apt-get install gcc-aarch64-linux-gnu"; exit 1; }
	+@$(MAKE) --no-print-directory BUILD=$(BUILD)-aarch64 CC="$(AARCH64_CC)" ARCH=aarch64 OPT="-O2 $(AARCH64_AFTER)" compile-all
	@echo "check-aarch64: $(words $(AARCH64_SRC)) sources compile; nothing was linked or run"

.PHONY: check-aarch64 compile-all
