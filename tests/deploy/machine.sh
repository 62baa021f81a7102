#!/bin/sh
# Run once by systemd in the machine of part_qemu.sh: tries the units there and writes what it sees to the serial line, then ends it.
set -u

say() {
	echo "machine: $*" >/dev/ttyS0
}

# like_the_unit NAME COMMAND [SED]: a service with all that the unit has, but another program.
like_the_unit() {
	sed -e 's/^Type=.*/Type=exec/' -e '/^NotifyAccess=/d' -e '/^WatchdogSec=/d' -e '/^Restart/d' -e '/^ExecStopPost=/d' \
		-e "s|^ExecStart=.*|ExecStart=$2|" -e "${3:-}" /usr/lib/systemd/system/dusk-relay.service >"/run/systemd/system/$1.service"
	systemctl daemon-reload
	timeout 60 systemctl start "$1.service"
	left=100
	while [ "$left" -gt 0 ] && systemctl is-active -q "$1.service"; do
		left=$((left - 1))
		sleep 0.3
	done
	say "$1: $(systemctl show -p Result --value "$1.service"): $(last_words "$1")"
}

# last_words NAME: what calls.c wrote at its end, when the journal has it; one that was killed wrote nothing.
last_words() {
	left=10
	until journalctl -u "$1.service" -o cat --no-pager | grep -E 'took it|processes' | tail -n 1 | grep . || [ "$left" -eq 0 ]; do
		left=$((left - 1))
		sleep 0.3
	done
}

# serves NAME PORT
serves() {
	if timeout 20 dusk-relay probe "/ip4/127.0.0.1/tcp/$2" >/run/probe 2>&1; then
		say "$1: serves"
	else
		say "$1: no answer: $(tail -n 1 /run/probe)"
	fi
}

drop_in() {
	rm -rf /run/systemd/system/dusk-relay.service.d
	mkdir -p /run/systemd/system/dusk-relay.service.d
	cat >/run/systemd/system/dusk-relay.service.d/test.conf
	systemctl daemon-reload
	timeout 60 systemctl restart dusk-relay.service
	sleep 2
}

say "kernel: $(uname -r) $(stat -f -c %T /sys/fs/cgroup)"
timeout 120 systemctl enable --now dusk-relay.socket dusk-relay.service >/dev/null 2>&1
serves "by its socket, all addresses denied" 4001
group=/sys/fs/cgroup/system.slice/dusk-relay.service
say "limits: $(cat $group/memory.max) $(cat $group/pids.max) $(cat $group/memory.swap.max)"
say "users: $(cat $group/cgroup.procs | wc -l) processes"
say "$(journalctl -u dusk-relay.service -o cat --no-pager | grep -o 'confinement.*' | tail -n 1)"

like_the_unit memory-above "/usr/local/bin/calls memory 1200"
like_the_unit memory-below "/usr/local/bin/calls memory 700"
like_the_unit tasks "/usr/local/bin/calls processes"
like_the_unit tasks-unlimited "/usr/local/bin/calls processes" 's/^TasksMax=.*/TasksMax=100/'

drop_in <<CONF
[Service]
MemoryMax=256M
CONF
say "check: $(systemd-run -q --wait --pipe -p MemoryMax=256M dusk-relay check 2>&1 | grep -o 'budget [0-9]* MiB' | tail -n 1)"

# Sockets of its own, and nothing taken back: none gets a packet. Then as own-sockets.conf has it.
systemctl disable --now dusk-relay.socket >/dev/null 2>&1
printf 'DUSK_RELAY_PORT=4011\n' >/etc/default/dusk-relay
{
	cat /usr/share/doc/dusk-relay/examples/own-sockets.conf
	echo IPAddressDeny=any
} | drop_in
say "own sockets: $(systemctl is-active dusk-relay.service)"
serves "own sockets, all addresses denied" 4011
drop_in </usr/share/doc/dusk-relay/examples/own-sockets.conf
serves "own-sockets.conf" 4011

# The clock goes an hour back and two forward, under a relay in a circuit and under the unit, whose watchdog looks on.
process=$(systemctl show -p MainPID --value dusk-relay.service)
mkdir -p /run/clock/tests/e2e
ln -s /usr/bin /run/clock/bin
if E2E_BUILD=/run/clock CLOCK_SET=1 timeout 180 /usr/local/bin/test_clock >/run/clock/output 2>&1; then
	say "clock: $(grep -o "the relay's clock is .*" /run/clock/output | tr '\n' ';')"
else
	say "clock: failed: $(tail -n 8 /run/clock/output | tr '\n' ' ')"
fi
[ "$process" = "$(systemctl show -p MainPID --value dusk-relay.service)" ] && serves "after the clock, the same process" 4011
say "end"
poweroff -f
