# A small Debian that systemd boots in a container, to try units and packages in. Sourced by run.sh.
# shellcheck shell=sh
NSPAWN_ROOT=$WORK/system
NSPAWN_PID=$WORK/system.pid
# nspawn_packages SUITE: what the system has, with the libraries that the package would pull in, by their names there.
nspawn_packages() {
	renamed=libssl3,libmicrohttpd12
	[ "$1" = bookworm ] || renamed=libssl3t64,libmicrohttpd12t64
	echo "systemd,systemd-sysv,dbus,iproute2,procps,init-system-helpers,libsodium23,libseccomp2,libprotobuf-c1,libcap-ng0,$renamed"
}

# nspawn_ready [SUITE]: 0 when such a system can be booted here; else the reason is said. Its files are made once for each list.
nspawn_ready() {
	suite=${1:-bookworm}
	if ! is_root || ! have systemd-nspawn || ! have mmdebstrap; then
		skip "booting systemd takes root, systemd-nspawn (systemd-container) and mmdebstrap"
		return 1
	fi
	NSPAWN_TAR=$WORK/system-$suite-$(nspawn_packages "$suite" | cksum | cut -d" " -f1).tar
	[ -f "$NSPAWN_TAR" ] && return 0
	if ! nice mmdebstrap --quiet --variant=minbase --include="$(nspawn_packages "$suite")" "$suite" "$WORK/new.tar" >"$OUT" 2>&1; then
		skip "the system to boot cannot be made: $(tail -n 1 "$OUT")"
		return 1
	fi
	mv "$WORK/new.tar" "$NSPAWN_TAR"
}

# A fresh system, not yet booted.
nspawn_unpack() {
	rm -rf "$NSPAWN_ROOT"
	mkdir -p "$NSPAWN_ROOT"
	tar -C "$NSPAWN_ROOT" -xf "$NSPAWN_TAR" --exclude='./dev/*'
}

# The outer filter of nspawn hides Landlock and memory locking; both are let through here, as on a real machine.
# nspawn_boot OPTION...: more options of systemd-nspawn.
nspawn_boot() {
	setsid systemd-nspawn -q -D "$NSPAWN_ROOT" --boot --register=no --keep-unit --machine=dusk-test --private-network \
		--console=pipe --capability=CAP_IPC_LOCK \
		--system-call-filter="seccomp landlock_create_ruleset landlock_add_rule landlock_restrict_self @memlock" \
		"$@" >"$WORK/system.log" 2>&1 </dev/null &
	echo $! >"$NSPAWN_PID"
	within 30 nspawn_is_up && inside ip link set lo up
}

nspawn_is_up() {
	pgrep -P "$(cat "$NSPAWN_PID")" >/dev/null && inside systemctl is-system-running | grep -E 'running|degraded'
}

inside() {
	nsenter -t "$(pgrep -P "$(cat "$NSPAWN_PID")" | head -n 1)" -m -p -n -u -i -C -r -w "$@"
}

nspawn_stop() {
	[ -s "$NSPAWN_PID" ] || return 0
	kill "$(cat "$NSPAWN_PID")" 2>/dev/null
	within 20 sh -c "! kill -0 $(cat "$NSPAWN_PID") 2>/dev/null" || nspawn_kill
	rm -f "$NSPAWN_PID"
}

# A system that does not end would stay beside the next one.
nspawn_kill() {
	pkill -9 -P "$(cat "$NSPAWN_PID")"
	kill -9 "$(cat "$NSPAWN_PID")"
	within 5 sh -c "! kill -0 $(cat "$NSPAWN_PID") 2>/dev/null"
}

unit_state() {
	inside systemctl show -p "$1" --value dusk-relay.service
}

unit_serves() {
	within 10 inside dusk-relay health
}

# unit_log PATTERN: the journal of the unit has such a line.
unit_log() {
	inside journalctl -u dusk-relay.service --no-pager -o cat | grep -E -e "$1"
}

# unit_will_log PATTERN: or soon will have, as the journal comes a little later.
unit_will_log() {
	within 5 unit_log "$1" && return 0
	inside journalctl -u dusk-relay.service --no-pager -o cat -n 12
	return 1
}

# unit_process NAME FIELD...: fields of /proc/PID/status of one of the three processes.
unit_process() {
	pid=$(inside pgrep -x "$1" | head -n 1)
	shift
	for field in "$@"; do
		inside sed -n "s/^$field:[[:space:]]*//p" "/proc/$pid/status" | tr '\t' ' '
	done
}
