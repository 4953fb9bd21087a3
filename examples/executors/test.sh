#!/usr/bin/env bash
# usage: test.sh PROGRAM      The figures depend on the machine; the lines do not.
set -euo pipefail
number='[0-9]+\.[0-9]{3} ms'
output=$("$1" 20)
printf '%s\n' "$output"
mapfile -t lines <<<"$output"
[[ ${#lines[@]} -eq 2 ]]
[[ ${lines[0]} =~ ^one\ executor\ for\ all\ +:\ 20\ requests,\ p50\ $number,\ p99\ $number$ ]]
[[ ${lines[1]} =~ ^an\ executor\ to\ compute\ +:\ 20\ requests,\ p50\ $number,\ p99\ $number$ ]]
! "$1" 0 2>/dev/null
