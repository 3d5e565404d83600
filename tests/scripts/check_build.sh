# SPDX-License-Identifier: MIT
# What the build itself promises: one version, rooms that can be told apart,
# nothing exported but the setup functions, and no class that links what it does
# not need.
here=$(cd "$(dirname "$0")/.." && pwd)
root=$(dirname "$here")
. "$here/lib/tally.sh"
cd "$root" || exit 2

in_patch=$(sed -n 's/^#X text [0-9]* [0-9]* VERSION \(.*\);/\1/p' \
    shmlink-meta.pd)
in_header=$(sed -n 's/^#define SHL_VERSION_[A-Z]* //p' include/shmlink/shmlink.h |
    paste -sd.)
if [ -n "$in_patch" ] && [ "$in_patch" = "$in_header" ]; then
    pass "version $in_patch, in shmlink-meta.pd and in shmlink.h"
else
    fail "version: shmlink-meta.pd has $in_patch, shmlink.h has $in_header"
fi
if grep -q "^## $in_patch" CHANGELOG.md; then
    pass "CHANGELOG.md has an entry for $in_patch"
else
    fail "CHANGELOG.md has no entry for $in_patch"
fi

if sh tests/rooms.sh; then
    pass "the rooms are apart"
else
    fail "the rooms are not apart"
fi
copy=$(mktemp -d)
for trespass in 'core/shm/ring.c "shmlink/host.h"' 'core/shm/ring.c <unistd.h>' \
    'core/values/status.c "core/os/platform.h"' \
    'core/lockstep/cycle.c "shmlink/monitor.h"' \
    'core/host/link.c "shmlink/device.h"' \
    'core/host/link.c "shmlink/shmlink.h"' 'pd/atoms.c "core/shm/ring.h"' \
    'pd/atoms.c "pd/host/shmlink.h"' 'pd/patch/patch.c "pd/host/shmlink.h"' \
    'pd/atoms.c <unistd.h>' 'tool/main.c "m_pd.h"' 'tool/main.c "pd/atoms.h"' \
    'plug/state.c "shmlink/host.h"'; do
    rm -rf "$copy/src" "$copy/include"
    cp -r src include docs "$copy"
    echo "#include ${trespass#* }" >>"$copy/src/${trespass%% *}"
    if sh tests/rooms.sh "$copy" >/dev/null; then
        fail "make rooms overlooks ${trespass#* } in src/${trespass%% *}"
    else
        pass "make rooms sees ${trespass#* } in src/${trespass%% *}"
    fi
done
rm -rf "$copy/src" "$copy/include"
cp -r src include docs "$copy"
echo "int shl_new;" >"$copy/src/core/shm/new.c"
if sh tests/rooms.sh "$copy" >/dev/null; then
    fail "make rooms overlooks a file without a row in LAYOUT.md"
else
    pass "make rooms sees a file without a row in LAYOUT.md"
fi
rm -f "$copy/src/core/shm/new.c" "$copy"/src/core/shm/ring_tap.[ch]
if sh tests/rooms.sh "$copy" >/dev/null; then
    fail "make rooms overlooks a row of LAYOUT.md without a file"
else
    pass "make rooms sees a row of LAYOUT.md without a file"
fi
rm -rf "$copy/src" "$copy/include"
cp -r src include docs "$copy"
echo "#define SIZE_MAX_OF_MINE 4096" >>"$copy/src/pd/atoms.c"
if sh tests/rooms.sh "$copy" >/dev/null; then
    fail "make rooms overlooks a limit that is written again"
else
    pass "make rooms sees a limit that is written again"
fi

if sh tests/licenses.sh; then
    pass "each file says its licence"
else
    fail "a file does not say its licence"
fi
sed -i 1d "$copy/src/pd/atoms.c"
if sh tests/licenses.sh "$copy" >/dev/null; then
    fail "licenses.sh overlooks a file that says no licence"
else
    pass "licenses.sh sees a file that says no licence"
