#!/usr/bin/env bash
# demo.sh - shows logstat on real logs, then kills one of its two processes midway: demo.sh [FILE...]
# CEDE_BUILD names the build folder; default: build/release of this repository.
set -euo pipefail
HERE=$(cd "$(dirname "$0")" && pwd)
LOGSTAT=${CEDE_BUILD:-$HERE/../../build/release}/examples/logstat
WORK=$(mktemp -d)
trap 'exec 8>&- 9<&-; rm -rf "$WORK"' EXIT

[ -x "$LOGSTAT" ] || { echo "demo.sh: $LOGSTAT is not built: run ./dev build" >&2; exit 1; }
files=("$@")
if [ "${#files[@]}" -eq 0 ]; then
    files=(/var/log/dpkg.log)
    if [ ! -s "${files[0]}" ] || [ ! -r "${files[0]}" ]; then
        echo "demo.sh: no /var/log/dpkg.log to read here; give a file" >&2
        exit 1
    fi
fi

echo "logstat ${files[*]}: process A reads and parses, process B adds up"
echo
"$LOGSTAT" "${files[@]}"

echo
echo "The same lines through a pipe, in two halves; between them process B is killed by SIGKILL:"
echo
cat "${files[@]}" >"$WORK/all"
half=$(($(wc -l <"$WORK/all") / 2))
mkfifo "$WORK/in" "$WORK/said" "$WORK/go"
"$LOGSTAT" --trace --batch 4096 -c packages - <"$WORK/in" >"$WORK/counts" 2>"$WORK/said" 8>&- 9<&- &
run=$!
exec 8>"$WORK/in" 9<"$WORK/said"
{
    head -n "$half" "$WORK/all"
    read -r _ <"$WORK/go"
    tail -n "+$((half + 1))" "$WORK/all"
} >&8 &
exec 8>&-
merged=0 pid=
while IFS= read -r -t 30 line <&9; do
    case $line in
    *"aggregator is process "*) pid=${line#*process } pid=${pid%%,*} && echo "  $line" ;;
    *"merged partial"*) merged=$((merged + 1)) ;;
    *) echo "  $line" ;;
    esac
    if [ "$merged" -ge 1 ]; then break; fi
done
[ -n "$pid" ] || { echo "demo.sh: logstat said nothing" >&2; exit 1; }
echo "  of the first $half lines, partial counts are in process $pid by now"
ps -o pid,ppid,args -p "$run,$pid" | cut -c 1-110 | sed 's/^/    /' || true
echo "  kill -KILL $pid"
kill -KILL "$pid"
echo >"$WORK/go" & # the writer takes it when it has written the first half
while IFS= read -r -t 30 line <&9; do
    case $line in
    *"merged partial"*) merged=$((merged + 1)) ;;
    *) echo "  $line" ;;
    esac
done
wait "$run"
"$HERE/reference.sh" packages "$WORK/all" >"$WORK/reference"
if cmp "$WORK/counts" "$WORK/reference"; then
    echo "  the counts of $(wc -l <"$WORK/counts") packages are those of awk | sort | uniq -c, byte for byte"
else
    echo "  the counts DIFFER from those of awk | sort | uniq -c" >&2
    exit 1
fi
