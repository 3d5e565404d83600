#!/bin/sh
# SPDX-License-Identifier: MIT
# Both commands of README.md, typed into a bare Debian 12 that has nothing but its
# minimal system: `make demo` after installing `make`, then `make check`. As root,
# with mmdebstrap or debootstrap; skipped and counted elsewhere.
#
#   fresh.sh              both; when both have worked, writes the list of packages
#                         into tests/fresh.packages
#   fresh.sh if-changed   only if the list of packages is not the one in that file
here=$(cd "$(dirname "$0")" && pwd)
root=$(dirname "$here")
cd "$root" || exit 2
. "$here/lib/tally.sh"

release=bookworm
limit=3000
place=$root/build/fresh
system=$place/system

give_up() {
    skip "fresh: $*"
    tally_end
    exit 0
}

if [ "${1:-}" = if-changed ] &&
    sh "$here/deps.sh" list | cmp -s - "$here/fresh.packages"; then
    echo "fresh: the packages are those of tests/fresh.packages"
    exit 0
fi
[ "$(id -u)" -eq 0 ] || give_up "only root can make a system in a folder"

# The mirror that this system itself uses.
mirror=$(apt-get update --print-uris 2>/dev/null </dev/null |
    sed -n "s|^'\(.*\)/dists/$release/InRelease'.*|\1|p" | head -n 1)
[ -n "$mirror" ] || give_up "this system installs no packages of $release"

rm -rf "$place"
mkdir -p "$place"
if command -v mmdebstrap >/dev/null; then
    mmdebstrap --variant=minbase $release "$system" "$mirror"
elif command -v debootstrap >/dev/null; then
    debootstrap --variant=minbase $release "$system" "$mirror"
else
    give_up "there is neither mmdebstrap nor debootstrap"
fi >"$place/log" 2>&1 </dev/null || {
    tail -n 5 "$place/log"
    give_up "no minimal system came from $mirror"
}
for file in /etc/resolv.conf /etc/hosts /etc/apt/apt.conf.d/*proxy* \
    /etc/apt/apt.conf.d/*registry*; do
    [ ! -e "$file" ] || cp -L "$file" "$system$file"
done
git clone -q "$root" "$system/shmlink" || give_up "this folder is no git checkout"

# A process and a folder of shared memory more or less is nobody else's business.
inside() { # command
    timeout -k 10 "$limit" unshare --mount --pid --fork --kill-child sh -c '
        mount --bind "$1" "$1" && mount -t proc proc "$1/proc" &&
        mount --rbind /dev "$1/dev" &&
        mount -t tmpfs -o mode=1777 tmpfs "$1/dev/shm" &&
        exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 \
            chroot "$1" sh -c "cd /shmlink && $2"' sh "$system" "$1" \
        >"$place/log" 2>&1 </dev/null
}

try() { # command
    if inside "$1"; then
        pass "fresh: $1 ($(tail -n 1 "$place/log"))"
    else
        fail "fresh: $1 ended with status $?"
        grep '^FAIL' "$place/log" | head -n 20
        tail -n 20 "$place/log" | sed 's/^/     | /'
        tally_end
        exit 1
    fi
}

try "apt-get update && apt-get install -y make"
try "make demo"
try "test -s demo.wav && test -s demo.png"
try "make check"
sh "$here/deps.sh" list >"$here/fresh.packages"
rm -rf "$system"
tally_end
