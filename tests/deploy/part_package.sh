# The Debian package: built, looked at by lintian, installed, upgraded, removed and purged.
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

is_gone() {
	! inside dusk-relay version && ! inside systemctl is-active dusk-relay.service && ! inside systemctl is-active dusk-relay.socket
}

key_stays() {
	inside dpkg -r dusk-relay && is_gone && inside test -s /var/lib/private/dusk-relay/keypair
}

comes_back() {
	install_package next.deb && same "$id" "$(identity)"
}

key_goes() {
	inside dpkg -P dusk-relay && is_gone || return 1
	left=$(find "$NSPAWN_ROOT/etc" "$NSPAWN_ROOT/var/lib" "$NSPAWN_ROOT/usr" -iname '*dusk-relay*')
	same "" "$left"
}

if ! have dpkg-buildpackage || ! have dh; then
	skip "no debhelper: the package is not built"
	return 0
fi
test_that "make deb" make -C "$ROOT" BUILD="$BUILD" deb DEB_NODEPS=1 || return 0
package=$(find "$BUILD/deb" -maxdepth 1 -name 'dusk-relay_*.deb')
if have lintian; then
	test_that "lintian has nothing to say" lintian --allow-root --fail-on error,warning "$package"
else
	skip "no lintian"
fi
nspawn_ready || return 0
nspawn_unpack
cp "$package" "$NSPAWN_ROOT/root/first.deb"
make_next_version >/dev/null
test_that "the system boots" nspawn_boot || return 0
test_that "installed, it runs" install_first
id=$(identity)
test_that "it comes back at boot" inside systemctl is-enabled dusk-relay.socket dusk-relay.service
echo 'DUSK_RELAY_LOG_IDS=none' >>"$NSPAWN_ROOT/etc/default/dusk-relay"
test_that "upgraded, it runs anew with the same key, and its socket stays open" upgrades
test_that "upgraded, the operator's settings are there" settings_survive
test_that "removed, the key stays" key_stays
test_that "installed again, it is who it was" comes_back
test_that "purged, nothing stays" key_goes
nspawn_stop
