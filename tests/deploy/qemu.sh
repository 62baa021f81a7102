# A whole machine with Debian's own kernel and control groups of version 2, emulated. Sourced by run.sh.
# shellcheck shell=sh
QEMU_ROOT=$WORK/vm
QEMU_DISK=$WORK/vm.img
QEMU_LOG=$WORK/vm.log
QEMU_PID=$WORK/vm.pid
QEMU_PACKAGES=$(nspawn_packages bookworm),udev,kmod,zstd,initramfs-tools,linux-image-cloud-amd64,libcmocka0
QEMU_TAR=$WORK/vm-$(echo "$QEMU_PACKAGES" | cksum | cut -d" " -f1).tar

# qemu_ready: 0 when a machine can be started here; else the reason is said. Its file system is made once.
qemu_ready() {
	if ! is_root || ! have qemu-system-x86_64 || ! have mmdebstrap || ! have mke2fs; then
		skip "a machine with control groups of version 2 takes root, qemu-system-x86_64 (qemu-system-x86), mmdebstrap and mke2fs"
		return 1
	fi
	if [ "$(uname -m)" != x86_64 ]; then
		skip "the machine is an x86_64, and programs of this one do not run there"
		return 1
	fi
	[ -f "$QEMU_TAR" ] && return 0
	if ! nice mmdebstrap --quiet --variant=minbase --include="$QEMU_PACKAGES" bookworm "$WORK/new.tar" >"$OUT" 2>&1; then
		skip "the machine's system cannot be made: $(tail -n 1 "$OUT")"
		return 1
	fi
	mv "$WORK/new.tar" "$QEMU_TAR"
}

# A fresh system, not yet on its disk.
qemu_unpack() {
	rm -rf "$QEMU_ROOT"
	mkdir -p "$QEMU_ROOT"
	tar -C "$QEMU_ROOT" -xf "$QEMU_TAR" --exclude='./dev/*' && echo '/dev/vda / ext4 rw 0 1' >"$QEMU_ROOT/etc/fstab"
}

# qemu_run SECONDS: boots the system, whose units end it by themselves; what they write to the serial line is in QEMU_LOG.
# No accelerator: one that is there need not be able to run any kernel. no_timer_check: on a busy machine the emulated timer is late
# for the kernel's test of it, which then gives up. Its memory is more than the MemoryMax of the unit, so that this is what is met.
qemu_run() {
	rm -f "$QEMU_DISK"
	mke2fs -q -t ext4 -d "$QEMU_ROOT" "$QEMU_DISK" 2G || return 1
	rm -f "$QEMU_LOG"
	setsid timeout "$1" qemu-system-x86_64 -accel tcg,thread=multi -cpu max -smp 2 -m 1600 \
		-kernel "$(echo "$QEMU_ROOT"/boot/vmlinuz-*)" -initrd "$(echo "$QEMU_ROOT"/boot/initrd.img-*)" \
		-append "root=/dev/vda rw console=ttyS0 quiet no_timer_check systemd.mask=serial-getty@ttyS0.service" \
		-drive file="$QEMU_DISK",if=virtio,format=raw -nic user,model=virtio-net-pci,restrict=on -display none \
		-serial file:"$QEMU_LOG" -monitor none -no-reboot </dev/null >"$OUT.qemu" 2>&1 &
	echo $! >"$QEMU_PID"
	wait "$(cat "$QEMU_PID")"
	status=$?
	rm -f "$QEMU_PID"
	tail -n 5 "$OUT.qemu"
	return "$status"
}

qemu_stop() {
	[ -s "$QEMU_PID" ] || return 0
	kill "$(cat "$QEMU_PID")" 2>/dev/null
	rm -f "$QEMU_PID"
}
