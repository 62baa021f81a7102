# The whole e2e suite against the daemon in a container: not root, no capability, read-only, the profile of system calls.
# shellcheck shell=sh

nothing_is_left() {
	same "" "$(docker ps -aq -f name=dusk-e2e-)"
}

docker_begin && docker_image || return 0
suite_passes container
test_that "no container is left" nothing_is_left
