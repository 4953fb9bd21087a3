# shellcheck shell=bash
# progress.sh - runs the steps of a verb: shows number, name and seconds, keeps a log for each, and counts.
# Owns STEP_* and build/log/. Invariants: (1) every started step is counted as passed, failed or skipped; (2) what a
# step prints goes to its log only; on failure the tail and the path of the log are shown. Sourced by ./dev.

STEP_TOTAL=0
STEP_NUMBER=0
STEP_PASSED=0
STEP_FAILED=0
STEP_FAILED_NAMES=()
STEP_LAST=ok
STEP_LOG=
STEP_TICKER=

progress_begin() { # progress_begin <count of steps>
    STEP_TOTAL=$1
    mkdir -p "$ROOT/build/log"
}

now_ms() {
    local t=${EPOCHREALTIME/[.,]/}
    echo $((t / 1000))
}

seconds_since() { # seconds_since <ms>: "12.3 s"
    local ms=$(($(now_ms) - $1))
    printf '%d.%d s' $((ms / 1000)) $((ms % 1000 / 100))
}

# A running count of seconds behind the step's name, on a terminal only.
ticker_start() {
    [ -t 1 ] || return 0
    (
        trap 'exit 0' TERM
        s=0
        while sleep 1; do
            s=$((s + 1))
            printf '%5d s\b\b\b\b\b\b\b' "$s"
        done
    ) &
    STEP_TICKER=$!
}

ticker_stop() {
    [ -n "$STEP_TICKER" ] || return 0
    kill "$STEP_TICKER" 2>/dev/null || true
    wait "$STEP_TICKER" 2>/dev/null || true
    STEP_TICKER=
}

# step <name> <command...>: runs it with its output in a log. Returns 0 also on failure, so that later steps run;
# STEP_LAST says how it went, STEP_LOG where its output is. A step that ran tests prints `counted: <passed> <failed>` in its log, else it counts as one.
step() {
    local name=$1 log rc=0 t counts passed=0 failed=0
    shift
    STEP_NUMBER=$((STEP_NUMBER + 1))
    log=$ROOT/build/log/${VERB:-dev}-$(tr -cs 'a-zA-Z0-9+\n' '-' <<<"$name").log
    # shellcheck disable=SC2034
    STEP_LOG=$log
    printf '[%2d/%d] %-44s ' "$STEP_NUMBER" "$STEP_TOTAL" "$name"
    t=$(now_ms)
    ticker_start
    "$@" >"$log" 2>&1 </dev/null || rc=$?
    ticker_stop
    counts=$(sed -n 's/^counted: \([0-9]*\) \([0-9]*\)$/\1 \2/p' "$log" | tail -n 1)
    if [ -n "$counts" ]; then
        passed=${counts% *} failed=${counts#* }
    fi
    if [ "$rc" -ne 0 ]; then
        [ "$failed" -gt 0 ] || failed=1
    elif [ $((passed + failed)) -eq 0 ]; then
        passed=1
    fi
    STEP_PASSED=$((STEP_PASSED + passed))
    STEP_FAILED=$((STEP_FAILED + failed))
    if [ "$rc" -eq 0 ] && [ "$failed" -eq 0 ]; then
        STEP_LAST=ok
        printf 'ok      %8s' "$(seconds_since "$t")"
        [ "$passed" -le 1 ] || printf '   %d passed' "$passed"
        echo
        return 0
    fi
    STEP_LAST=failed
    STEP_FAILED_NAMES+=("$name")
    printf 'FAILED  %8s   %d passed, %d failed\n' "$(seconds_since "$t")" "$passed" "$failed"
    printf '%s\n' "---- the last lines of ${log#"$ROOT"/}:"
    tail -n "${DEV_TAIL:-30}" "$log" | sed 's/^/    /'
    printf '%s\n' '----'
    return 0
}

# step_skip <name> <why>: a step that cannot run since an earlier one failed, which has been counted.
step_skip() {
    STEP_NUMBER=$((STEP_NUMBER + 1))
    printf '[%2d/%d] %-44s skipped: %s\n' "$STEP_NUMBER" "$STEP_TOTAL" "$1" "$2"
}

# step_or_stop <name> <command...>: for verbs in which nothing makes sense after a failure.
step_or_stop() {
    step "$@"
    [ "$STEP_LAST" = ok ] || exit 1
}
