# The metrics page seen by a real Prometheus: the page's syntax, the alerts, and every query of the board.
# shellcheck shell=sh

BOARD=$ROOT/deploy/grafana.json

metrics_stop() {
	[ -n "${prometheus_pid:-}" ] && kill "$prometheus_pid" 2>/dev/null
	[ -n "${relay_pid:-}" ] && kill "$relay_pid" 2>/dev/null
	wait
}

# Every counter of the list stands in a query of the board.
board_shows_all() {
	python3 - "$ROOT/imsg/counters.h" "$BOARD" <<'PY'
import re
import sys

with open(sys.argv[1], encoding="utf-8") as file:
    names = set(re.findall(r'"((?:libp2p|dusk_relay)_[a-z_]+)"', file.read()))
with open(sys.argv[2], encoding="utf-8") as file:
    board = file.read()
missing = [name for name in sorted(names) if not re.search(name + r"[{\[]", board)]
print("not on the board:", missing)
sys.exit(1 if missing or not names else 0)
PY
}

# Asks Prometheus what each panel of the board asks.
board_has_data() {
	python3 - "$1" "$BOARD" <<'PY'
import json
import sys
import urllib.parse
import urllib.request

with open(sys.argv[2], encoding="utf-8") as file:
    panels = [p for p in json.load(file)["panels"] if p["type"] != "row"]
empty = []
for panel in panels:
    for target in panel["targets"]:
        query = target["expr"].replace("$__rate_interval", "1m").replace("$instance", ".*")
        url = f"http://127.0.0.1:{sys.argv[1]}/api/v1/query?" + urllib.parse.urlencode({"query": query})
        with urllib.request.urlopen(url, timeout=20) as answer:
            if not json.load(answer)["data"]["result"]:
                empty.append(f"{panel['title']}: {query}")
print("without data:", empty)
sys.exit(1 if empty or not panels else 0)
PY
}

page_is_right() {
	curl -fsS "http://127.0.0.1:$1/metrics" >"$WORK/page" && promtool check metrics <"$WORK/page"
}

test_that "every counter is on the board" board_shows_all
if ! have promtool || ! have prometheus || ! have curl; then
	skip "no promtool, prometheus or curl (Debian packages prometheus and curl)"
	return 0
fi
test_that "the alerts are rules" promtool check rules "$ROOT/deploy/alerts.yml"
test_that "each alert fires alone, none at its threshold" promtool test rules "$ROOT/deploy/alerts-test.yml"

page=$(free_port)
port=$(free_port)
rm -rf "$WORK/metrics"
mkdir -p "$WORK/metrics/key"
XDG_DATA_HOME=$WORK/metrics/key DUSK_RELAY_PORT=0 DUSK_RELAY_METRICS=127.0.0.1:$page "$BUILD/bin/dusk-relay" \
	>"$WORK/metrics/log" 2>&1 &
relay_pid=$!
cat >"$WORK/metrics/prometheus.yml" <<YML
global: {scrape_interval: 1s, evaluation_interval: 1s}
rule_files: ["$ROOT/deploy/alerts.yml"]
scrape_configs:
  - job_name: dusk-relay
    static_configs: [{targets: ["127.0.0.1:$page"]}]
YML
prometheus --config.file="$WORK/metrics/prometheus.yml" --storage.tsdb.path="$WORK/metrics/data" \
	--web.listen-address="127.0.0.1:$port" >"$WORK/metrics/prometheus.log" 2>&1 &
prometheus_pid=$!
trap 'metrics_stop' EXIT
test_that "the page is healthy" within 30 curl -fsS "http://127.0.0.1:$page/healthz"
test_that "promtool has nothing to say about the page" page_is_right "$page"
test_that "every query of the board has data" within 60 board_has_data "$port"
test_says "Prometheus finds the relay up" '"1"' curl -fsS "http://127.0.0.1:$port/api/v1/query?query=up"
