# The systemd units of `make install`, in a system that systemd boots.
# shellcheck shell=sh
DROP_INS=$NSPAWN_ROOT/etc/systemd/system/dusk-relay.service.d
SOCKET_DROP_INS=$NSPAWN_ROOT/etc/systemd/system/dusk-relay.socket.d
ENVIRONMENT=$NSPAWN_ROOT/etc/default/dusk-relay

install_here() {
	make -s -C "$ROOT" BUILD="$BUILD" install DESTDIR="$NSPAWN_ROOT" PREFIX=/usr STRIP=1
}

# drop_in NAME: the text of standard input, or none, as the only drop-in; then a restart.
drop_in() {
	rm -rf "$DROP_INS"
	if [ "$1" != none ]; then
		mkdir -p "$DROP_INS"
		cat >"$DROP_INS/$1"
	fi
	inside systemctl daemon-reload && inside systemctl reset-failed
	inside systemctl restart dusk-relay.service
}

settings() {
	printf '%s\n' "$@" >"$ENVIRONMENT"
}

is_active() {
	same "active" "$(unit_state ActiveState)"
}

is_failed_with() {
	same "exit-code $1" "$(unit_state Result) $(unit_state ExecMainStatus)"
}

restarts() {
	unit_state NRestarts
}

kill_and_see() {
	before=$(inside dusk-relay health | grep -o '12D3KooW[A-Za-z0-9]*')
	inside sh -c "kill -9 \$(pgrep -x $1)"
	within 10 has_restarted "$2" && unit_serves && same "$before" "$(inside dusk-relay health | grep -o '12D3KooW[A-Za-z0-9]*')"
}

has_restarted() {
	[ "$(restarts)" -ge "$1" ] && is_active
}

# A parent that is stopped sends no sign of life: the manager ends and starts it.
watchdog_acts() {
	inside sh -c "kill -STOP \$(pgrep -x dusk-relay)"
	within 20 unit_log 'Watchdog timeout|watchdog' && within 20 has_restarted 1 && unit_serves
}

# A netproc that is stopped answers no PING: the parent ends all, long before the manager's patience does.
stalled_netproc_ends() {
	inside sh -c "kill -STOP \$(pgrep -x netproc)"
	within 40 has_restarted 1 && unit_serves
}

drains() {
	begin=$(date +%s)
	inside systemctl stop dusk-relay.service && same "success 0" "$(unit_state Result) $(unit_state ExecMainStatus)" &&
		[ $(($(date +%s) - begin)) -le 5 ]
}

# The socket outlives the service: a client that comes meanwhile is served, and starts it.
next_client_starts_it() {
	inside systemctl stop dusk-relay.service && inside dusk-relay health && is_active
}

confined() {
	for process in dusk-relay keyproc netproc; do
		unit_process "$process" NoNewPrivs Seccomp CapInh CapPrm CapEff CapBnd CapAmb Threads | tr '\n' ' '
	done
}

uids() {
	for process in dusk-relay keyproc netproc; do
		unit_process "$process" Uid | cut -d' ' -f1
	done
}

one_dynamic_uid() {
	uids >"$OUT.uids"
	[ "$(sort -u "$OUT.uids" | wc -l)" -eq 1 ] && [ "$(head -n 1 "$OUT.uids")" -ge 61184 ] && [ "$(head -n 1 "$OUT.uids")" -le 65519 ]
}

key_is_private() {
	same "700 600" "$(inside stat -L -c %a /var/lib/dusk-relay /var/lib/dusk-relay/keypair | tr '\n' ' ' | sed 's/ $//')"
}

fails_without_socket() {
	drop_in none
	unit_will_log 'cannot listen on 0.0.0.0:4001'
}

key_is_copied() {
	inside sh -c '(umask 077; cp /var/lib/private/dusk-relay/keypair dusk-relay-keypair) && cmp /var/lib/dusk-relay/keypair dusk-relay-keypair'
}

