# shellcheck shell=bash
# build.sh - the named builds: build/<name>/, each with its compiler and options. Sourced by ./dev.
# Owns build/<name>/. Invariant: a build folder is only used with the options that it was made with (kept beside it in
# build/<name>.options); when they change it is made anew.

BUILD_NAMES=(release gcc clang14 clang19 asan tsan lto fuzz install analyzer)

build_about() { # one line each, for ./dev help
    case $1 in
    release) echo "gcc, as shipped: library, examples, benchmarks" ;;
    gcc) echo "gcc, warnings are errors, tests, model tests" ;;
    clang14) echo "clang 14, warnings are errors, debug checks, tests" ;;
    clang19) echo "clang 19, warnings are errors, debug checks, tests" ;;
    asan) echo "clang 19 with AddressSanitizer and UBSan, debug checks, tests" ;;
    tsan) echo "clang 19 with ThreadSanitizer, debug checks, tests" ;;
    lto) echo "gcc -O3 -flto, tests: what a compiler that sees everything makes of thread changes in a turn" ;;
    fuzz) echo "clang 19, libFuzzer targets with ASan and UBSan" ;;
    install) echo "gcc, installed into build/prefix" ;;
    analyzer) echo "cede-check and the plugins for clang 14 and 19" ;;
    esac
}

build_options() { # build_options <name>: first the compilers, then meson's options
    local dev='-Dwerror=true -Dtests=true -Ddefault_library=static'
    case $1 in
    release) echo "gcc g++ -Dbench=true -Ddefault_library=both" ;;
    gcc) echo "gcc g++ $dev -Dmodels=true" ;;
    clang14) echo "clang-14 clang++-14 $dev -Dchecks=true" ;;
    clang19) echo "clang-19 clang++-19 $dev -Dchecks=true" ;;
    asan) echo "clang-19 clang++-19 $dev -Dchecks=true -Db_sanitize=address,undefined -Db_lundef=false -Doptimization=1" ;;
    tsan) echo "clang-19 clang++-19 $dev -Dchecks=true -Db_sanitize=thread -Db_lundef=false" ;;
    lto) echo "gcc g++ -Dtests=true -Dexamples=false -Ddefault_library=static -Doptimization=3 -Db_lto=true" ;;
    fuzz) echo "clang-19 clang++-19 -Dfuzz=true -Dexamples=false -Db_sanitize=address,undefined -Db_lundef=false" \
        "-Ddefault_library=static" ;;
    install) echo "gcc g++ -Dexamples=false -Ddefault_library=both" ;;
    analyzer) echo "clang-19 clang++-19 -Druntime=false -Danalyzer=enabled" ;;
    *) return 1 ;;
    esac
}

build_known() {
    local name
    for name in "${BUILD_NAMES[@]}"; do [ "$name" != "$1" ] || return 0; done
    return 1
}

ninja_run() { # ninja_run <folder> [targets]
    local dir=$1
    shift
    if [ -n "${CEDE_JOBS:-}" ]; then
        ninja -C "$dir" -j "$CEDE_JOBS" "$@"
    else
        ninja -C "$dir" "$@"
    fi
}

build_configure() { # build_configure <name>
    local name=$1 dir=$ROOT/build/$1 options cc cxx prefix=()
    options=$(build_options "$name")
    if [ -f "$dir/build.ninja" ] && [ "$(cat "$dir.options" 2>/dev/null)" = "$options" ]; then
        return 0
    fi
    read -r cc cxx options <<<"$options"
    case $name in install | analyzer) prefix=("--prefix=$ROOT/build/prefix") ;; esac
    rm -rf "$dir" "$dir.options"
    mkdir -p "$ROOT/build"
    # The flags of the caller's shell belong to other programs.
    # shellcheck disable=SC2086
    env -u CFLAGS -u CXXFLAGS -u CPPFLAGS -u LDFLAGS CC="$cc" CXX="$cxx" \
        meson setup "$dir" "$ROOT" ${prefix[@]+"${prefix[@]}"} $options || return 1
    build_options "$name" >"$dir.options"
}

build_one() {
    build_configure "$1" && ninja_run "$ROOT/build/$1" || return 1
    [ "$1" != install ] || meson install -C "$ROOT/build/install" --no-rebuild --quiet
}

verb_build() {
    local name names=("$@")
    [ "${#names[@]}" -gt 0 ] || names=(release)
    for name in "${names[@]}"; do
        build_known "$name" || die "no build is named '$name'; there are: ${BUILD_NAMES[*]}"
    done
    progress_begin "${#names[@]}"
    for name in "${names[@]}"; do
        step_or_stop "build $name" build_one "$name"
    done
    echo "Built in:" "${names[@]/#/build/}"
}
