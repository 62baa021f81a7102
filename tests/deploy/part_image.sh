# The image, run as DOCKER.md says.
# shellcheck shell=sh

image_is_small() {
	size=$(docker image inspect -f '{{.Size}}' dusk-relay)
	echo "$size bytes"
	[ "$size" -lt 10000000 ]
}

image_files() {
	id=$(docker create dusk-relay)
	docker export "$id" | tar t | grep -v -e '/$' -e '^dev/' -e '^etc/' -e '^.dockerenv$' | sort | tr '\n' ' '
	docker rm -v "$id" >/dev/null
}

image_config() {
	docker image inspect -f '{{.Config.User}} {{.Config.StopSignal}} {{.Config.Healthcheck.Test}} {{.Config.Entrypoint}} {{.Config.Volumes}} {{.Config.ExposedPorts}}' dusk-relay
}

listeners_inside() {
	nsenter -t "$(state Pid)" -n ss -Hltn | awk '{ print $4 }' | sort -u | tr '\n' ' '
}

address() {
	docker inspect -f '{{.NetworkSettings.IPAddress}}' dusk-relay
}

stops_in_time() {
	begin=$(date +%s)
	docker stop dusk-relay && is_ended_with 0 && [ $(($(date +%s) - begin)) -le 5 ]
}

keeps_its_id() {
	before=$(peer_id)
	docker restart dusk-relay && serves && same "$before" "$(peer_id)"
}

survives_a_kill() {
	before=$(peer_id)
	kill -9 "$(pgrep -P "$(state Pid)" -x netproc)"
	within 10 restarted && serves && same "$before" "$(peer_id)"
}

# hold ADDRESS [COMMAND]: by this command, a connection to the published port, open when this returns and until let_go.
hold() {
	: >"$WORK/held"
	: >"$WORK/said"
	${2:-} python3 "$here/hold.py" "$1" "$port" "$WORK/held" >"$WORK/said" &
	within 10 grep -q open "$WORK/said"
}

let_go() {
	rm "$WORK/held"
	wait $!
}

seen_while_connected() {
	hold 127.0.0.1
	doc "nsenter -t \"\$(docker inspect -f '{{.State.Pid}}' dusk-relay)\" -n ss -Htn state established"
	let_go
}

# The rules of DOCKER.md, for the port that is published here.
rules_hold() {
	sed -i "s/4001/$port/" "$PROJECT/deploy/dusk-relay.nft" && doc 'nft -f deploy/dusk-relay.nft' || return 1
	same 64 "$(outside python3 "$here/arrive.py" hold 80 198.51.100.1 "$port" 198.51.100.2)" &&
		doc 'nft delete table inet dusk_relay' &&
		same 80 "$(outside python3 "$here/arrive.py" hold 80 198.51.100.1 "$port" 198.51.100.2)"
}

# A client elsewhere is seen by its own address.
true_address_is_seen() {
	hold 198.51.100.1 outside
	nsenter -t "$(state Pid)" -n ss -Htn state established | grep '198\.51\.100\.2'
	status=$?
	let_go
	return "$status"
}

restarted() {
	[ "$(docker inspect -f '{{.RestartCount}}' dusk-relay)" -ge 1 ]
}

docker_begin && docker_image || return 0
run='docker run -d --name dusk-relay --restart unless-stopped -p 4001:4001 -v dusk-relay-data:/data --read-only --cap-drop ALL --security-opt no-new-privileges --security-opt seccomp=deploy/seccomp.json --memory 512m --memory-swap 512m --pids-limit 16 -e DUSK_RELAY_EXTERNAL_ADDR=relay.example.org dusk-relay'
port=$(free_port)

test_that "it is under 10 MB" image_is_small
test_that "it holds five programs and two texts" same \
	"usr/local/bin/dusk-relay usr/local/libexec/dusk-relay/keyproc usr/local/libexec/dusk-relay/metrics usr/local/libexec/dusk-relay/netproc usr/local/libexec/dusk-relay/probe usr/local/share/doc/dusk-relay/LICENSE usr/local/share/doc/dusk-relay/libraries " \
	"$(image_files)"
test_that "user, signal, health check, volume, port" same \
	"1000:1000 SIGTERM [CMD /usr/local/bin/dusk-relay health] [/usr/local/bin/dusk-relay] map[/data:{}] map[4001/tcp:{}]" "$(image_config)"
test_that "it starts as DOCKER.md says" \
	doc "$run" "s/-p 4001:4001/-p $port:4001 --health-interval 1s/"
test_that "health becomes healthy" within 15 is_healthy
test_says "the log says where it listens" '^  relay address: /ip4/0.0.0.0/tcp/4001/p2p/12D3KooW' doc 'docker logs dusk-relay'
test_says "and what it is reached at" 'external address: /dns4/relay.example.org/tcp/4001/p2p/12D3KooW' docker logs dusk-relay
test_says "status by inspect" '^healthy$' doc "docker inspect -f '{{.State.Health.Status}}' dusk-relay"
test_says "health by exec" '^ok ' doc 'docker exec dusk-relay dusk-relay health'
test_says "check by exec" '^ok +confinement: .*landlock' doc 'docker exec dusk-relay dusk-relay check'
test_says "peer-id by exec" '^12D3KooW' doc 'docker exec dusk-relay dusk-relay peer-id'
test_says "version by exec" 'libsodium' doc 'docker exec dusk-relay dusk-relay version'
test_says "probe by exec" '^ok +ping' doc 'docker exec dusk-relay dusk-relay probe /ip4/127.0.0.1/tcp/4001'
test_says "what is linked in" 'libsodium' doc 'docker cp dusk-relay:/usr/local/share/doc/dusk-relay/libraries -'
test_that "SIGUSR1" doc 'docker kill -s USR1 dusk-relay'
test_that "writes the counters" within 5 sh -c 'docker logs dusk-relay 2>&1 | grep "counters end"'
test_says "a probe through the published port" '^ok +reserve' probe_through 127.0.0.1 "$port"
js_ready && test_says "js-libp2p reserves through the published port" '/dns4/relay.example.org/tcp/4001/p2p/.*/p2p-circuit' \
	js_reserves 127.0.0.1 "$port"
if is_root; then
	test_that "only the relay listens inside" same "0.0.0.0:4001 [::]:4001 " "$(listeners_inside)"
	test_says "connections are seen from the host" '4001' \
		seen_while_connected
	test_that "an address is shut out" doc 'iptables -I DOCKER-USER -s 203.0.113.9 -p tcp --dport 4001 -j DROP'
	iptables -D DOCKER-USER -s 203.0.113.9 -p tcp --dport 4001 -j DROP 2>/dev/null
	test_that "a client elsewhere" outside_begin
	test_that "is seen by its own address" true_address_is_seen
	if have nft; then
		test_that "holds 64 connections with the rules for abuse, more without" rules_hold
	else
		skip "no nft (nftables): the rules for abuse are not tried with docker"
	fi
	outside_end
else
	skip "not root: listeners and connections inside are not looked at"
fi
test_that "only its port is reachable" same 4001 "$(open_ports "$(address)")"
test_that "a restart keeps the peer id" keeps_its_id
is_root && test_that "a killed netproc is a restarted container" survives_a_kill
test_that "stop drains within 5 s with status 0" stops_in_time
docker rm dusk-relay >/dev/null
test_that "it starts with less around it" \
	doc 'docker run -d --name dusk-relay -p 4001:4001 -v dusk-relay-data:/data dusk-relay' "s/-p 4001:4001/-p $port:4001/"
test_that "and serves" serves
