#!/usr/bin/env python3
"""check_text.py - no file names a path of somebody's machine, a package host, or holds a conflict marker or a CR.

Every text file is read, this one too, so the patterns are put together from pieces. Also refused: tabs and trailing
blanks in C, C++ and Python, and a file that does not end with a newline.
"""
import re
import sys

import tree

SLASH = "/"
MACHINE = [
    (re.compile(r"(?<![\w.])" + SLASH + r"(work|farm|root|home" + SLASH + r"\w+)" + SLASH), "a path of one machine"),
    (re.compile(r"\.\." + SLASH + r"shared\b"), "a path outside the repository"),
    (re.compile(r"deb\." + r"debian\.org|registry\." + r"npmjs|pypi\." + r"org|proxy\." + r"golang", re.I),
     "a package host"),
]
# bench/ may compare with programs that lie beside the repository, when they are there.
BESIDE_ALLOWED = ("bench/",)
CONFLICT = re.compile(r"^(<{7} |>{7} |={7}$)", re.M)
CODE = (".c", ".h", ".cpp", ".py")
# Input of tests may hold any bytes.
DATA = ("tests/fuzz/corpus/", "tests/e2e/data/", "examples/logstat/data/")


def check_file(path, text, findings):
    for pattern, what in MACHINE:
        for match in pattern.finditer(text):
            if "shared" in match.group(0) and path.startswith(BESIDE_ALLOWED):
                continue
            findings.add(path, tree.line_of(text, match.start()), f"'{match.group(0)}' is {what}")
    for match in CONFLICT.finditer(text):
        findings.add(path, tree.line_of(text, match.start()), "a conflict marker")
    if "\r" in text:
        findings.add(path, tree.line_of(text, text.index("\r")), "a carriage return")
    if text and not text.endswith("\n"):
        findings.add(path, text.count("\n") + 1, "no newline at the end")
    if path.endswith(CODE):
        for match in re.finditer(r"\t|[ \t]+$", text, re.M):
            findings.add(path, tree.line_of(text, match.start()), "a tab or a blank at the end of the line")


def main():
    options = tree.arguments(__doc__)
    findings = tree.Findings()
    for path in tree.files(options.root, suffixes=("",)):
        if path.startswith(DATA):
            continue
        text = open_text(options.root, path)
        if text is not None:
            check_file(path, text, findings)
    return findings.finish()


def open_text(root, path):
    """The text as it is, with its line ends; None for what is no text or no file."""
    try:
        with open(root + "/" + path, encoding="utf-8", newline="") as stream:
            text = stream.read()
    except (UnicodeDecodeError, OSError):
        return None
    return None if "\0" in text else text


if __name__ == "__main__":
    sys.exit(main())
