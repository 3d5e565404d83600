/* SPDX-License-Identifier: MIT */
/* Segments of other versions, of liars, of nobody, and segments that are cut. */
#include "core/shm/segment.h"

#include "child.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "segments.h"

/* ---- what is refused ----------------------------------------------------------- */

/* shows MP-03 DL-17 */
static void other_versions_are_refused_by_both_numbers(void **state)
{
    const uint32_t versions[] = {0, 1, 2, 4, 5, 6, UINT32_MAX};
    struct shl_link_header *link = (void *)(device.map.base + SHL_LINK_OFFSET);
    struct shl_why why;
    char number[16];

    (void)state;
    shl_segment_ready(&device);
    for (size_t i = 0; i < sizeof versions / sizeof versions[0]; i++) {
        atomic_store(shl_segment_word(&device, 4), versions[i]);
        assert_int_equal(opened(&why), SHL_WRONG_VERSION);
        snprintf(number, sizeof number, "%u,", (unsigned)versions[i]);
        assert_non_null(strstr(why.text, number));
        assert_non_null(strstr(why.text, "program 3"));
    }
    atomic_store(shl_segment_word(&device, 4), 3);
    assert_int_equal(opened(NULL), SHL_OK);
    link->major = 2;
    assert_int_equal(opened(&why), SHL_WRONG_VERSION);
    assert_non_null(strstr(why.text, "2.2"));
    assert_non_null(strstr(why.text, "1.2"));
    link->major = 0;
    assert_int_equal(opened(&why), SHL_WRONG_VERSION);
}

/* shows MP-03 DL-17 */
static void newer_minor_version_is_welcome(void **state)
{
    struct shl_link_header *link = (void *)(device.map.base + SHL_LINK_OFFSET);
    struct shl_segment host;
    uint32_t count = link->region_count;

    (void)state;
    link->minor = 7;
    link->region[count].id = 4711; /* unknown: its place is not our business */
    link->region[count].offset = 1;
    link->region[count].size = UINT32_MAX;
    link->region_count = count + 1;
    shl_segment_ready(&device);
    open_host(&host);
    assert_int_equal(host.param_capacity, SHL_MAX_PARAMS);
    shl_segment_close(&host);
}

static void device_of_minor_version_0_has_no_messages(void **state)
{
    struct shl_link_header *link = (void *)(device.map.base + SHL_LINK_OFFSET);
    struct shl_segment host;

    (void)state;
    link->minor = 0;
    link->region_count = SHL_REGION_MESSAGES - 1;
    shl_segment_ready(&device);
    open_host(&host);
    assert_null(host.messages);
    assert_null(host.taps);
    assert_null(host.streams);
    assert_non_null(host.events_to_host);
    shl_segment_close(&host);
    link->minor = 1;
    link->region_count = SHL_REGION_END - 1;
    open_host(&host);
    assert_ptr_equal(host.messages, host.map.base + SHL_MESSAGES_OFFSET);
    assert_ptr_equal(host.taps, host.map.base + SHL_TAPS_OFFSET);
    assert_ptr_equal(host.streams, host.map.base + SHL_STREAMS_OFFSET);
    shl_segment_close(&host);
}

static void enlarged_and_moved_regions_are_followed(void **state)
{
    struct shl_link_header *link = (void *)(device.map.base + SHL_LINK_OFFSET);
    const uint32_t more = 1u << 20;
    struct shl_segment host;

    (void)state;
    assert_int_equal(ftruncate(device.map.fd, SHL_SEGMENT_SIZE + more), 0);
    link->total_size = SHL_SEGMENT_SIZE + more;
    for (uint32_t i = 0; i < link->region_count; i++) {
        if (link->region[i].id == SHL_REGION_PARAMS) {
            link->region[i].offset = SHL_SEGMENT_SIZE;
            link->region[i].size = 262144 + more / 2;
        }
        if (link->region[i].id == SHL_REGION_COUNTERS)
            link->region[i].offset = SHL_SEGMENT_SIZE + more - 4096;
    }
    shl_segment_ready(&device);
    open_host(&host);
    assert_ptr_equal(host.counters,
                     host.map.base + SHL_SEGMENT_SIZE + more - 4096);
    assert_int_equal(host.param_capacity, SHL_MAX_PARAMS);
    shl_segment_close(&host);
}

