#!/usr/bin/env python3
"""compare.py - runs Cede's workloads beside other runtimes, interleaved run by run, and says which goals are reached.

Each run is a fresh process that prints lines "workload TAB op TAB ops TAB nanoseconds TAB extra". In a round every
program runs each workload once, so a slow minute of the machine does not hit one of them only. Reported are the median
of the rounds with minimum and maximum, and the median of the ratios within a round to the best other program.

usage: compare.py [options] [workload ...]          (nothing named: all)
  --runs N          rounds (5)
  --workers LIST    worker threads to measure with ("1,2")
  --build DIR       Cede's build (build/release)
  --peers DIR       folder with the peers' sources and run.sh; default: $CEDE_PEERS, else the folder beside the
                    repository if it is there, else only Cede is measured
  --peers-build DIR where the peers are built; default: $PEERS_BUILD, else build/peers
  --only LIST       of the peers: tokio,go,erlang,caf,raw, and tokio_sync, whose source is in peers/ (default: those that
                    can be built)
  --results FILE    raw lines are appended to it (default: a new file in the build)
  --report          measures nothing: prints the tables of --results
  --json FILE       writes the medians, one object a line
  --limit S         seconds after which a run is given up (60)
"""
import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import time

import goals

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BESIDE = os.path.join(ROOT, "..", "shared", "peers")
PEERS = ("tokio", "go", "erlang", "caf")
CRATES = os.environ.get("CARGO_CRATES_DIR", "/usr/share/cargo/registry")
PROGRAMS = {"tokio": "tokio/target/release/peer-tokio", "go": "go/peer-go", "caf": "caf/peer-caf",
            "erlang": "erlang/peerbench.beam", "raw": "raw/peer-raw",
            "tokio_sync": "tokio_sync/target/release/tokio-sync"}
OWN = ("tokio_sync",)  # their sources are in this repository, in peers/


def arguments():
    parser = argparse.ArgumentParser(usage=__doc__, add_help=True)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--workers", default="1,2")
    parser.add_argument("--build", default=os.path.join(ROOT, "build", "release"))
    parser.add_argument("--peers", default=os.environ.get("CEDE_PEERS", BESIDE if os.path.isdir(BESIDE) else ""))
    parser.add_argument("--peers-build", default=os.environ.get("PEERS_BUILD", os.path.join(ROOT, "build", "peers")))
    parser.add_argument("--only", default="tokio,go,erlang,caf,raw,tokio_sync")
    parser.add_argument("--results")
    parser.add_argument("--report", action="store_true")
    parser.add_argument("--json")
    parser.add_argument("--limit", type=float, default=60)
    parser.add_argument("workload", nargs="*")
    options = parser.parse_args()
    options.workers = [int(n) for n in options.workers.split(",")]
    unknown = [w for w in options.workload if w not in goals.WORKLOADS]
    if unknown:
        parser.error("no workload " + ", ".join(unknown) + "; there are: " + ", ".join(goals.WORKLOADS))
    return options


# ---- the programs ----

