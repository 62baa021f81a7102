#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Runs fuzzers one after another: run.sh BUILD SECONDS MAXIMUM ONLY. 0 seconds: seeds and regressions only.
# Exits 1 when one of them found something, and says how to see it again.
set -u
build=$1 seconds=$2 maximum=$3 only=$4
here=$(dirname "$0")
failed=0

"$build/tests/fuzz/seeds" "$here/seeds.txt" "$build/corpus" || exit 1
mkdir -p "$build/found"
for program in "$build"/tests/fuzz/fuzz_$only; do
	[ -x "$program" ] || continue
	case $program in *.log) continue ;; esac
	name=${program##*/fuzz_}
	seeds=$build/corpus/$name
	grown=$build/grown/$name
	known=$here/regressions/$name
	mkdir -p "$seeds" "$grown"
	[ -d "$known" ] || known=
	if [ "$seconds" -eq 0 ]; then
		set -- "$seeds" $known -runs=0
	else
		set -- "$grown" "$seeds" $known -max_total_time="$seconds"
	fi
	if "$program" "$@" -max_len="$maximum" -timeout=5 -rss_limit_mb=1024 \
		-artifact_prefix="$build/found/$name-" >"$program.log" 2>&1; then
		echo "fuzz $name: $(grep -E 'Done|DONE' "$program.log" | tail -n 1)"
	else
		failed=1
		echo "fuzz $name FAILED; again with: $program $build/found/$name-*"
		tail -n 60 "$program.log"
	fi
done
exit $failed