/* shows MP-02 */
static void other_magic_is_no_segment(void **state)
{
    struct shl_link_header *link = (void *)(device.map.base + SHL_LINK_OFFSET);

    (void)state;
    shl_segment_ready(&device);
    link->magic++;
    assert_int_equal(opened(NULL), SHL_BAD_PEER);
    link->magic--;
    assert_int_equal(opened(NULL), SHL_OK);
    atomic_store(shl_segment_word(&device, 0), 0);
    assert_int_equal(opened(NULL), SHL_BAD_PEER);
}

struct lie {
    const char *about;
    uint32_t region; /* enum shl_region; 0: the header */
    uint32_t offset, size;
};

/* shows DL-60 */
static void hostile_region_tables_are_refused(void **state)
{
    static const struct lie lies[] = {
        {"inside the Maolan part", SHL_REGION_LINES, 512, 512},
        {"on the link header", SHL_REGION_LINES, SHL_LINK_OFFSET, 512},
        {"at its last byte", SHL_REGION_LINES, SHL_LINK_OFFSET + 248, 512},
        {"not aligned", SHL_REGION_LINES, SHL_LINES_OFFSET + 4, 512},
        {"too small", SHL_REGION_LINES, SHL_LINES_OFFSET, 511},
        {"nothing", SHL_REGION_IDENTITY, SHL_IDENTITY_OFFSET, 0},
        {"over the end", SHL_REGION_STREAMS, SHL_STREAMS_OFFSET + 8, 4194816},
        {"too small to hold messages", SHL_REGION_MESSAGES, SHL_MESSAGES_OFFSET,
         132095},
        {"on the rings", SHL_REGION_TAPS, SHL_MESSAGES_OFFSET, 4096},
        {"behind the end", SHL_REGION_LINES, SHL_SEGMENT_SIZE, 512},
        {"far behind", SHL_REGION_LINES, 0xFFFFFFF8u, 512},
        {"wrapping", SHL_REGION_LINES, 0xFFFFFFF8u, 0xFFFFFFF8u},
        {"all of 32 bits", SHL_REGION_EVENTS_TO_HOST, SHL_LINK_OFFSET + 1024,
         UINT32_MAX},
        {"on another", SHL_REGION_CLAIM, SHL_IDENTITY_OFFSET, 1024},
        {"into another", SHL_REGION_CLAIM, SHL_CLAIM_OFFSET, 1024},
    };
    struct shl_link_header *link = (void *)(device.map.base + SHL_LINK_OFFSET);
    struct shl_link_header honest = *link;
    struct shl_why why;

    (void)state;
    shl_segment_ready(&device);
    for (size_t i = 0; i < sizeof lies / sizeof lies[0]; i++) {
        *link = honest;
        for (uint32_t r = 0; r < link->region_count; r++) {
            if (link->region[r].id != lies[i].region)
                continue;
            link->region[r].offset = lies[i].offset;
            link->region[r].size = lies[i].size;
        }
        if (opened(&why) != SHL_BAD_PEER)
            fail_msg("a region %s is let in", lies[i].about);
        assert_non_null(strstr(why.text, "region"));
    }
    *link = honest;
    assert_int_equal(opened(NULL), SHL_OK);
}

static void missing_and_double_regions_are_refused(void **state)
{
    struct shl_link_header *link = (void *)(device.map.base + SHL_LINK_OFFSET);
    struct shl_link_header honest = *link;
    const uint32_t counts[] = {0, 6, 21, UINT32_MAX};

    (void)state;
    shl_segment_ready(&device);
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        link->region_count = counts[i];
        assert_int_equal(opened(NULL), SHL_BAD_PEER);
    }
    *link = honest;
    link->region[0].id = 0;
    assert_int_equal(opened(NULL), SHL_BAD_PEER);
    *link = honest;
    link->region[link->region_count] = link->region[0];
    link->region_count++;
    assert_int_equal(opened(NULL), SHL_BAD_PEER);
}

