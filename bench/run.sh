#!/usr/bin/env bash
# Nanoseconds per message for three core workloads, with 1 and 2 workers, beside a yardstick when it is there: a
# program that does the same work with nothing but the bare mechanism (leased stacks, intrusive queues, no ownership, no
# limits). The runs of both alternate, so that a slow minute of the machine hits both; what counts is the ratio.
# compare.py has all workloads, beside other runtimes; this one takes seconds.
#   CEDE_BUILD=DIR      the build to measure (default build/release)
#   RUNS=5              runs of each, each in a fresh process
#   YARDSTICK=FILE      C source of the yardstick (default: ../shared/prototype/lease.c if it exists)
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
build=${CEDE_BUILD:-$root/build/release}
runs=${RUNS:-5}
yardstick=${YARDSTICK:-$root/../shared/prototype/lease.c}
program=$build/bench/bench_workloads
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

[[ -x $program ]] || { echo "bench: $program is not built; run ./dev bench" >&2; exit 1; }
beside=
if [[ -f $yardstick ]]; then
    cc -O2 -w -o "$scratch/yardstick" "$yardstick" -lpthread
    beside=$scratch/yardstick
else
    echo "bench: no yardstick at $yardstick; only Cede's own figures" >&2
fi

# median min max of the numbers in a file
middle() { sort -g "$1" | awk '{v[NR] = $1} END {printf "%.1f %.1f %.1f", v[int((NR + 1) / 2)], v[1], v[NR]}'; }

declare -A other=([ping_pong]=pp [ping_pong_ask]=ask [fan_in]=fan)
for ((run = 1; run <= runs; run++)); do
    for workload in ping_pong ping_pong_ask fan_in; do
        for workers in 1 2; do
            "$program" "$workload" "$workers" | awk -F'\t' '{print $4 / $3}' >>"$scratch/cede.$workload.$workers"
            [[ -z $beside ]] || "$beside" "$workers" "${other[$workload]}" | awk '{print $3}' >>"$scratch/other.$workload.$workers"
        done
    done
    echo "bench: round $run of $runs" >&2
done

printf '%-13s %7s   %-26s %-26s %s\n' workload workers 'cede ns/message (min max)' 'yardstick (min max)' ratio
for workload in ping_pong ping_pong_ask fan_in; do
    for workers in 1 2; do
        read -r c c_min c_max <<<"$(middle "$scratch/cede.$workload.$workers")"
        if [[ -n $beside ]]; then
            read -r y y_min y_max <<<"$(middle "$scratch/other.$workload.$workers")"
            ratio=$(paste "$scratch/cede.$workload.$workers" "$scratch/other.$workload.$workers" |
                awk '{print $1 / $2}' | sort -g | awk '{v[NR] = $1} END {printf "%.2f", v[int((NR + 1) / 2)]}')
            printf '%-13s %7s   %-26s %-26s %s\n' "$workload" "$workers" "$c ($c_min $c_max)" "$y ($y_min $y_max)" "$ratio"
        else
            printf '%-13s %7s   %-26s %-26s %s\n' "$workload" "$workers" "$c ($c_min $c_max)" - -
        fi
    done
done
