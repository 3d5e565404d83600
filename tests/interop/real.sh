#!/bin/sh
# SPDX-License-Identifier: MIT
# The published programs of the other side, as their users have them: plugin
# hosts, and engines behind one small program (engine.rs). Built into
# build/interop/real once, which takes minutes: `make soak` does it; anybody may.
# A line for each that is not there afterwards, with the reason.
cd "$(dirname "$0")" || exit 2
here=$(pwd)
real=$(cd ../.. && pwd)/build/interop/real
mkdir -p "$real" || exit 1

# All there: nothing is installed or fetched.
there=0
for name in host-0.0.2 host-0.0.7 host-0.0.8 host-0.1.2 engine-0.2.20 \
    engine-0.2.65 engine-0.3.7 engine-0.4.20; do
    [ ! -x "$real/$name" ] || there=$((there + 1))
done
[ "$there" -lt 8 ] || exit 0

built() { # name
    [ -x "$real/$1" ]
}

# What the engines link to, early ones most of all; and something to play with.
packages="pkg-config libasound2-dev libjack-jackd2-dev librubberband-dev
    libavcodec-dev libavdevice-dev libavfilter-dev libavformat-dev libavutil-dev
    libswresample-dev libswscale-dev libclang-dev lv2-examples zam-plugins"
if [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; then
    # shellcheck disable=SC2086 # a list
    DEBIAN_FRONTEND=noninteractive timeout 900 apt-get -q install -y \
        --no-install-recommends $packages </dev/null >/dev/null 2>&1
fi

# The last words of a build that failed.
reason() { # log
    grep -m 1 '^error' "$1" || grep . "$1" | tail -n 1 | grep . ||
        echo "was not built within 20 minutes"
}

began=$(date +%s)
build() { # name command ...
    name=$1
    shift
    if [ $(($(date +%s) - began)) -gt 3600 ]; then
        echo "$name: no time left, the next run goes on"
        return 1
    fi
    if nice timeout 1200 "$@" >"$real/$name.log" 2>&1; then
        rm -f "$real/$name.log"
    else
        echo "$name: $(reason "$real/$name.log")"
        return 1
    fi
}

# Early ones are programs, later ones a library that has all of it.
host() { # version
    built "host-$1" && return
    build "host-$1" cargo install -q --root "$real/install-$1" --target-dir \
        "$real/target" "maolan-plugin-host@$1" &&
        cp "$real/install-$1/bin/maolan-plugin-host" "$real/host-$1"
    rm -rf "$real/install-$1"
}

manifest() { # folder package dependency
    mkdir -p "$1"
    cat >"$1/Cargo.toml" <<END
[package]
name = "$2"
version = "0.0.0"
edition = "2021"
publish = false

[[bin]]
name = "$2"
path = "main.rs"

[dependencies]
$3

[features]
planes = []
resources = []

[profile.dev]
debug = 0

[workspace]
END
}

library_host() { # version
    built "host-$1" && return
    manifest "$real/lib-$1" plugin-host "maolan-plugin-host = \"=$1\""
    echo 'fn main() { maolan_plugin_host::cli::run() }' >"$real/lib-$1/main.rs"
    build "host-$1" cargo build -q --manifest-path "$real/lib-$1/Cargo.toml" \
        --target-dir "$real/target" &&
        cp "$real/target/debug/plugin-host" "$real/host-$1"
}

# Features: what this one has and earlier ones have not.
engine() { # version features dependency-features
    built "engine-$1" && return
    manifest "$real/lib-$1" engine \
        "maolan-engine = { version = \"=$1\"$3 }"
    cp "$here/engine.rs" "$real/lib-$1/main.rs"
    build "engine-$1" cargo build -q --manifest-path \
        "$real/lib-$1/Cargo.toml" --target-dir "$real/target" \
        --features "$2" &&
        cp "$real/target/debug/engine" "$real/engine-$1"
}

host 0.0.2
host 0.0.7
host 0.0.8
library_host 0.1.2
engine 0.4.20 planes,resources ', features = ["plugins"]'
engine 0.3.7 planes,resources
engine 0.2.65 planes
engine 0.2.20 ""
# what they were made of is large
rm -rf "$real/target" "$real"/lib-*
