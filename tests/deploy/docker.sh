# A Docker engine to try things with: the one that runs, or one of our own with a folder of its own. Sourced by run.sh.
# shellcheck shell=sh
DOCKERD_WORK=$WORK/dockerd
DOCKERD_PID=$DOCKERD_WORK/pid
PROJECT=$WORK/project

# docker_begin: 0, or the reason why there is no engine is said. Names in DOCKER.md are used as they are, so none may be taken.
docker_begin() {
	if ! have docker; then
		skip "no docker client (docker.io)"
		return 1
	fi
	docker info >/dev/null 2>&1 || docker_start || return 1
	if [ -n "$(docker ps -aq -f name=^dusk-relay$)$(docker volume ls -q -f name=^dusk-relay-data$)" ]; then
		skip "a container or volume of dusk-relay's is there already; it is left alone"
		return 1
	fi
	touch "$WORK/docker.ours"
}

docker_start() {
	if ! is_root || ! have dockerd; then
		skip "no Docker engine runs, and starting one takes root and dockerd (docker.io)"
		return 1
	fi
	mkdir -p "$DOCKERD_WORK"
	setsid dockerd --data-root "$DOCKERD_WORK/data" --exec-root "$DOCKERD_WORK/exec" --pidfile "$DOCKERD_PID" \
		>"$DOCKERD_WORK/log" 2>&1 </dev/null &
	within 20 docker info && return 0
	skip "dockerd does not start here: $(tail -n 1 "$DOCKERD_WORK/log")"
	return 1
}

docker_end() {
	[ -s "$DOCKERD_PID" ] || return 0
	kill "$(cat "$DOCKERD_PID")" 2>/dev/null
	within 20 test ! -e "$DOCKERD_PID"
}

# Containers and volumes of a part. Images stay: the next part and the next run build on them.
docker_leave() {
	[ -e "$WORK/docker.ours" ] || return 0
	rm -f "$WORK/docker.ours"
	outside_end
	nft delete table inet dusk_relay 2>/dev/null
	docker rm -f -v dusk-relay >/dev/null 2>&1
	docker volume ls -q | grep '^dusk-relay' | xargs -r docker volume rm >/dev/null 2>&1
	docker network ls -q -f name=^dusk-relay-test | xargs -r docker network rm >/dev/null 2>&1
}

# outside_begin: a client elsewhere, 198.51.100.2, with a wire to this machine, which is 198.51.100.1 to it.
outside_begin() {
	outside_end
	ip netns add dusk-relay-test && ip link add dusk-test0 type veth peer name outside0 netns dusk-relay-test &&
		ip addr add 198.51.100.1/24 dev dusk-test0 && ip link set dusk-test0 up &&
		outside ip addr add 198.51.100.2/24 dev outside0 && outside ip link set outside0 up &&
		outside ip route add default via 198.51.100.1
}

outside() {
	ip netns exec dusk-relay-test "$@"
}

outside_end() {
	ip netns del dusk-relay-test 2>/dev/null
	ip link del dusk-test0 2>/dev/null
}

# The base image under its ordinary name: there, pulled, or made.
docker_base() {
	docker image inspect debian:bookworm-slim >/dev/null 2>&1 && return 0
	if timeout 120 docker pull -q debian:bookworm-slim >/dev/null 2>&1; then
		touch "$WORK/base.pulled"
		return 0
	fi
	if ! is_root || ! have mmdebstrap; then
		skip "debian:bookworm-slim cannot be pulled, and making it takes root and mmdebstrap"
		return 1
	fi
	nice mmdebstrap --quiet --variant=minbase bookworm "$WORK/base.tar" >"$OUT" 2>&1 &&
		docker import -c 'CMD ["bash"]' "$WORK/base.tar" debian:bookworm-slim >/dev/null && rm "$WORK/base.tar"
}

# What git would have, in a folder called as a clone is: builds and compose run there.
docker_project() {
	rm -rf "$PROJECT"
	mkdir -p "$PROJECT/dusk-relay"
	PROJECT=$PROJECT/dusk-relay
	(cd "$ROOT" && cp -R Dockerfile .dockerignore docker-compose.yml DOCKER.md Makefile VERSION LICENSE mk deploy \
		imsg keyproc netproc parent probe proto "$PROJECT")
	[ ! -d "$ROOT/metrics" ] || cp -R "$ROOT/metrics" "$PROJECT"
}

docker_image() {
	docker_base && docker_project || return 1
	test_that "the image is built from the ordinary Dockerfile" doc 'docker build -t dusk-relay .'
}

# doc COMMAND [SED]: a command of DOCKER.md, word for word but for what SED changes (a port, the name of compose), run in the project.
doc() {
	if ! grep -q -x -F -e "    $1" "$ROOT/DOCKER.md"; then
		echo "DOCKER.md has no command: $1"
		return 1
	fi
	(cd "$PROJECT" && nice sh -c "$(printf '%s\n' "$1" | sed "${2:-}")")
}

state() {
	docker inspect -f "{{.State.$1}}" dusk-relay
}

is_healthy() {
	same healthy "$(docker inspect -f '{{.State.Health.Status}}' dusk-relay)"
}

is_ended_with() {
	same "exited $1" "$(state Status) $(state ExitCode)"
}

# relay OPTION...: starts the image as DOCKER.md does, with options of its own.
relay() {
	docker rm -f dusk-relay >/dev/null 2>&1
	docker run -d --name dusk-relay --read-only --cap-drop ALL --security-opt no-new-privileges \
		--security-opt seccomp="$PROJECT/deploy/seccomp.json" --memory 512m --memory-swap 512m --pids-limit 16 \
		--health-interval 1s -v dusk-relay-data:/data "$@" dusk-relay
}

# Serves: the probe inside says so.
serves() {
	within 10 docker exec dusk-relay dusk-relay health
}

peer_id() {
	docker exec dusk-relay dusk-relay peer-id
}

# A profile that answers as a kernel without Landlock does.
profile_without_landlock() {
	python3 - "$PROJECT/deploy/seccomp.json" "$WORK/seccomp.old-kernel.json" <<'PY'
import json
import sys

with open(sys.argv[1], encoding="utf-8") as file:
    profile = json.load(file)
gone = [name for rule in profile["syscalls"] for name in rule["names"] if name.startswith("landlock_")]
for rule in profile["syscalls"]:
    rule["names"] = [name for name in rule["names"] if name not in gone]
profile["syscalls"].append({"names": gone, "action": "SCMP_ACT_ERRNO", "errnoRet": 38})
with open(sys.argv[2], "w", encoding="utf-8") as file:
    json.dump(profile, file)
PY
}

# in_volume COMMAND...: as root in another container that sees the volume at /data.
in_volume() {
	docker run --rm -v dusk-relay-data:/data -w /data debian:bookworm-slim "$@"
}
