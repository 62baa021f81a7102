#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Runs the attack programs given, one after another; prints what each says, and the sum at the end. Exits 1 when an attack got through.
# More rounds (ATTACK_ROUNDS) have more time.
set -u
passed=0 failed=0 skipped=0 broken=0
output=$(mktemp)
trap 'rm -f "$output"' EXIT
for program in "$@"; do
	timeout $((600 + 12 * ${ATTACK_ROUNDS:-0})) "$program" >"$output" 2>&1 || broken=1
	cat "$output"
	sum=$(sed -n 's/^[a-z_]*: \([0-9]*\) passed, \([0-9]*\) failed, \([0-9]*\) skipped$/\1 \2 \3/p' "$output" | tail -n 1)
	if [ -z "$sum" ]; then
		echo "  FAILED: $program ended without its sum"
		sum="0 1 0"
	fi
	IFS=' ' read -r p f s <<-SUM
		$sum
	SUM
	passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
done
[ "$(id -u)" -eq 0 ] || echo "  not root: attacks on root mode and by other users were skipped"
echo "attack: $passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ] && [ "$broken" -eq 0 ]
