# The two commands of README.md in a bare Debian 12 and 13, as an ordinary user and as root; and its other commands there.
# shellcheck shell=sh
# Printed for an ordinary user without sudo: the command that root must run.
asks_for_root() {
	(bare 1000 'make run') >"$OUT.asks" 2>&1
	packages=$(sed -n 's/^deps: no sudo; root must run: //p' "$OUT.asks")
	cat "$OUT.asks"
	case $packages in 'apt-get install '*) ;; *) return 1 ;; esac
}

# Word for word but for the question whether to go on, after the list that a new system lacks.
root_installs() {
	(bare 0 "apt-get -q update && DEBIAN_FRONTEND=noninteractive $(echo "$packages" | sed 's/install/install -q -y --no-install-recommends/')")
}

# bare_run USER COMMAND: starts it and waits until the relay serves.
bare_run() {
	(bare "$1" "$2") >"$WORK/bare.log" 2>&1 &
	bare_pid=$!
	within 300 bare_serves_or_ended && kill -0 "$bare_pid" && return 0
	tail -n 15 "$WORK/bare.log"
	return 1
}

bare_serves_or_ended() {
	! kill -0 "$bare_pid" 2>/dev/null || probe_through 127.0.0.1 "$port"
}

bare_relay() {
	pgrep -s "$bare_pid" -x dusk-relay | head -n 1
}

# bare_ends: at SIGTERM, with status 0, within two seconds and what a busy machine adds.
bare_ends() {
	begin=$(date +%s)
	kill -TERM "$(bare_relay)" && wait "$bare_pid" && [ $(($(date +%s) - begin)) -le 5 ]
}

counters_logged() {
	kill -USR1 "$(bare_relay)" && within 10 grep 'counters end' "$WORK/bare.log"
}

# The users of the relay and of its children.
users_shown() {
	ps -eo user,pid,ppid,args | awk -v relay="$(bare_relay)" '$2 == relay || $3 == relay { print $1 }' | sort | tr '\n' ' '
}

bare_commands() {
	test_says "$1: dusk-relay version" libsodium bare_says 'dusk-relay version'
	test_says "$1: dusk-relay --help" DUSK_RELAY_PORT bare_says 'dusk-relay --help'
	test_says "$1: dusk-relay peer-id" '^12D3KooW' bare_says 'dusk-relay peer-id'
	test_says "$1: dusk-relay check" '^ok +confinement' bare_says 'dusk-relay check'
	test_says "$1: dusk-relay health" '^ok ' bare_says 'dusk-relay health'
	test_says "$1: dusk-relay probe, by address" '^ok +reserve' bare_says "dusk-relay probe /ip4/127.0.0.1/tcp/$port"
	test_says "$1: dusk-relay probe, by name" '^ok +reserve' bare_says "dusk-relay probe /dns4/relay.example.org/tcp/$port"
}

bare_says() {
	(bare 1000 "$1")
}

try_bare() {
	port=$(free_port)
	if ! bare_unpack "$1"; then
		skip "$1: a bare system cannot be made: $(tail -n 1 "$OUT")"
		return 0
	fi
	test_that "$1: make run as a user without sudo names what root must install" asks_for_root || return 0
	test_that "$1: root installs that" root_installs || return 0
	test_that "$1: make run as a user builds and serves" bare_run 1000 'make run' || return 0
	test_says "$1: prints the address for clients" "relay address: /ip4/0.0.0.0/tcp/$port/p2p/12D3KooW" cat "$WORK/bare.log"
	bare_commands "$1"
	test_that "$1: kill -USR1 has it log its counters" counters_logged
	test_that "$1: SIGTERM ends it with status 0" bare_ends
	# A user's programs are refused by root's relay: this is a checkout of root's.
	chown -R 0:0 "$BARE_ROOT/src"
	test_that "$1: make run as root serves" bare_run 0 'DUSK_RELAY_EXTERNAL_ADDR=relay.example.org make run' || return 0
	test_says "$1: prints the external address" "external address: /dns4/relay.example.org/tcp/$port/p2p/" cat "$WORK/bare.log"
	test_that "$1: ps shows three users" same "61001 61002 61003 " "$(users_shown)"
	test_that "$1: SIGTERM ends it with status 0, as root" bare_ends
	rm -rf "$BARE_ROOT"
}

takes_new_version() {
	rm -rf "$WORK/clone" && git clone -q --depth 1 "file://$ROOT" "$WORK/clone" && (cd "$WORK/clone" && git pull)
}

if is_root && have mmdebstrap && have unshare; then
	try_bare bookworm
	try_bare trixie
else
	skip "a bare system takes root, mmdebstrap and unshare"
fi
if git -C "$ROOT" rev-parse HEAD >/dev/null 2>&1 && git -C "$ROOT" symbolic-ref -q HEAD >/dev/null; then
	test_that "git pull in a clone" takes_new_version
else
	skip "git pull: these sources are no clone"
fi
