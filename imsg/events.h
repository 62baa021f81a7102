/* SPDX-License-Identifier: MIT
 *
 * Every line that a child may have the parent log: one list of typed events. A child sends the event's
 * number, peer ids, numbers and a namespace; the parent holds the texts, formats and escapes, so that no
 * process can forge another's line. Texts of lines that the Rust relay printed are an interface.
 *
 * In a text: {peer} {peer2} peer ids as DUSK_RELAY_LOG_IDS says; {n} {n2} {n3} numbers; {text} the free text
 * (namespace, agent), escaped; {reason} the close reason of that number n; {setting} the variable of the
 * setting of number n2.
 */
#ifndef IMSG_EVENTS_H
#define IMSG_EVENTS_H

/* X(name, level, text). WARN events are limited to one a minute each (and for each setting they
 * name), with the count of those left out. */
#define LOG_EVENTS(X)                                                                                        \
	X(PEER_CONNECTED, INFO, "peer connected: {peer} (total connections: {n})")                           \
	X(PEER_DISCONNECTED, DEBUG, "peer disconnected: {peer} (total connections: {n})")                    \
	X(CONNECTION_CLOSED, DEBUG, "connection closed: {reason}")                                           \
	X(STREAM_CLOSED, DEBUG, "stream closed: {reason}")                                                   \
	X(RESERVATION_ACCEPTED, INFO, "relay reservation accepted for peer {peer} (total: {n})")             \
	X(RESERVATION_RENEWED, DEBUG, "relay reservation accepted for peer {peer} (total: {n})")             \
	X(RESERVATION_EXPIRED, INFO, "relay reservation expired for peer {peer} (total: {n})")               \
	X(RESERVATION_ENDED, DEBUG, "relay reservation ended for peer {peer} (total: {n})")                  \
	X(CIRCUIT_OPENED, INFO, "circuit opened: {peer} -> {peer2} (through relay)")                         \
	X(CIRCUIT_CLOSED, DEBUG, "circuit closed: {peer} -> {peer2}")                                        \
	X(REGISTERED, INFO, "peer {peer} registered under namespace '{text}'")                               \
	X(REGISTERED_AGAIN, DEBUG, "peer {peer} registered under namespace '{text}'")                        \
	X(REGISTER_REJECTED, DEBUG, "peer {peer} tried to register under '{text}' but was rejected")         \
	X(UNREGISTERED, DEBUG, "peer {peer} unregistered from namespace '{text}'")                           \
	X(SERVED, DEBUG, "served {n} registrations to peer {peer}")                                          \
	X(REGISTRATION_EXPIRED, DEBUG, "registration expired for namespace '{text}'")                        \
	X(RESERVATION_REFUSED, WARN, "reservation refused: limit {n} reached; {setting} lifts it")           \
	X(CIRCUIT_REFUSED, WARN, "circuit refused: limit {n} reached; {setting} lifts it")                   \
	X(CONNECTION_REFUSED, WARN,                                                                          \
	  "connection rejected: relay at capacity ({n} max connections); {setting} lifts it")                \
	X(CONNECTION_REFUSED_IP, WARN,                                                                       \
	  "connection rejected: one address holds {n} connections; {setting} lifts it")                      \
	X(REGISTER_REFUSED, WARN, "registration refused: limit {n} reached; {setting} lifts it")             \
	X(REGISTER_REFUSED_SHARE, WARN,                                                                      \
	  "registration refused: an IPv4 /24 or IPv6 /48 has its share of a nearly full registry;"           \
	  " {setting} lifts it")                                                                             \
	X(RATE_REFUSED, WARN, "request refused: rate {n} reached; {setting} lifts it")                       \
	X(GUARD_REFUSED, WARN,                                                                               \
	  "registration refused: a record holds an address that is no circuit through this relay;"           \
	  " DUSK_PRIVACY_GUARD=0 allows such")                                                               \
	X(GUARD_REFUSED_ALL, WARN, "discovery of all namespaces refused; DUSK_PRIVACY_GUARD=0 allows it")    \
	X(PEER_DENIED, WARN, "request of a denied peer refused (DUSK_RELAY_DENY_PEERS)")                     \
	X(PRIVATE_ADDRESS, WARN,                                                                             \
	  "a reservation was handed a private address: set DUSK_RELAY_EXTERNAL_ADDR to the public one")      \
	X(PRIVATE_SOURCE, WARN,                                                                              \
	  "clients arrive from a private address: limits of one IP do not hold for it"                       \
	  " (DUSK_LIMIT_PRIVATE_IPS=1 makes them)")                                                          \
	X(ACCEPT_PAUSED, WARN, "out of descriptors: accepting paused at {n} connections")                    \
	X(MEMORY_PRESSURE, WARN, "memory budget: {n} of {n2} bytes in use; DUSK_MAX_MEMORY lifts it")        \
	X(MEMORY_CLOSED, WARN,                                                                               \
	  "memory budget reached: closed the connection that held most for longest ({n} bytes)")             \
	X(KEY_RATE, WARN, "keyproc: more than {n} operations a second")                                      \
	X(KEY_MLOCK, WARN, "keyproc: the key could not be locked into memory")                               \
	X(KEY_TIGHTENED, WARN, "key file or folder was open to others: mode tightened")                      \
	X(KEY_OPEN_READ_ONLY, WARN, "key file or folder is open to others and cannot be changed here")       \
	X(KEY_BREACH, WARN, "keyproc: netproc broke the catalogue: {text}")                                  \
	X(BUSIEST, INFO, "busiest peer {peer}: {n} bytes relayed, {n2} circuits")                            \
	X(METRICS_FULL, DEBUG, "metrics: all {n} connections of the page are in use, others wait")           \
	X(METRICS_CUT, DEBUG, "metrics: {n} connections that took too long were closed")

enum log_event {
#define LOG_EVENT_ENUM(name, level, text) LOG_EVENT_##name,
	LOG_EVENTS(LOG_EVENT_ENUM)
#undef LOG_EVENT_ENUM
	    LOG_EVENT_COUNT
};

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARN, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG, LOG_LEVEL_TRACE };

struct log_event_row {
	enum log_level level;
	const char *text;
};

extern const struct log_event_row log_event_rows[LOG_EVENT_COUNT];

#endif
