# A Debian with make and nothing else, and the sources: what a reader of README.md begins with. Sourced by run.sh.
# shellcheck shell=sh
BARE_ROOT=$WORK/bare

# bare_unpack SUITE: a fresh system with make and nothing else, and the sources in /src. What is downloaded is kept.
bare_unpack() {
	if [ ! -f "$WORK/bare-$1.tar" ]; then
		nice mmdebstrap --quiet --variant=minbase --include=make "$1" "$WORK/new.tar" >"$OUT" 2>&1 || return 1
		mv "$WORK/new.tar" "$WORK/bare-$1.tar"
	fi
	rm -rf "$BARE_ROOT"
	mkdir -p "$BARE_ROOT"
	tar -C "$BARE_ROOT" -xf "$WORK/bare-$1.tar" --exclude='./dev/*' && mkdir "$BARE_ROOT/src" || return 1
	cp -L /etc/resolv.conf "$BARE_ROOT/etc/resolv.conf"
	echo '127.0.0.1 localhost relay.example.org' >"$BARE_ROOT/etc/hosts"
	for file in Makefile VERSION mk imsg keyproc netproc metrics parent probe proto; do
		[ ! -e "$ROOT/$file" ] || cp -R "$ROOT/$file" "$BARE_ROOT/src" || return 1
	done
	install -d -o 1000 -g 1000 "$BARE_ROOT/home/user" && chown -R 1000:1000 "$BARE_ROOT/src"
}

# bare USER COMMAND: in the system, in the folder of the sources; ends with all that it started. The network is the machine's.
bare() {
	[ "$1" = 0 ] && home=/root || home=/home/user
	# shellcheck disable=SC2016
	exec setsid unshare -mpf --kill-child sh -c 'mount --bind /dev "$1/dev" && mount -t proc proc "$1/proc" &&
		exec chroot "$1" setpriv --reuid="$2" --regid="$2" --clear-groups env -i HOME="$3" \
		PATH=/src/build/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin DUSK_RELAY_PORT="$5" sh -c "cd /src && $4"' \
		bare "$BARE_ROOT" "$1" "$home" "$2" "$port" </dev/null
}
