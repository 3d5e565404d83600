# SPDX-License-Identifier: MIT
# The library for programs of others: installed, found by pkg-config, used by a
# program in C and one in C++; docs/API.md and docs/from-discolink.md are true; and
# the two commands of discoLink's examples work with the same words.
# shows DL-39 DL-41 DL-42 DL-43 DL-44 DL-45 DL-46
here=$(cd "$(dirname "$0")/.." && pwd)
root=$(dirname "$here")
. "$here/lib/tally.sh"
cd "$root" || exit 2

place=$(mktemp -d)
SHMLINK_REGISTRY=l$$
export SHMLINK_REGISTRY
device=

end_device() { # leaves its exit code in $code
    [ -n "$device" ] || return
    kill -TERM "$device" 2>/dev/null
    wait "$device"
    code=$?
    device=
}

tidy() {
    end_device
    ./shmlink clean >/dev/null 2>&1
    rm -rf "$place" "/dev/shm/shl-$(id -u)-$SHMLINK_REGISTRY"
}
trap tidy EXIT
trap 'exit 130' INT TERM

check() { # what, command ...
    c_what=$1
    shift
    if "$@" >"$place/out" 2>&1; then
        pass "$c_what"
    else
        fail "$c_what"
        sed 's/^/     | /' "$place/out" | tail -20
    fi
}

# ---- installed -----------------------------------------------------------------

check "make lib" make lib PREFIX=/opt/somewhere
check "shmlink.pc has the prefix" grep -qx prefix=/opt/somewhere shmlink.pc
rm -f shmlink.pc
check "make install" make install PDLIBDIR="$place/pd" PREFIX="$place/prefix"
PKG_CONFIG_PATH=$place/prefix/lib/pkgconfig
export PKG_CONFIG_PATH
version=$(sed -n 's/^#X text [0-9]* [0-9]* VERSION \(.*\);/\1/p' shmlink-meta.pd)
check "pkg-config knows version $version" \
    test "$(pkg-config --modversion shmlink)" = "$version"
flags=$(pkg-config --cflags shmlink)
libs=$(pkg-config --libs shmlink)

foreign=$(nm -g --defined-only "$place/prefix/lib/libshmlink.a" |
    awk 'NF == 3 && $3 !~ /^shl_/ { print $3 }' | sort -u | paste -sd' ')
check "every symbol of the archive begins with shl_ $foreign" test -z "$foreign"

needs() { # file: the libraries that it names
    readelf -d "$1" | sed -n 's/.*NEEDED.*\[\(.*\)\]/\1/p'
}
for file in shmlink~.pd_linux shmreg.pd_linux; do
    more=$(needs $file | grep -v '^lib\(c\|m\|pthread\|rt\|dl\|samplerate\)\.so\|^ld-linux' |
        paste -sd' ')
    check "$file needs but libc, and libsamplerate where it is: $more" test -z "$more"
done

# ---- a device in C, a host in C++ ----------------------------------------------

cp examples/device.c "$place/device.c"
cat >"$place/host.cpp" <<'CPP'
// Every step of a host, in the order in which docs/from-discolink.md names them.
#include <shmlink/shmlink-plugin.h>

#include <cmath>
#include <cstdio>
#include <cstring>

static int failed(const char *what)
{
    std::fprintf(stderr, "failed: %s\n", what);
    return 1;
}

