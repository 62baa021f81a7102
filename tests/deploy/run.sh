#!/bin/sh
# Tries what is deployed, for real: `make deploy-check`, or with DEPLOY_ONLY= one part of it. Each part is a file beside this one.
# Prints a line for each test; a part whose tool is missing is skipped with the reason. Ends with what failed, or passed only at a second
# try, and `N passed, N failed, N skipped`.
set -u
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=lib.sh
. "$here/lib.sh"
# shellcheck source=docker.sh
. "$here/docker.sh"
# shellcheck source=nspawn.sh
. "$here/nspawn.sh"
# shellcheck source=bare.sh
. "$here/bare.sh"
# shellcheck source=qemu.sh
. "$here/qemu.sh"
# shellcheck source=peers.sh
. "$here/peers.sh"
# shellcheck source=suite.sh
. "$here/suite.sh"

parts=${*:-all}
[ "$parts" = all ] && parts="files readme metrics firewall image confined migrate compose package units suite_container qemu"

# A part with a failure is run once more from a clean start, since machines have bad moments; this is said, and so is what failed at
# first. No more than so many parts in a run: what is broken may not hide behind it.
second_tries=2

# play PART: what it did is in $RESULTS.
play() {
	: >"$RESULTS"
	# shellcheck disable=SC2034 # result reads it
	LAST=$(date +%s)
	# A part may end itself; what it started is ended here.
	# shellcheck source=/dev/null
	(. "$here/part_$1.sh"; exit 0) || result fail "ended before its end"
	docker_leave
	nspawn_stop
	qemu_stop
}

# how_many pass|fail|skip FILE
how_many() {
	grep -c "^$1 " "$2"
}

# tell WHAT PART FILE: a line for each failure there.
tell() {
	sed -n "s/^fail /$1: $2: /p" "$3"
}

# once_more PART: what skips the tests that failed has not passed them.
once_more() {
	second_tries=$((second_tries - 1))
	echo "== $1, once more"
	tell "failed at the first try" "$1" "$RESULTS" | sed 's/^/  /'
	mv "$RESULTS" "$RESULTS.first"
	play "$1"
	if [ "$(how_many pass "$RESULTS")" -lt "$(how_many pass "$RESULTS.first")" ]; then
		result fail "the second try tried less than the first"
	fi
	if [ "$(how_many fail "$RESULTS")" -eq 0 ]; then
		tell "passed at the second try" "$1" "$RESULTS.first" >>"$RESULTS.told"
	else
		tell "failed at the first try" "$1" "$RESULTS.first" >>"$RESULTS.told"
	fi
}

start=$(date +%s)
mkdir -p "$WORK"
rm -f "$RESULTS".*
: >"$RESULTS"
[ "${*:-all}" != all ] || skip "the e2e suite under systemd takes 5 minutes more: make deploy-check DEPLOY_ONLY=suite_systemd"
cp "$RESULTS" "$RESULTS.all"
: >"$RESULTS.told"
trap clean_up EXIT
trap 'exit 1' INT TERM
for part in $parts; do
	echo "== $part"
	play "$part"
	if [ "$(how_many fail "$RESULTS")" -gt 0 ] && [ "$second_tries" -gt 0 ]; then
		once_more "$part"
	fi
	tell failed "$part" "$RESULTS" >>"$RESULTS.told"
	cat "$RESULTS" >>"$RESULTS.all"
done
passed=$(how_many pass "$RESULTS.all")
failed=$(how_many fail "$RESULTS.all")
skipped=$(how_many skip "$RESULTS.all")
cat "$RESULTS.told"
echo "deploy: $passed passed, $failed failed, $skipped skipped ($(($(date +%s) - start)) s)"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