def own_peer_build(options, peer):
    """With cargo and the crates of Debian's packages, no others; cargo itself sees whether anything has changed."""
    folder = os.path.join(options.peers_build, peer)
    shutil.copytree(os.path.join(ROOT, "bench", "peers", peer), folder, dirs_exist_ok=True)
    os.makedirs(os.path.join(folder, ".cargo"), exist_ok=True)
    with open(os.path.join(folder, ".cargo", "config.toml"), "w", encoding="utf-8") as config:
        config.write(f'[source.crates-io]\nreplace-with = "local"\n[source.local]\ndirectory = "{CRATES}"\n')
    try:
        subprocess.run(["cargo", "build", "--release", "--offline"], cwd=folder, check=False, stdin=subprocess.DEVNULL,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    except FileNotFoundError:
        pass  # no cargo: said by whoever looks for the program


def peers_built(options):
    """Builds what is not there yet, each peer by itself, so that one whose compiler is missing costs only itself."""
    has_peers = bool(options.peers) and os.path.isdir(options.peers)
    built = []
    for peer in options.only.split(","):
        program = os.path.join(options.peers_build, PROGRAMS[peer])
        if peer in OWN:
            own_peer_build(options, peer)
        elif not has_peers:
            continue
        elif not os.path.exists(program):
            environment = dict(os.environ, RUNS="0", PEERS_BUILD=options.peers_build)
            subprocess.run([os.path.join(options.peers, "run.sh"), peer], env=environment, check=False,
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        if os.path.exists(program):
            built.append(peer)
        else:
            print(f"compare: {peer} cannot be built here and is left out", file=sys.stderr)
    return built


def command(options, program, workload, workers):
    """What to start; None if the program has no such workload."""
    spec = goals.WORKLOADS[workload]
    pinned = ["taskset", "-c", "0"] if spec.get("pinned") else []
    if program == "cede":
        path = os.path.join(options.build, "bench", spec.get("program", "bench_workloads"))
        return pinned + [path, spec.get("run", workload), str(workers)] if os.path.exists(path) else None
    name = spec.get("peers", {}).get(program, spec.get("run", workload) if program in spec["of"] else None)
    if name is None:
        return None
    path = os.path.join(options.peers_build, PROGRAMS[program])
    if program == "raw":
        return pinned + [path, name]
    if program == "erlang":
        return pinned + ["erl", "+S", str(workers), "+P", "4000000", "-noshell", "-noinput", "-pa",
                         os.path.dirname(path), "-s", "peerbench", "main", name]
    return pinned + [path, name, str(workers)]


def output_of(options, argv):
    try:
        done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=options.limit,
                              stdin=subprocess.DEVNULL)
    except subprocess.TimeoutExpired:
        return ""
    return done.stdout


def output_of_server(options, argv):
    """An echo server: the load generator's output while it runs."""
    load = os.path.join(options.peers_build, "echoload")
    if not os.path.exists(load):
        return ""
    with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
        words = server.stdout.readline().split()
        text = ""
        if len(words) == 2 and words[0] == "PORT":
            text = output_of(options, [load, words[1], "64", "128", "5"])
        server.kill()
    return text


# ---- measuring ----

def measure(options, results):
    programs = ["cede"] + peers_built(options)
    for round_number in range(options.runs):
        stamp = time.time_ns()
        for workload in options.workload or goals.WORKLOADS:
            spec = goals.WORKLOADS[workload]
            for workers in spec.get("workers", options.workers):
                for program in programs:
                    argv = command(options, program, workload, workers)
                    if argv is None:
                        continue
                    run = output_of_server if spec.get("server") else output_of
                    record(results, (stamp, program, workload, workers), spec, run(options, argv))
        print(f"compare: round {round_number + 1} of {options.runs}", file=sys.stderr)


def record(results, key, spec, text):
    """Keeps the line that counts: the workload's own, or of a peer that calls it otherwise, that one."""
    stamp, program, workload, workers = key
    wanted = {spec.get("run", workload), workload, *spec.get("lines", ())}
    for line in text.splitlines():
        field = line.split("\t")
        if len(field) >= 5 and field[0] in wanted and int(field[2]) > 0:
            results.write("\t".join([str(stamp), program, workload, str(workers), str(int(field[3]) / int(field[2])),
                                     field[4]]) + "\n")
            results.flush()
            return
    print(f"compare: {program} {workload} with {workers} workers gave no result", file=sys.stderr)


def value_of(workload, ns, extra):
    """What is compared: nanoseconds per operation, or a field of `extra`."""
    name = goals.WORKLOADS[workload].get("value")
    if name is None:
        return float(ns)
    fields = dict(part.split("=", 1) for part in extra.split(",") if "=" in part)
    return float(fields.get(name, "nan"))


def read_results(path):
    """(workload, workers) -> program -> {round: value}"""
    table = {}
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            stamp, program, workload, workers, ns, extra = line.rstrip("\n").split("\t", 5)
            if workload not in goals.WORKLOADS:
                continue
            cell = table.setdefault((workload, int(workers)), {}).setdefault(program, {})
            cell[int(stamp)] = value_of(workload, ns, extra)
    return table


# ---- reporting ----

def ratio_to(ours, theirs):
    """The median of the ratios within a round; without rounds in common, of the medians."""
    common = [ours[stamp] / theirs[stamp] for stamp in ours if theirs.get(stamp)]
    if common:
        return statistics.median(common)
    return statistics.median(ours.values()) / statistics.median(theirs.values())


def verdict(workload, workers, cell):
    """(ratio to the best peer, its name, goal, reached) of one cell; None where nothing is there to compare."""
    goal = goals.goal_of(workload, workers)
    ours = cell.get("cede")
    if ours is None:
        return None
    absolute = goals.WORKLOADS[workload].get("absolute")
    if absolute is not None:
        value = statistics.median(ours.values())
        return value, "", absolute[workers], value <= absolute[workers]
    best, only = None, goals.WORKLOADS[workload].get("to")
    for peer, theirs in cell.items():
        if only is not None and peer != only:
            continue
        for name, factor in goals.stands_for(workload, workers, peer):
            ratio = ratio_to(ours, theirs) * factor
            if peer != "cede" and (best is None or ratio > best[0]):
                best = (ratio, name)
    if best is None:
        return None
    return best[0], best[1], goal, goal is not None and best[0] <= goal


def show(values):
    if not values:
        return "-"
    numbers = sorted(values.values())
    digits = 0 if numbers[0] >= 1000 else 1
    return f"{statistics.median(numbers):.{digits}f} ({numbers[0]:.{digits}f} {numbers[-1]:.{digits}f})"


def report(table, out):
    peers = [p for p in ("tokio", "tokio_sync", "go", "erlang", "caf", "raw") if any(p in cell for cell in table.values())]
    print("| workload | workers | cede | " + " | ".join(peers) + " | ratio | to | goal | reached |", file=out)
    print("|---" * (7 + len(peers)) + "|", file=out)
    reached = missed = 0
    for (workload, workers), cell in sorted(table.items(), key=lambda item: goals.order(*item[0])):
        row = [workload, str(workers), show(cell.get("cede"))] + [show(cell.get(peer)) for peer in peers]
        judged = verdict(workload, workers, cell)
        if judged is None:
            row += ["-", "-", "-", "-"]
        else:
            ratio, name, goal, good = judged
            row += [f"{ratio:.2f}", name, "-" if goal is None else f"{goal:g}",
                    "-" if goal is None else "yes" if good else "**no**"]
            reached += goal is not None and good
            missed += goal is not None and not good
        print("| " + " | ".join(row) + " |", file=out)
    print(f"\n{reached} goals reached, {missed} missed", file=out)


def write_json(table, path):
    with open(path, "w", encoding="utf-8") as out:
        for (workload, workers), cell in sorted(table.items(), key=lambda item: goals.order(*item[0])):
            judged = verdict(workload, workers, cell)
            for program, values in cell.items():
                row = {"program": program, "workload": workload, "workers": workers, "runs": len(values),
                       "median": statistics.median(values.values()), "min": min(values.values()),
                       "max": max(values.values())}
                if program == "cede" and judged is not None:
                    row.update(ratio=round(judged[0], 3), to=judged[1], goal=judged[2], reached=bool(judged[3]))
                print(json.dumps(row), file=out)


def main():
    options = arguments()
    path = options.results or os.path.join(options.build, "bench", f"results-{time.time_ns()}.tsv")
    if not options.report:
        with open(path, "a", encoding="utf-8") as results:
            measure(options, results)
        print(f"compare: raw results in {path}", file=sys.stderr)
    table = read_results(path)
    report(table, sys.stdout)
    if options.json:
        write_json(table, options.json)
    return 0


if __name__ == "__main__":
    sys.exit(main())
