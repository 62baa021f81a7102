"""Tests of kept.py: make bench-table runs them first."""

import os
import tempfile
import unittest

import kept


def row(relay, value, others, name="a row"):
    return kept.Row(relay, name, value, "us", 0.0, 0.5, others, 0.0)


class Kept(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.path = os.path.join(self.folder.name, "kept.jsonl")

    def tearDown(self):
        self.folder.cleanup()

    def test_runs_are_merged(self):
        kept.append(self.path, [row("us", 1.0, 0.0)], {"run": 1})
        kept.append(self.path, [row("us", 3.0, 0.01), row("them", 5.0, 0.0)], {"run": 2})
        rows = kept.read(self.path)["a row"]
        self.assertEqual([r.value for r in rows["us"]], [1.0, 3.0])
        self.assertEqual([r.value for r in rows["them"]], [5.0])

    def test_rows_of_a_busy_core_go_where_a_quiet_one_is(self):
        kept.append(self.path, [row("us", 9.0, 0.4), row("us", 1.0, 0.0), row("them", 5.0, 0.4)], {})
        rows = kept.read(self.path)["a row"]
        self.assertEqual([r.value for r in rows["us"]], [1.0])
        self.assertEqual([r.value for r in rows["them"]], [5.0])

    def test_what_was_not_measured_is_not_kept(self):
        kept.append(self.path, [kept.row_from_text("us", "a row\tnan\twhy\t0\t0\t0\t0\n")], {})
        self.assertEqual(kept.read(self.path), {})

    def test_each_row_from_where_it_was_quieter(self):
        first = [row("us", 1.0, 0.3, "a"), row("us", 2.0, 0.0, "b")]
        again = [row("us", 3.0, 0.1, "a"), row("us", 4.0, 0.1, "b")]
        self.assertFalse(kept.quiet(first))
        self.assertEqual([r.value for r in kept.quieter(first, again)], [3.0, 2.0])


if __name__ == "__main__":
    unittest.main()
