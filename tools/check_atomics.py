#!/usr/bin/env python3
"""check_atomics.py - every atomic access names its memory order, and a comment says why that order and who pairs with it.

The comment stands on the line or above it, without an empty line between, at most REACH lines of code up, so that a
group of accesses can share one. It must name the order; for acquire, release and acq_rel also the partner ("pairs with
..."); for relaxed and seq_cst it must give a reason. "see f" and "as in f" do. Refused are the calls without _explicit, __sync_*, and the plain
use of a field that is declared _Atomic. Cannot see: a plain use of a field whose name some other struct has as well.
"""
import re
import sys

import tree

REACH = 8
FOLDERS = ["include", "core", "actors", "examples", "bench"]
EXPLICIT = re.compile(r"\b(?:atomic_\w+_explicit|__atomic_(?!always|is_lock|thread)\w+|atomic_(?:thread|signal)_fence)\s*\(")
IMPLICIT = re.compile(
    r"\batomic_(?:load|store|exchange|compare_exchange_(?:weak|strong)|fetch_(?:add|sub|or|xor|and)|"
    r"flag_test_and_set|flag_clear)\s*\(|\b__sync_\w+\s*\(")
ORDER = re.compile(r"(?:memory_order_|__ATOMIC_)(relaxed|consume|acquire|release|acq_rel|seq_cst|"
                   r"RELAXED|CONSUME|ACQUIRE|RELEASE|ACQ_REL|SEQ_CST)\b")
# Who pairs with it; or where that is said.
PARTNER = re.compile(r"\bpair(s|ed)?\b|\bpartner\b|\bsee \w|\bas (in|above)\b|\bthat \w+ (released|published)", re.I)
ATOMIC_FIELD = re.compile(r"\b_Atomic(?:[ \t]*\([^()\n]*\)|[\w \t]*[ \t])[ \t]*(\w+)[ \t]*(?:\[[^\]\n]*\])*[ \t]*;")
# A field in the list of a message: F(u64, name).
LISTED_FIELD = re.compile(r"\b[A-Z]\((?:[\w ]|\([^()]*\))+, *(\w+)\)")
PLAIN_FIELD = re.compile(r"^[ \t]+(?!return\b|goto\b)[A-Za-z_]\w*[ \t*]+(?:[\w \t*,]|\[[^\]\n]*\])*;")
OPENING = {")": "(", "]": "["}


def comment_near(lines, by_line, first):
    """The comments that stand for the statement on `first`: on the line, and the nearest above it."""
    found = [by_line[first]] if first in by_line else []
    code = 0
    line = first - 1
    while line > 0 and code <= REACH:
        if line in by_line:
            found.append(by_line[line])
            # Comments right above each other are one.
            while line - 1 in by_line and by_line[line - 1] != by_line[line] and lines[line - 2].strip().startswith("/"):
                line -= 1
                found.append(by_line[line])
            return "\n".join(found)
        if lines[line - 1].strip() == "":
            break
        code += 1
        line -= 1
    return "\n".join(found)


def complaint(comment, order):
    """What a comment lacks, or None."""
    if not comment:
        return "has no comment that names its order and partner"
    if order not in comment:
        return f"is {order}, which the comment above does not name"
    words = len(re.findall(r"\w+", comment))
    if order in ("acquire", "release", "acq_rel") and not PARTNER.search(comment):
        return f"is {order}, but the comment names no partner (\"pairs with ...\")"
    if order in ("relaxed", "seq_cst", "consume") and words < 3:
        return f"is {order}, but the comment gives no reason"
    return None


def check_calls(path, text, findings):
    code = tree.without_comments(text, strings=False)
    lines = text.splitlines()
    by_line = {}
    for first, last, body in tree.comments(text):
        for line in range(first, last + 1):
            by_line[line] = body
    for match in EXPLICIT.finditer(code):
        line = tree.line_of(code, match.start())
        name = match.group(0).rstrip("( ")
        if lines[line - 1].lstrip().startswith("#define"):
            continue
        inside = code[match.end() - 1:tree.closing(code, match.end() - 1)]
        orders = ORDER.findall(inside)
        if not orders:
            findings.add(path, line, f"{name} names no memory order")
            continue
        problem = complaint(comment_near(lines, by_line, line), orders[0].lower())
        if problem:
            findings.add(path, line, f"{name} {problem}")
    for match in IMPLICIT.finditer(code):
        findings.add(path, tree.line_of(code, match.start()),
                     f"{match.group(0).rstrip('( ')}: use the _explicit call and say why its order is right")


def atomic_fields(codes):
    """Names that are fields declared _Atomic and are declared without it nowhere."""
    atomic = set()
    plain = set()
    for code in codes:
        for match in ATOMIC_FIELD.finditer(code):
            atomic.add(match.group(1))
        plain.update(LISTED_FIELD.findall(code))
        for line in code.splitlines():
            match = None if "_Atomic" in line else PLAIN_FIELD.match(line)
            if match:
                plain.update(re.findall(r"(\w+)(?:\[[^\]]*\])*[ \t]*[,;]", match.group(0)))
    return atomic - plain


def expression_start(code, end):
    """The offset where the expression `a->b[i].c` that ends before `end` starts."""
    offset = end
    while offset > 0:
        char = code[offset - 1]
        if char in OPENING:
            depth = 0
            while offset > 0:
                offset -= 1
                depth += (code[offset] == char) - (code[offset] == OPENING[char])
                if depth == 0:
                    break
        elif char.isalnum() or char in "_.":
            offset -= 1
        elif code[offset - 2:offset] == "->":
            offset -= 2
        else:
            break
    return offset


def check_plain_uses(path, code, fields, findings):
    for match in re.finditer(r"(->|\.)(\w+)\b(?!\s*\()", code):
        if match.group(2) not in fields:
            continue
        before = code[:expression_start(code, match.start())].rstrip()
        initializer = match.group(1) == "." and re.search(r"[{,(]$", code[:match.start()].rstrip())
        # `&` takes the address, unless it is the second half of `&&` or stands between two operands.
        address = before.endswith("&") and not re.search(r"(&&|[\w)\]]\s*&)$", before)
        if address or initializer or re.search(r"\b(offsetof|sizeof)\b[^;]*$", before[-80:]):
            continue
        findings.add(path, tree.line_of(code, match.start()),
                     f"plain use of the _Atomic field '{match.group(2)}': use an _explicit call")


def main():
    options = tree.arguments(__doc__)
    findings = tree.Findings()
    paths = tree.files(options.root, FOLDERS)
    texts = {path: tree.read(options.root, path) for path in paths}
    codes = {path: tree.without_comments(text, strings=False) for path, text in texts.items()}
    fields = atomic_fields(codes.values())
    for path in paths:
        check_calls(path, texts[path], findings)
        check_plain_uses(path, codes[path], fields, findings)
    return findings.finish()


if __name__ == "__main__":
    sys.exit(main())
