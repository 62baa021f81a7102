#!/bin/sh
# Stands for the daemon in the e2e suite's modes "unit" and "socket" (tests/e2e/daemon.c): starts a copy of the installed unit
# under a name of its own in the system that nspawn.sh has booted, with what own-sockets.conf says or with copies of the socket
# units. The settings are in the environment, words of a command are arguments. Output, signals and exit status are the daemon's.
#   unit_daemon.sh --pid   prints the process number of the parent, as this machine sees it
set -u
here=$(cd "$(dirname "$0")" && pwd)
export DEPLOY_BUILD="$E2E_BUILD"
. "$here/lib.sh"
. "$here/nspawn.sh"
name=$(basename "$E2E_DIRECTORY")
folder=$NSPAWN_ROOT/e2e/$name
export OUT="$folder/said"
units=$NSPAWN_ROOT/etc/systemd/system

leader=$(pgrep -P "$(cat "$NSPAWN_PID")" | head -n 1)

inside() {
	nsenter -t "$leader" -m -p -n -u -i -C -r -w "$@"
}

shown() {
	inside systemctl show -p "$1" --value "$name.service"
}

# The number inside is the last of NSpid; other systems have the same numbers in other namespaces.
parent() {
	number=$(shown MainPID)
	space=$(readlink "/proc/$leader/ns/pid")
	for status in $(grep -l -E "^NSpid:.*[[:space:]]$number$" /proc/[0-9]*/status 2>/dev/null); do
		pid=${status#/proc/}
		pid=${pid%/status}
		[ "$(readlink "/proc/$pid/ns/pid")" != "$space" ] || echo "$pid"
	done
}

drop_in() {
	cat <<-CONF
		[Service]
		# What ends is looked at, not started again.
		Restart=no
		ExecStopPost=
		ExecStopPost=+/bin/sh -c 'echo "\$\$EXIT_CODE \$\$EXIT_STATUS" >/e2e/$name/ended'
		EnvironmentFile=
		EnvironmentFile=/e2e/$name/settings
		StateDirectory=
		StateDirectory=$name
		StandardOutput=file:/e2e/$name/out
		StandardError=append:/e2e-log/$(basename "$E2E_LOG")
	CONF
	[ "${E2E_DESCRIPTORS:-0}" -eq 0 ] || echo "LimitNOFILE=$E2E_DESCRIPTORS"
}

# metrics_socket: the copy of the page's socket unit, where a page is asked for. A free port is found here: no socket unit takes 0.
metrics_socket() {
	case ${DUSK_RELAY_METRICS:-} in
	"") return 0 ;;
	*:0) page=${DUSK_RELAY_METRICS%:0}:$(nsenter -t "$leader" -n sh -c '. "$0/lib.sh"; free_port' "$here") ;;
	*:*) page=$DUSK_RELAY_METRICS ;;
	*) page=127.0.0.1:$DUSK_RELAY_METRICS ;;
	esac
	sed -e "s/^ListenStream=.*/ListenStream=$page/" -e "s/^Service=.*/Service=$name.service/" \
		"$NSPAWN_ROOT/usr/lib/systemd/system/dusk-relay-metrics.socket" >"$units/$name-metrics.socket"
	sockets="$sockets $name-metrics.socket"
}

make_unit() {
	mkdir -p "$folder" "$units/$name.service.d"
	rm -f "$units/$name-metrics.socket"
	env | grep -E '^(DUSK|RUST)_' | sed 's/[\\"]/\\&/g; s/=\(.*\)/="\1"/' >"$folder/settings"
	cp "$NSPAWN_ROOT/usr/lib/systemd/system/dusk-relay.service" "$units/$name.service"
	drop_in >"$units/$name.service.d/e2e.conf"
	if [ "$E2E_MODE" = socket ]; then
		sed "s/^ListenStream=.*/ListenStream=$E2E_PORT/" "$NSPAWN_ROOT/usr/lib/systemd/system/dusk-relay.socket" \
			>"$units/$name.socket"
		sockets=$name.socket
		metrics_socket
	else
		cp "$ROOT/deploy/own-sockets.conf" "$units/$name.service.d"
	fi
	ln -sfn "$NSPAWN_ROOT/var/lib/private/$name" "$E2E_DIRECTORY/dusk-relay"
	[ -p "$folder/out" ] || mkfifo "$folder/out"
}

# Reading all units anew takes the manager long; a daemon that starts again as it was needs none of it.
load_unit() {
	cat "$units/$name".socket "$units/$name"-metrics.socket "$units/$name.service.d"/* >"$folder/new" 2>/dev/null
	cmp -s "$folder/new" "$folder/loaded" || inside systemctl daemon-reload
	mv "$folder/new" "$folder/loaded"
}

# A socket that stays would start the service again for the next connection. It is closed before the daemon ends, without waiting
# for that: the signal must not be late.
pass_on() {
	case $1 in TERM | INT) stop_sockets --no-block ;; esac
	if [ -z "$daemon" ]; then early="$early $1"; else kill -s "$1" "$daemon" 2>/dev/null; fi
}

# stop_sockets OPTION...
stop_sockets() {
	# shellcheck disable=SC2086 # names of units
	[ -z "$sockets" ] || inside systemctl stop "$@" $sockets
}

is_over() {
	! inside systemctl is-active "$name.service" | grep -q -x -e active -e activating -e deactivating
}

case ${1:-} in
--pid)
	parent
	exit
	;;
?*)
	exec nsenter -t "$leader" -m -p -n -u -i -C -r -w \
		setpriv --reuid 65534 --regid 65534 --clear-groups dusk-relay "$@"
	;;
esac

sockets=
daemon=
early=
for signal in TERM INT HUP USR1 USR2; do
	# shellcheck disable=SC2064 # the name of now
	trap "pass_on $signal" "$signal"
done
rm -f "$folder/ended"
make_unit
load_unit
# ExecStopPost= opens it too, after the daemon has closed it: a reader must still be there.
exec 3<>"$folder/out"
cat <&3 &
reader=$!
exec >/dev/null
# shellcheck disable=SC2086
[ -z "$sockets" ] || inside systemctl start $sockets
if inside systemctl start "$name.service" 2>/dev/null; then
	daemon=$(parent)
	for signal in $early; do
		kill -s "$signal" "$daemon"
	done
	while [ -n "$daemon" ] && kill -0 "$daemon" 2>/dev/null; do
		sleep 0.05
	done
fi
stop_sockets
within 5 is_over
kill "$reader" 2>/dev/null
# shellcheck disable=SC2086
inside systemctl reset-failed "$name.service" $sockets 2>/dev/null
how="" status=""
read -r how status <"$folder/ended"
case $how-$status in
exited-*) exit "$status" ;;
*-KILL) exit 137 ;;
*-SYS) exit 159 ;;
*) exit 128 ;;
esac