static void short_segments_are_refused(void **state)
{
    struct shl_link_header *link = (void *)(device.map.base + SHL_LINK_OFFSET);
    struct shl_why why;

    (void)state;
    shl_segment_ready(&device);
    link->total_size = SHL_SEGMENT_SIZE + 1;
    assert_int_equal(opened(&why), SHL_CUT);
    link->total_size = SHL_SEGMENT_SIZE - 1; /* parameters stick out */
    assert_int_equal(opened(&why), SHL_BAD_PEER);
    link->total_size = 0;
    assert_int_equal(opened(&why), SHL_BAD_PEER);
    link->total_size = SHL_SEGMENT_SIZE;
    assert_int_equal(ftruncate(device.map.fd, SHL_SEGMENT_SIZE - 4096), 0);
    assert_int_equal(opened(&why), SHL_CUT);
    assert_non_null(strstr(why.text, "cut short"));
    assert_int_equal(ftruncate(device.map.fd, SHL_LINK_OFFSET), 0);
    assert_int_equal(opened(&why), SHL_BAD_PEER); /* a plain Maolan segment */
    assert_non_null(strstr(why.text, "Maolan"));
    assert_int_equal(ftruncate(device.map.fd, SHL_LINK_OFFSET - 1), 0);
    assert_int_equal(opened(&why), SHL_CUT);
    assert_int_equal(ftruncate(device.map.fd, 0), 0);
    assert_int_equal(opened(&why), SHL_AGAIN);
}

static void foreign_and_missing_segments_are_refused(void **state)
{
    struct shl_segment host;
    struct shl_why why;
    char longer[257] = "/"; /* than any name that the system takes */

    (void)state;
    shl_segment_ready(&device);
    assert_int_equal(fchmod(device.map.fd, 0644), 0);
    assert_int_equal(opened(&why), SHL_FOREIGN);
    assert_non_null(strstr(why.text, name));
    assert_int_equal(fchmod(device.map.fd, 0600), 0);
    assert_int_equal(shl_segment_open("/shltest-none", &host, &why),
                     SHL_NOT_FOUND);
    memset(longer, 'x', sizeof longer - 1);
    assert_int_equal(shl_segment_open(longer, &host, &why), SHL_BAD_NAME);
}

static int cut_it(void *arg)
{
    const off_t *left = arg;
    struct shl_map map;

    return shl_map_ask(name, &map) || ftruncate(map.fd, *left);
}

/** Without set-up: cmocka puts its own handler over ours when a test begins,
 * so everything must be mapped after that. */
/* shows DL-60 */
static void segment_cut_in_use_gives_zeros_and_a_flag(void **state)
{
    const off_t cuts[] = {SHL_LINES_OFFSET & ~4095, 4096, 0};

    for (size_t i = 0; i < sizeof cuts / sizeof cuts[0]; i++) {
        struct shl_segment host;
        struct shl_identity who;
        off_t left = cuts[i];

        assert_int_equal(set_up(state), 0);
        shl_segment_ready(&device);
        open_host(&host);
        atomic_store(&host.lines->host.doorbell, 5);
        assert_int_equal(child_run(cut_it, &left), 0);
        assert_int_equal(atomic_load(&host.lines->host.doorbell), 0);
        assert_true(shl_segment_bad(&host));
        assert_int_not_equal(shl_segment_identity(&host, &who), SHL_OK);
        assert_false(shl_segment_bad(&device));
        assert_int_equal(atomic_load(&device.lines->host.doorbell), 0);
        assert_true(shl_segment_bad(&device));
        shl_segment_close(&host);
        tear_down(state);
    }
}

/* ---- identity ------------------------------------------------------------------ */

