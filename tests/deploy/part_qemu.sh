# The units on a real kernel: control groups of version 2, whose limits and packet filters a container does not have here; and
# a clock that may be set.
# shellcheck shell=sh

machine_with_units() {
	qemu_unpack || return 1
	make -s -C "$ROOT" BUILD="$BUILD" install DESTDIR="$QEMU_ROOT" PREFIX=/usr STRIP=1 || return 1
	gcc -O2 -static -o "$QEMU_ROOT/usr/local/bin/calls" "$here/calls.c" || return 1
	make -s -C "$ROOT" BUILD="$BUILD" "$BUILD/tests/clock/tests/e2e/test_clock" || return 1
	install -m 0755 "$BUILD/tests/clock/tests/e2e/test_clock" "$QEMU_ROOT/usr/local/bin/test_clock"
	install -m 0755 "$here/machine.sh" "$QEMU_ROOT/usr/local/sbin/machine"
	printf '%s\n' '[Service]' Type=idle ExecStart=/usr/local/sbin/machine '[Install]' WantedBy=multi-user.target \
		>"$QEMU_ROOT/etc/systemd/system/machine.service"
	mkdir -p "$QEMU_ROOT/etc/systemd/system/multi-user.target.wants"
	ln -s ../machine.service "$QEMU_ROOT/etc/systemd/system/multi-user.target.wants/machine.service"
}

# A machine that stands still is ended; what it said before is looked at all the same.
machine_runs() {
	qemu_run "${QEMU_SECONDS:-420}"
	grep -a 'machine: end' "$QEMU_LOG" || {
		tail -n 15 "$QEMU_LOG"
		return 1
	}
}

# machine_said NAME PATTERN
machine_said() {
	test_says "$1" "machine: $2" grep -a 'machine: ' "$QEMU_LOG"
}

qemu_ready || return 0
test_that "a machine with the units" machine_with_units || return 0
test_that "it boots, tries them, and ends" machine_runs
machine_said "Debian's kernel, control groups of version 2" 'kernel: 6\.1\..* cgroup2fs'
machine_said "IPAddressDeny=any and the socket unit: serves" 'by its socket, all addresses denied: serves'
machine_said "the limits are the unit's" 'limits: 1073741824 8 0'
machine_said "three processes" 'users: 3 processes'
machine_said "MemoryMax: more ends by it" 'memory-above: oom-kill: .?$'
machine_said "MemoryMax: less lives" 'memory-below: success: took it'
machine_said "TasksMax: at most eight" 'tasks: success: [1-8] processes'
machine_said "TasksMax: without it more (the test can tell)" 'tasks-unlimited: success: ([1-9][0-9]|100) processes'
machine_said "the relay plans three quarters of the group's memory" 'check: budget 192 MiB'
machine_said "IPAddressDeny=any, sockets of its own: it runs" 'own sockets: active'
machine_said "and no packet arrives" 'own sockets, all addresses denied: no answer'
machine_said "own-sockets.conf: packets arrive" 'own-sockets.conf: serves'
machine_said "its clock set an hour back, then two forward: circuits, reservations, log go on" \
	"clock: the relay's clock is -3600 s ahead;the relay's clock is 3600 s ahead;"
machine_said "the unit serves by the same process, no watchdog fired" 'after the clock, the same process: serves'
rm -rf "$QEMU_ROOT" "$QEMU_DISK"
