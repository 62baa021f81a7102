# The whole e2e suite against the daemon as the systemd unit, with sockets of its own and with those of the socket unit.
# shellcheck shell=sh

# The suite's own network is that of the system: loopback, and an address that is not loopback.
network_is_up() {
	echo '127.0.0.1 localhost' >"$NSPAWN_ROOT/etc/hosts"
	inside ip link add outside0 type veth peer name outside1 && inside ip addr add 192.0.2.1/24 dev outside0 &&
		inside ip link set outside0 up && inside ip link set outside1 up
}

in_its_network() {
	nsenter -t "$(pgrep -P "$(cat "$NSPAWN_PID")" | head -n 1)" -n "$@"
}

no_unit_is_left() {
	same "" "$(inside systemctl list-units --plain --no-legend 'dusk-e2e-*')"
}

nspawn_ready || return 0
nspawn_unpack
mkdir -p "$BUILD/tests/e2e/log"
test_that "make install PREFIX=/usr" make -s -C "$ROOT" BUILD="$BUILD" install DESTDIR="$NSPAWN_ROOT" PREFIX=/usr || return 0
test_that "the system boots" nspawn_boot --bind="$BUILD/tests/e2e/log:/e2e-log" || return 0
test_that "it has a network of its own" network_is_up || return 0
for mode in unit socket; do
	suite_passes "$mode" in_its_network
	test_that "no unit of mode $mode is left" no_unit_is_left
	inside systemctl stop 'dusk-e2e-*'
done
nspawn_stop
