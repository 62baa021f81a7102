#!/bin/sh
# Tries what is deployed, for real: `make deploy-check`, or with DEPLOY_ONLY= one part of it. Each part is a file beside this one.
# Prints a line for each test; a part whose tool is missing is skipped with the reason. Ends with `N passed, N failed, N skipped`.
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

start=$(date +%s)
mkdir -p "$WORK"
: >"$RESULTS"
[ "${*:-all}" != all ] || skip "the e2e suite under systemd takes 5 minutes more: make deploy-check DEPLOY_ONLY=suite_systemd"
trap clean_up EXIT
trap 'exit 1' INT TERM
for part in $parts; do
	echo "== $part"
	# A part may end itself; what it started is ended here.
	# shellcheck source=/dev/null
	(. "$here/part_$part.sh"; exit 0) || result fail "$part: ended before its end"
	docker_leave
	nspawn_stop
	qemu_stop
done
passed=$(grep -c '^pass' "$RESULTS")
failed=$(grep -c '^fail' "$RESULTS")
skipped=$(grep -c '^skip' "$RESULTS")
grep '^fail' "$RESULTS" | sed 's/^fail/FAILED:/'
echo "deploy: $passed passed, $failed failed, $skipped skipped ($(($(date +%s) - start)) s)"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
