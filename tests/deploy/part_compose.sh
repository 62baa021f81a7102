# The compose file, with each compose there is: version 2 (docker compose) and version 1 (docker-compose).
# shellcheck shell=sh

# compose COMMAND: a command of DOCKER.md, with the compose that is being tried.
compose() {
	doc "$1" "s/^docker compose/$COMPOSE/"
}

settings_file() {
	cat >"$PROJECT/.env" <<SETTINGS
DUSK_RELAY_PORT=$port
DUSK_RELAY_EXTERNAL_ADDR=relay.example.org
DUSK_MAX_CONNECTIONS=321
DUSK_MAX_BANDWIDTH=
DUSK_RELAY_MEMORY=200m
SETTINGS
}

starts() {
	compose 'docker compose up -d' && serves
}

# Another clone, in a folder of another name.
elsewhere() {
	in_project down || return 1
	rm -rf "$WORK/elsewhere"
	cp -R "$PROJECT" "$WORK/elsewhere"
	FOLDER=$WORK/elsewhere
	in_project up -d && serves && same "$id" "$(peer_id)" && in_project down
	status=$?
	FOLDER=$PROJECT
	return "$status"
}

limits() {
	docker inspect -f '{{.HostConfig.Memory}} {{.HostConfig.MemorySwap}} {{.HostConfig.PidsLimit}} {{.HostConfig.ReadonlyRootfs}} {{.HostConfig.CapDrop}} {{.HostConfig.RestartPolicy.Name}} {{.HostConfig.LogConfig.Config}}' dusk-relay
}

restores_with_compose() {
	doc '(umask 077; docker cp dusk-relay:/data/dusk-relay - > dusk-relay-key.tar)' || return 1
	in_project down && docker volume rm dusk-relay-data || return 1
	compose 'docker compose up --no-start' && doc 'docker cp - dusk-relay:/data < dusk-relay-key.tar' &&
		starts && same "$id" "$(peer_id)"
}

# The old compose file's volume, by its name.
takes_old_volume() {
	in_project down || return 1
	docker volume create dusk-relay_dusk-relay-data
	docker run --rm -v dusk-relay-data:/from:ro -v dusk-relay_dusk-relay-data:/to debian:bookworm-slim cp -a /from/. /to/
	echo DUSK_RELAY_VOLUME=dusk-relay_dusk-relay-data >>"$PROJECT/.env"
	starts && same "$id" "$(peer_id)" &&
		same dusk-relay_dusk-relay-data "$(docker inspect -f '{{(index .Mounts 0).Name}}' dusk-relay)"
}

root_variant() {
	compose 'docker compose -f docker-compose.yml -f deploy/compose.root.yml up -d' && serves && same "$id" "$(peer_id)"
}

# The project's profile as a kernel without Landlock answers, for as long as COMMAND takes.
without_landlock() {
	cp "$PROJECT/deploy/seccomp.json" "$WORK/seccomp.kept.json"
	profile_without_landlock && cp "$WORK/seccomp.old-kernel.json" "$PROJECT/deploy/seccomp.json"
	"$@"
	status=$?
	cp "$WORK/seccomp.kept.json" "$PROJECT/deploy/seccomp.json"
	return "$status"
}

ordinary_variant_refuses() {
	in_project down && compose 'docker compose up -d' && within 20 refused_for_confinement && in_project down
}

refused_for_confinement() {
	docker logs dusk-relay 2>&1 | grep -i 'start.* as root' && same 78 "$(state ExitCode)"
}

# What DOCKER.md says about watching it, with another port of the host's.
watched() {
	sed -n '/^services:/,/9464:9464"/p' "$ROOT/DOCKER.md" | sed "s/127.0.0.1:9464:/127.0.0.1:$page:/" \
		>"$PROJECT/docker-compose.override.yml"
	echo 'DUSK_RELAY_METRICS=0.0.0.0:9464' >>"$PROJECT/.env"
	starts && within 10 curl -fsS -o "$WORK/page" "http://127.0.0.1:$page/metrics" && grep '^libp2p_relaysvc_status 1' "$WORK/page"
}

# answers ADDRESS COMMAND...: whether the page is had there by this command's curl.
answers() {
	where=$1
	shift
	"$@" curl -sS --max-time 3 -o /dev/null "http://$where/metrics"
}

# The last is a neighbour who routes to the container, whom some versions of Docker let through.
page_is_private() {
	answers "127.0.0.1:$page" env || return 1
	answers "198.51.100.1:$page" env && return 1
	answers "198.51.100.1:$page" outside && return 1
	doc 'iptables -I DOCKER-USER ! -s 172.16.0.0/12 -p tcp --dport 9464 -j DROP' || return 1
	inner=$(docker inspect -f '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}' dusk-relay)
	answers "$inner:9464" outside
	status=$?
	answers "$inner:9464" env || status=0
	iptables -D DOCKER-USER ! -s 172.16.0.0/12 -p tcp --dport 9464 -j DROP
	[ "$status" -ne 0 ] && probe_from_outside
}

