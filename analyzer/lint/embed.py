#!/usr/bin/env python3
"""Writes text files as C string literals, so that programs need no search path.

embed.py --text OUT FILE...     one literal of all files
embed.py --pages OUT FILE...    {"name", "text"} of each file, named without its suffix
"""
import os
import sys


def literal(line):
    text = line.rstrip("\n").replace("\\", "\\\\").replace('"', '\\"')
    return '"' + text + '\\n"\n'


def main():
    form, out, *names = sys.argv[1:]
    with open(out, "w", encoding="utf-8") as sink:
        for name in names:
            rule = os.path.splitext(os.path.basename(name))[0]
            if form == "--pages":
                sink.write('{"' + rule + '",\n')
            with open(name, encoding="utf-8") as source:
                for line in source:
                    sink.write(literal(line))
            if form == "--pages":
                sink.write("},\n")


main()
