# Installing.
#   make install PREFIX=/usr/local DESTDIR=   programs, manual page, systemd units, sysusers, environment file, examples
#   make install-programs                     programs only: what a container image needs
#   make uninstall                            takes away what install put there, but no settings and no key
#   make static                               programs with all libraries linked in (static-pie), in $(BUILD)-static
#   make deploy-files                         makes what is made from the settings: deploy/dusk-relay.env, the list in
#                                             docker-compose.yml
# STRIP=1 leaves out the debugging symbols. dusk-relay finds the other programs relative to itself, so only PREFIX can vary.

PREFIX      ?= /usr/local
INSTALL     ?= install
BINDIR      := $(PREFIX)/bin
LIBEXECDIR  := $(PREFIX)/libexec/dusk-relay
MANDIR      := $(PREFIX)/share/man/man8
DOCDIR      := $(PREFIX)/share/doc/dusk-relay
UNITDIR     := $(PREFIX)/lib/systemd/system
SYSUSERSDIR := $(PREFIX)/lib/sysusers.d
UNITS       := deploy/dusk-relay.service deploy/dusk-relay.socket deploy/dusk-relay-metrics.socket
EXAMPLES    := deploy/users.conf deploy/own-sockets.conf deploy/seccomp.json deploy/compose.root.yml deploy/grafana.json deploy/alerts.yml \
               deploy/alerts-test.yml deploy/dusk-relay.nft docker-compose.yml

install-programs: programs
	$(INSTALL) -d $(DESTDIR)$(BINDIR) $(DESTDIR)$(LIBEXECDIR)
	$(INSTALL) $(if $(STRIP),-s) -m 0755 $(filter %/bin/dusk-relay,$(PROGRAM_OUTS)) $(DESTDIR)$(BINDIR)
	$(INSTALL) $(if $(STRIP),-s) -m 0755 $(filter-out %/bin/dusk-relay,$(PROGRAM_OUTS)) $(DESTDIR)$(LIBEXECDIR)

# The units name /usr/bin; another PREFIX is written into them. An environment file that is there stays as it is.
install: install-programs
	$(INSTALL) -d $(DESTDIR)$(MANDIR) $(DESTDIR)$(DOCDIR)/examples $(DESTDIR)$(UNITDIR) $(DESTDIR)$(SYSUSERSDIR) $(DESTDIR)/etc/default
	$(INSTALL) -m 0644 docs/dusk-relay.8 $(DESTDIR)$(MANDIR)
	$(INSTALL) -m 0644 $(wildcard README.md DOCKER.md SECURITY.md CHANGELOG.md LICENSE) $(DESTDIR)$(DOCDIR)
	$(INSTALL) -m 0644 $(wildcard $(EXAMPLES)) $(DESTDIR)$(DOCDIR)/examples
	$(INSTALL) -m 0644 $(UNITS) $(DESTDIR)$(UNITDIR)
	sed -i 's|/usr/bin/|$(BINDIR)/|g' $(UNITS:deploy/%=$(DESTDIR)$(UNITDIR)/%)
	$(INSTALL) -m 0644 deploy/sysusers.conf $(DESTDIR)$(SYSUSERSDIR)/dusk-relay.conf
	test -e $(DESTDIR)/etc/default/dusk-relay || $(INSTALL) -m 0644 deploy/dusk-relay.env $(DESTDIR)/etc/default/dusk-relay

uninstall:
	rm -f $(DESTDIR)$(BINDIR)/dusk-relay $(DESTDIR)$(MANDIR)/dusk-relay.8 $(UNITS:deploy/%=$(DESTDIR)$(UNITDIR)/%)
	rm -f $(DESTDIR)$(SYSUSERSDIR)/dusk-relay.conf
	rm -rf $(DESTDIR)$(LIBEXECDIR) $(DESTDIR)$(DOCDIR)

static:
	+$(MAKE) BUILD=$(BUILD)-static STATIC=1 programs

# What the compose file hands on from .env or the shell: every setting but those that say where the key is.
COMPOSE_SETTINGS = $(BUILD)/bin/dusk-relay settings --env | sed -n 's/^\#\([A-Z_]*\)=.*/      - \1/p' | \
                   grep -v -x -e '.* HOME' -e '.* DUSK_RELAY_PORT' -e '.* DUSK_RELAY_LOG_IDS' -e '.* XDG_DATA_HOME' -e '.* STATE_DIRECTORY'

deploy-files: $(BUILD)/bin/dusk-relay
	$(BUILD)/bin/dusk-relay settings --env > deploy/dusk-relay.env
	{ sed '/settings: begin/q' docker-compose.yml; $(COMPOSE_SETTINGS); sed -n '/settings: end/,$$p' docker-compose.yml; } \
	  > $(BUILD)/compose.new && cat $(BUILD)/compose.new > docker-compose.yml

.PHONY: install install-programs uninstall static deploy-files
