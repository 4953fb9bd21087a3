#!/usr/bin/env python3
"""counts.py - how many instructions an operation takes, against counts.tsv: a change of more than 3% fails.

usage: counts.py PROGRAM [--update]

PROGRAM (operations.c) runs under callgrind with FEW and with MANY repetitions; the difference is the operation's, and
starting up cancels out. Only the worker's thread counts, and its clock is the program's, so that runs are the same to a tenth
of an instruction. Only a spare worker, which a machine that stands still for a while brings on, changes them, and callgrind itself may
be ended by a signal: so what is out of the band is counted again, up to three times, and the count nearest to the known one stands.
Counts depend on the compiler: they are
compared only when it is the one that counts.tsv names (exit status 77, skipped, otherwise). --update writes the file
anew, for a change that is meant; the commit message then says why.
"""
import glob
import os
import platform
import shutil
import subprocess
import sys
import tempfile

FILE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "counts.tsv")
FEW, MANY = 4096, 24576
BAND = 0.03
TRIES = 3
OPERATIONS = ("send", "message", "ask", "spawn", "yield")


# Filling all that is allocated would count as work.
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "MALLOC_PERTURB_"}


def instructions(program, operation, times):
    """Of the thread that ran most: the worker."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["valgrind", "--tool=callgrind", "--separate-threads=yes",
                        f"--callgrind-out-file={folder}/out", program, operation, str(times)],
                       check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=100,
                       env=ENVIRONMENT)
        counts = [0]
        for path in glob.glob(folder + "/out*"):
            with open(path, encoding="utf-8", errors="replace") as lines:
                counts += [int(line.split()[1]) for line in lines if line.startswith("totals:")]
        return max(counts)


def count(program, operation):
    return (instructions(program, operation, MANY) - instructions(program, operation, FEW)) / (MANY - FEW)


def read():
    """(compiler, {operation: count})"""
    with open(FILE, encoding="utf-8") as lines:
        rows = [line.rstrip("\n").split("\t") for line in lines if line.strip() and not line.startswith("#")]
    return rows[0][1], {name: float(value) for name, value in rows[1:]}


def update(program, compiler):
    with open(FILE, "w", encoding="utf-8") as out:
        out.write("# Instructions for an operation of operations.c, by counts.py --update.\n")
        out.write(f"compiler\t{compiler}\n")
        for operation in OPERATIONS:
            out.write(f"{operation}\t{min(count(program, operation) for _ in range(TRIES)):.1f}\n")


def nearest(program, operation, before):
    now = 0.0
    for left in reversed(range(TRIES)):
        try:
            tried = count(program, operation)
        except subprocess.CalledProcessError:
            if left == 0 and now == 0.0:
                raise
            continue
        if abs(tried - before) < abs(now - before):
            now = tried
        if abs(now - before) <= BAND * before:
            break
    return now


def compare(program, wanted):
    failed = 0
    for operation, before in wanted.items():
        now = nearest(program, operation, before)
        good = abs(now - before) <= BAND * before
        failed += not good
        print(f"{'ok    ' if good else 'FAILED'} {operation}: {now:.1f} instructions, {before:.1f} in counts.tsv"
              f" ({(now / before - 1) * 100:+.1f}%)")
    print(f"counted: {len(wanted) - failed} {failed}")
    return 1 if failed else 0


def main():
    program = sys.argv[1]
    if shutil.which("valgrind") is None:
        print("skipped: there is no valgrind")
        return 77
    version = subprocess.run([program, "--compiler"], check=True, capture_output=True, text=True).stdout.strip()
    compiler = f"gcc {version} {platform.machine()}"
    if "--update" in sys.argv[2:]:
        update(program, compiler)
        return 0
    made_with, wanted = read()
    if made_with != compiler:
        print(f"skipped: the counts are of {made_with}, and this is {compiler}")
        return 77
    return compare(program, wanted)


if __name__ == "__main__":
    sys.exit(main())
