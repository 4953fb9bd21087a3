# shellcheck shell=bash
# aarch64.sh - ./dev aarch64: everything compiled for aarch64, and the tests run by qemu. Sourced by ./dev.
# Owns build/aarch64/: Debian's libraries for arm64 (lists/, debs/, root/; apt's own state is not touched), cross.ini, and the
# build in tests/. Not a part of ./dev test: emulation takes ten times as long, and needs packages that nothing else does.

AARCH64_PROGRAMS=(aarch64-linux-gnu-gcc qemu-aarch64-static)
AARCH64_PACKAGES="gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user-static"
AARCH64_LIBRARIES=(libck-dev libck0 libcmocka-dev libcmocka0 libnng-dev libnng1 libmbedtls14 libmbedcrypto7 libmbedx509-1 libc6)

# What an emulator of one process does not do as the kernel does: stacks that a signal handler walks, vfork, limits of address
# space, mincore, reads that only look into memory. And what takes minutes without telling more.
AARCH64_LEFT_OUT='core\.(sched\.(stall|sched)|sys\.process|mem\.stack)|actors\.actor\.(kill|later|shortage|sized|stall)\..*'
AARCH64_LEFT_OUT+='|actors\.io\.file\..*|.*\.(one_worker|strict)'

aarch64_libraries() {
    local dir=$ROOT/build/aarch64 apt
    [ ! -f "$dir/root/complete" ] || return 0
    mkdir -p "$dir"/{lists/partial,cache/archives/partial,debs,root}
    apt=(-o "Dir::State::Lists=$dir/lists" -o "Dir::Cache=$dir/cache" -o APT::Architecture=arm64 -o APT::Architectures=arm64)
    apt-get "${apt[@]}" update || return 1
    (cd "$dir/debs" && apt-get "${apt[@]}" download "${AARCH64_LIBRARIES[@]}") || return 1
    local deb
    for deb in "$dir"/debs/*.deb; do dpkg -x "$deb" "$dir/root" || return 1; done
    touch "$dir/root/complete"
}

aarch64_build() {
    local dir=$ROOT/build/aarch64 lib=usr/lib/aarch64-linux-gnu
    cat >"$dir/cross.ini.new" <<END
[binaries]
c = ['aarch64-linux-gnu-gcc', '-isystem', '$dir/root/usr/include', '-L$dir/root/$lib', '-Wl,-rpath-link,$dir/root/$lib']
ar = 'aarch64-linux-gnu-ar'
strip = 'aarch64-linux-gnu-strip'
pkgconfig = 'pkg-config'
exe_wrapper = ['qemu-aarch64-static', '-L', '$dir/root']
[host_machine]
system = 'linux'
cpu_family = 'aarch64'
cpu = 'armv8-a'
endian = 'little'
[properties]
pkg_config_libdir = '$dir/root/$lib/pkgconfig'
sys_root = '$dir/root'
END
    if [ ! -f "$dir/tests/build.ninja" ] || ! cmp -s "$dir/cross.ini.new" "$dir/cross.ini"; then
        rm -rf "$dir/tests"
        mv "$dir/cross.ini.new" "$dir/cross.ini"
        env -u CFLAGS -u CPPFLAGS -u LDFLAGS meson setup "$dir/tests" "$ROOT" --cross-file "$dir/cross.ini" \
            -Dtests=true -Dwerror=true -Ddefault_library=static || return 1
    fi
    ninja_run "$dir/tests"
}

aarch64_tests() {
    local dir=$ROOT/build/aarch64/tests names rc=0
    mapfile -t names < <(meson test -C "$dir" --no-rebuild --list --suite unit 2>/dev/null |
        sed -n 's|^.* / ||p' | { grep -vxE "$AARCH64_LEFT_OUT" || true; })
    rm -f "$dir/meson-logs/testlog.json"
    meson test -C "$dir" --no-rebuild --print-errorlogs --timeout-multiplier 10 "${names[@]}" || rc=$?
    python3 "$ROOT/tools/dev/count_tests.py" "$dir/meson-logs/testlog.json" || rc=1
    return "$rc"
}

verb_aarch64() {
    local program
    for program in "${AARCH64_PROGRAMS[@]}"; do
        command -v "$program" >/dev/null 2>&1 ||
            die "aarch64 needs $program: apt-get install -y $AARCH64_PACKAGES"
    done
    progress_begin 3
    step_or_stop "aarch64: Debian's libraries for it" aarch64_libraries
    step_or_stop "aarch64: build" aarch64_build
    step_or_stop "aarch64: unit tests under qemu" aarch64_tests
}
