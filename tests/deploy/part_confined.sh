# What the container may do: limits, the system call profile, and kernels without Landlock.
# shellcheck shell=sh

# calls PROFILE ARGUMENT...: the program calls.c in the image's place, confined as the relay is.
calls() {
	profile=$1
	shift
	docker run --rm --name dusk-relay-calls --read-only --user 1000:1000 --cap-drop ALL --security-opt no-new-privileges \
		--security-opt seccomp="$profile" --memory 64m --memory-swap 64m --pids-limit 16 \
		-v "$WORK/calls:/calls:ro" --entrypoint /calls dusk-relay "$@"
}

# Those that got past the profile.
let_through() {
	calls "$1" | grep -v -e ' EPERM$' -e '^clone3 ENOSYS$' | tr '\n' ';'
}

takes_too_much() {
	calls "$PROJECT/deploy/seccomp.json" memory 200
	same 137 $?
}

# The root variant's options, as deploy/compose.root.yml has them.
as_root() {
	relay --user 0:0 --cap-add SETUID --cap-add SETGID --cap-add SYS_CHROOT --cap-add SETPCAP --cap-add DAC_OVERRIDE \
		--cap-add FOWNER -e DUSK_RELAY_KEY_USER=1000 "$@"
}

users_of_processes() {
	docker top dusk-relay -eo pid,uid | awk 'NR > 1 { print $2 }' | sort -u | tr '\n' ' '
}

capabilities_of_processes() {
	for pid in $(docker top dusk-relay -eo pid | tail -n +2); do
		sed -n 's/^Cap\(Inh\|Prm\|Eff\|Bnd\|Amb\):\t//p' "/proc/$pid/status"
	done | sort -u
}

# fields of /proc that say how a process is confined: each the same for all three
confinement_of_processes() {
	for pid in $(docker top dusk-relay -eo pid | tail -n +2); do
		sed -n -E 's/^(NoNewPrivs|Seccomp|Seccomp_filters|Threads):\t/\1 /p' "/proc/$pid/status" | tr '\n' ' '
		echo
	done | sort -u
}

docker_begin && docker_image || return 0
if ! gcc -O2 -static -o "$WORK/calls" "$here/calls.c" 2>"$OUT"; then
	skip "the program that tries system calls cannot be linked: $(tail -n 1 "$OUT")"
	return 0
fi
profile=$PROJECT/deploy/seccomp.json
test_that "the profile refuses what a relay does not do" same "" "$(let_through "$profile")"
test_says "which without it gets through (the test can tell)" 'ptrace (ESRCH|EIO)' calls unconfined
test_says "processes end at the limit" '^1[0-6] processes' calls "$profile" processes
test_that "memory ends at the limit" takes_too_much
test_says "and below it does not" 'took it' calls "$profile" memory 40

relay >/dev/null
test_that "one user: serves" serves
test_that "one user: user 1000 only" same "1000 " "$(users_of_processes)"
test_that "one user: no capability at all" same 0000000000000000 "$(capabilities_of_processes)"
test_that "one user: the profile and a filter of their own" same \
	"NoNewPrivs 1 Seccomp 2 Seccomp_filters 2 Threads 1 " "$(confinement_of_processes | sed 's/ *$/ /;s/\(Threads 1\) \(NoNewPrivs 1\) \(.*\)/\2 \3\1 /')"
as_root >/dev/null
test_that "as root: serves" serves
test_that "as root: a user for each process, none root" same "1000 61001 61003 " "$(users_of_processes)"
test_that "as root: no capability is left" same 0000000000000000 "$(capabilities_of_processes)"

profile_without_landlock
relay --security-opt seccomp="$WORK/seccomp.old-kernel.json" >/dev/null
test_that "no Landlock, one user: does not start (78)" within 10 is_ended_with 78
test_says "no Landlock, one user: says what to do" 'start as root|Start as root' docker logs dusk-relay
as_root --security-opt seccomp="$WORK/seccomp.old-kernel.json" >/dev/null
test_that "no Landlock, as root: serves" serves
test_says "no Landlock, as root: says what confines it" 'confinement parent=[^ ]*chroot,uid' docker logs dusk-relay