# What the operator writes in the editor of systemctl edit dusk-relay.socket.
moves_port() {
	settings DUSK_RELAY_PORT=8080
	cat >"$OUT.edit" <<-'CONF'
		[Socket]
		ListenStream=
		ListenStream=8080
	CONF
	cp "$OUT.edit" "$NSPAWN_ROOT/root/edit"
	inside script -qec "SYSTEMD_EDITOR='cp /root/edit' systemctl edit dusk-relay.socket" /dev/null </dev/null &&
		inside systemctl stop dusk-relay.service && inside systemctl restart dusk-relay.socket dusk-relay.service &&
		within 10 inside dusk-relay probe /ip4/127.0.0.1/tcp/8080
}

# ask_page PORT: the metrics page as whoever is in the machine sees it.
ask_page() {
	nsenter -t "$(pgrep -P "$(cat "$NSPAWN_PID")" | head -n 1)" -n \
		python3 -c "from urllib.request import urlopen; print(urlopen('http://127.0.0.1:$1/metrics').read().decode())"
}

page_counts() {
	ask_page 9100 >"$OUT.page" && grep 'dusk_relay_confinement_layer{process="metrics",layer="seccomp"} 1' "$OUT.page"
}

# peer_id_as_root: what it advises is a command that works, and nothing changes hands.
root_is_sent_on() {
	inside env STATE_DIRECTORY=/var/lib/dusk-relay dusk-relay peer-id >"$OUT.root" 2>&1 && return 1
	cat "$OUT.root"
	! grep chown "$OUT.root" || return 1
	advice=$(grep -o 'systemd-run .*' "$OUT.root") || return 1
	# shellcheck disable=SC2086 # words of a command
	same "$(inside dusk-relay health | grep -o '12D3KooW[A-Za-z0-9]*')" "$(inside $advice)"
}

# The network that the service is in: loopback of its own, and nothing else.
network_is_empty() {
	same "lo" "$(inside nsenter -t "$(inside pgrep -x netproc)" -n ip -o link | awk -F': ' '{ print $2 }')"
}

nspawn_ready || return 0
nspawn_unpack
test_that "make install PREFIX=/usr" install_here || return 0
test_that "the system boots" nspawn_boot || return 0
empty="1 2 0000000000000000 0000000000000000 0000000000000000 0000000000000000 0000000000000000 1 "

test_that "sysusers makes the users" inside systemd-sysusers dusk-relay.conf
test_that "enabled and started" inside systemctl enable --now dusk-relay.socket dusk-relay.service
test_that "it serves" unit_serves
test_says "a whole probe" '^ok +reserve' inside dusk-relay probe /ip4/127.0.0.1/tcp/4001
test_says "over IPv6 too" '^ok +reserve' inside dusk-relay probe /ip6/::1/tcp/4001
test_says "health" '^ok ' inside dusk-relay health
test_says "check, as the unit's user" '^ok +key' inside \
	systemd-run -q --wait --pipe -p DynamicUser=yes -p User=dusk-relay -p StateDirectory=dusk-relay -p StateDirectoryMode=0700 dusk-relay check
test_that "peer-id, as the unit's user" same "$(inside dusk-relay health | grep -o '12D3KooW[A-Za-z0-9]*')" "$(inside \
	systemd-run -q --wait --pipe -p DynamicUser=yes -p User=dusk-relay -p StateDirectory=dusk-relay -p StateDirectoryMode=0700 dusk-relay peer-id)"
test_that "peer-id, as root: says how to ask as that user" root_is_sent_on
test_says "version" 'libsodium' inside dusk-relay version
test_says "journalctl" 'relay address: ' inside journalctl -u dusk-relay
test_says "the manager knows its status" '^serving$' unit_state StatusText
test_that "all run as one user made for it" one_dynamic_uid
test_that "no capability, no new privileges, filtered" same "$empty$empty$empty" "$(confined)"
test_that "the key is private" key_is_private
test_that "its network has no way out" network_is_empty
test_that "exposure in the running system is at most 0.5" inside systemd-analyze security --threshold=5 --no-pager dusk-relay.service
test_that "a killed netproc: started again, same peer id" kill_and_see netproc 1
test_that "a killed keyproc: started again, same peer id" kill_and_see keyproc 2
test_that "stop drains with status 0" drains
test_that "the next client starts it" next_client_starts_it

