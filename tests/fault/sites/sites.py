#!/usr/bin/env python3
"""sites.py ROOT PROGRAM...: every call for memory in core/ and actors/ is made to fail by one of the programs.

The programs make single calls fail by their place (core/sys/alloc.h: cedei_alloc_fail_at), check what comes of it, and add each place
to $CEDE_ALLOC_SITES. A call that their build does without they name there. Lists the calls that are neither, and fails if there
are any, or if what a program named is made to fail or gone. Failures by number, of whichever thread comes first, do not count:
the verdict is the same in every run.
"""
import os
import re
import subprocess
import sys
import tempfile

LINES_MAX = 4  # of a call
CALL = re.compile(r'\bcedei_(?:alloc(?:_zeroed|_aligned)?|realloc|map_reserve|part_(?:take(?:_zeroed)?|resize))\(')


def places(root):
    """{(file, line): text} of all calls."""
    found = {}
    for top in ('core', 'actors'):
        for folder, _, names in os.walk(os.path.join(root, top)):
            for name in sorted(names):
                path = os.path.relpath(os.path.join(folder, name), root)
                # Not: what there is in simulations only.
                if not name.endswith(('.c', '.h')) or path.startswith(('core/sys/alloc.', 'core/sys/map.', 'core/mem/part.h', 'core/sim/', 'actors/sim/')):
                    continue
                with open(os.path.join(root, path), encoding='utf-8') as file:
                    for number, line in enumerate(file, 1):
                        if CALL.search(line.split('/*')[0]):
                            found[path, number] = line.strip()
    return found


def settle(hits, known):
    """The same places, each as the first line of its call: compilers differ in the line of one that spans several."""
    settled = set()
    for path, number in hits:
        lines = [line for file, line in known if file == path and number - LINES_MAX < line <= number]
        settled.add((path, max(lines, default=number)))
    return settled


def run(programs):
    """The places that failed, as {(file, line)}, and what was named as absent, as {(file, text)}; None: a program failed."""
    failed, absent = set(), set()
    with tempfile.TemporaryDirectory() as folder:
        output = os.path.join(folder, 'sites')
        for program in programs:
            done = subprocess.run([program], env=dict(os.environ, CEDE_ALLOC_SITES=output), capture_output=True,
                                  text=True, check=False)
            if done.returncode != 0:
                print(f'{program} failed ({done.returncode}):\n{done.stdout[-2000:]}{done.stderr[-6000:]}')
                return None
        with open(output, encoding='utf-8') as file:
            for line in file:
                if line.startswith('absent '):
                    absent.add(tuple(line[len('absent '):].strip().split(':', 1)))
                    continue
                path, number = line.strip().rsplit(':', 1)
                failed.add((re.sub(r'^(\.\./)+', '', path), int(number)))
    return failed, absent


def main():
    root, programs = sys.argv[1], sys.argv[2:]
    seen = run(programs)
    if seen is None:
        return 1
    known = places(root)
    failed, absent = settle(seen[0], known), seen[1]
    missing = {place: text for place, text in known.items() if place not in failed}
    wrong = 0
    for path, part in sorted(absent):
        there = [place for place, text in missing.items() if place[0] == path and part in text]
        if len(there) == 1:
            print(f'not in this build: {path}:{there[0][1]}: {missing.pop(there[0])}')
        else:
            print(f'named as absent, but made to fail or gone: {path}: {part}')
            wrong += 1
    for (path, number), text in sorted(missing.items()):
        print(f'not made to fail: {path}:{number}: {text}')
        wrong += 1
    for path, number in sorted(failed - set(known)):
        print(f'not known as a call for memory: {path}:{number}')
        wrong += 1
    print(f'{len(failed)} of {len(known)} calls for memory are made to fail')
    return 1 if wrong else 0


if __name__ == '__main__':
    sys.exit(main())
