#!/usr/bin/env python3
"""check_names.py - names: no _t types, no helper, util or manager, and prefixes that say who may call.

Refused are: a type of ours that ends in _t; files, functions and types that are named after nothing (VAGUE); a function
of the public headers that is neither cede_ nor cedei_; a static function that is named as if it were public. Data
members and locals are left to review, and so is everything that a macro builds.
"""
import os
import re
import sys

import tree

VAGUE = re.compile(r"(^|[_/\-])(helpers?|utils?|managers?|misc|common|stuff|mgr)([_.\-]|$)", re.I)
TYPE = re.compile(r"\b(?:struct|union|enum)\s+(?:(?:CEDE|__attribute__)\w*(?:\([^)]*\))*\s+)*(\w+)\s*\{")
TYPEDEF = re.compile(r"\btypedef\b[^;{}]*?\b(\w+)\s*;|\btypedef\s+(?:struct|union|enum)[^;]*?\}\s*(\w+)\s*;", re.S)
FUNCTION = re.compile(r"^(?![ \t#}])((?:[A-Za-z_][\w]*[ \t*]+)+)(\w+)\([^;{}]*\)\s*\{", re.M)
FOLDERS = ["include", "core", "actors", "examples", "bench", "tests"]


def check_text(path, code, findings):
    for pattern in (TYPE, TYPEDEF):
        for match in pattern.finditer(code):
            name = match.group(1) or (match.group(2) if pattern is TYPEDEF else None)
            if not name:
                continue
            line = tree.line_of(code, match.start())
            if name.endswith("_t"):
                findings.add(path, line, f"type {name} ends in _t, which belongs to the C library")
            if VAGUE.search(name):
                findings.add(path, line, f"type {name}: say what it is or does")
    for match in FUNCTION.finditer(code):
        name, line = match.group(2), tree.line_of(code, match.start(2))
        # A macro such as CEDEI_INLINE stands for `static inline`.
        words = ["static" if word.endswith("_INLINE") else word for word in match.group(1).split()]
        if VAGUE.search(name):
            findings.add(path, line, f"function {name}: say what it does")
        if path.startswith(("core/", "actors/")):
            ours = name.startswith(("cede_", "cedei_"))
            if "static" in words and ours and path.endswith(".c"):
                findings.add(path, line, f"static function {name} is named as if others could call it")
            if "static" not in words and not ours:
                findings.add(path, line, f"function {name} is not static, and named neither cede_ nor cedei_")


def main():
    options = tree.arguments(__doc__)
    findings = tree.Findings()
    suffixes = (".c", ".h", ".cpp", ".py", ".sh", ".S")
    for path in tree.files(options.root, [""], suffixes):
        # The name of the file, and of each folder above it.
        if any(VAGUE.search(os.path.splitext(part)[0]) for part in path.split("/")):
            findings.add(path, 0, "the name says nothing of what is inside")
    for path in tree.files(options.root, FOLDERS):
        check_text(path, tree.without_comments(tree.read(options.root, path), strings=False), findings)
    return findings.finish()


if __name__ == "__main__":
    sys.exit(main())
