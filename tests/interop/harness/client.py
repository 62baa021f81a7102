"""A client program: verbs go in as JSON lines, answers and events come out as JSON lines."""

import json
import signal
import subprocess
import threading
import time

DEFAULT_TIMEOUT = 45


class ClientError(Exception):
    """A verb failed; `code` is one of the names that all client programs share."""

    def __init__(self, client, verb, code, text):
        super().__init__(f"{client}: {verb} failed with {code}: {text}")
        self.code = code


class ClientTimeout(Exception):
    """Nothing came in time."""


class Pending:
    """A verb under way."""

    def __init__(self, client, number, verb, timeout):
        self.client, self.number, self.verb, self.timeout = client, number, verb, timeout

    def result(self):
        return self.client.await_answer(self)


class Client:
    def __init__(self, name, command, log_path):
        self.name = name
        self.events = []
        self.ended = False
        self._answers = {}
        self._last = 0
        self._changed = threading.Condition()
        self._log = open(log_path, "a", encoding="utf-8")
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._log,
                                         text=True, bufsize=1)
        threading.Thread(target=self._read, daemon=True).start()
        self.peer = self.wait_event("ready", timeout=90)["peer"]

    def __str__(self):
        return self.name

    def start(self, verb, timeout=DEFAULT_TIMEOUT, **arguments):
        """Sends a verb without waiting for its answer."""
        with self._changed:
            self._last += 1
            line = json.dumps({"id": self._last, "do": verb, **arguments})
            self._note("> " + line)
            self._process.stdin.write(line + "\n")
            self._process.stdin.flush()
            return Pending(self, self._last, verb, timeout)

    def do(self, verb, timeout=DEFAULT_TIMEOUT, **arguments):
        return self.start(verb, timeout, **arguments).result()

    def refused(self, verb, timeout=DEFAULT_TIMEOUT, **arguments):
        """Runs a verb that has to fail, and gives the failure's code."""
        try:
            answer = self.do(verb, timeout, **arguments)
        except ClientError as error:
            return error.code
        raise AssertionError(f"{self}: {verb} should have failed but said {answer}")

    def await_answer(self, pending):
        def arrived():
            return self._answers.pop(pending.number, None)
        answer = self._wait(arrived, pending.timeout, f"an answer to {pending.verb}")
        if "error" in answer:
            raise ClientError(self, pending.verb, answer["error"]["code"], answer["error"]["text"])
        return answer["ok"]

    def wait_event(self, name, timeout=DEFAULT_TIMEOUT, since=0, **wanted):
        """The first event of that name from `since` on whose fields are the wanted ones."""
        def fits(event):
            return all(event.get(key) == value for key, value in wanted.items())
        return self.wait_event_where(name, fits, wanted or "", timeout, since)

    def wait_event_where(self, name, fits, what, timeout=DEFAULT_TIMEOUT, since=0):
        """The first event of that name from `since` on that fits; `what` says what is waited for."""
        def found():
            return next((e for e in self.events[since:] if e["event"] == name and fits(e)), None)
        return self._wait(found, timeout, f"event {name} {what}")

    def mark(self):
        """A place in the list of events, for wait_event's `since`."""
        with self._changed:
            return len(self.events)

    def stop(self):
        """Asks the program to end; one that does not is killed."""
        try:
            self.start("quit")
            self._process.stdin.close()
            self._process.wait(timeout=5)
        except (OSError, ValueError, subprocess.TimeoutExpired):
            self._process.kill()
            self._process.wait()
        self._log.close()

    def transcript(self):
        """All that was said to and by the program."""
        with open(self._log.name, encoding="utf-8", errors="replace") as log:
            return log.read()

    def freeze(self):
        """Stops the program where it is: its connections stay open and say nothing more."""
        self._process.send_signal(signal.SIGSTOP)

    def kill(self):
        """Ends the program without a goodbye."""
        self._process.kill()
        self._process.wait()

    def _wait(self, ask, timeout, what):
        deadline = time.monotonic() + timeout
        with self._changed:
            while True:
                answer = ask()
                if answer is not None:
                    return answer
                left = deadline - time.monotonic()
                if self.ended:
                    raise ClientTimeout(f"{self}: the program ended while waiting for {what}")
                if left <= 0 or not self._changed.wait(left):
                    raise ClientTimeout(f"{self}: waited {timeout} s for {what}")

    def _read(self):
        for line in self._process.stdout:
            message = json.loads(line)
            with self._changed:
                self._note("< " + line.rstrip())
                if "id" in message:
                    self._answers[message["id"]] = message
                else:
                    self.events.append(message)
                self._changed.notify_all()
        with self._changed:
            self.ended = True
            self._changed.notify_all()

    def _note(self, line):
        if not self._log.closed:
            self._log.write(f"{time.strftime('%H:%M:%S')} {line}\n")
            self._log.flush()
