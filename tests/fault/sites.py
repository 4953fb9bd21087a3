#!/usr/bin/env python3
"""sites.py ROOT PROGRAM...: every call for memory in core/ and actors/ is made to fail by one of the programs.

The programs are of a build with CEDEI_CHECKS: each appends the places whose call failed to $CEDE_ALLOC_SITES. Lists the
places that none reached; fails if there is one that UNREACHED does not name, or if that names one that was reached.
"""
import os
import re
import subprocess
import sys
import tempfile

# (file, text on the line): why no test makes it fail.
UNREACHED = {
    ('core/sync/epoch.c', 'record = cedei_alloc_aligned'): 'ends the process, as is said in rcu.h',
    # Each gives CEDE_ENOMEM or goes without; a test that shows it is still to be written.
    ('actors/actor/local.c', 'struct cedei_local *local = cedei_alloc'): 'no test yet',
    ('actors/actor/local.c', 'struct cedei_root *root = cedei_alloc'): 'no test yet',
    ('actors/actor/signal.c', 'struct watch *watch = cedei_alloc'): 'no test yet',
    ('actors/actor/watch.c', 'extra->failure = cedei_alloc'): 'no test yet',
    ('actors/message/traits.c', 'made = cedei_alloc'): 'no test yet',
    ('actors/node/transport_nng.c', 'struct cedei_stream *stream = cedei_alloc_zeroed'): 'no test yet',
    ('actors/node/transport_nng.c', 'struct cedei_listener *listener = cedei_alloc_zeroed'): 'no test yet',
    ('actors/share/broadcast.c', 'broadcast->ring = cedei_alloc_zeroed'): 'no test yet',
}

CALL = re.compile(r'\bcedei_(?:alloc|alloc_zeroed|alloc_aligned|realloc)\(')


def places(root):
    """{(file, line): text} of all calls."""
    found = {}
    for top in ('core', 'actors'):
        for folder, _, names in os.walk(os.path.join(root, top)):
            for name in sorted(names):
                path = os.path.relpath(os.path.join(folder, name), root)
                # Not: what there is in simulations only.
                if not name.endswith(('.c', '.h')) or path.startswith(('core/sys/alloc.', 'core/sim/', 'actors/sim/')):
                    continue
                with open(os.path.join(root, path), encoding='utf-8') as file:
                    for number, line in enumerate(file, 1):
                        if CALL.search(line.split('/*')[0]):
                            found[path, number] = line.strip()
    return found


def main():
    root, programs = sys.argv[1], sys.argv[2:]
    failed = set()
    with tempfile.TemporaryDirectory() as folder:
        output = os.path.join(folder, 'sites')
        for program in programs:
            done = subprocess.run([program], env=dict(os.environ, CEDE_ALLOC_SITES=output), capture_output=True,
                                  text=True, check=False)
            if done.returncode != 0:
                print(f'{program} failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}')
                return 1
        with open(output, encoding='utf-8') as file:
            for line in file:
                path, number = line.strip().rsplit(':', 1)
                failed.add((re.sub(r'^(\.\./)+', '', path), int(number)))
    known = places(root)
    missing = {place: text for place, text in known.items() if place not in failed}
    listed = {place for place, text in missing.items()
              if any(path == place[0] and part in text for path, part in UNREACHED)}
    wrong = 0
    for (path, number), text in sorted(missing.items()):
        wrong += (path, number) not in listed
        print(f'not made to fail: {path}:{number}: {text}')
    for path, part in UNREACHED:
        if not any(place[0] == path and part in missing[place] for place in missing):
            print(f'sites.py lists {path}: {part}, which is reached or gone')
            wrong += 1
    print(f'{len(known) - len(missing)} of {len(known)} calls for memory are made to fail')
    return 1 if wrong else 0


if __name__ == '__main__':
    sys.exit(main())