int main()
{
    shl_host_options options = shl_host_options();
    options.out_channels = 1;
    options.rate_hz = 48000;
    options.block_frames = 64;
    options.batch = 1;
    shl_host *host = nullptr;
    if (shl_host_new(&options, &host) || shl_host_setup(host, 48000, 64) ||
        shl_host_set_tag(host, "lead"))
        return failed("new");

    shl_registry *registry = nullptr;
    shl_why why;
    static shl_device_info info[64];
    uint32_t count = 0;
    if (shl_registry_open(nullptr, &registry, &why) ||
        shl_registry_scan(registry, info, 64, &count) || count != 1 ||
        std::strcmp(info[0].id, "Example:0") != 0)
        return failed("scan");
    shl_registry_close(registry);

    if (shl_host_open(host, "Example:0", 5000))
        return failed("open");
    float plane[64], *out[] = {plane};
    double loud[3] = {0, 0, 0};
    shl_midi_stream stream = shl_midi_stream();
    for (int part = 0; part < 3; part++) {
        shl_event event = shl_event_midi(0, 0, 0x80, 60, 0);
        if (part == 1)
            event = shl_event_midi(0, 0, 0x90, 60, 100);
        if (part < 2 && shl_host_send(host, &event, 0))
            return failed("send");
        const uint8_t off[] = {0x80, 60, 0};
        for (int i = 0; part == 2 && i < 3; i++) {
            uint32_t ump[2];
            uint32_t words = shl_midi_stream_byte(&stream, 0, off[i], ump);
            if (!words)
                continue;
            event = shl_event_ump(0, ump, words);
            if (shl_host_send(host, &event, 0))
                return failed("raw");
        }
        for (int block = 0; block < 400; block++) {
            if (!shl_host_process(host, nullptr, out, 64))
                return failed("process");
            uint32_t offset;
            while (shl_host_event(host, &event, &offset))
                continue;
            shl_host_poll(host);
            for (int i = 0; block >= 200 && i < 64; i++)
                loud[part] = std::fmax(loud[part], std::fabs(plane[i]));
        }
    }
    shl_host_close(host);
    shl_host_free(host);
    std::printf("%g %g %g\n", loud[0], loud[1], loud[2]);
    return loud[0] < 0.001 && loud[1] > 0.1 && loud[2] < 0.001
               ? 0 : failed("sound");
}
CPP
# shellcheck disable=SC2086
{
    check "a program in C compiles with what pkg-config says" \
        "${CC:-cc}" -std=c11 -O2 -Wall -Wextra -Wpedantic -Werror $flags \
        -o "$place/device" "$place/device.c" $libs
    check "a program in C++ compiles, too" \
        "${CXX:-c++}" -std=c++17 -O2 -Wall -Wextra -Wpedantic -Werror $flags \
        -o "$place/host" "$place/host.cpp" $libs
}
foreign=$(ldd "$place/device" | awk '{ print $1 }' | grep -vE \
    '^(linux-vdso|linux-gate|libc|libm|libpthread|librt|libdl)\.so|^/.*/ld-' |
    paste -sd' ')
check "it needs nothing but libc $foreign" test -z "$foreign"

timeout -k 2 1000 "$place/device" >"$place/device.log" 2>&1 </dev/null &
device=$!
./shmlink wait Example:0 --timeout 400 >/dev/null 2>&1
check "the host in C++ plays the device in C" timeout -k 2 1000 "$place/host"
end_device
check "the device ends in good order" test "$code" -eq 0

# ---- the pages -------------------------------------------------------------------

sh tests/api.sh >"$place/API.md" 2>"$place/api.err"
check "each public call says what it is and on which thread" \
    test ! -s "$place/api.err"
check "API.md is what the headers say (make api)" cmp "$place/API.md" docs/API.md

# The calls that docs/from-discolink.md sets beside discoLink's: each is in a header, and a
# program can be made of all of them.
calls=$(grep -o 'shl_[a-z_]*(' docs/from-discolink.md | tr -d '(' | sort -u)
check "docs/from-discolink.md sets more than 15 calls beside discoLink's" \
    test "$(echo "$calls" | wc -l)" -gt 15
{
    echo '#include <shmlink/shmlink-plugin.h>'
    echo '#define USE(call) { void (*p)(void) = (void (*)(void))call; used += !!p; }'
    echo 'int main(void) { int used = 0;'
    for call in $calls; do echo "USE($call)"; done
    echo 'return used == 0; }'
} >"$place/calls.c"
# shellcheck disable=SC2086
check "all of them are in the headers and in the archive" \
    "${CC:-cc}" -std=c11 $flags -o "$place/calls" "$place/calls.c" $libs
for word in startDevice onCommand processCommands sendAudio stopDevice \
    setLocalBufferInfo setLinkTag getAvailableDevices connectToDevice \
    midiNoteOn midiRaw receiveAudio processResponses disconnect; do
    grep -q "$word" docs/from-discolink.md ||
        fail "docs/from-discolink.md does not say what becomes of $word"
done

# ---- the same words --------------------------------------------------------------

timeout -k 2 1000 ./shmlink device --samplerate 48000 --blocksize 512 \
    --id ExampleSine:0 >"$place/sine.log" 2>&1 </dev/null &
device=$!
./shmlink wait ExampleSine:0 --timeout 400 >/dev/null 2>&1
check "device --samplerate 48000 --blocksize 512 --id ExampleSine:0" \
    sh -c './shmlink list | grep -q "^ExampleSine:0 .* 48000 *512 "'
timeout -s INT -k 5 1.5 ./shmlink host --id ExampleSine:0 \
    >"$place/play.log" 2>&1 </dev/null
check "host --id ExampleSine:0 plays it" awk '
    /^played/ { notes = $4 }
    /^peak/ && $2 > -60 { loud = 1 }
    { print }
    END { exit !(notes > 0 && loud) }' "$place/play.log"
end_device
check "and the device ends in good order" test "$code" -eq 0
tally_end
