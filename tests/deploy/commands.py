"""Looks whether every command of the documents is run by a test.

Usage: commands.py ROOT TABLE DOCUMENT...

A command is a line of a code block (indented, or in a fence that is not marked as text), a line after "$ " in a fence, or code in
a sentence that begins with a program's name. TABLE says of each which file runs it: FILE | COMMAND, and behind another bar, where the
file has it in other words, these. FILE is - for lines that are settings or output. Prints what is wrong, a line each; prints nothing
when all is well.
"""

import os
import re
import sys

PROGRAMS = ("dusk-relay", "make", "docker", "docker-compose", "kill", "git", "systemctl", "apt-get", "dpkg")


def commands_of(path):
	"""Every command of a document, comments aside, in order."""
	fence = None
	with open(path, encoding="utf-8") as file:
		lines = file.read().split("\n")
	for line in lines:
		if line.startswith("```"):
			fence = line[3:] or "commands" if fence is None else None
		elif fence is not None:
			if line.startswith("$ ") or fence not in ("text", "console"):
				yield without_comment(line.removeprefix("$ "))
		elif re.match("    [^ ]", line):
			yield without_comment(line[4:])
		elif not line.startswith("| `DUSK"):
			for code in re.findall("`([^`]+)`", line):
				if code.split(" ")[0] in PROGRAMS and " " in code:
					yield code


def without_comment(line):
	return re.sub(r"\s+# .*", "", line).strip()


def unquoted(text):
	return re.sub(r"[\\\"']", "", text)


def table_rows(path):
	with open(path, encoding="utf-8") as file:
		for line in file:
			if line.strip() and not line.startswith("#"):
				where, command, *words = line.rstrip("\n").split(" | ")
				yield where, command, words[0] if words else command


def faults(root, table, documents):
	rows = {command: (where, words) for where, command, words in table_rows(table)}
	seen = set()
	for document in documents:
		for command in commands_of(os.path.join(root, document)):
			if command and command not in rows:
				yield f"{document}: no test is named for: {command}"
			seen.add(command)
	for command, (where, words) in rows.items():
		if command not in seen:
			yield f"{table}: no document has: {command}"
		if where == "-":
			continue
		with open(os.path.join(root, where), encoding="utf-8") as file:
			if unquoted(words) not in unquoted(file.read()):
				yield f"{where} does not run: {words}"


if __name__ == "__main__":
	for fault in faults(sys.argv[1], sys.argv[2], sys.argv[3:]):
		print(fault)
