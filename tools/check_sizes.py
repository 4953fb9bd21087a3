#!/usr/bin/env python3
"""check_sizes.py - lists files past 1,000 lines and functions past 70, so that someone looks; it never fails."""
import re
import sys

import tree

FILE_LINES = 1000
FUNCTION_LINES = 70
START = re.compile(r"^(?![ \t#}/]).*\)\s*\{\s*$|^\{\s*$")


def long_functions(code):
    """(line, lines) of each function, a block that starts and ends in column 0, past the limit."""
    lines = code.splitlines()
    start = None
    for number, line in enumerate(lines, 1):
        if start is None and START.match(line):
            start = number
        elif start is not None and line.startswith("}"):
            if number - start + 1 > FUNCTION_LINES:
                yield start, number - start + 1
            start = None


def main():
    options = tree.arguments(__doc__)
    for path in tree.files(options.root, suffixes=(".c", ".h", ".cpp", ".py", ".sh")):
        text = tree.read(options.root, path)
        count = text.count("\n")
        if count > FILE_LINES:
            tree.note(f"{path} has {count} lines (look at past {FILE_LINES})")
        if path.endswith((".c", ".h", ".cpp")):
            for line, length in long_functions(tree.without_comments(text, strings=False)):
                tree.note(f"{path}:{line}: a function of {length} lines (look at past {FUNCTION_LINES})")
    return 0


if __name__ == "__main__":
    sys.exit(main())
