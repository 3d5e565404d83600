#!/bin/sh
# SPDX-License-Identifier: MIT
# Installs packages on Debian and its kin. Asks nothing, does nothing when all
# is there. Without the right to install it prints the line to type and fails.
#
#   deps.sh build        to build
#   deps.sh demo         to build, and for `make demo`
#   deps.sh bench        to build, and for `make bench`
#   deps.sh tests        all of it; unpacks a newer Pd into build/, beside the
#                        packaged one (the default)
#   deps.sh ci           what only .ci/run needs beside that; a newer clang goes
#                        into build/zig
#   deps.sh list         prints the names of the packages, installs nothing
here=$(cd "$(dirname "$0")" && pwd)
root=$(dirname "$here")
purpose=${1:-tests}

# The one list of packages. Pd's window (puredata-gui) is on no list: nothing
# here needs it.
build="build-essential pkg-config puredata-dev pd-lib-builder libsndfile1-dev
    libsamplerate0-dev"
demo="puredata-core sox gnuplot-nox"
bench="puredata-core puredata-extra"
tests="libcmocka-dev clang clang-format libclang-rt-dev gcc-multilib git
    jackd2 locales procps puredata-utils python3 strace"

ci="clang-tidy python3-venv"

case $purpose in
build) wanted=$build ;;
demo) wanted="$build $demo" ;;
bench) wanted="$build $bench" ;;
tests) wanted="$build $demo $bench $tests" ;;
ci) wanted="$ci" ;;
list)
    echo $build $demo $bench $tests | tr ' ' '\n' | sort -u
    exit 0
    ;;
*)
    echo "deps: '$purpose' is none of build, demo, bench, tests, ci, list" >&2
    exit 2
    ;;
esac

installed() {
    case $(dpkg-query -W -f '${db:Status-Abbrev}' "$1" 2>/dev/null) in
    ii*) return 0 ;;
    esac
    return 1
}

missing() {
    for package in $wanted; do
        installed "$package" || echo "$package"
    done
}

as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    else
        sudo -n "$@"
    fi
}

install_missing() {
    need=$(echo $(missing))
    [ -n "$need" ] || return 0
    line="apt-get install -y --no-install-recommends $need"
    if ! command -v apt-get >/dev/null; then
        echo "deps: this system has no apt-get; what shmlink needs, by the" \
            "names that Debian gives it: $need" >&2
        return 1
    fi
    if ! as_root true 2>/dev/null; then
        echo "deps: not allowed to install packages; as root, run" >&2
        echo "    $line" >&2
        return 1
    fi
    echo "deps: installing $need"
    as_root apt-get -q update </dev/null &&
        as_root env DEBIAN_FRONTEND=noninteractive $line </dev/null &&
        return 0
    echo "deps: the package manager failed; as root, run" >&2
    echo "    apt-get update && $line" >&2
    return 1
}

# ---- a newer Pd -------------------------------------------------------------------

newer=$root/build/pd-newer

# The mirror and release that this system itself uses.
mirror() {
    apt-get update --print-uris 2>/dev/null </dev/null |
        sed -n "s|^'\(.*\)/dists/$codename/InRelease'.*|\1|p" | head -1
}

apt_aside() { # apt with sources and folders of its own
    tool=$1
    shift
    $tool -q -o Dir::Etc::SourceList="$aside/sources.list" \
        -o Dir::Etc::SourceParts=/dev/null -o Dir::State::lists="$aside/lists" \
        -o Dir::Cache="$aside/cache" -o APT::Sandbox::User=root \
        -o Acquire::http::Timeout=20 -o Acquire::Retries=1 "$@" </dev/null
}

fetch_newer() {
    codename=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
    source=$(mirror)
    [ -n "$codename" ] && [ -n "$source" ] || return 1
    mkdir -p "$aside/lists/partial" "$aside/cache/archives/partial" \
        "$aside/debs"
    echo "deb $source $codename-backports main" >"$aside/sources.list"
    apt_aside apt-get update >"$aside/log" 2>&1 || return 1
    (cd "$aside/debs" && apt_aside apt-get download \
        puredata-core puredata64-core) >>"$aside/log" 2>&1 || return 1
    for deb in "$aside"/debs/*.deb; do
        dpkg -x "$deb" "$aside/tree" || return 1
    done
    "$aside/tree/usr/bin/puredata" -version 2>/dev/null >&2 || return 1
    mkdir -p "$root/build"
    rm -rf "$newer"
    mv "$aside/tree" "$newer"
}

unpack_newer() {
    [ ! -x "$newer/usr/bin/puredata64" ] || return 0
    command -v dpkg >/dev/null && command -v apt-get >/dev/null || {
        echo "skipped: no newer Pd"
        return 0
    }
    aside=$(mktemp -d)
    if fetch_newer; then
        echo "deps: unpacked $("$newer/usr/bin/puredata" -version 2>&1 |
            cut -d' ' -f1) into build/pd-newer"
    else
        echo "skipped: no newer Pd"
    fi
    rm -rf "$aside"
    return 0
}

# A clang that checks the audio path, from the Python package that carries one.
fetch_clang() {
    [ ! -x "$root/build/zig/bin/python" ] || return 0
    mkdir -p "$root/build"
    if python3 -m venv "$root/build/zig" >/dev/null 2>&1 &&
        "$root/build/zig/bin/pip" install -q --disable-pip-version-check \
            ziglang >/dev/null 2>&1; then
        echo "deps: unpacked clang of ziglang into build/zig"
    else
        rm -rf "$root/build/zig"
        echo "skipped: no newer clang"
    fi
}

install_missing || exit 1
[ "$purpose" != tests ] || unpack_newer
[ "$purpose" != ci ] || fetch_clang
