# SPDX-License-Identifier: MIT
"""Result lines of the audit: one for each check, a sum at the end. Used by every check."""

import sys


class Report:
    """Prints `ok`, `FAILED` or `skipped`, then what the check belongs to, then what was checked."""

    def __init__(self):
        self.passed = 0
        self.failed = 0
        self.skipped = 0

    def _line(self, word, about, text, details=()):
        print(f"{word} {about}: {text}")
        for detail in details:
            print(f"    {detail}")
        sys.stdout.flush()

    def check(self, about, text, faults):
        """Passes when there are no faults; prints each fault otherwise."""
        faults = list(faults)
        if faults:
            self.failed += 1
            self._line("FAILED", about, text, faults)
        else:
            self.passed += 1
            self._line("ok", about, text)

    def skip(self, about, text, why):
        self.skipped += 1
        self._line("skipped", about, f"{text} ({why})")

    def end(self):
        print(f"audit: {self.passed} passed, {self.failed} failed, {self.skipped} skipped")
        return 0 if self.failed == 0 else 1


def promise(number):
    return f"promise {number}"


# What no promise of SECURITY.md rests on, but the project's own rules demand.
HOUSE = "house"
