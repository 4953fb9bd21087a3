#!/usr/bin/env python3
"""check_includes.py - arrows point one way: which folder may include which, and no header includes itself by a detour.

LAYERS is the table of docs/STYLE.md. Also checked: internal headers are named from the root ("core/sys/clock.h"), and
Concurrency Kit, nng, OpenSSL, libcurl and clang are included only where the table says.
"""
import os
import re
import sys

import tree

PUBLIC_LOW = {"annotate.h", "log.h", "result.h"}
PUBLIC_MESSAGE = PUBLIC_LOW | {"ref.h", "message.h"}
ANY = None  # every public header

# folder -> (internal folders it may include besides itself, public headers it may include)
CORE = ["core/base", "core/sys", "core/mem", "core/sync", "core/sched"]
LAYERS = {
    "include/cede": ([], ANY),
    "core/base": ([], PUBLIC_LOW),
    "core/sys": (CORE[:1], PUBLIC_LOW),
    "core/mem": (CORE[:2], PUBLIC_LOW),
    "core/sync": (CORE[:3], PUBLIC_LOW),
    "core/sched": (CORE[:4], PUBLIC_LOW),
    "core/sim": (CORE[:3], PUBLIC_LOW),
    "actors/message": (CORE[:3], PUBLIC_MESSAGE),
    "actors/actor": (CORE + ["actors/message"], ANY),
    "actors/io": (CORE + ["actors/message", "actors/actor"], ANY),
    "actors/share": (CORE + ["actors/message", "actors/actor"], ANY),
    "actors/std": ([], ANY),
    "actors/node": (CORE + ["actors/message", "actors/actor"], ANY),
    "actors/sim": (CORE + ["core/sim", "actors/message", "actors/actor", "actors/node"], ANY),
    "examples": ([], ANY),
}
THIRD_PARTY = [
    (re.compile(r"ck_\w+\.h$"), ("core/sync", "tests", "bench"), "Concurrency Kit"),
    (re.compile(r"nng/"), ("actors/node", "tests", "bench"), "nng"),
    (re.compile(r"openssl/"), ("actors/node", "tests"), "OpenSSL"),
    (re.compile(r"curl/"), ("actors/node", "tests"), "libcurl"),
    (re.compile(r"(clang|llvm)/"), ("analyzer",), "clang"),
]
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*(?:"([^"\n]+)"|<([^>\n]+)>)', re.M)


def layer_of(path):
    """The row of LAYERS that a path belongs to, or None."""
    for folder in sorted(LAYERS, key=len, reverse=True):
        if path.startswith(folder + "/"):
            return folder
    return None


def check_one(root, path, line, quoted, angled, findings):
    """Checks one include directive; returns the path of an included internal or public header, or None."""
    layer = layer_of(path)
    if angled and angled.startswith("cede/"):
        if layer and LAYERS[layer][1] is not ANY and angled[5:] not in LAYERS[layer][1]:
            findings.add(path, line, f"{layer} may not include <{angled}>: it knows only "
                         + ", ".join(sorted(LAYERS[layer][1])))
        return "include/" + angled
    if angled:
        for pattern, folders, name in THIRD_PARTY:
            if pattern.match(angled) and not path.startswith(folders):
                findings.add(path, line, f"<{angled}>: {name} is included in {folders[0]} only")
        return None
    if layer is None:
        return quoted
    if layer == "examples" and os.path.dirname(path) == os.path.dirname(os.path.join(os.path.dirname(path), quoted)):
        return os.path.join(os.path.dirname(path), quoted)
    target = layer_of(quoted)
    if target is None or not os.path.isfile(os.path.join(root, quoted)):
        findings.add(path, line, f'"{quoted}" is not a header named from the root, as "core/sys/clock.h" is')
    elif target != layer and target not in LAYERS[layer][0]:
        findings.add(path, line, f"{layer} may not include {target} ({quoted}): arrows point one way")
    return quoted


def find_cycles(graph, findings):
    """Reports each cycle of includes once, at the file of it that sorts first."""
    state = {}
    for start in sorted(graph):
        stack = [(start, iter(graph[start]))]
        if state.setdefault(start, 1) == 2:
            continue
        trail = [start]
        while stack:
            node, rest = stack[-1]
            following = next(rest, None)
            if following is None:
                state[node] = 2
                stack.pop()
                trail.pop()
            elif following in trail:
                cycle = trail[trail.index(following):]
                findings.add(min(cycle), 0, "includes itself: " + " -> ".join(cycle + [following]))
            elif state.get(following) != 2 and following in graph:
                state[following] = 1
                stack.append((following, iter(graph[following])))
                trail.append(following)


def main():
    options = tree.arguments(__doc__)
    findings = tree.Findings()
    graph = {}
    for path in tree.files(options.root, suffixes=(".c", ".h", ".cpp", ".S")):
        text = tree.without_comments(tree.read(options.root, path))
        targets = [check_one(options.root, path, tree.line_of(text, match.start()), match.group(1), match.group(2),
                             findings) for match in INCLUDE.finditer(text)]
        graph[path] = [target for target in targets if target]
    find_cycles(graph, findings)
    return findings.finish()


if __name__ == "__main__":
    sys.exit(main())
