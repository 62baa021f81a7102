# What the project needs from Debian's packages (12 and 13), in one place.
#   make deps        installs what is missing for building and for make check; does nothing when all is there
#   make deps-build  only what building needs
#   make deps-ci     also what .ci/run needs
# As an ordinary user it asks sudo; without sudo it prints what root must install.

DEPS_BUILD := gcc libc6-dev make pkg-config libsodium-dev libprotobuf-c-dev protobuf-c-compiler libseccomp-dev \
              libcap-ng-dev libssl-dev libmicrohttpd-dev
DEPS_CHECK := $(DEPS_BUILD) libcmocka-dev clang libclang-rt-dev python3 iproute2 procps git
# node from elsewhere conflicts with Debian's npm: each only where there is none.
DEPS_NODE  := $(if $(shell command -v node),,nodejs) $(if $(shell command -v npm),,npm)
DEPS_CI    := $(DEPS_CHECK) clang-format-14 clang-tidy cppcheck mandoc shellcheck $(DEPS_NODE) python3-venv \
              gcc-aarch64-linux-gnu libc6-dev-arm64-cross \
              docker.io docker-compose systemd-container mmdebstrap lintian debhelper dpkg-dev fakeroot prometheus curl \
              qemu-system-x86 e2fsprogs nftables

# Installs what is missing of a list: all at once, or, when that cannot be done, each by itself, naming those that cannot be had.
# dpkg-query prints one line for each package that it knows.
define deps_install
@missing=""; \
for p in $(1); do \
  dpkg-query -W -f '$${db:Status-Abbrev}' $$p 2>/dev/null | grep -q '^ii' || missing="$$missing $$p"; \
done; \
if [ -z "$$missing" ]; then exit 0; fi; \
if ! command -v apt-get >/dev/null; then echo "deps: not a Debian system; needed are, by Debian's names:$$missing"; exit 1; fi; \
as=""; if [ "$$(id -u)" != 0 ]; then \
  if ! command -v sudo >/dev/null; then echo "deps: no sudo; root must run: apt-get install$$missing"; exit 1; fi; as=sudo; fi; \
get="$$as env DEBIAN_FRONTEND=noninteractive apt-get -q -y"; \
echo "deps: installing$$missing"; \
$$get update >/dev/null || echo "deps: the lists of packages are not new"; \
$$get install --no-install-recommends $$missing && exit 0; \
failed=""; \
for p in $$missing; do $$get install --no-install-recommends $$p || failed="$$failed $$p"; done; \
[ -z "$$failed" ] || { echo "deps: cannot be installed:$$failed"; exit 1; }
endef

deps:
	$(call deps_install,$(DEPS_CHECK))

deps-build:
	$(call deps_install,$(DEPS_BUILD))

# Not every release has all of these: what cannot be had is skipped by .ci/run, which says so.
deps-ci: deps
	-$(call deps_install,$(shell apt-cache --generate pkgnames 2>/dev/null | grep -x $(foreach p,$(DEPS_CI),-e $(p))))

.PHONY: deps deps-build deps-ci
