"""Opens a connection, says so, and keeps it open while a file is there, a minute at most.

Usage: hold.py TARGET PORT FILE
"""

import os
import socket
import sys
import time

target, port, path = sys.argv[1:]
with socket.create_connection((target, int(port))):
	print("open", flush=True)
	for _ in range(600):
		if not os.path.exists(path):
			break
		time.sleep(0.1)
