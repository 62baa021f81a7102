# Volumes and environments of the Rust relay's, the key's backup, and the identity that must not change unseen.
# shellcheck shell=sh

# rust_volume OWNER FOLDER-MODE FILE-MODE: a volume with a key as the Rust relay's image left it.
rust_volume() {
	docker rm -f dusk-relay >/dev/null 2>&1
	docker volume rm dusk-relay-data >/dev/null 2>&1
	docker volume create dusk-relay-data >/dev/null
	docker run --rm -i -v dusk-relay-data:/data -w /data debian:bookworm-slim \
		sh -c "mkdir -m $2 dusk-relay && cat > dusk-relay/keypair && chmod $3 dusk-relay/keypair && chown -R $1 ." <"$WORK/keypair"
}

takes_over() {
	rust_volume "$@"
	relay && serves && same "$id" "$(peer_id)"
}

# What going back takes: the Rust image's user reads the same 68 bytes.
user_1000_reads_it() {
	docker run --rm --user 1000:1000 -v dusk-relay-data:/data debian:bookworm-slim cat /data/dusk-relay/keypair | cmp - "$WORK/keypair"
}

is_private() {
	same "700 600" "$(in_volume stat -c %a dusk-relay dusk-relay/keypair | tr '\n' ' ' | sed 's/ $//')"
}

refuses_bind_mount() {
	rm -rf "$WORK/bind"
	mkdir "$WORK/bind"
	docker rm -f dusk-relay
	docker run -d --name dusk-relay -v "$WORK/bind:/data" dusk-relay
	within 10 is_ended_with 78 && docker logs dusk-relay 2>&1 | tail -n 1 | grep '/data.*Permission denied'
}

# The command of the last line, on the host's side of the mount.
mends_bind_mount() {
	command=$(docker logs dusk-relay 2>&1 | tail -n 1 | grep -o 'chown [-R ]*[0-9:]* /data[^ ;]*' | sed "s|/data|$WORK/bind|")
	echo "command of the last line: $command"
	[ -n "$command" ] && $command && docker start dusk-relay && serves
}

mends_bind_mount_by_hand() {
	doc 'chown -R 1000:1000 /srv/dusk-relay' "s|/srv/dusk-relay|$WORK/bind|" && docker start dusk-relay && serves
}

restores() {
	doc '(umask 077; docker cp dusk-relay:/data/dusk-relay - > dusk-relay-key.tar)' || return 1
	same 600 "$(stat -c %a "$PROJECT/dusk-relay-key.tar")" || return 1
	docker rm -f -v dusk-relay && docker volume rm dusk-relay-data || return 1
	docker create --name dusk-relay -v dusk-relay-data:/data --read-only dusk-relay || return 1
	doc 'docker cp - dusk-relay:/data < dusk-relay-key.tar' && docker start dusk-relay && serves && same "$id" "$(peer_id)"
}

other_identity_is_refused() {
	docker rm -f -v dusk-relay && docker volume rm dusk-relay-data
	relay -e DUSK_RELAY_PEER_ID="$id" && within 10 is_ended_with 78
}

damaged_key_is_kept() {
	rust_volume 1000:1000 755 644
	in_volume sh -c 'printf X | dd of=dusk-relay/keypair bs=1 seek=40 conv=notrunc'
	before=$(in_volume sha256sum dusk-relay/keypair)
	relay && within 10 is_ended_with 78 && same "$before" "$(in_volume sha256sum dusk-relay/keypair)"
}

docker_begin && docker_image || return 0
relay >/dev/null
test_that "an empty volume gets a key" serves
docker cp dusk-relay:/data/dusk-relay/keypair "$WORK/keypair"
id=$(peer_id)
test_says "and the log says that the identity is new" 'NEW identity' docker logs dusk-relay

test_that "a volume of user 1000, mode 0644, is taken over" takes_over 1000:1000 755 644
test_that "its key is private now" is_private
test_that "going back: the Rust image's user reads the same key" user_1000_reads_it
test_that "a volume made with umask 002 is taken over" takes_over 1000:1000 775 664
test_that "a volume of root, mode 0644, is taken over" takes_over 0:0 755 644
test_that "a bind mount made by root is refused (78), by name" refuses_bind_mount
if is_root; then
	test_that "the last line has the command that mends it" mends_bind_mount
	refuses_bind_mount >/dev/null 2>&1
	test_that "so has DOCKER.md" mends_bind_mount_by_hand
fi
docker rm -f dusk-relay >/dev/null

rust_volume 1000:1000 755 644
test_that "an environment of the Rust relay's starts, empty values too" relay -e DUSK_PEER_RELAYS=/ip4/203.0.113.1/tcp/4001 \
	-e DUSK_TURN_SECRET=x -e KLIPY_API_KEY=x -e DUSK_RELAY_EXTERNAL_ADDR= -e DUSK_MAX_CONNECTIONS= -e RUST_LOG=info -e RUST_LOG_STYLE=never
test_that "and serves" serves
test_says "and says what is gone: peer relays" 'DUSK_PEER_RELAYS is gone' docker logs dusk-relay
test_says "and says what is gone: TURN" 'DUSK_TURN_SECRET is gone' docker logs dusk-relay
test_that "backup and restore of the key" restores
relay -e DUSK_RELAY_PEER_ID="$id" >/dev/null
test_that "the identity that is asked for starts" serves
test_that "another one is refused (78)" other_identity_is_refused
test_that "a damaged key is refused (78) and stays as it is" damaged_key_is_kept
