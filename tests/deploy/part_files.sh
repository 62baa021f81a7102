# Files that are made from other files, scripts, units and `make install`: needs neither Docker nor root.
# shellcheck shell=sh

# Settings that say where the key is are the container's own business.
compose_settings() {
	"$BUILD/bin/dusk-relay" settings --env | sed -n 's/^#\([A-Z_]*\)=.*/\1/p' |
		grep -v -x -e HOME -e XDG_DATA_HOME -e STATE_DIRECTORY | sort
}

compose_hands_on() {
	sed -n 's/^ *- \([A-Z_]*\)\(=.*\)\{0,1\}$/\1/p' "$ROOT/docker-compose.yml" | grep -v -x ALL | sort
}

# Commands of the documents that no test runs.
untested_commands() {
	python3 "$here/commands.py" "$ROOT" "$here/commands" README.md DOCKER.md CHANGELOG.md
}

# A document with one command more: the check must see it.
new_command_is_seen() {
	{
		cat "$ROOT/README.md"
		echo '    make nothing-tests-this'
	} >"$WORK/instructions"
	python3 "$here/commands.py" "$ROOT" "$here/commands" "$WORK/instructions" | grep 'make nothing-tests-this'
}

# What must never be let through, by name.
profile_forbids() {
	! grep -E '"(ptrace|process_vm_readv|io_uring_setup|bpf|mount|unshare|setns|userfaultfd|keyctl|add_key|memfd_create|kexec_load|init_module)"' \
		"$ROOT/deploy/seccomp.json" && python3 -m json.tool "$ROOT/deploy/seccomp.json" >/dev/null
}

unit_score() {
	systemd-analyze security --offline=true --threshold=5 --no-pager "$ROOT/deploy/dusk-relay.service"
}

# The program that the unit names must exist for verify: in the tree that was installed it does.
unit_verifies() {
	systemd-analyze verify --man=no "$1/dusk-relay.service" "$1/dusk-relay.socket" "$1/dusk-relay-metrics.socket" >"$OUT.verify" 2>&1
	grep -v -e '/usr/lib/systemd' "$OUT.verify" | grep . && return 1
	return 0
}

installed_tree() {
	rm -rf "$WORK/root"
	make -s -C "$ROOT" BUILD="$BUILD" install DESTDIR="$WORK/root" PREFIX=/opt/relay &&
		"$WORK/root/opt/relay/bin/dusk-relay" version &&
		"$WORK/root/opt/relay/bin/dusk-relay" check | grep "program $WORK/root/opt/relay/libexec/dusk-relay/netproc" &&
		grep 'ExecStart=/opt/relay/bin/dusk-relay' "$WORK/root/opt/relay/lib/systemd/system/dusk-relay.service" &&
		test -s "$WORK/root/opt/relay/share/man/man8/dusk-relay.8" && test -s "$WORK/root/etc/default/dusk-relay"
}

installed_settings_stay() {
	echo '# mine' >"$WORK/root/etc/default/dusk-relay"
	make -s -C "$ROOT" BUILD="$BUILD" install DESTDIR="$WORK/root" PREFIX=/opt/relay &&
		same '# mine' "$(cat "$WORK/root/etc/default/dusk-relay")"
}

uninstalled_tree() {
	make -s -C "$ROOT" BUILD="$BUILD" uninstall DESTDIR="$WORK/root" PREFIX=/opt/relay >/dev/null
	same "$WORK/root/etc/default/dusk-relay" "$(find "$WORK/root" -type f)"
}

static_programs() {
	make -s -C "$ROOT" -j2 BUILD="$BUILD" static >"$OUT.make" 2>&1 || return 1
	for program in bin/dusk-relay libexec/dusk-relay/keyproc libexec/dusk-relay/netproc libexec/dusk-relay/metrics libexec/dusk-relay/probe; do
		readelf -hl "$BUILD-static/$program" | grep -q 'Type:.*DYN' || return 1
		! readelf -l "$BUILD-static/$program" | grep INTERP || return 1
		! readelf -d "$BUILD-static/$program" | grep NEEDED || return 1
	done
}

scripts_are_clean() {
	(cd "$here" && shellcheck -x run.sh && shellcheck -e SC2154 part_*.sh && shellcheck "$ROOT/deploy/debian/postrm" "$ROOT/deploy/debian/prerm")
}

test_that "deploy/dusk-relay.env is what the program prints" \
	same "$("$BUILD/bin/dusk-relay" settings --env)" "$(cat "$ROOT/deploy/dusk-relay.env")"
test_that "docker-compose.yml hands on every setting" same "$(compose_settings)" "$(compose_hands_on)"
test_that "every command of the documents is run by a test" same "" "$(untested_commands)"
test_that "a new one would be noticed" new_command_is_seen
test_that "the system call profile lists nothing dangerous" profile_forbids
test_that "make install PREFIX=: programs run from there" installed_tree
test_that "make install leaves settings that are there" installed_settings_stay
test_that "make uninstall leaves the settings only" uninstalled_tree
test_that "make static: static-pie programs without libraries" static_programs
if have systemd-analyze; then
	test_that "the unit's exposure is at most 0.5" unit_score
	rm -rf "$WORK/units" && mkdir "$WORK/units"
	for unit in dusk-relay.service dusk-relay.socket dusk-relay-metrics.socket; do
		sed "s|/usr/bin/dusk-relay|$BUILD/bin/dusk-relay|" "$ROOT/deploy/$unit" >"$WORK/units/$unit"
	done
	test_that "systemd has nothing to say about the units" unit_verifies "$WORK/units"
else
	skip "no systemd-analyze: units are not checked"
fi
if have shellcheck; then
	test_that "shellcheck has nothing to say" scripts_are_clean
else
	skip "no shellcheck"
fi
