"""Connects to a relay with the js-libp2p client of tests/interop and reserves; prints the circuit addresses it was given.

Usage: js_reserve.py FOLDER-OF-INTEROP ADDRESS
"""

import os
import sys
import tempfile

sys.path.insert(0, sys.argv[1])

from harness.client import Client  # noqa: E402

folder = os.path.join(sys.argv[1], "js/src")
command = ["node", "--import", os.path.join(folder, "polyfill.mjs"), os.path.join(folder, "client.mjs")]
with tempfile.NamedTemporaryFile() as log:
    client = Client("js", command, log.name)
    relay = client.start("connect", addr=sys.argv[2]).result()["peer"]
    print("\n".join(client.start("reserve", addr=f"{sys.argv[2]}/p2p/{relay}").result()["addrs"]))
    client.stop()
