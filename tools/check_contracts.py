#!/usr/bin/env python3
"""check_contracts.py - the comment above each public function says who owns what, which threads, whether it yields or blocks.

Looked at are the functions and the function-like macros cede_...() of include/cede/*.h; they need a `///` comment right
above, with Threads, Yields and Blocks, Ownership when a pointer other than a cede_self or a string literal goes in or
out, and Errors when a cede_result comes out. Also checked: colour and annotation agree (Yields: yes and CEDE_YIELDS).
"""
import re
import sys

import tree

FUNCTION = re.compile(r"^((?:[A-Za-z_]\w*(?:\([^()]*\))?[ \t\n*]+)+?)\*?(cede_\w+)\(([^;{}]*)\)\s*(?:CEDE\w*\s*)*[;{]", re.M)
MACRO = re.compile(r"^#define (cede_\w+)\(([^)]*)\)", re.M)


def comment_above(lines, line):
    """The `///` lines right above a line (from 1), joined."""
    found = []
    line -= 1
    while line > 0 and lines[line - 1].startswith("///"):
        found.insert(0, lines[line - 1][3:].strip())
        line -= 1
    return " ".join(found)


def check_words(name, comment, needed, report):
    if not comment:
        report(f"{name} has no /// comment right above")
        return
    missing = [word for word in needed if not re.search(rf"\b{word}:", comment)]
    if missing:
        report(f"the comment of {name} lacks " + ", ".join(word + ":" for word in missing))


def check_function(match, comment, report):
    prefix, name, parameters = match.groups()
    if re.search(r"\b(typedef|return|else)\b", prefix):
        return
    needed = ["Threads", "Yields", "Blocks"]
    pointers = [part for part in parameters.split(",") if "*" in part and "cede_self" not in part]
    if pointers or "*" in prefix:
        needed.append("Ownership")
    if re.search(r"\bcede_result\b", prefix) and "NODISCARD" in prefix:
        needed.append("Errors")
    check_words(name, comment, needed, report)
    yields = re.search(r"Yields: (\w+)", comment)
    if yields and "static" not in prefix:
        if (yields.group(1) == "yes") != ("CEDE_YIELDS" in prefix):
            report(f"{name}: 'Yields: {yields.group(1)}' and its annotation do not agree")
        if not re.search(r"CEDE_(YIELDS|NOYIELD|BLOCKS)", prefix):
            report(f"{name} is annotated neither CEDE_YIELDS, CEDE_NOYIELD nor CEDE_BLOCKS")


def main():
    options = tree.arguments(__doc__)
    findings = tree.Findings()
    count = 0
    for path in tree.files(options.root, ["include/cede"], [".h"]):
        text = tree.read(options.root, path)
        code = tree.without_comments(text, strings=False)
        # A macro's lines are no declarations.
        bare = re.sub(r"^[ \t]*#(?:[^\n\\]|\\.|\\\n)*", tree.blank, code, flags=re.M)
        lines = text.splitlines()
        for pattern, body in ((FUNCTION, bare), (MACRO, code)):
            for match in pattern.finditer(body):
                line = tree.line_of(body, match.start())
                comment = comment_above(lines, line)
                count += 1

                def report(what, path=path, line=line):
                    findings.add(path, line, what)
                if pattern is MACRO:
                    check_words(match.group(1), comment, ["Ownership", "Threads", "Yields", "Blocks"], report)
                else:
                    check_function(match, comment, report)
    if count == 0:
        tree.stop("no public function was found")
    return findings.finish()


if __name__ == "__main__":
    sys.exit(main())
