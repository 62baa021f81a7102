"""Opens connections from one or more addresses in turn and prints how many came about before one did not.

Usage: arrive.py hold|close COUNT TARGET PORT SOURCE...
hold keeps them open until the end; close ends each at once, and does not wait for a second attempt, which is let in by then.
"""

import socket
import struct
import sys

how, count, target, port, *sources = sys.argv[1:]
PATIENCE = {"hold": 2.5, "close": 0.7}
held = []
made = 0
while made < int(count):
	try:
		connection = socket.create_connection((target, int(port)), timeout=PATIENCE[how], source_address=(sources[made % len(sources)], 0))
	except OSError:
		break
	made += 1
	if how == "close":
		connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
		connection.close()
	else:
		held.append(connection)
print(made)
