#!/usr/bin/env python3
"""run_tests.py - the rules against their cases, in cede-check and in the compiler plugins.

A case is a C file in a folder named after its rule. A line that must be flagged ends in `// expect: RULE`; no other
line may be. `// expect-fix: TEXT` says what the line contains after --fix. Without plugins only cede-check is tested.
"""
import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
PATH_RULES = ("use-after-send", "guard-over-yield", "message-leak")
EXPECT = re.compile(r"// expect(-[a-z]+)?: ([a-z-]+)")
FINDING = re.compile(r"^(\S+?):(\d+):\d+: (?:warning|error): .* \[(?:cede\.)?([a-z-]+)\]$")


def cases(rule):
    folder = os.path.join(HERE, rule)
    return sorted(os.path.join(folder, name) for name in os.listdir(folder) if name.endswith(".c"))


def rules():
    return sorted(name for name in os.listdir(HERE)
                  if os.path.isdir(os.path.join(HERE, name)) and name not in ("driver", "__pycache__"))


def expected(path, engine):
    """(line, rule) of each mark; `expect-check` marks count for cede-check only."""
    marks = set()
    with open(path, encoding="utf-8") as source:
        for number, line in enumerate(source, 1):
            for kind, rule in EXPECT.findall(line):
                if kind == "" or kind == "-" + engine:
                    marks.add((number, rule))
    return marks


def findings(text):
    """file -> [(line, rule)] of a tool's output."""
    found = {}
    for line in text.splitlines():
        match = FINDING.match(line)
        if match:
            path = os.path.realpath(match.group(1))
            found.setdefault(path, []).append((int(match.group(2)), match.group(3)))
    return found


class Tests:
    def __init__(self, options):
        self.options = options
        self.passed = 0
        self.failed = 0

    def check(self, name, problems):
        if problems:
            self.failed += 1
            print(f"FAILED {name}")
            for problem in problems:
                print(f"       {problem}")
        else:
            self.passed += 1
            if self.options.verbose:
                print(f"ok     {name}")

    def compare(self, engine, path, found, output):
        marks = expected(path, "check" if engine == "cede-check" else "plugin")
        problems = [f"line {line}: expected {rule}, nothing was found"
                    for line, rule in sorted(marks - set(found))]
        problems += [f"line {line}: found {rule}, nothing was expected"
                     for line, rule in sorted(set(found) - marks)]
        problems += [f"line {line}: {rule} was found twice"
                     for line, rule in sorted(set(found)) if found.count((line, rule)) > 1]
        if problems and "error:" in output:
            problems.append(next(line for line in output.splitlines() if "error:" in line))
        self.check(f"{engine}: {os.path.relpath(path, HERE)}", problems)

    def compiler_options(self):
        return ["-std=gnu11", "-I" + self.options.include]

    def with_cede_check(self, rule):
        paths = cases(rule)
        done = subprocess.run([self.options.cede_check, "--quiet", "--rules", rule, *paths, "--",
                               *self.compiler_options()], capture_output=True, text=True, check=False)
        found = findings(done.stdout)
        for path in paths:
            self.compare("cede-check", path, found.get(os.path.realpath(path), []), done.stderr)
        marks = any(expected(path, "check") for path in paths)
        status = 1 if marks else 0
        self.check(f"cede-check: {rule}: exit status",
                   [] if done.returncode == status else [f"{done.returncode}, not {status}", done.stderr])

    def with_plugin(self, rule, compiler, lint, checkers):
        name = os.path.basename(compiler)
        for path in cases(rule):
            command = [compiler, *self.compiler_options(), "-Wno-everything"]
            if rule in PATH_RULES:
                command += ["--analyze", "-Xclang", "-load", "-Xclang", checkers, "-Xclang",
                            "-analyzer-checker=cede", "-Xclang", "-analyzer-output=text",
                            "-Xclang", "-analyzer-inlining-mode=all", "-Xclang", "-analyzer-config",
                            "-Xclang", "unroll-loops=true,cfg-loopexit=true,widen-loops=true",
                            "-Xclang", "-analyzer-max-loop", "-Xclang", "5", "-o", os.devnull]
            else:
                command += ["-fplugin=" + lint, "-Xclang", "-plugin-arg-cede-lint", "-Xclang",
                            "rules=" + rule, "-fsyntax-only"]
            done = subprocess.run([*command, path], capture_output=True, text=True, check=False)
            found = findings(done.stderr).get(os.path.realpath(path), [])
            self.compare(name, path, [entry for entry in found if entry[1] == rule], done.stderr)

    def fixes(self, rule):
        """--fix writes what the marks say, and leaves code that compiles."""
        for path in cases(rule):
            with open(path, encoding="utf-8") as source:
                wanted = [(number, text.strip()) for number, line in enumerate(source, 1)
                          for text in re.findall(r"// expect-fix: (.*)", line)]
            if not wanted:
                continue
            with tempfile.TemporaryDirectory() as folder:
                copy = os.path.join(folder, os.path.basename(path))
                shutil.copy(path, copy)
                options = [*self.compiler_options(), "-I" + os.path.dirname(path)]
                command = [self.options.cede_check, "--quiet", "--rules", rule, "--fix", copy, "--", *options]
                subprocess.run(command, capture_output=True, text=True, check=False)
                with open(copy, encoding="utf-8") as source:
                    lines = source.read().splitlines()
                problems = [f"line {number} is '{lines[number - 1]}'" for number, text in wanted
                            if text not in lines[number - 1].split("// expect")[0]]
                again = subprocess.run(command, capture_output=True, text=True, check=False)
                left = [line for line, _ in findings(again.stdout).get(os.path.realpath(copy), [])]
                problems += [f"line {number} is still flagged" for number, _ in wanted if number in left]
                self.check(f"--fix: {os.path.relpath(path, HERE)}", problems)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cede-check", required=True)
    parser.add_argument("--include", required=True, help="the folder of cede/cede.h")
    parser.add_argument("--plugin", nargs=3, action="append", default=[],
                        metavar=("CLANG", "LINT", "CHECKERS"))
    parser.add_argument("--verbose", action="store_true")
    parser.add_argument("rules", nargs="*")
    options = parser.parse_args()
    tests = Tests(options)
    for rule in options.rules or rules():
        tests.with_cede_check(rule)
        tests.fixes(rule)
        for compiler, lint, checkers in options.plugin:
            tests.with_plugin(rule, compiler, os.path.abspath(lint), os.path.abspath(checkers))
    print(f"{tests.passed} passed, {tests.failed} failed")
    sys.exit(0 if tests.failed == 0 and tests.passed > 0 else 1)


if __name__ == "__main__":
    main()
