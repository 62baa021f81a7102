# The rules for times of abuse (deploy/dusk-relay.nft), in front of a relay in a network of its own.
# shellcheck shell=sh
NEAR=dusk-relay-test-near
FAR=dusk-relay-test-far

firewall_stop() {
	[ -z "${relay_pid:-}" ] || kill "$relay_pid" 2>/dev/null
	wait
	ip netns del "$NEAR" 2>/dev/null
	ip netns del "$FAR" 2>/dev/null
}

near() {
	ip netns exec "$NEAR" "$@"
}

far() {
	ip netns exec "$FAR" "$@"
}

# Two networks with a wire between: the relay's, and that of clients with several addresses.
networks_are_made() {
	ip netns add "$NEAR" && ip netns add "$FAR" && near ip link set lo up &&
		ip link add near0 netns "$NEAR" type veth peer name far0 netns "$FAR" || return 1
	near ip addr add 192.0.2.1/24 dev near0 && near ip addr add 2001:db8::1/48 dev near0 nodad && near ip link set near0 up || return 1
	for address in 192.0.2.2/24 192.0.2.3/24 192.0.2.4/24 2001:db8::2/48 2001:db8::3/48 2001:db8:0:1::2/48; do
		far ip addr add "$address" dev far0 nodad || return 1
	done
	far ip link set far0 up
}

relay_runs() {
	rm -rf "$WORK/firewall"
	mkdir -p "$WORK/firewall"
	# Not by near: a function has a process of its own in the background, which would end in the relay's place.
	XDG_DATA_HOME=$WORK/firewall ip netns exec "$NEAR" "$BUILD/bin/dusk-relay" >"$WORK/firewall/log" 2>&1 &
	relay_pid=$!
	within 20 near "$BUILD/bin/dusk-relay" health
}

# abuse COMMAND: as DOCKER.md has it, in the relay's network.
abuse() {
	grep -q -x -F -e "    $1" "$ROOT/DOCKER.md" && (cd "$ROOT" && near sh -c "$1")
}

arrive() {
	far python3 "$here/arrive.py" "$@"
}

# At least the burst, and no more than what is added to it meanwhile.
is_paced() {
	begin=$(date +%s)
	made=$(arrive close 400 192.0.2.1 4001 192.0.2.4)
	most=$((100 + 10 * ($(date +%s) - begin + 2)))
	echo "$made of at most $most"
	[ "$made" -ge 100 ] && [ "$made" -le "$most" ]
}

if ! is_root || ! have ip || ! have nft; then
	skip "rules are tried by root with ip and nft (nftables)"
	return 0
fi
trap 'firewall_stop' EXIT
test_that "a network for the relay and one for clients" networks_are_made || return 0
test_that "the relay runs there" relay_runs || return 0
test_that "without rules nobody is counted (the test can tell)" same 80 "$(arrive hold 80 192.0.2.1 4001 192.0.2.2)"
test_that "the rules are taken" abuse 'nft -f deploy/dusk-relay.nft'
test_that "one address holds 64 connections" same 64 "$(arrive hold 80 192.0.2.1 4001 192.0.2.2)"
test_that "two addresses of one IPv6 network hold 64 together" same 64 "$(arrive hold 80 2001:db8::1 4001 2001:db8::2 2001:db8::3)"
test_that "of two IPv6 networks each holds its own" same 80 "$(arrive hold 80 2001:db8::1 4001 2001:db8::2 2001:db8:0:1::2)"
test_that "who comes and goes too fast is slowed down" is_paced
test_that "another address is served" far "$BUILD/bin/dusk-relay" probe /ip4/192.0.2.1/tcp/4001
test_that "an address is shut out" abuse 'nft add element inet dusk_relay denied { 203.0.113.9 }'
near nft add element inet dusk_relay denied '{ 192.0.2.3 }'
test_that "which gets nothing" same 0 "$(arrive hold 1 192.0.2.1 4001 192.0.2.3)"
test_that "taken anew, the list is empty" abuse 'nft -f deploy/dusk-relay.nft'
test_that "and the address is back" same 1 "$(arrive hold 1 192.0.2.1 4001 192.0.2.3)"
test_that "the rules are taken off" abuse 'nft delete table inet dusk_relay'
test_that "and nobody is counted" same 80 "$(arrive hold 80 192.0.2.1 4001 192.0.2.2)"
