# The Debian package of Debian 12 and 13: built, looked at by lintian, installed, upgraded, removed and purged.
# shellcheck shell=sh

# A package like the first, of a higher version.
make_next_version() {
	rm -rf "$WORK/next"
	dpkg-deb -R "$package" "$WORK/next" && sed -i 's/^Version: .*/&+next/' "$WORK/next/DEBIAN/control" &&
		dpkg-deb -b "$WORK/next" "$NSPAWN_ROOT/root/next.deb"
}

install_package() {
	inside dpkg -i "/root/$1" && unit_serves
}

identity() {
	inside dusk-relay health | grep -o '12D3KooW[A-Za-z0-9]*'
}

# As README.md says; what it needs is in the system already, which has no network.
install_first() {
	inside sh -c 'cd /root && apt-get install -q -y ./first.deb' && unit_serves
}

upgrades() {
	socket=$(inside systemctl show -p ActiveEnterTimestampMonotonic --value dusk-relay.socket)
	service=$(unit_state MainPID)
	install_package next.deb && same "$id" "$(identity)" && [ "$service" != "$(unit_state MainPID)" ] &&
		same "$socket" "$(inside systemctl show -p ActiveEnterTimestampMonotonic --value dusk-relay.socket)"
}

settings_survive() {
	grep -q '^DUSK_RELAY_LOG_IDS=none' "$NSPAWN_ROOT/etc/default/dusk-relay"
}

# Another key is made first, which is what the first start of a new machine does.
key_is_put_back() {
	inside cp /var/lib/private/dusk-relay/keypair /dusk-relay-keypair &&
		inside systemctl stop dusk-relay.socket dusk-relay.service && inside rm /var/lib/private/dusk-relay/keypair &&
		inside systemctl start dusk-relay.socket dusk-relay.service && unit_serves && [ "$id" != "$(identity)" ] || return 1
	inside systemctl stop dusk-relay.socket dusk-relay.service &&
		inside sh -c 'cd / && cp dusk-relay-keypair /var/lib/private/dusk-relay/keypair' &&
		inside systemctl start dusk-relay.socket dusk-relay.service && unit_serves && same "$id" "$(identity)" &&
		same 600 "$(inside stat -c %a /var/lib/private/dusk-relay/keypair)"
}

is_gone() {
	! inside dusk-relay version && ! inside systemctl is-active dusk-relay.service && ! inside systemctl is-active dusk-relay.socket &&
		! inside systemctl is-active dusk-relay-metrics.socket
}

key_stays() {
	inside dpkg -r dusk-relay && is_gone && inside test -s /var/lib/private/dusk-relay/keypair
}

# The operator's own link to the page's socket goes with the package.
page_is_off() {
	same "disabled inactive" "$(inside systemctl is-enabled dusk-relay-metrics.socket | tr "\n" " ")$(inside systemctl is-active dusk-relay-metrics.socket)"
}

page_is_on() {
	echo 'DUSK_RELAY_METRICS=9100' >>"$NSPAWN_ROOT/etc/default/dusk-relay"
	inside systemctl enable dusk-relay-metrics.socket && inside systemctl restart dusk-relay && unit_serves &&
		inside systemctl is-active dusk-relay-metrics.socket
}

comes_back() {
	install_package next.deb && same "$id" "$(identity)"
}

key_goes() {
	inside dpkg -P dusk-relay && is_gone || return 1
	left=$(find "$NSPAWN_ROOT/etc" "$NSPAWN_ROOT/var/lib" "$NSPAWN_ROOT/usr" -iname '*dusk-relay*')
	same "" "$left"
}

# build_package SUITE: on this machine when it is that release, else in a bare system of it, where make deb installs what it needs.
build_package() {
	# shellcheck disable=SC1091
	if [ "$1" = "$(. /etc/os-release && echo "${VERSION_CODENAME:-}")" ] && have dpkg-buildpackage && have dh; then
		make -C "$ROOT" BUILD="$BUILD" deb DEB_NODEPS=1 && cp "$BUILD"/deb/dusk-relay_*.deb "$package"
	else
		# shellcheck disable=SC2034 # handed on by bare
		port=0
		bare_unpack "$1" || return 1
		for file in README.md DOCKER.md SECURITY.md CHANGELOG.md LICENSE docker-compose.yml docs deploy; do
			cp -R "$ROOT/$file" "$BARE_ROOT/src" || return 1
		done
		chown -R 0:0 "$BARE_ROOT/src"
		(bare 0 'make deb') && cp "$BARE_ROOT"/src/build/deb/dusk-relay_*.deb "$package"
	fi
}

try_package() {
	nspawn_ready "$1" || return 0
	package=$WORK/$1.deb
	test_that "$1: make deb" build_package "$1" || return 0
	rm -rf "$BARE_ROOT"
	if have lintian; then
		test_that "$1: lintian has nothing to say" lintian --allow-root --fail-on error,warning "$package"
	else
		skip "no lintian"
	fi
	nspawn_unpack
	cp "$package" "$NSPAWN_ROOT/root/first.deb"
	make_next_version >/dev/null
	test_that "$1: the system boots" nspawn_boot || return 0
	test_that "$1: installed, it runs" install_first
	id=$(identity)
	test_that "$1: it comes back at boot" inside systemctl is-enabled dusk-relay.socket dusk-relay.service
	echo 'DUSK_RELAY_LOG_IDS=none' >>"$NSPAWN_ROOT/etc/default/dusk-relay"
	test_that "$1: the page's socket is not enabled" page_is_off
	test_that "$1: enabled, it goes with the service" page_is_on
	test_that "$1: upgraded, it runs anew with the same key, and its socket stays open" upgrades
	test_that "$1: upgraded, the operator's settings are there" settings_survive
	test_that "$1: a key is put back in the place of another" key_is_put_back
	test_that "$1: removed, the key stays" key_stays
	test_that "$1: installed again, it is who it was" comes_back
	test_that "$1: purged, nothing stays" key_goes
	nspawn_stop
}

try_package bookworm
try_package trixie
