"""tree.py - what the checks in this folder share: which files there are, C text without its comments, and findings.

A finding is `path:line: text`. A check is a program `check_x.py [--root DIR]` that prints its findings and exits with 1
if there are any, with 0 otherwise. Lines that start with `note:` are for information and never make it fail.
"""
import argparse
import os
import re
import sys

SKIPPED_FOLDERS = {"build", "dist", ".git", ".cache", "__pycache__"}


def arguments(description, **extra):
    """Parses --root, and options named in extra (name=help)."""
    parser = argparse.ArgumentParser(description=description.strip().splitlines()[0])
    here = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    parser.add_argument("--root", default=here, help="the tree to look at")
    for name, text in extra.items():
        parser.add_argument("--" + name, help=text)
    return parser.parse_args()


def files(root, folders=("",), suffixes=(".c", ".h")):
    """Paths below root, relative, sorted; folders limits where to look."""
    found = []
    for folder in folders:
        for base, names, leaves in os.walk(os.path.join(root, folder)):
            names[:] = [name for name in names if name not in SKIPPED_FOLDERS]
            for leaf in leaves:
                if leaf.endswith(tuple(suffixes)):
                    found.append(os.path.relpath(os.path.join(base, leaf), root))
    return sorted(set(found))


def read(root, path):
    """The text of a file; bytes that are not UTF-8 are replaced."""
    with open(os.path.join(root, path), encoding="utf-8", errors="replace") as stream:
        return stream.read()


TOKEN = re.compile(
    r"""//(?:[^\n\\]|\\.|\\\n)*|/\*.*?\*/|"(?:[^"\\\n]|\\.|\\\n)*"|'(?:[^'\\\n]|\\.)*'""", re.S)


def blank(match):
    """Spaces of the same length, with the newlines kept."""
    return re.sub(r"[^\n]", " ", match.group(0))


def without_comments(text, strings=True):
    """The text with comments blanked out; strings and characters too unless strings is true."""
    def replace(match):
        if match.group(0).startswith(("//", "/*")):
            return blank(match)
        if strings:
            return match.group(0)
        token = match.group(0)
        return token[0] + re.sub(r"[^\n]", " ", token[1:-1]) + token[-1]
    return TOKEN.sub(replace, text)


def comments(text):
    """(first line, last line, text) of every comment, lines from 1; adjacent // lines are one comment."""
    found = []
    for match in TOKEN.finditer(text):
        token = match.group(0)
        if not token.startswith(("//", "/*")):
            continue
        first = text.count("\n", 0, match.start()) + 1
        last = first + token.count("\n")
        own_line = text[text.rfind("\n", 0, match.start()) + 1:match.start()].strip() == ""
        if found and token.startswith("//") and own_line and found[-1][1] == first - 1 and found[-1][3]:
            found[-1] = (found[-1][0], last, found[-1][2] + "\n" + token, True)
        else:
            found.append((first, last, token, token.startswith("//") and own_line))
    return [entry[:3] for entry in found]


def line_of(text, offset):
    """The line, from 1, that an offset is on."""
    return text.count("\n", 0, offset) + 1


def closing(text, opening):
    """The offset of the parenthesis that closes the one at `opening`, or the end of the text."""
    depth = 0
    for offset in range(opening, len(text)):
        if text[offset] == "(":
            depth += 1
        elif text[offset] == ")":
            depth -= 1
            if depth == 0:
                return offset
    return len(text)


class Findings:
    """Collects findings, prints them, and gives the exit status."""

    def __init__(self):
        self.lines = []

    def add(self, path, line, text):
        self.lines.append((path, line, text))

    def finish(self):
        for path, line, text in sorted(set(self.lines)):
            print(f"{path}:{line}: {text}" if line else f"{path}: {text}")
        return 1 if self.lines else 0


def note(text):
    print("note: " + text)


def stop(text):
    """The check itself cannot do its work."""
    print("cannot check: " + text)
    sys.exit(2)
