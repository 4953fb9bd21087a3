#!/usr/bin/env python3
"""count_tests.py - counts the cases behind one `meson test` run, from meson's testlog.json.

A cmocka program prints how many of its cases passed and failed, and so does a script that ends with
`counted: <passed> <failed>` or `<passed> passed, <failed> failed`; any other test counts as one case. A program that
crashed, hung or reported through a sanitizer counts as one failure more than the cases that it had reported. Prints
`counted: <passed> <failed>` for progress.sh, after the failed names. Exit 1 when anything failed or nothing ran.
"""
import json
import re
import sys

PASSED = re.compile(r"\[  PASSED  \] (\d+) test")
COUNTED = re.compile(r"^(?=counted|\d+ passed)(?:counted: )?(\d+)(?: passed,)? (\d+)(?: failed)?$", re.M)
FAILED = re.compile(r"\[  FAILED  \] (\d+) test")
REPORT = re.compile(r"^.*(?:(?:ERROR|WARNING): \w+Sanitizer|: runtime error: ).*$", re.M)
GOOD = ("OK", "EXPECTEDFAIL")
# Whose output is shown, and how much of it, so that the end of the log says what went wrong.
SHOWN_TESTS = 2
SHOWN_LINES = 14


def cases(entry):
    """(passed, failed) of one test program."""
    text = (entry.get("stdout") or "") + (entry.get("stderr") or "")
    passed = sum(int(n) for n in PASSED.findall(text)) + sum(int(p) for p, _ in COUNTED.findall(text))
    failed = sum(int(n) for n in FAILED.findall(text)) + sum(int(f) for _, f in COUNTED.findall(text))
    if entry["result"] in GOOD:
        return max(passed, 1), 0
    return passed, max(failed, 1)


def show(failures):
    """What the first failed tests printed last, or the start of a sanitizer's report; then the names of all."""
    for entry in failures[:SHOWN_TESTS]:
        print(f"---- {entry['name']}: {entry['result']}, exit status {entry.get('returncode')}")
        text = (entry.get("stdout") or "") + (entry.get("stderr") or "")
        report = REPORT.search(text)
        lines = text[report.start():].splitlines()[:SHOWN_LINES] if report else text.rstrip().splitlines()[-SHOWN_LINES:]
        for line in lines:
            print("    " + line[:200])
    for entry in failures:
        print(f"failed: {entry['name']} ({entry['result']})")


def main(path):
    passed = failed = skipped = 0
    failures = []
    try:
        with open(path, encoding="utf-8") as log:
            entries = [json.loads(line) for line in log if line.strip()]
    except (OSError, ValueError) as error:
        print(f"count_tests: cannot read {path}: {error}")
        return 1
    for entry in entries:
        if entry["result"] == "SKIP":
            skipped += 1
            print(f"skipped: {entry['name']}")
            continue
        good, bad = cases(entry)
        passed += good
        failed += bad
        if bad:
            failures.append(entry)
    show(failures)
    if passed + failed == 0:
        print(f"count_tests: no test ran ({skipped} skipped)")
        return 1
    print(f"counted: {passed} {failed}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
