# The e2e suite in a mode of the daemon that has to be set up first. Sourced by run.sh.
# shellcheck shell=sh

# What failed of it, which may be far above its end.
suite_failures() {
	grep -a -E 'FAILED|ERROR|TIMEOUT|^tests/|^The daemon' "$OUT" | head -n 30 | sed 's/^/             /'
}

# suite_passes MODE COMMAND...: run by this command, if any. SUITE_ONLY are the programs, or all. What the mode cannot try is said as
# skipped.
suite_passes() {
	mode=$1
	shift
	test_that "e2e suite${SUITE_ONLY:+, a part of it}, mode $mode" "$@" make -s -C "$ROOT" BUILD="$BUILD" e2e E2E_MODE="$mode" \
		${SUITE_ONLY:+"E2E_ONLY=$SUITE_ONLY"} || suite_failures
	grep -E '^left out of .*, mode ' "$OUT" >"$OUT.left"
	while read -r line; do
		skip "$line"
	done <"$OUT.left"
	grep '^e2e: ' "$OUT" | sed 's/^/           /'
}
