# shellcheck shell=bash
# setup.sh - makes sure that the packages of tools/packages.txt are there. Sourced by ./dev.
# As root it installs what is missing; otherwise it prints the one command to run and stops. Cheap when nothing is missing:
# one dpkg-query. Off Debian 12 it says so and goes on if the programs that the builds call exist.

OS_RELEASE=${OS_RELEASE:-/etc/os-release} # another file in tools/test/dev_test.sh

package_list() { sed -e 's/#.*//' -e '/^[[:space:]]*$/d' -e 's/[[:space:]]//g' "$ROOT/tools/packages.txt"; }

# The programs without which nothing here works, for systems whose packages have other names.
TOOLS_NEEDED=(gcc g++ clang-14 clang-19 meson ninja pkg-config python3 clang-format-19)

packages_missing() {
    local have
    # shellcheck disable=SC2016
    # dpkg-query fails when it does not know a name; what it knows is printed all the same.
    have=$(package_list | xargs dpkg-query -W -f '${db:Status-Status} ${Package}\n' 2>/dev/null |
        sed -n 's/^installed //p') || true
    package_list | grep -Fxv -f <(printf '%s\n' "$have") || true
}

tools_missing() {
    local tool
    for tool in "${TOOLS_NEEDED[@]}"; do
        command -v "$tool" >/dev/null 2>&1 || echo "$tool"
    done
}

os_name() (
    # shellcheck disable=SC1090
    . "$OS_RELEASE" 2>/dev/null && printf '%s' "${PRETTY_NAME:-unknown}" || printf 'an unknown system'
)

os_is_debian_12() (
    # shellcheck disable=SC1090
    . "$OS_RELEASE" 2>/dev/null && [ "${ID:-}" = debian ] && [ "${VERSION_ID:-}" = 12 ]
)

setup_elsewhere() {
    local missing
    missing=$(tools_missing | tr '\n' ' ')
    if [ -z "$missing" ]; then
        [ "$VERB" != setup ] || echo "This is $(os_name), not Debian 12: nothing is installed; the tools are there."
        [ "$VERB" = setup ] ||
            echo "Note: this is $(os_name); Cede is built and tested on Debian 12. Going on." >&2
        return 0
    fi
    echo "This is $(os_name). ./dev installs packages on Debian 12 only, and these tools are missing:" >&2
    echo "    $missing" >&2
    echo "tools/packages.txt lists what Debian 12 calls their packages." >&2
    exit 1
}

# A fresh image has no package lists yet.
apt_update_first() {
    [ -n "$(find /var/lib/apt/lists -name '*_Packages*' -print -quit 2>/dev/null)" ] ||
        printf 'sudo apt-get update && '
}

apt_install() { # apt_install <package...>
    local log=$ROOT/build/log/setup-apt.log
    mkdir -p "$ROOT/build/log"
    echo "Installing $# packages: $*"
    echo "(log: ${log#"$ROOT"/})"
    if ! { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@"; } \
        >"$log" 2>&1 </dev/null; then
        tail -n 15 "$log" >&2
        echo "Could not install the packages; the whole log is ${log#"$ROOT"/}." >&2
        exit 1
    fi
}

setup_check() {
    local missing
    if ! os_is_debian_12 || ! command -v dpkg-query >/dev/null 2>&1; then
        setup_elsewhere
        return 0
    fi
    mapfile -t missing < <(packages_missing)
    if [ "${#missing[@]}" -eq 0 ]; then
        [ "$VERB" != setup ] || echo "All packages of tools/packages.txt are installed."
        return 0
    fi
    if [ "$(id -u)" -ne 0 ]; then
        echo "Packages are missing. Run this once, then ./dev $VERB again:" >&2
        echo >&2
        echo "    $(apt_update_first)sudo apt-get install -y ${missing[*]}" >&2
        exit 1
    fi
    apt_install "${missing[@]}"
    mapfile -t missing < <(packages_missing)
    if [ "${#missing[@]}" -ne 0 ]; then
        echo "apt-get reported success, but these packages are still missing: ${missing[*]}" >&2
        exit 1
    fi
    echo "All packages of tools/packages.txt are installed."
}
