#!/usr/bin/env python3
"""places.py SITES-H PROGRAM...: every order that could be weaker is weakened by one of the programs."""
import re
import subprocess
import sys

# In no scenario, since nothing happens at the same time that could go wrong in more than one way: what is published once, while
# a scheduler starts or ends, and what is only a count.
NOWHERE = {
    'core/sched/sched.c stop_watch_main: load of watch->done',
    'core/sched/sched.c cedei_sched_stop: store of watch.done',
    'core/sched/sched.c cedei_sched_init: store of sched->seats',
    'core/sched/sched.c parts_init: store of sched->members[sched->number]',
    'core/sched/sched.c workers_await: load of sched->started',
    'core/sched/sched.h cedei_sched_at: load of sched->first->members[place>>1]',
    'core/sched/sched.h cedei_sched_is_closed: load of sched->closed',
    'core/sched/sched.h cedei_sched_seats: load of sched->seats',
}


def main():
    with open(sys.argv[1], encoding='utf-8') as file:
        places = {f'{path} {place}' for path, place in re.findall(r'^    \{"([^"]+)", \d+, "([^"]+)"', file.read(), re.M)}
    owned = set()
    for program in sys.argv[2:]:
        owned.update(subprocess.run([program, '--owns'], check=True, capture_output=True, text=True).stdout.splitlines())
    missing = sorted(places - owned - NOWHERE)
    for place in missing:
        print(f'no test weakens {place}')
    stale = sorted(NOWHERE - places)
    for place in stale:
        print(f'places.py lists {place}, which is not there any more')
    print(f'{len(places)} places, {len(places & owned)} of them weakened, {len(NOWHERE)} in no scenario')
    return 1 if missing or stale else 0


if __name__ == '__main__':
    sys.exit(main())
