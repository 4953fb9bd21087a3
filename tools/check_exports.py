#!/usr/bin/env python3
"""check_exports.py - the shared library exports what the public headers declare, and nothing else.

Compared are: the functions and variables with external linkage that include/cede/*.h declare (as clang-19 reads them),
the list of cedei_ names in core/cede.map, and, with --library, the dynamic symbols of libcede.so. With --archive also:
every external symbol of libcede.a starts with cede_ or cedei_, so that a static link cannot collide with a program.
"""
import json
import os
import re
import subprocess
import sys

import tree


# Of libcede-sim, which is not shared.
SIMULATOR = ("include/cede/sim.h",)


def declared(root):
    """name -> header, of all that the public headers declare with external linkage."""
    names = {}
    headers = [path for path in tree.files(root, ["include/cede"], [".h"]) if path not in SIMULATOR]
    source = "".join(f"#include <{path[len('include/'):]}>\n" for path in headers)
    command = ["clang-19", "-std=gnu11", "-x", "c", "-fsyntax-only", "-Xclang", "-ast-dump=json",
               "-I", os.path.join(root, "include"), "-"]
    done = subprocess.run(command, input=source, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        tree.stop("clang-19 cannot read the public headers:\n" + done.stderr[:2000])
    file = ""
    for node in json.loads(done.stdout)["inner"]:
        # clang names the file only where it differs from that of the node before.
        for place in (node.get("loc", {}), node.get("loc", {}).get("expansionLoc", {})):
            file = place.get("file", file)
        if not os.path.abspath(file).startswith(os.path.abspath(os.path.join(root, "include", "cede"))):
            continue
        if node["kind"] not in ("FunctionDecl", "VarDecl") or node.get("storageClass") == "static":
            continue
        names[node["name"]] = os.path.relpath(file, root)
    return names


def mapped(root):
    """The cedei_ names of core/cede.map and their lines."""
    text = tree.without_comments(tree.read(root, "core/cede.map"))
    exported = text[:text.find("local:")]
    return {match.group(0): tree.line_of(text, match.start()) for match in re.finditer(r"\bcedei_\w+", exported)}


def symbols(arguments):
    """The names that nm prints for defined symbols."""
    done = subprocess.run(["nm", "--defined-only"] + arguments, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        tree.stop("nm: " + done.stderr.strip())
    rows = [line.split() for line in done.stdout.splitlines()]
    return {(row[-1].split("@")[0], row[-2]) for row in rows if len(row) >= 3}


def check_library(library, names, findings):
    exported = {name for name, kind in symbols(["-D", library]) if kind != "A"}
    for name in sorted(set(names) - exported):
        findings.add(names[name], 0, f"declares {name}, which {os.path.basename(library)} does not export")
    for name in sorted(exported - set(names)):
        findings.add(os.path.basename(library), 0, f"exports {name}, which no public header declares")


def main():
    options = tree.arguments(__doc__, library="libcede.so, as built", archive="libcede.a, as built")
    findings = tree.Findings()
    names = declared(options.root)
    listed = mapped(options.root)
    if not names:
        tree.stop("the public headers declare nothing")
    for name, header in names.items():
        if not name.startswith(("cede_", "cedei_")):
            findings.add(header, 0, f"declares {name}: public names start with cede_")
        if name.startswith("cedei_") and name not in listed:
            findings.add("core/cede.map", 0, f"lacks {name}, which {header} declares")
    for name, line in listed.items():
        if name not in names:
            findings.add("core/cede.map", line, f"lists {name}, which no public header declares")
    if options.library:
        check_library(options.library, names, findings)
    if options.archive:
        for name, kind in sorted(symbols([options.archive])):
            if kind.isupper() and not name.startswith(("cede_", "cedei_")) and not name.startswith("__"):
                findings.add(os.path.basename(options.archive), 0, f"has the external symbol {name}")
    return findings.finish()


if __name__ == "__main__":
    sys.exit(main())
