# What all parts share: how a test is said to have passed, and where things are. Sourced by run.sh.
# shellcheck shell=sh
ROOT=$(cd "$here/../.." && pwd)
BUILD=${DEPLOY_BUILD:-build}
case $BUILD in /*) ;; *) BUILD=$ROOT/$BUILD ;; esac
WORK=$BUILD/deploy
RESULTS=$WORK/results
OUT=$WORK/output

# result pass|fail|skip TEXT. What took long says how long.
result() {
	printf '%s %s\n' "$1" "$2" >>"$RESULTS"
	now=$(date +%s)
	took=$((now - ${LAST:-$now}))
	LAST=$now
	[ "$took" -lt 5 ] && took="" || took=" ($took s)"
	case $1 in
	pass) echo "  ok       $2$took" ;;
	skip) echo "  skipped  $2$took" ;;
	*) echo "  FAILED   $2$took" ;;
	esac
}

skip() {
	result skip "$1"
}

# test_that NAME COMMAND...: passes when the command succeeds; shows what it said when not.
test_that() {
	name=$1
	shift
	if "$@" >"$OUT" 2>&1; then
		result pass "$name"
		return 0
	fi
	result fail "$name"
	tail -n 15 "$OUT" | sed 's/^/             /'
	return 1
}

# test_says NAME PATTERN COMMAND...: passes when what the command says has a line that matches; its status does not matter.
test_says() {
	name=$1 pattern=$2
	shift 2
	"$@" >"$OUT" 2>&1
	if grep -E -q -e "$pattern" "$OUT"; then
		result pass "$name"
		return 0
	fi
	result fail "$name (no line like: $pattern)"
	tail -n 15 "$OUT" | sed 's/^/             /'
	return 1
}

# within SECONDS COMMAND...: tries until it succeeds.
within() {
	left=$(($1 * 5))
	shift
	until "$@" >"$OUT.within" 2>&1; do
		left=$((left - 1))
		if [ "$left" -le 0 ]; then
			cat "$OUT.within"
			return 1
		fi
		sleep 0.2
	done
}

same() {
	[ "$1" = "$2" ] && return 0
	printf 'not the same:\n  %s\n  %s\n' "$1" "$2"
	return 1
}

have() {
	command -v "$1" >/dev/null 2>&1
}

is_root() {
	[ "$(id -u)" -eq 0 ]
}

free_port() {
	python3 -c 'import socket; s = socket.socket(); s.bind(("", 0)); print(s.getsockname()[1])'
}

clean_up() {
	nspawn_stop
	qemu_stop
	docker_leave
	docker_end
}
