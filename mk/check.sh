#!/bin/sh
# make check: builds, then runs the tests of each name, all of them whatever fails; says which failed.
#   check.sh BUILD SECONDS TARGET...     SECONDS: for each fuzzer
# Started as root, tests also run the daemon as another user, who must be able to reach the programs: in a checkout that only root can
# enter (/root), all is built in a folder under /var/tmp instead.
set -u
build=$1 seconds=$2
shift 2
jobs=$(nproc 2>/dev/null || echo 1)
make="${MAKE:-make} --no-print-directory -j$jobs"
made=

reachable() {
	setpriv --reuid=65534 --regid=65534 --clear-groups test -r "$PWD/Makefile" 2>/dev/null
}

if [ "$(id -u)" = 0 ] && ! reachable; then
	made=$(mktemp -d /var/tmp/dusk-relay-check.XXXXXX) || exit 1
	chmod 755 "$made"
	build=$made/build
	echo "check: others cannot enter $PWD: building in $build"
	trap 'rm -rf "$made"' EXIT
fi

umask 022
AUDIT_SKIP=twice # two more builds: .ci/run has it
export AUDIT_SKIP
$make BUILD="$build" programs || exit 1
failed=
for target in "$@"; do
	echo "== $target"
	$make BUILD="$build" SECS="$seconds" "$target" || failed="$failed $target"
done
if [ -n "$failed" ]; then
	echo "check: FAILED:$failed"
	exit 1
fi
echo "check: all passed"
