# shellcheck shell=bash
# test.sh - ./dev test: every part builds what it needs and runs it; the last line is `N passed, N failed`.
# Parts do not depend on each other, so `./dev test asan checks` runs just these. Sourced by ./dev.

TEST_PARTS=(format checks gcc clang14 clang19 asan tsan lto valgrind sim compile analyzer install dev)

test_steps_of() { # how many steps a part has
    case $1 in
    gcc | clang14 | clang19 | asan | tsan | valgrind | install | checks | dev) echo 2 ;;
    analyzer | sim) echo 4 ;;
    *) echo 1 ;;
    esac
}

# What is printed when ThreadSanitizer cannot start on this kernel.
readonly TSAN_ADVICE="ThreadSanitizer cannot run here: the kernel places mappings where it does not expect them.
Either   sudo sysctl vm.mmap_rnd_bits=28
or allow personality(ADDR_NO_RANDOMIZE) in this container, so that 'setarch -R' works."

# Prints the wrapper under which a ThreadSanitizer program runs on this kernel: nothing, or `setarch -R`.
tsan_wrapper() {
    local dir=$ROOT/build/tsan-probe
    mkdir -p "$dir"
    if [ ! -x "$dir/probe" ]; then
        echo 'int main(void) { return 0; }' >"$dir/probe.c"
        clang-19 -fsanitize=thread -o "$dir/probe" "$dir/probe.c" || return 1
    fi
    # Mappings are placed at random: once is not enough.
    if repeat 8 "$dir/probe" >/dev/null 2>&1; then
        return 0
    fi
    if repeat 8 setarch -R "$dir/probe" >/dev/null 2>&1; then
        echo "setarch -R"
        return 0
    fi
    return 1
}

repeat() { # repeat <n> <command...>: fails with the first that fails
    local n=$1 i
    shift
    for ((i = 0; i < n; i++)); do "$@" || return 1; done
}

# run_meson_tests <build> [suites...]: all suites when none is named. With REBUILD=yes what they need is built first.
run_meson_tests() {
    local name=$1 dir=$ROOT/build/$1 suite wrapper rc=0
    local args=(--print-errorlogs)
    shift
    [ -n "${REBUILD:-}" ] || args+=(--no-rebuild)
    for suite in "$@"; do args+=(--suite "$suite"); done
    [ -z "${CEDE_JOBS:-}" ] || args+=(--num-processes "$CEDE_JOBS")
    if [ "$name" = tsan ]; then
        wrapper=$(tsan_wrapper) || {
            echo "$TSAN_ADVICE"
            return 1
        }
        [ -z "$wrapper" ] || args+=(--wrapper "$wrapper")
    fi
    rm -f "$dir/meson-logs/testlog.json"
    meson test -C "$dir" "${args[@]}" || rc=$?
    python3 "$ROOT/tools/dev/count_tests.py" "$dir/meson-logs/testlog.json" || rc=1
    return "$rc"
}

# The unit tests of the gcc build under memcheck, which unlike AddressSanitizer also watches the packaged libraries. Only
# blocks that are surely lost count: nng's threads live to the end of the process. The test of child processes is left
# out: memcheck does not start programs the way that it expects. Of a test that runs on several kinds of system, the one with
# two workers is taken: memcheck runs one thread at a time, and strict mode watches for itself. Threads take turns fairly: else those
# that wait by looking again and again keep the others from running for minutes.
run_valgrind() {
    local dir=$ROOT/build/gcc rc=0
    local args=(--no-rebuild --print-errorlogs --timeout-multiplier 4) names
    mapfile -t names < <(meson test -C "$dir" --no-rebuild --list --suite unit 2>/dev/null |
        sed -n 's|^.* / ||p' | { grep -vxE 'core\.sys\.process|.*\.(one_worker|strict)' || true; })
    [ -z "${CEDE_JOBS:-}" ] || args+=(--num-processes "$CEDE_JOBS")
    rm -f "$dir/meson-logs/testlog-valgrind.json"
    meson test -C "$dir" "${args[@]}" "${names[@]}" --wrapper \
        'valgrind -q --fair-sched=try --error-exitcode=9 --leak-check=full --show-leak-kinds=definite --errors-for-leak-kinds=definite' || rc=$?
    python3 "$ROOT/tools/dev/count_tests.py" "$dir/meson-logs/testlog-valgrind.json" || rc=1
    return "$rc"
}

test_valgrind() {
    step "valgrind: build gcc" build_one gcc
    if [ "$STEP_LAST" != ok ]; then
        step_skip "valgrind: unit tests" "its build failed"
        return 0
    fi
    step "valgrind: unit tests" run_valgrind
}

