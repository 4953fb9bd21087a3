#!/usr/bin/env python3
"""check_headers.py - each public header compiles alone, twice in a row, without a warning: as C11 and as C++17.

C with gcc, clang-14 and clang-19, C++ with g++ and clang++-19; a compiler that is missing is a failure, not a pass.
Internal headers are compiled alone as C with gcc, so that none leans on what its includer happened to include.
"""
import concurrent.futures
import os
import subprocess
import sys

import tree

WARNINGS = ["-Wall", "-Wextra", "-Wconversion", "-Wvla", "-Werror"]
# g++ calls a function that is named as a struct a shadow; C has two name spaces.
C_WARNINGS = ["-Wshadow", "-Wstrict-prototypes", "-Wmissing-prototypes"]
PUBLIC = [
    ["gcc", "-std=c11", "-x", "c"] + C_WARNINGS,
    ["clang-14", "-std=c11", "-x", "c"] + C_WARNINGS,
    ["clang-19", "-std=c11", "-x", "c"] + C_WARNINGS,
    ["g++", "-std=c++17", "-x", "c++"],
    ["clang++-19", "-std=c++17", "-x", "c++"],
]
INTERNAL = [["gcc", "-std=gnu11", "-D_GNU_SOURCE=", "-x", "c"] + C_WARNINGS]


def compile_alone(root, command, include):
    """The compiler's first lines of complaint, or None."""
    source = f"#include {include}\n#include {include}\nint cede_header_check;\n"
    full = command + WARNINGS + ["-fsyntax-only", "-I", os.path.join(root, "include"), "-I", root, "-"]
    try:
        done = subprocess.run(full, input=source, capture_output=True, text=True, check=False, timeout=120)
    except FileNotFoundError:
        return f"{command[0]} is not installed"
    return None if done.returncode == 0 else "\n    ".join(done.stderr.strip().splitlines()[:6])


def main():
    options = tree.arguments(__doc__)
    findings = tree.Findings()
    jobs = []
    for path in tree.files(options.root, ["include/cede"], [".h"]):
        jobs += [(path, command, f"<{path[len('include/'):]}>") for command in PUBLIC]
    for path in tree.files(options.root, ["core", "actors"], [".h"]):
        jobs += [(path, command, f'"{path}"') for command in INTERNAL]
    if not jobs:
        tree.stop("there are no headers")
    with concurrent.futures.ThreadPoolExecutor(max_workers=2) as pool:
        results = pool.map(lambda job: compile_alone(options.root, job[1], job[2]), jobs)
        for (path, command, _), complaint in zip(jobs, results):
            if complaint:
                findings.add(path, 0, f"does not compile alone with {command[0]} {command[1]}:\n    {complaint}")
    return findings.finish()


if __name__ == "__main__":
    sys.exit(main())