probe_from_outside() {
	outside "$BUILD/bin/dusk-relay" probe "/ip4/198.51.100.1/tcp/$port"
}

unwatched() {
	rm "$PROJECT/docker-compose.override.yml"
	sed -i '/^DUSK_RELAY_METRICS/d' "$PROJECT/.env"
	starts && ! curl -sS --max-time 3 "http://127.0.0.1:$page/metrics"
}

stops() {
	begin=$(date +%s)
	in_project stop && is_ended_with 0 && [ $(($(date +%s) - begin)) -le 5 ]
}

# in_project ARGUMENT...: compose, which is one word or two, in the project's folder.
in_project() {
	# shellcheck disable=SC2086
	(cd "$FOLDER" && $COMPOSE "$@")
}

try_compose() {
	COMPOSE=$1
	FOLDER=$PROJECT
	port=$(free_port)
	rm -f "$PROJECT/.env"
	test_that "$COMPOSE: the file is valid" in_project config -q
	settings_file
	docker image rm dusk-relay >/dev/null
	test_that "$COMPOSE: up, which builds the image" starts || return 0
	id=$(peer_id)
	[ -n "${healthy_seen:-}" ] || test_that "$COMPOSE: health becomes healthy" within 40 is_healthy
	healthy_seen=1
	test_says "$COMPOSE: logs" 'relay address: /ip4/0.0.0.0/tcp/' compose 'docker compose logs dusk-relay'
	test_says "$COMPOSE: settings of .env arrive" 'DUSK_MAX_CONNECTIONS=321 ' docker exec dusk-relay dusk-relay check
	test_says "$COMPOSE: peer ids in the log are short" 'DUSK_RELAY_LOG_IDS=short' docker exec dusk-relay dusk-relay check
	test_says "$COMPOSE: the memory plan is three quarters" 'budget 150 MiB' docker exec dusk-relay dusk-relay check
	test_says "$COMPOSE: the port is published" '^ok +reserve' probe_through 127.0.0.1 "$port"
	test_that "$COMPOSE: limits" same \
		"209715200 209715200 16 true [ALL] unless-stopped map[max-file:3 max-size:10m]" "$(limits)"
	if have curl; then
		page=$(free_port)
		test_that "$COMPOSE: the page of metrics, as DOCKER.md has it" watched
		if is_root && outside_begin; then
			test_that "$COMPOSE: it is the host's alone, the relay everybody's" page_is_private
			outside_end
		else
			skip "$COMPOSE: who else reaches the page is tried by root with network namespaces"
		fi
		test_that "$COMPOSE: and off again" unwatched
	else
		skip "$COMPOSE: no curl: the page of metrics is not looked at"
	fi
	test_that "$COMPOSE: stop drains with status 0" stops
	test_that "$COMPOSE: up again keeps the peer id" starts
	test_that "$COMPOSE: another folder keeps the peer id" elsewhere
	test_that "$COMPOSE: up after it" starts
	test_that "$COMPOSE: backup and restore" restores_with_compose
	test_that "$COMPOSE: the root variant, same key" root_variant
	test_that "$COMPOSE: no Landlock, as it is: refuses (78), and says what to do" without_landlock ordinary_variant_refuses
	test_that "$COMPOSE: no Landlock, the root variant: serves, same key" without_landlock root_variant
	in_project down >"$OUT" 2>&1
	test_that "$COMPOSE: and back" starts
	test_that "$COMPOSE: the volume of the Rust relay's compose file" takes_old_volume
	if [ -e "$WORK/base.pulled" ]; then
		test_that "$COMPOSE: build for library fixes" compose 'docker compose build --pull --no-cache'
	else
		skip "$COMPOSE: docker compose build --pull --no-cache: no registry to pull from"
	fi
	in_project down >"$OUT" 2>&1
	docker_leave
	touch "$WORK/docker.ours"
}

# docker compose: what is installed, or the program of Debian 13's package in a folder of ours.
compose_two() {
	docker compose version >/dev/null 2>&1 && return 0
	have mmdebstrap && nice mmdebstrap --quiet --variant=extract --include=docker-compose trixie "$WORK/compose" >"$OUT" 2>&1 || return 1
	mkdir -p "$WORK/docker-config/cli-plugins" &&
		mv "$WORK/compose/usr/libexec/docker/cli-plugins/docker-compose" "$WORK/docker-config/cli-plugins" &&
		rm -rf "$WORK/compose" && export DOCKER_CONFIG="$WORK/docker-config" && docker compose version >"$OUT" 2>&1
}

docker_begin && docker_image || return 0
if compose_two; then
	try_compose "docker compose"
else
	skip "docker compose: not installed (docker-compose-plugin), and that of Debian 13 cannot be had or does not run here"
fi
if have docker-compose; then
	try_compose docker-compose
else
	skip "docker-compose: not installed"
fi
