# shellcheck shell=bash
# verbs.sh - the smaller verbs of ./dev: demo, bench, check, fmt, fuzz, sim, soak, lint. Sourced by ./dev.

# Our own files, without asking git, which refuses in a folder that belongs to another user.
source_files() { # source_files <find's tests...>: NUL after each
    find "$ROOT" \( -path "$ROOT/build" -o -path "$ROOT/.git" -o -path "$ROOT/dist" \) -prune -o \
        -type f \( "$@" \) -print0 | sort -z
}

# Files whose layout clang-format decides. Not: test input whose lines are part of what is tested.
fmt_files() {
    source_files -name '*.c' -o -name '*.h' -o -name '*.cpp' |
        grep -zv -e "^$ROOT/tests/compile/" -e "^$ROOT/analyzer/test/"
}

fmt_check() { fmt_files | xargs -0 -r -n 40 clang-format-19 --dry-run --Werror --ferror-limit=3; }

verb_fmt() {
    case "${1:-}" in
    --check) fmt_check && echo "The layout is clang-format's." ;;
    '') fmt_files | xargs -0 -r -n 40 clang-format-19 -i && echo "Formatted." ;;
    *) die "fmt takes nothing or --check" ;;
    esac
}

lint_scripts() {
    local file files=()
    while IFS= read -r -d '' file; do
        # A script is named *.sh or starts with a shebang of bash or sh.
        if [[ $file == *.sh ]] || head -c 40 "$file" | tr -d '\0' | head -n 1 | grep -qE '^#!.*\b(ba)?sh\b'; then
            files+=("$file")
        fi
    done < <(source_files -name '*.sh' -o ! -name '*.*' -o -path "$ROOT/.ci/*")
    [ "${#files[@]}" -gt 0 ] || return 1
    shellcheck -x -P "$ROOT" "${files[@]}" && echo "${#files[@]} scripts are clean"
}

verb_lint() { lint_scripts; }

cede_check_bin() { echo "$ROOT/build/analyzer/analyzer/cede-check"; }

# cede-check over the library and the examples, as the release build compiles them.
check_self() {
    build_configure release && ninja_run "$ROOT/build/release" &&
        "$(cede_check_bin)" -p "$ROOT/build/release"
}

verb_check() {
    progress_begin 2
    step_or_stop "build release" build_one release
    step_or_stop "build analyzer" build_one analyzer
    echo "cede-check over Cede and its examples:"
    "$(cede_check_bin)" -p "$ROOT/build/release" "$@"
}