test_build() { # test_build <build>: builds it, then runs its tests
    step "$1: build" build_one "$1"
    if [ "$STEP_LAST" != ok ]; then
        step_skip "$1: tests" "its build failed"
        return 0
    fi
    step "$1: unit, end-to-end and example tests" run_meson_tests "$1"
}

# The whole library is compiled anew for each program, so only those are built whose turns wait in the middle: tests/unit/meson.build
# names them.
run_lto() { build_configure lto && REBUILD=yes run_meson_tests lto turns e2e; }

test_lto() { step "lto: build and run the tests of turns" run_lto; }

test_format() { step "format: clang-format changes nothing" fmt_check; }

test_checks() {
    step "checks: build" build_one install
    if [ "$STEP_LAST" != ok ]; then
        step_skip "checks: tools/check" "its build failed"
        return 0
    fi
    step "checks: tools/check, and that each can fail" "$ROOT/tools/check" --self-test \
        --library "$ROOT/build/install/libcede.so" --archive "$ROOT/build/install/libcede.a"
}

test_compile() { step "compile: mistakes get the error that they should" "$ROOT/tests/compile/run"; }

# 100 seeds of each form of the workload give the same runs, choice by choice, in what two compilers made. Eight processes of
# each, since each has its own random addresses.
sim_same() {
    local name round hashes first=
    for round in 1 2 3 4 5 6 7 8; do
        for name in gcc clang19; do
            hashes=$ROOT/build/$name/sim-hashes-$round
            rm -f "$hashes"
            CEDE_TEST_SEEDS=100 CEDE_SIM_HASHES=$hashes "$ROOT/build/$name/tests/sim/sim_workload_test" || return 1
            [ "$(wc -l <"$hashes")" -ge 300 ] || return 1
            first=${first:-$hashes}
            diff "$first" "$hashes" || return 1
        done
    done
    echo "$(wc -l <"$first") runs are the same"
}

sim_mutants() { "$ROOT/tests/sim/mutants.py" "$ROOT/build/gcc" --jobs "${CEDE_JOBS:-2}" "$@"; }

test_sim() {
    step "sim: build gcc" build_one gcc
    step "sim: build clang19" build_one clang19
    if [ "$STEP_LAST" != ok ] || [ ! -x "$ROOT/build/gcc/tests/sim/sim_workload_test" ]; then
        step_skip "sim: the same runs with gcc and clang" "a build failed"
        step_skip "sim: mutants of Cede are found" "a build failed"
        return 0
    fi
    step "sim: the same runs with gcc and clang" sim_same
    step "sim: mutants of Cede are found" sim_mutants
}

test_dev() {
    step "dev: shellcheck of the scripts" lint_scripts
    step "dev: packages, steps and counts" "$ROOT/tools/test/dev_test.sh"
}

test_analyzer() {
    step "analyzer: build" build_one analyzer
    if [ "$STEP_LAST" != ok ]; then
        step_skip "analyzer: rules, driver and plugins" "its build failed"
        step_skip "analyzer: cede-check over Cede and its examples" "its build failed"
        step_skip "analyzer: every broken example" "its build failed"
        return 0
    fi
    step "analyzer: rules, driver and plugins" run_meson_tests analyzer
    step "analyzer: cede-check over Cede and its examples" check_self
    step "analyzer: every broken example compiles and is found" check_broken
}

test_install() {
    step "install: build" build_one install
    if [ "$STEP_LAST" != ok ]; then
        step_skip "install: a program of one file" "its build failed"
        return 0
    fi
    step "install: a program of one file, shared and static" "$ROOT/tests/install/run" \
        "$ROOT/build/install" "$ROOT/build/prefix"
}

verb_test() {
    local part parts=("$@") total=0 t
    [ "${#parts[@]}" -gt 0 ] || parts=("${TEST_PARTS[@]}")
    for part in "${parts[@]}"; do
        [[ " ${TEST_PARTS[*]} " == *" $part "* ]] || die "no part is named '$part'; there are: ${TEST_PARTS[*]}"
        total=$((total + $(test_steps_of "$part")))
    done
    progress_begin "$total"
    t=$(now_ms)
    for part in "${parts[@]}"; do
        case $part in
        gcc | clang14 | clang19 | asan | tsan) test_build "$part" ;;
        *) "test_$part" ;;
        esac
    done
    echo "took $(seconds_since "$t")"
    if [ "$STEP_FAILED" -ne 0 ]; then
        printf 'failed: %s\n' "${STEP_FAILED_NAMES[@]}"
    fi
    echo "$STEP_PASSED passed, $STEP_FAILED failed"
    [ "$STEP_FAILED" -eq 0 ]
}
