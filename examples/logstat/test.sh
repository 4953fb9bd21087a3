#!/usr/bin/env bash
# test.sh - runs logstat on good and bad input and compares it, byte for byte, with reference.sh: test.sh LOGSTAT
# Also kills, stops and exhausts its aggregator. Where a step must come after another, logstat's --trace says when that
# has happened, and the test writes the input piece by piece; nothing sleeps for luck.
set -u
LOGSTAT=$(realpath "$1")
HERE=$(cd "$(dirname "$0")" && pwd)
WORK=$(mktemp -d)
RUN=$WORK/tmp # logstat's own folders; must be empty after each run
mkdir "$RUN"
chmod 755 "$WORK"
chmod 777 "$RUN"
trap 'exec 8>&- 9<&-; rm -rf "$WORK"' EXIT
export TMPDIR=$RUN LOGSTAT_STRICT=1
# ThreadSanitizer would wait a second at the end of each process, and takes the end of one whose parent has gone, which is
# sudden on purpose, for a leak of its threads.
export TSAN_OPTIONS=${TSAN_OPTIONS:-}:atexit_sleep_ms=0:report_thread_leaks=0
cd "$WORK" || exit 1
LIMIT=60 # seconds, for one run
cases=0 failures=0 name=

begin() {
    name=$1
    cases=$((cases + 1))
    bad=0
}
fail() {
    echo "  $*" >&2
    bad=1
}
end() {
    if grep -qE 'Sanitizer|runtime error|gave status' err; then fail "a process failed: see below"; fi
    [ -z "$(ls -A "$RUN")" ] || fail "left behind: $(ls -A "$RUN")"
    rm -rf "${RUN:?}"/*
    if [ "$bad" -eq 0 ]; then
        echo "ok $cases - $name"
    else
        failures=$((failures + 1))
        echo "not ok $cases - $name"
        sed 's/^/  stderr: /' err | tail -40
    fi
}
skip() { echo "ok $cases - $name # SKIP $1"; }

run() { # run STATUS ARGUMENT...: out, err
    local want=$1 status=0
    shift
    timeout "$LIMIT" "$LOGSTAT" "$@" >out 2>err || status=$?
    [ "$status" -eq "$want" ] || fail "logstat $*: exit status $status, expected $want"
}
said() { grep -qF -- "$1" err || fail "did not say: $1"; }
silent() { [ ! -s "$1" ] || fail "$1 is not empty: $(head -c 200 "$1")"; }
same() { # same TABLE FILE...: is out what the reference says?
    local table=$1
    shift
    "$HERE/reference.sh" "$table" "$@" >expected || fail "the reference failed"
    cmp -s out expected || fail "differs from the reference: $(diff -a out expected | head -3)"
}
both() { # both FILE...: the two tables of the files are those of the reference
    run 0 -c packages "$@"
    same packages "$@"
    run 0 -c days "$@"
    same days "$@"
}

generate() { # generate LINES SEED
    awk -v lines="$1" -v x="$2" 'BEGIN {
        split("install upgrade configure trigproc disappear remove purge status startup conffile", act, " ")
        for (i = 0; i < lines; i++) {
            x = (x * 1103515245 + 12345) % 2147483648; a = int(x / 65536)
            x = (x * 1103515245 + 12345) % 2147483648; b = int(x / 65536)
            printf "2026-%02d-%02d 10:%02d:00 %s pkg%d:amd64 1.%d 2.0\n", a % 12 + 1, b % 28 + 1, i % 60,
                act[a % 10 + 1], (b % 97) * (a % 7), i % 5
        }
    }'
}
generate 20000 1 >big.log
generate 300 2 >small.log
EVENT='2026-11-23 09:58:15 install'

# ---- what is counted ----

begin "the package log of this machine"
if [ -r /var/log/dpkg.log ]; then
    both /var/log/dpkg.log
    end
else
    skip "there is no readable /var/log/dpkg.log"
fi

begin "no argument reads /var/log/dpkg.log"
if [ -r /var/log/dpkg.log ]; then
    run 0 -c packages
    same packages /var/log/dpkg.log
    end
else
    skip "there is no readable /var/log/dpkg.log"
fi

begin "a generated log, with 1, 2 and 7 parsers"
for parsers in 1 2 7; do
    run 0 -p $parsers -c packages --batch 8192 big.log
    same packages big.log
    run 0 -p $parsers -c days --batch 8192 big.log
    same days big.log
done
end

begin "lines cut at every place: batches of 1, 2, 3, 61 and 4096 bytes"
for batch in 1 2 3 61 4096; do
    run 0 -c packages --batch $batch small.log
    same packages small.log
done
end

begin "which lines are events"
{
    printf '%s\n' "$EVENT plain:amd64 <none> 1" "$EVENT" "$EVENT " "2026-11-23 09:58:15  install  two-blanks"
    printf '%s\n' " $EVENT leading-blank" "2026-11-23	09:58:15	purge	tabs:all	1	2" "$EVENT x"
    printf '%s\n' "2026-11-2 09:58:15 install short-date" "2026-11-233 09:58:15 install long-date"
    printf '%s\n' "2026/11/23 09:58:15 install slashes" "2026-11-23 installed y z" "2026-11-23 x installs y" ""
    printf '%s\n' "2026-11-23 09:58:15 status installed s:amd64 1" "2026-11-23 09:58:15 startup archives unpack"
    printf '%s\n' "2026-11-23 09:58:15 conffile /etc/x keep" "2026-11-23 09:58:15 disappear d" "9999-99-99 t remove r"
} >forms.log
both forms.log
run 0 -c days forms.log
[ "$(cat out)" = "$(printf '      5 2026-11-23\n      1 9999-99-99')" ] || fail "counted: $(cat out)"
end

begin "CRLF ends lines, other carriage returns are bytes"
printf '%s\r\n%s\r\r\n%s a\rb\r\n%s last\r' "$EVENT one" "$EVENT two" "$EVENT" "$EVENT" >crlf.log
both crlf.log
end

begin "NUL bytes and bytes that are no UTF-8"
printf '%s a\0b:amd64 1\n%s a\0c:amd64 1\n\0%s z\n%s \377\376\200 1\n\0\n%s a\0b:amd64 2\n' \
    "$EVENT" "$EVENT" "$EVENT" "$EVENT" "$EVENT" >bytes.log
both bytes.log
run 0 bytes.log
if LC_ALL=C grep -q '[^ -~]' out; then fail "the table shows raw bytes"; fi
end

begin "no newline at the end, in one file and between two"
printf '%s first\n%s no-newline' "$EVENT" "$EVENT" >open.log
both open.log
both open.log small.log open.log
end

begin "an empty file"
: >empty.log
both empty.log
silent out
both empty.log small.log empty.log
end

begin "lines of 1 MiB: a name, a tail, and between others"
{
    printf '%s ' "$EVENT"
    head -c 1048576 /dev/zero | tr '\0' n
    printf '\n%s after\n%s tail ' "$EVENT" "$EVENT"
    head -c 1048576 /dev/zero | tr '\0' t
    printf '\n'
    head -c 1048576 /dev/zero
    printf '\n%s end\n' "$EVENT"
} >long.log
both long.log
run 0 -c packages --batch 1000 long.log
same packages long.log
end

line_of() { # line_of SIZE: an event line of so many bytes, without the newline
    local start="$EVENT big "
    printf '%s' "$start"
    head -c $(($1 - ${#start})) /dev/zero | tr '\0' x
}
begin "the longest line that is allowed"
{ cat small.log; line_of 4194304; printf '\n'; cat small.log; } >limit.log
both limit.log
{ cat small.log; line_of 4194304; } >limit.log
both limit.log
end

begin "a line that is too long ends its input with an error; what is before it counts"
{ cat small.log; line_of 4194305; printf '\n'; cat big.log; } >toolong.log
for parsers in 1 4; do
    run 1 -p $parsers -c packages toolong.log
    same packages small.log
    said "toolong.log: the line at byte $(wc -c <small.log) is longer than 4194304 bytes"
done
run 1 -c packages toolong.log small.log
same packages small.log small.log
end

begin "the same file twice, and many files"
both small.log small.log
run 0 -c packages small.log big.log crlf.log bytes.log open.log
same packages small.log big.log crlf.log bytes.log open.log
end

begin "standard input: a pipe, a file, an empty one"
# shellcheck disable=SC2002
cat big.log | timeout "$LIMIT" "$LOGSTAT" -c packages - >out 2>err || fail "exit status $?"
same packages big.log
timeout "$LIMIT" "$LOGSTAT" -c packages - <big.log >out 2>err || fail "exit status $?"
same packages big.log
timeout "$LIMIT" "$LOGSTAT" -c packages small.log - </dev/null >out 2>err || fail "exit status $?"
same packages small.log
end

begin "a FIFO, whose writer comes later"
rm -f late
mkfifo late
timeout "$LIMIT" "$LOGSTAT" -c packages small.log late big.log >out 2>err &
running=$!
cat small.log >late
wait "$running" || fail "exit status $?"
same packages small.log small.log big.log
end

begin "a file that has no size of its own, as those in /proc"
run 0 -c packages /proc/self/status small.log
same packages small.log
end

# ---- what cannot be read: named, the rest is counted, status 1 ----

begin "a missing file"
run 1 -c packages small.log missing.log big.log
said "logstat: missing.log: No such file or directory"
same packages small.log big.log
run 1 missing.log
said "logstat: missing.log: No such file or directory"
grep -q 'INCOMPLETE: 1 of 1 inputs' out || fail "the table does not say that it is incomplete"
end

begin "a folder"
mkdir -p folder
run 1 -c packages folder small.log
said "logstat: folder: Is a directory"
same packages small.log
end

begin "a file without read permission"
cp small.log secret.log
chmod 000 secret.log
if [ "$(id -u)" -ne 0 ]; then
    run 1 -c packages secret.log small.log
    said "logstat: secret.log: Permission denied"
    same packages small.log
    end
elif setpriv --reuid=65534 --regid=65534 --clear-groups "$LOGSTAT" --help >/dev/null 2>&1; then
    status=0
    setpriv --reuid=65534 --regid=65534 --clear-groups \
        timeout "$LIMIT" "$LOGSTAT" -c packages secret.log small.log >out 2>err || status=$?
    [ "$status" -eq 1 ] || fail "exit status $status"
    said "logstat: secret.log: Permission denied"
    same packages small.log
    end
else
    skip "we are root, and another user may not run $LOGSTAT"
fi

begin "standard input that is closed"
status=0
timeout "$LIMIT" "$LOGSTAT" -c packages - small.log <&- >out 2>err || status=$?
[ "$status" -eq 1 ] || fail "exit status $status"
said "logstat: -: Bad file descriptor"
same packages small.log
end

# ---- in the middle of a run ----
# open_run ARGUMENT...: logstat runs with descriptor 8 as its standard input and 9 as its standard error.
open_run() {
    rm -f in errors
    mkfifo in errors
    : >err
    "$LOGSTAT" "$@" <in >out 2>errors 8>&- 9<&- &
    running=$!
    exec 8>in 9<errors
}
await() { # await TEXT: reads what logstat says until it says that
    local line
    while IFS= read -r -t "$LIMIT" line <&9; do
        printf '%s\n' "$line" >>err
        case $line in *"aggregator is process "*) aggregator=${line#*process } aggregator=${aggregator%%,*} ;; esac
        case $line in *"$1"*) return ;; esac
    done
    fail "waited in vain for: $1"
}
close_run() { # close_run STATUS: no more input; what is said until the end
    local status=0
    exec 8>&-
    timeout "$LIMIT" cat <&9 >>err || fail "does not end"
    exec 9<&-
    kill -0 "$running" 2>/dev/null && timeout "$LIMIT" tail --pid="$running" -f /dev/null
    wait "$running" || status=$?
    [ "$status" -eq "$1" ] || fail "exit status $status, expected $1"
}
split -n l/4 -d big.log piece.

begin "a file that shrinks while it waits to be read"
cp big.log moving.log
open_run --trace -p 1 -c packages - moving.log
cat small.log >&8
await "merged partial"
truncate -s 100000 moving.log
close_run 1
said "logstat: moving.log: has shrunk while it was read, from $(wc -c <big.log) to 100000 bytes"
head -c 100000 big.log | sed '$d' >whole.log
same packages small.log whole.log
end

begin "a file that grows while it waits to be read: its size at the start counts"
cp big.log moving.log
open_run --trace -p 1 -c packages - moving.log
cat small.log >&8
await "merged partial"
cat small.log >>moving.log
close_run 0
said "logstat: moving.log: has grown"
same packages small.log big.log
end

begin "a file that is replaced, or removed, while it waits to be read"
cp big.log moving.log
cp big.log going.log
open_run --trace -p 1 -c packages - moving.log going.log
cat small.log >&8
await "merged partial"
cp big.log other.log
mv other.log moving.log
rm going.log
close_run 1
said "logstat: moving.log: was replaced"
said "logstat: going.log: No such file or directory"
same packages small.log
end

begin "the aggregator is killed midway: it is started again, and the counts are complete"
open_run --trace --batch 4096 -c packages -
cat piece.00 piece.01 >&8
await "merged partial 3 "
kill -KILL "$aggregator"
cat piece.02 >&8
await "was killed by signal 9; starting it again"
cat piece.03 >&8
close_run 0
same packages big.log
end

begin "it is killed four times, once in each piece"
open_run --trace --restarts 50 --batch 4096 -c days -
for piece in piece.0?; do
    cat "$piece" >&8
    await "merged partial"
    kill -KILL "$aggregator"
    await "aggregator is process"
done
close_run 0
same days big.log
end

begin "it is killed when the totals need several partials and pages"
awk 'BEGIN { for (i = 0; i < 30000; i++) printf "2026-11-23 09:58:15 install package-number-%d:amd64 1\n", i * 7919 % 20011 }' >many.log
open_run --trace -c packages -
head -n 25000 many.log >&8
await "merged partial 3 "
kill -KILL "$aggregator"
await "aggregator is process"
tail -n +25001 many.log >&8
close_run 0
same packages many.log
end

begin "it is killed when nothing is left to read"
open_run --trace --batch 4096 -c packages -
cat big.log >&8 &
await "merged partial 9 "
wait $!
kill -KILL "$aggregator"
close_run 0
same packages big.log
end

begin "it is stopped: its silence gives it away"
open_run --trace --batch 4096 -c packages -
cat piece.00 >&8
await "merged partial"
kill -STOP "$aggregator"
cat piece.01 piece.02 piece.03 >&8
close_run 0
said "was killed by signal 9; starting it again"
same packages big.log
end

begin "it is stopped before it has come up: it has a time for that"
open_run --trace --start 1 --restarts 50 --batch 4096 -c packages -
await "aggregator is process"
kill -STOP "$aggregator"
cat piece.00 piece.01 piece.02 piece.03 >&8
close_run 0
said "was killed by signal 9; starting it again"
same packages big.log
end

begin "it is stopped when it has nothing more to do but to end: it has a time for that, too"
open_run --trace --start 1 -c packages -
cat big.log >&8 &
await "merged partial"
wait $!
exec 8>&-
await ": retires"
kill -STOP "$aggregator" 2>/dev/null # it may have ended already
close_run 0
sed -i '/at its end, the aggregator gave status -9/d' err
same packages big.log
end

begin "it is killed and may not be started again: an error, no counts, status 3"
open_run --trace --restarts 0 -c packages -
cat piece.00 >&8
await "merged partial"
kill -KILL "$aggregator"
await "it will not be started again"
cat piece.01 >&8
close_run 3
silent out
said "no result: no aggregator is left"
said "missing: all counts of all 1 inputs"
end

begin "killed and exhausted while standard input is open and silent: the run ends all the same"
open_run --trace --restarts 0 -c packages small.log -
await "merged partial"
kill -KILL "$aggregator"
await "it will not be started again"
cat piece.00 >&8
await "missing: all counts"
timeout "$LIMIT" tail --pid="$running" -f /dev/null || fail "still runs"
close_run 3
silent out
end

begin "process A is killed: the aggregator ends, too"
open_run --trace -c packages -
cat piece.00 >&8
await "merged partial"
ended=yes
exec 7>&2 2>/dev/null # bash would tell that it was killed
kill -KILL "$running"
exec 8>&-
timeout "$LIMIT" tail --pid="$aggregator" -f /dev/null || ended=no
wait "$running"
exec 2>&7 7>&- 9<&-
[ $ended = yes ] || fail "process $aggregator still runs"
rm -rf "${RUN:?}"/* # nobody is left who could
silent out
end

begin "process A is terminated: it removes its folder"
open_run --trace -c packages -
cat piece.00 >&8
await "merged partial"
kill -TERM "$running"
close_run 143
end

# ---- the command line ----

begin "bad options: status 2 and the usage"
for arguments in "--nonsense" "-n x" "-n -1" "-p 0" "-p 65" "-c hours" "--batch 0" "--start 0" "--batch 99999999999999999999"; do
    # shellcheck disable=SC2086
    run 2 $arguments small.log
    said "usage: logstat"
    silent out
done
end

begin "the table: totals, top and order"
run 0 -n 2 forms.log
[ "$(sed -n 2,3p out | awk '{ print $1, $2 }')" = "$(printf 'd 1\nplain:amd64 1')" ] || fail "$(cat out)"
grep -q '^2026-11-23 *5 ##################################################$' out || fail "$(cat out)"
grep -q '^6 events in 18 lines, ' out || fail "$(tail -2 out)"
end

begin "a result that cannot be written is an error"
status=0
timeout "$LIMIT" "$LOGSTAT" -c packages small.log >/dev/full 2>err || status=$?
[ "$status" -eq 3 ] || fail "exit status $status"
said "cannot print the result"
end

echo "1..$cases"
[ "$failures" -eq 0 ]
