#!/bin/sh
# Runs the unit test programs given, one after the other; prints a line each and a sum; exit status 1 when one failed.
passed=0
failed=0
for program in "$@"; do
	name=$(basename "$program")
	"$program" >"$program.log" 2>&1
	status=$?
	ok=$(grep -c '^\[       OK \]' "$program.log")
	bad=$(grep -c '^\[  FAILED  \] test' "$program.log")
	left=$(grep -c '^\[  SKIPPED \] test' "$program.log")
	if [ "$status" -eq 0 ] && [ "$ok" -eq 0 ] && [ "$left" -gt 0 ]; then
		echo "unit $name: skipped, all of it (needs root)"
		continue
	fi
	if [ "$status" -ne 0 ] || [ "$ok" -eq 0 ]; then
		cat "$program.log"
		echo "unit $name: FAILED (exit status $status)"
		failed=$((failed + (bad > 0 ? bad : 1)))
	else
		echo "unit $name: $ok passed"
	fi
	passed=$((passed + ok))
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