static void identity_that_makes_no_sense_is_refused(void **state)
{
    struct shl_identity who = good_identity(), bad, got;

    (void)state;
#define REFUSED(change)                                                        \
    bad = who;                                                                 \
    change;                                                                    \
    say_identity(&bad);                                                        \
    assert_int_equal(shl_segment_identity(&device, &got), SHL_BAD_PEER)

    REFUSED(bad.in_channels = 33);
    REFUSED(bad.out_channels = UINT32_MAX);
    REFUSED(bad.rate_hz = 0);
    REFUSED(bad.rate_hz = -48000);
    REFUSED(bad.rate_hz = (double)NAN);
    REFUSED(bad.rate_hz = (double)INFINITY);
    REFUSED(bad.block_frames = 0);
    REFUSED(bad.block_frames = 4097);
    REFUSED(bad.param_count = 1025);
    REFUSED(bad.id[0] = 0);
    REFUSED(strcpy(bad.id, "lv2:0"));
    REFUSED(strcpy(bad.id, "a/b"));
#undef REFUSED
    /* not terminated: cut to 47 bytes, and no further read */
    bad = who;
    memset(bad.id, 'x', sizeof bad.id);
    say_identity(&bad);
    assert_int_equal(shl_segment_identity(&device, &got), SHL_OK);
    assert_int_equal(strlen(got.id), 47);
}

static void texts_of_a_peer_are_fit_to_be_shown(void **state)
{
    struct shl_identity who = good_identity(), got;

    (void)state;
    memset(who.vendor, 'v', sizeof who.vendor);
    strcpy(who.category, "a\033[31mb\nc");
    strcpy(who.version, "\xff\xc3\xa4\xc3");
    strcpy(who.tag, "caf\xc3\xa9\xe2\x82");
    say_identity(&who);
    assert_int_equal(shl_segment_identity(&device, &got), SHL_OK);
    assert_int_equal(strlen(got.vendor), 63);
    assert_string_equal(got.category, "a?[31mb?c");
    assert_string_equal(got.version, "?\xc3\xa4?");
    assert_string_equal(got.tag, "caf\xc3\xa9??");
}

/* A DAW makes the segment; whoever fills its link area first is its device. */
static void only_an_empty_area_is_adopted(void **state)
{
    struct shl_segment other;
    struct shl_map map;
    const char *made = "/shltest-adopted";

    (void)state;
    assert_int_equal(shl_segment_adopt(name, 48000, &other), SHL_TAKEN);
    assert_int_equal(shl_segment_adopt("/shltest-none", 48000, &other),
                     SHL_NOT_FOUND);
    assert_int_equal(shl_map_create(made, SHL_MAOLAN_SIZE, &map), SHL_OK);
    assert_int_equal(shl_segment_adopt(made, 48000, &other), SHL_CUT);
    shl_map_close(&map);
    shl_map_unlink(made);
    assert_int_equal(shl_map_create(made, SHL_SEGMENT_SIZE, &map), SHL_OK);
    assert_int_equal(shl_segment_adopt(made, 48000, &other), SHL_OK);
    assert_true(shl_lease_held(&map, SHL_LEASE_DEVICE));
    shl_segment_close(&other);
    assert_false(shl_lease_held(&map, SHL_LEASE_DEVICE));
    assert_int_equal(shl_segment_adopt(made, 48000, &other), SHL_TAKEN);
    shl_map_close(&map);
    assert_int_equal(shl_map_unlink(made), SHL_OK);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(other_versions_are_refused_by_both_numbers),
        TEST(newer_minor_version_is_welcome),
        TEST(device_of_minor_version_0_has_no_messages),
        TEST(enlarged_and_moved_regions_are_followed),
        TEST(other_magic_is_no_segment),
        TEST(hostile_region_tables_are_refused),
        TEST(missing_and_double_regions_are_refused),
        TEST(short_segments_are_refused),
        TEST(foreign_and_missing_segments_are_refused),
        cmocka_unit_test(segment_cut_in_use_gives_zeros_and_a_flag),
        TEST(identity_that_makes_no_sense_is_refused),
        TEST(texts_of_a_peer_are_fit_to_be_shown),
        TEST(only_an_empty_area_is_adopted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
