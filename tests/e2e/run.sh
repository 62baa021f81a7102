#!/bin/sh
# Runs the e2e test programs named, E2E_JOBS (4) at a time, each with a time limit. A program whose first comment has a line
# "Runs alone" is run by itself at the end. Prints, in the order of their names, what passed; then what was left out and why; then
# the sum. Exit status 1 when anything failed or none ran.
#   run.sh --one PROGRAM   one of them: its output and its results beside it in log/
set -u
limit=${E2E_LIMIT:-600}
jobs=${E2E_JOBS:-4}
mode=${E2E_MODE:-user}
log=$E2E_BUILD/tests/e2e/log
[ -n "${E2E_SLOW:-}" ] || unset E2E_SLOW

# What one program did: its line, what was left out, and "count PASSED FAILED" in front.
one() {
	name=$(basename "$1")
	out=$log/$name.out
	start=$(date +%s)
	timeout "$limit" "$1" >"$out" 2>&1
	status=$?
	passed=$(grep -a -c '^\[       OK \]' "$out")
	left=$(grep -a -c '^left out' "$out")
	if [ "$status" -eq 0 ] && [ $((passed + left)) -gt 0 ]; then
		echo "count $passed 0"
		echo "e2e $name: $passed passed in $(($(date +%s) - start)) s"
	else
		echo "count $passed 1"
		echo "e2e $name: FAILED (exit status $status, $passed passed)"
		grep -E -a '^\[  (FAILED|ERROR|TIMEOUT)|^tests/|^The daemon|^the ' "$out" | head -40
	fi
}

# together JOBS PROGRAM...: runs them and prints each result in its turn.
together() {
	many=$1
	shift
	[ $# -gt 0 ] || return 0
	printf '%s\n' "$@" | xargs -P "$many" -n 1 sh "$0" --one &
	all=$!
	for program in "$@"; do
		result=$log/$(basename "$program").result
		until [ -e "$result" ] || ! kill -0 "$all" 2>/dev/null; do
			sleep 0.1
		done
		sed 1d "$result"
	done
	wait "$all"
}

# Programs that measure time of a processor or a clock see what others do beside them.
is_alone() {
	grep -qs '^ \* Runs alone' "tests/e2e/$(basename "$1").c"
}

if [ "${1:-}" = --one ]; then
	result=$log/$(basename "$2").result
	one "$2" >"$result.new"
	mv "$result.new" "$result"
	exit 0
fi

case $mode in
user | root | container | unit | socket) ;;
*)
	echo "e2e: no such mode: $mode"
	exit 1
	;;
esac
# Allocators of sanitizers keep what is freed: tests that watch memory say so and look away.
if grep -q __asan_init "$E2E_BUILD/libexec/dusk-relay/netproc"; then export E2E_SANITIZED=1; fi
mkdir -p "$log"
rm -f "$log"/*.result "$log"/*.result.new
shared=
alone=
for program in "$@"; do
	if is_alone "$program"; then alone="$alone $program"; else shared="$shared $program"; fi
done
# shellcheck disable=SC2086 # names of programs, without spaces
together "$jobs" $shared
# shellcheck disable=SC2086
together 1 $alone
passed=0
failed=0
left=0
for program in "$@"; do
	name=$(basename "$program")
	one_passed=0 one_failed=1
	[ -e "$log/$name.result" ] && read -r _ one_passed one_failed <"$log/$name.result"
	passed=$((passed + one_passed))
	failed=$((failed + one_failed))
	left=$((left + $(grep -a -c '^left out' "$log/$name.out")))
	grep -a '^left out' "$log/$name.out" | sed "s/^left out/left out of $name/"
done
echo "e2e: $passed passed, $failed failed, $left left out ($# programs, mode $mode)"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