settings DUSK_RELAY_PORT=8080
drop_in none >/dev/null 2>&1
test_that "a port that is not the socket's: failed with 78" within 5 is_failed_with 78
test_that "and it says what to edit" unit_will_log 'edit ListenStream= of dusk-relay.socket'
settings DUSK_RELAY_METRICS=9100
drop_in none >/dev/null 2>&1
test_that "the metrics page without its socket: failed with 78" within 5 is_failed_with 78
test_that "and it says what to enable" unit_will_log 'enable and start dusk-relay-metrics.socket'
test_that "the page's socket is enabled" inside systemctl enable dusk-relay-metrics.socket
test_that "and with it the relay starts" inside systemctl restart dusk-relay
test_that "it serves" unit_serves
test_that "the page is served" within 10 page_counts
test_that "metrics: no capability, no new privileges, filtered" same "$empty" "$(unit_process metrics NoNewPrivs Seccomp CapInh CapPrm CapEff \
	CapBnd CapAmb Threads | tr '\n' ' ')"
test_that "with the page its network has no way out" network_is_empty
test_that "with the page exposure is at most 0.5" inside systemd-analyze security --threshold=5 --no-pager dusk-relay.service
settings DUSK_RELAY_METRICS=9101
drop_in none >/dev/null 2>&1
test_that "a page elsewhere than its socket: failed with 78" within 5 is_failed_with 78
test_that "and it says what to edit" unit_will_log 'on 127.0.0.1:9100, DUSK_RELAY_METRICS says 127.0.0.1:9101: edit'
settings
drop_in none >/dev/null 2>&1
test_that "the page's socket without the setting: failed with 78" within 5 is_failed_with 78
test_that "and it says what to set" unit_will_log 'set DUSK_RELAY_METRICS=127.0.0.1:9100, or disable'
inside systemctl disable --now dusk-relay-metrics.socket
settings DUSK_RELAY_EXTERNAL_ADDR=relay.example.org DUSK_RELAY_LOG_IDS=none
rm -rf "$DROP_INS"
inside systemctl reset-failed
test_that "settings of /etc/default/dusk-relay arrive" inside systemctl restart dusk-relay
test_that "as the log says" unit_will_log 'external address: /dns4/relay.example.org/tcp/4001'

drop_in watchdog.conf <<'CONF'
[Service]
WatchdogSec=2
CONF
test_that "a parent without a sign of life: the watchdog starts it again" watchdog_acts
drop_in none
test_that "a netproc that hangs: all is started again" stalled_netproc_ends

test_that "users.conf: starts" drop_in users.conf <"$ROOT/deploy/users.conf"
test_that "users.conf: serves" unit_serves
test_that "users.conf: a user for each process" same "61001 61002 61003 " "$(uids | tr '\n' ' ')"
test_that "users.conf: no capability is left" same "$empty$empty$empty" "$(confined)"
test_that "users.conf: chroot as well" unit_will_log 'net=[^ ]*chroot,uid'

drop_in old-kernel.conf >/dev/null 2>&1 <<'CONF'
[Service]
SystemCallFilter=~landlock_create_ruleset
CONF
test_that "no Landlock, one user: failed with 78" within 5 is_failed_with 78
test_that "no Landlock, users.conf: starts" drop_in users.conf <<CONF
$(cat "$ROOT/deploy/users.conf")
SystemCallFilter=~landlock_create_ruleset
CONF
test_that "no Landlock, users.conf: serves" unit_serves

drop_in none
test_that "the key's backup" key_is_copied
test_that "another port, by the socket unit" moves_port
inside systemctl disable --now dusk-relay.socket dusk-relay.service 2>/dev/null
rm -rf "$SOCKET_DROP_INS"
settings
test_that "started without its socket: fails, and says why" fails_without_socket
settings DUSK_RELAY_PORT=8081
test_that "own-sockets.conf: starts without the socket" drop_in own-sockets.conf <"$ROOT/deploy/own-sockets.conf"
settings DUSK_RELAY_PORT=8081 DUSK_RELAY_METRICS=9100
drop_in own-sockets.conf <"$ROOT/deploy/own-sockets.conf"
test_that "own-sockets.conf: the page too" within 10 page_counts
test_that "own-sockets.conf: listens where DUSK_RELAY_PORT says" within 10 inside dusk-relay probe /ip4/127.0.0.1/tcp/8081
nspawn_stop
