# dusk-relay. `make run` starts the relay, `make check` runs the tests; both install what is missing first (make deps).
# A program is one folder; its sources are all .c files of the folder. See docs/HACKING.md.

BUILD    ?= build
CC       ?= gcc
PKGCONF  ?= pkg-config
VERSION  := $(shell cat VERSION 2>/dev/null || echo 0.1.0)

PROGRAMS  := parent keyproc netproc metrics probe
LIBRARIES := imsg proto

# Where a program lands below $(BUILD), the same tree as installed.
OUT_parent  := bin/dusk-relay
OUT_keyproc := libexec/dusk-relay/keyproc
OUT_netproc := libexec/dusk-relay/netproc
OUT_probe   := libexec/dusk-relay/probe
OUT_metrics := libexec/dusk-relay/metrics

# What each program links: the project's own libraries, then others'.
USES_parent  := imsg proto
USES_keyproc := imsg proto
USES_netproc := imsg proto
USES_probe   := proto
USES_metrics := imsg

LIBS_parent  := -lcap-ng -lseccomp
LIBS_keyproc := -lsodium -lcap-ng -lseccomp
LIBS_netproc := -lsodium -lcrypto -lprotobuf-c -lcap-ng -lseccomp
LIBS_probe   := -lsodium -lprotobuf-c
LIBS_metrics := -lmicrohttpd -lcap-ng -lseccomp

WARN  := -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes -Wvla -Werror
HARD  := -fstack-protector-strong -fstack-clash-protection -fno-strict-aliasing -fno-strict-overflow \
         -fno-delete-null-pointer-checks -fPIE
ARCH  := $(shell uname -m)
ifeq ($(ARCH),x86_64)
HARD  += -fcf-protection=full
else ifeq ($(ARCH),aarch64)
HARD  += -mbranch-protection=standard
endif
ifeq ($(SANITIZE),)
HARD  += -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3 -ftrivial-auto-var-init=zero
endif
OPT     ?= -O2
DEFINES := $(if $(STATIC),-DDUSK_STATIC) -D_GNU_SOURCE -DDUSK_VERSION='"$(VERSION)"'
CFLAGS  += -std=gnu17 -g $(OPT) $(WARN) $(HARD) $(SANITIZE) -ffile-prefix-map=$(CURDIR)=.
CPPFLAGS += -I. -I$(BUILD)/gen $(DEFINES) -MMD -MP
# STATIC=1 links all libraries in. The linker warns there about name services, which nothing of ours uses but probe,
# and for probe's DNS glibc needs no other library. What only takes room is left out: the image stays small.
comma   := ,
PIE     := $(if $(STATIC),-static-pie -Xlinker --no-warnings -Wl$(comma)--gc-sections$(comma)-z$(comma)pack-relative-relocs$(comma)--no-eh-frame-hdr$(comma)-T$(comma)mk/static.ld,-pie)
LDFLAGS += $(PIE) -Wl,-z,relro,-z,now,-z,noexecstack,-z,separate-code -Wl,--as-needed $(SANITIZE)

# V=1 shows the commands.
Q := $(if $(V),,@)

all: programs

define program_template
SRC_$(1) := $$(sort $$(wildcard $(1)/*.c))
OBJ_$(1) := $$(SRC_$(1):%.c=$(BUILD)/obj/%.o)
PROGRAM_OUTS += $(BUILD)/$$(OUT_$(1))
$(BUILD)/$$(OUT_$(1)): $$(OBJ_$(1)) $$(foreach l,$$(USES_$(1)),$(BUILD)/lib/lib$$(l).a)
	@mkdir -p $$(@D)
	@echo LINK $$@
	$(Q)$$(CC) $$(CFLAGS) $$(LDFLAGS) -o $$@ $$^ $$(LIBS_$(1))
	@chmod go-w $$@ # under umask 002 it would be refused by the parent
endef

define library_template
SRC_$(1) := $$(sort $$(wildcard $(1)/*.c))
OBJ_$(1) := $$(SRC_$(1):%.c=$(BUILD)/obj/%.o)
$(BUILD)/lib/lib$(1).a: $$(OBJ_$(1)) $$(GENOBJ_$(1))
	@mkdir -p $$(@D)
	rm -f $$@
	ar Drcs $$@ $$^
endef

# protobuf-c: messages are generated at build time from proto/*.proto, without our warnings.
PROTOS := $(sort $(wildcard proto/*.proto))
GENSRC := $(PROTOS:proto/%.proto=$(BUILD)/gen/%.pb-c.c)
GENOBJ_proto := $(GENSRC:.c=.o)

$(foreach p,$(LIBRARIES),$(eval $(call library_template,$(p))))
$(foreach p,$(PROGRAMS),$(eval $(call program_template,$(p))))

programs: $(PROGRAM_OUTS)

$(BUILD)/gen/%.pb-c.c $(BUILD)/gen/%.pb-c.h &: proto/%.proto
	@mkdir -p $(@D)
	$(Q)protoc-c --proto_path=proto --c_out=$(BUILD)/gen $<

$(BUILD)/gen/%.pb-c.o: $(BUILD)/gen/%.pb-c.c
	@echo CC $<
	$(Q)$(CC) $(CPPFLAGS) -std=gnu17 -g $(OPT) $(HARD) $(SANITIZE) -ffile-prefix-map=$(CURDIR)=. -c -o $@ $<

$(BUILD)/obj/%.o: %.c | $(GENSRC)
	@mkdir -p $(@D)
	@echo CC $<
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -c -o $@ $<

clean:
	rm -rf $(BUILD)

-include mk/*.mk
-include $(shell find $(BUILD)/obj -name '*.d' 2>/dev/null)

.PHONY: all programs clean
.SECONDARY:
