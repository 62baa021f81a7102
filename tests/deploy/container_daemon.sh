#!/bin/sh
# Stands for the daemon in the e2e suite's mode "container" (tests/e2e/daemon.c): runs the image dusk-relay with the options of
# docker-compose.yml, in the network of this machine. The settings are in the environment, words of a command are arguments.
# Output, signals and exit status are the daemon's.
#   container_daemon.sh --pid   prints the process number of the parent
set -u
name=$(basename "$E2E_DIRECTORY")
if [ "${1:-}" = --pid ]; then
	exec docker inspect -f '{{.State.Pid}}' "$name"
fi
profile=$(cd "$(dirname "$0")/../../deploy" && pwd)/seccomp.json
settings=$E2E_DIRECTORY/settings.env
env | grep -E '^(DUSK|RUST)_' >"$settings"
set -- dusk-relay "$@"
[ "${E2E_DESCRIPTORS:-0}" -eq 0 ] || set -- --ulimit "nofile=$E2E_DESCRIPTORS:$E2E_DESCRIPTORS" "$@"
exec docker run --rm --name "$name" --network host --user 1000:1000 --read-only --cap-drop ALL \
	--security-opt no-new-privileges --security-opt seccomp="$profile" --memory 512m --memory-swap 512m --pids-limit 16 \
	--env-file "$settings" -v "$E2E_DIRECTORY:/data" "$@"
