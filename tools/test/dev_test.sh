#!/usr/bin/env bash
# shellcheck disable=SC2030,SC2031,SC2317
# dev_test.sh - ./dev itself: what it does about packages as root, as a user and elsewhere, and how it counts.
# dpkg-query, apt-get and id are stand-ins in a folder of their own; nothing is installed.
set -euo pipefail

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT
passed=0 failed=0

# A copy of the scripts, so that logs do not land in the real build folder.
mkdir -p "$WORK/tree/tools" "$WORK/bin"
cp "$ROOT/dev" "$WORK/tree/"
cp -r "$ROOT/tools/dev" "$ROOT/tools/packages.txt" "$WORK/tree/tools/"
printf 'ID=debian\nVERSION_ID=12\nPRETTY_NAME="Debian 12"\n' >"$WORK/debian"
printf 'ID=other\nVERSION_ID=7\nPRETTY_NAME="Other 7"\n' >"$WORK/other"

# Stand-in for dpkg-query: all packages are there but those in $WORK/missing.
cat >"$WORK/bin/dpkg-query" <<END
#!/bin/sh
shift 3
for name in "\$@"; do grep -qx "\$name" "$WORK/missing" || echo "installed \$name"; done
! [ -s "$WORK/missing" ]
END
# Stand-in for apt-get: does what $WORK/apt says.
cat >"$WORK/bin/apt-get" <<END
#!/bin/sh
echo "\$*" >>"$WORK/apt-calls"
case \$(cat "$WORK/apt") in
fails) echo "E: no network"; exit 100 ;;
works) [ "\$1" != install ] || : >"$WORK/missing" ;;
esac
END
printf '#!/bin/sh\ncat "%s/uid"\n' "$WORK" >"$WORK/bin/id"
chmod +x "$WORK/bin/"*

# run <os> <uid> <apt> <missing...>: ./dev setup; its output in $out, its status in $status
run() {
    local os=$1
    echo "$2" >"$WORK/uid"
    echo "$3" >"$WORK/apt"
    shift 3
    printf '%s\n' "$@" | sed '/^$/d' >"$WORK/missing"
    : >"$WORK/apt-calls"
    status=0
    out=$(OS_RELEASE=$WORK/$os PATH=$WORK/bin:$PATH "$WORK/tree/dev" setup 2>&1) || status=$?
}

expect() { # expect <name> <condition...>
    local name=$1
    shift
    if "$@"; then
        passed=$((passed + 1))
        echo "ok     $name"
    else
        failed=$((failed + 1))
        printf 'FAILED %s\n    status %s, output: %s\n' "$name" "$status" "$out"
    fi
}
says() { [[ $out == *"$1"* ]]; }
exits() { [ "$status" -eq "$1" ]; }
apt_calls() { [ "$(wc -l <"$WORK/apt-calls")" -eq "$1" ]; }

run debian 1000 works ''
expect "a user with everything goes on" exits 0
run debian 1000 works clang-19 libnng-dev
expect "a user without packages is stopped" exits 1
expect "a user is told the one command" says "sudo apt-get install -y clang-19 libnng-dev"
expect "a user's packages are left alone" apt_calls 0
run debian 0 works ''
expect "root with everything goes on without apt" apt_calls 0
run debian 0 works clang-19
expect "root gets what is missing" exits 0
expect "root's apt is updated once, then installs" apt_calls 2
run debian 0 fails clang-19
expect "a failing apt stops" exits 1
expect "a failing apt is quoted" says "E: no network"
run debian 0 nothing clang-19
expect "an apt that installs nothing is noticed" says "still missing: clang-19"
run other 0 works clang-19
expect "elsewhere nothing is installed" apt_calls 0
expect "elsewhere it is said" says "Other 7, not Debian 12"

# How steps are counted and reported.
status=0
out=$(
    VERB=probe
    ROOT=$WORK/tree
    # shellcheck source=tools/dev/progress.sh
    . "$ROOT/tools/dev/progress.sh"
    counts() { echo "counted: $1 $2" && return "$3"; }
    speaks() { echo "the reason" && return 3; }
    progress_begin 6
    step "one" true
    step "many" counts 5 0 0
    step "some fail" counts 5 2 1
    step "crashes after passing" counts 5 0 1
    step "zero of zero" counts 0 0 1
    step "speaks" speaks
    echo "$STEP_PASSED/$STEP_FAILED ${#STEP_FAILED_NAMES[@]}"
)
expect "passed and failed are summed, a failing step fails at least once" says "16/5 4"
expect "a failed step shows its log" says "    the reason"
expect "steps are numbered" says "[ 6/6] speaks"

# How cases are counted behind meson.
entry() { # entry <result> <status> <output>
    printf '{"name": "t", "result": "%s", "returncode": %s, "stdout": "%s", "stderr": ""}\n' "$@"
}
count() { # count: reads entries, gives the last line and the status
    cat >"$WORK/log.json"
    status=0
    out=$(python3 "$ROOT/tools/dev/count_tests.py" "$WORK/log.json") || status=$?
}
count < <(
    entry OK 0 '[  PASSED  ] 7 test(s).\n'
    entry OK 0 'no cmocka'
)
expect "cases of cmocka and other tests are summed" says "counted: 8 0"
count < <(entry OK 0 'counted: 9 0\n')
expect "what a script counted is counted" says "counted: 9 0"
count < <(entry OK 0 'all well\n9 passed, 0 failed\n')
expect "what a script says that passed is counted" says "counted: 9 0"
count < <(entry FAIL 1 '[  PASSED  ] 7 test(s).\n[  FAILED  ] 2 test(s), listed below:\n')
expect "failed cases are counted" says "counted: 7 2"
expect "failed cases fail the step" exits 1
count < <(entry FAIL -6 'ERROR: AddressSanitizer: x')
expect "a crash counts as one failure" says "counted: 0 1"
count < <(entry SKIP 77 '')
expect "only skipped tests are no success" exits 1
count </dev/null
expect "no test at all is no success" exits 1

echo "counted: $passed $failed"
[ "$failed" -eq 0 ]
