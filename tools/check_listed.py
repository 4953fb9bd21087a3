#!/usr/bin/env python3
"""check_listed.py - every source, test, fuzz target and public header is listed in the meson.build that builds it.

meson lists files by name, so a new file that nobody lists would silently not be compiled, and a test not be run.
"""
import os
import re
import sys

import tree

# (folder, suffix, where it must be listed, if not in the meson.build beside it, what is cut off the end of the name)
PLACES = [
    ("core", ".c", None, ""),
    ("core", ".S", None, ""),
    ("actors", ".c", None, ""),
    ("include/cede", ".h", None, ""),
    ("tests/unit", "_test.c", "tests/unit", "_test.c"),
    ("tests/fuzz", "_fuzz.c", "tests/fuzz", ".c"),
    ("tests/e2e", "_test.c", "tests/e2e", ".c"),
]


def is_listed(root, where, path, cut):
    """Whether where/meson.build names the path, as seen from there and without the end that it leaves out."""
    name = os.path.relpath(path, where)
    name = name[:len(name) - len(cut)]
    try:
        listed = tree.read(root, os.path.join(where, "meson.build"))
    except OSError:
        return False
    return re.search(rf"'{re.escape(name)}'", listed) is not None


def main():
    options = tree.arguments(__doc__)
    findings = tree.Findings()
    for folder, suffix, lister, cut in PLACES:
        for path in tree.files(options.root, [folder], [suffix]):
            if not any(is_listed(options.root, where, path, cut) for where in {lister, os.path.dirname(path)} if where):
                findings.add(path, 0, f"is not listed in {lister or os.path.dirname(path)}/meson.build")
    return findings.finish()


if __name__ == "__main__":
    sys.exit(main())