fi
rm -rf "$copy/src" "$copy/include"

# Two made-up files: the second one needs the first, and then the first the second.
circle() { # what first.c needs
    echo "int shl_first(void); int $1(void); int shl_first(void) { return $1(); }" \
        >"$copy/first.c"
    echo 'int shl_first(void); int shl_second(void);
        int shl_second(void) { return shl_first(); }' >"$copy/second.c"
    ${CC:-cc} -c -o "$copy/first.o" "$copy/first.c" &&
        ${CC:-cc} -c -o "$copy/second.o" "$copy/second.c" &&
        sh tests/circles.sh "two=$copy/first.o,$copy/second.o"
}
if circle shl_third >/dev/null; then
    pass "files that need each other one way are no circle"
else
    fail "circles.sh sees a circle where there is none"
fi
if found=$(circle shl_second); then
    fail "circles.sh overlooks a circle"
elif echo "$found" | grep -q "first.c needs of $copy/second.c: shl_second"; then
    pass "circles.sh sees a circle, and names its calls"
else
    fail "circles.sh sees a circle, and says: $found"
fi
if sh tests/circles.sh; then
    pass "no circle of calls"
else
    fail "files call each other in circles"
fi
rm -rf "$copy"

# What mutate.sh would call stale, without the hours.
stale=$(awk 'BEGIN { RS = ""; FS = "\n" } $1 !~ /^#/ { print $2; print $3 }' \
    tests/mutations.txt | while read -r file && read -r old; do
    old=${old#- } awk '{ sub(/^[ \t]+/, ""); sub(/[ \t]+$/, "") }
        $0 == ENVIRON["old"] { n++ }
        END { exit n != 1 }' "$file" || echo "$file: $old"
done)
if [ -z "$stale" ]; then
    pass "each line of mutations.txt stands once in its file"
else
    fail "mutations.txt has lines that do not stand once in their file: $stale"
fi

for binary in *.pd_linux *.linux-*-64.so; do
    names=$(nm -D --defined-only "$binary" | awk '{ print $3 }' |
        grep -v -e '^_init$' -e '^_fini$' | paste -sd' ')
    case $names in
    shmlink_tilde_setup | shmreg_setup) pass "$binary exports $names alone" ;;
    *) fail "$binary exports: ${names:-nothing}" ;;
    esac
done

# [shmreg] only looks at the board and at links: no resampler, no room of a host, a
# device or a plugin, and no file of [shmlink~]. The same look at shmlink~ finds all
# of them.
strangers=$(mktemp)
for room in build/core/host build/core/device build/core/free build/core/lockstep \
    build/core/maolan src/pd/host src/pd/patch; do
    nm --defined-only "$room"/*.o | awk '$2 == "T" { print $3 }'
done | sort -u >"$strangers"
linked() { # binary: which of the strangers are in it
    nm --defined-only "$1" | awk '{ print $3 }' | sort -u | comm -12 "$strangers" -
}
for binary in shmreg.pd_linux shmreg.linux-*-64.so; do
    found=$(linked "$binary")
    needed=$(readelf -d "$binary" | sed -n 's/.*NEEDED.*\[\(.*\)\]/\1/p' |
        grep -v -e '^lib\(c\|m\|dl\|rt\|pthread\)\.so' -e '^ld-linux' | paste -sd' ')
    if [ -z "$found$needed" ]; then
        pass "$binary links nothing of [shmlink~], and libc only"
    else
        fail "$binary links $(echo "$found" | grep -c .) functions that it does" \
            "not need ($(echo "$found" | head -n 1)) and libraries: ${needed:-none}"
    fi
done
found=$(linked shmlink~.pd_linux | wc -l)
if [ "$found" -gt 100 ]; then
    pass "the same look at shmlink~.pd_linux finds $found functions"
else
    fail "the same look at shmlink~.pd_linux finds only $found functions"
fi
rm -f "$strangers"
tally_end
