# Packages and the test of all that is deployed.
#   make deb                             a Debian package, in $(BUILD)/deb
#   make deploy-check                    image, compose, units and package, for real; as root; says what was skipped and why
#   make deploy-check DEPLOY_ONLY=units  one part of it, or several in quotes:
#                                        files readme metrics firewall image confined migrate compose package units suite_container
#                                        qemu; and what is not in the default: suite_systemd, suite_systemd_short (a part of it)

DEB_DIR  := $(BUILD)/deb
DEB_TREE := $(DEB_DIR)/dusk-relay-$(VERSION)
DEB_SRC  := Makefile VERSION LICENSE docker-compose.yml $(wildcard README.md DOCKER.md SECURITY.md CHANGELOG.md) docs mk deploy \
            $(wildcard $(LIBRARIES) $(PROGRAMS))
DEPS_DEB := build-essential debhelper dpkg-dev fakeroot

deps-deb: deps-build
	$(call deps_install,$(DEPS_DEB))

# The date of the last commit, so that a package made twice is the same.
deb: deps-deb
	rm -rf $(DEB_DIR)
	mkdir -p $(DEB_TREE)
	cp -R $(DEB_SRC) $(DEB_TREE)
	mv $(DEB_TREE)/deploy/debian $(DEB_TREE)/debian
	date=$$(git log -1 --format=%cD 2>/dev/null) || date=$$(date -R -r VERSION); \
	sed -e 's/@VERSION@/$(VERSION)/' -e "s/@DATE@/$$date/" $(DEB_TREE)/debian/changelog.in > $(DEB_TREE)/debian/changelog
	rm $(DEB_TREE)/debian/changelog.in
	cd $(DEB_TREE) && env -u BUILD -u PREFIX -u DESTDIR -u MAKEFLAGS -u MFLAGS -u MAKELEVEL dpkg-buildpackage -us -uc -b $(if $(DEB_NODEPS),-d)
	@ls $(DEB_DIR)/*.deb

DEPLOY_ONLY ?= all

deploy-check: programs
	@chmod go-w $(PROGRAM_OUTS)
	@DEPLOY_BUILD=$(BUILD) sh tests/deploy/run.sh $(DEPLOY_ONLY)

.PHONY: deb deps-deb deploy-check
