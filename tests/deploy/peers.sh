# Clients that try a relay from outside. Sourced by run.sh.
# shellcheck shell=sh

# probe_through HOST PORT: the whole probe, from the host.
probe_through() {
	"$BUILD/bin/dusk-relay" probe "/ip4/$1/tcp/$2"
}

# js_ready: 0 when js-libp2p can be used here; else the reason is said. tests/interop has the client.
js_ready() {
	if ! have node || ! have npm || [ ! -e "$ROOT/tests/interop/js/package.json" ]; then
		skip "js-libp2p: takes node and npm"
		return 1
	fi
	[ -d "$ROOT/tests/interop/js/node_modules" ] && return 0
	(cd "$ROOT/tests/interop/js" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error) >"$OUT" 2>&1 && return 0
	skip "js-libp2p cannot be installed: $(tail -n 1 "$OUT")"
	return 1
}

# js_reserves HOST PORT: connects and reserves with js-libp2p; prints the circuit addresses that it was given.
js_reserves() {
	timeout 60 python3 "$here/js_reserve.py" "$ROOT/tests/interop" "/ip4/$1/tcp/$2"
}

# open_ports ADDRESS: every TCP port that answers there.
open_ports() {
	python3 "$here/open_ports.py" "$1"
}