# examples/broken is in no build: these programs are wrong on purpose. cede-check is to find that, and to exit with 1.
show_broken() {
    local rc=0
    echo
    echo "cede-check over examples/broken, programs that compile cleanly and are wrong:"
    (cd "$ROOT" && "$(cede_check_bin)" examples/broken/*.c -- -std=gnu11 -Iinclude) || rc=$?
    [ "$rc" -eq 1 ] || die "cede-check was to find something and exit with 1; it exited with $rc"
}

# What the demo claims: every program of examples/broken compiles without a warning, and has a finding.
check_broken() {
    local file found compiler wrong=0
    found=$(show_broken 2>/dev/null) || return 1
    for file in "$ROOT"/examples/broken/*.c; do
        for compiler in gcc clang-19; do
            "$compiler" -std=gnu11 -Wall -Wextra -Werror -fsyntax-only -I"$ROOT/include" "$file" || wrong=1
        done
        if ! grep -q "^examples/broken/$(basename "$file"):[0-9]*:[0-9]*: warning: " <<<"$found"; then
            echo "nothing is found in $file"
            wrong=1
        fi
    done
    return "$wrong"
}

run_demo() {
    echo
    CEDE_BUILD=$ROOT/build/release "$ROOT/examples/logstat/demo.sh" "$@"
}

verb_demo() {
    progress_begin 2
    step_or_stop "build release" build_one release
    step_or_stop "build analyzer" build_one analyzer
    run_demo "$@"
    show_broken
}

verb_bench() {
    progress_begin 1
    step_or_stop "build release" build_one release
    case ${1:-} in
    all | peers)
        shift
        "$ROOT/bench/compare.py" --build "$ROOT/build/release" "$@"
        ;;
    '') CEDE_BUILD=$ROOT/build/release "$ROOT/bench/run.sh" ;;
    *) die "bench takes nothing, or all [options of bench/compare.py] [workload ...]" ;;
    esac
}

fuzz_one() { # fuzz_one <program> <seconds>
    local name corpus seeds
    name=$(basename "$1")
    corpus=$ROOT/build/fuzz-corpus/$name
    seeds=$ROOT/tests/fuzz/corpus/$name
    mkdir -p "$corpus"
    set -- "$1" -max_total_time="$2" -timeout=5 -rss_limit_mb=1024 -print_final_stats=1 \
        -artifact_prefix="$ROOT/build/fuzz-found-$name-" "$corpus"
    [ ! -d "$seeds" ] || set -- "$@" "$seeds"
    "$@"
}

verb_fuzz() {
    local seconds=${1:-60} target programs=()
    [[ $seconds =~ ^[0-9]+$ ]] || die "fuzz takes a number of seconds for each target"
    mapfile -t programs < <(find "$ROOT/tests/fuzz" -name '*_fuzz.c' -printf '%f\n' | sed 's/\.c$//' | sort)
    [ "${#programs[@]}" -gt 0 ] || die "there is no target in tests/fuzz"
    progress_begin $((1 + ${#programs[@]}))
    step_or_stop "build fuzz" build_one fuzz
    for target in "${programs[@]}"; do
        step "fuzz $target for $seconds s" fuzz_one "$ROOT/build/fuzz/tests/fuzz/$target" "$seconds"
        grep -aE '^stat::(number_of_executed_units|average_exec_per_sec|peak_rss_mb)' \
            "$STEP_LOG" | sed 's/^/    /' || true
    done
    echo "$STEP_PASSED passed, $STEP_FAILED failed"
    [ "$STEP_FAILED" -eq 0 ]
}

verb_sim() {
    progress_begin 1
    step_or_stop "build gcc" build_one gcc
    case ${1:-} in
    mutants)
        shift
        sim_mutants "$@"
        ;;
    '') CEDE_TEST_SEEDS=${CEDE_TEST_SEEDS:-1000} "$ROOT/build/gcc/tests/sim/sim_workload_test" ;;
    *) die "sim takes nothing, or mutants [options of tests/sim/mutants.py] [name ...]" ;;
    esac
}

# Ten times too much under each policy: a process each, since what one leaves in memory would be there for the next.
OVERLOAD_POLICIES=(refuse suspend drop_newest drop_oldest keep_latest)
soak_overload() { # soak_overload <seconds>: the steps, with what was measured behind each
    local policy
    for policy in "${OVERLOAD_POLICIES[@]}"; do
        step "ten times too much for $1 s, policy $policy" env CEDE_SOAK_SECONDS="$1" CEDE_SOAK_POLICY="$policy" \
            "$ROOT/build/gcc/tests/fault/fault_overload_test"
        [ "$STEP_LAST" = failed ] || sed -n 's/^  [ a-z]* /    &/p' "$STEP_LOG"
    done
}

verb_soak_overload() {
    progress_begin $((1 + ${#OVERLOAD_POLICIES[@]}))
    step_or_stop "build gcc" build_one gcc
    soak_overload "$1"
    echo "$STEP_PASSED passed, $STEP_FAILED failed"
    [ "$STEP_FAILED" -eq 0 ]
}

verb_soak() {
    local seconds test programs=()
    local dir=$ROOT/build/gcc/tests
    if [ "${1:-}" = overload ]; then
        seconds=${2:-30}
        [[ $seconds =~ ^[1-9][0-9]*$ ]] || die "soak overload takes a number of seconds for each policy"
        verb_soak_overload "$seconds"
        return
    fi
    seconds=${1:-30}
    [[ $seconds =~ ^[0-9]+$ ]] || die "soak takes a number of seconds for the storm of signals"
    mapfile -t programs < <(find "$ROOT/tests/model" -name '*_test.c' -printf '%f\n' | sed 's/_test\.c$//' | sort)
    progress_begin $((4 + ${#OVERLOAD_POLICIES[@]} + ${#programs[@]}))
    step_or_stop "build gcc" build_one gcc
    step "signals for $seconds s" env CEDE_SOAK_SECONDS="$seconds" "$dir/fault/fault_storm_test"
    soak_overload "$seconds"
    step "20,000 starts and stops" env CEDE_SOAK_CYCLES=20000 "$dir/fault/fault_cycles_test"
    step "20,000 seeds of the workload" env CEDE_TEST_SEEDS=6700 "$dir/sim/sim_workload_test"
    for test in "${programs[@]}"; do
        step "every order of $test, to the full depth" "$dir/model/model_${test}_test" --weaken=all
    done
    echo "$STEP_PASSED passed, $STEP_FAILED failed"
    [ "$STEP_FAILED" -eq 0 ]
}
