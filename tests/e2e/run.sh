#!/bin/sh
# Runs the e2e test programs named, each with a time limit; prints what passed; exit status 1 when anything failed or none ran.
set -u
limit=${E2E_LIMIT:-600}
[ -n "${E2E_SLOW:-}" ] || unset E2E_SLOW
# Allocators of sanitizers keep what is freed: tests that watch memory say so and look away.
if grep -q __asan_init "$E2E_BUILD/libexec/dusk-relay/netproc"; then export E2E_SANITIZED=1; fi
failed=0
passed=0
mkdir -p "$E2E_BUILD/tests/e2e/log"
for program in "$@"; do
	name=$(basename "$program")
	out=$E2E_BUILD/tests/e2e/log/$name.out
	start=$(date +%s)
	timeout "$limit" "$program" >"$out" 2>&1
	status=$?
	count=$(grep -c '^\[       OK \]' "$out")
	passed=$((passed + count))
	if [ "$status" -ne 0 ] || [ "$count" -eq 0 ]; then
		failed=$((failed + 1))
		echo "e2e $name: FAILED (exit status $status, $count passed)"
		grep -E -a '^\[  (FAILED|ERROR|TIMEOUT)|^tests/|^The daemon|^the ' "$out" | head -40
	else
		echo "e2e $name: $count passed in $(($(date +%s) - start)) s"
	fi
	grep -a '^left out' "$out"
done
echo "e2e: $passed passed, $failed of $# programs failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
