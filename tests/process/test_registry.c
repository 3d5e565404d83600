/* SPDX-License-Identifier: MIT */
/* What the board means: every field of a device, its state, what is cleaned, and
 * what happens when the system refuses. */
#include "core/shm/segment.h"
#include "shmlink/registry.h"

#include "boards.h"
#include "child.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

static uint32_t count(shl_registry *r)
{
    uint32_t found = 99;

    assert_int_equal(shl_registry_scan(r, NULL, 0, &found), SHL_OK);
    return found;
}

/** The state of the only device. */
static struct shl_device_info only(shl_registry *r)
{
    struct shl_device_info info;
    uint32_t found = 0;

    assert_int_equal(shl_registry_scan(r, &info, 1, &found), SHL_OK);
    assert_int_equal(found, 1);
    return info;
}

static void claim(struct shl_segment *host, const struct board_registered *d,
                  const char *tag)
{
    struct shl_claim what = {.rate_hz = 48000};

    strcpy(what.tag, tag);
    assert_int_equal(
        shl_segment_open(d->registration.entry.segment, host, NULL), SHL_OK);
    assert_int_equal(shl_segment_claim(host), SHL_OK);
    shl_segment_claim_write(host, &what);
}

/* ---- scanning ------------------------------------------------------------------ */

static void empty_board_has_no_devices(void **state)
{
    shl_registry *r = board_registry();
    uint32_t cleaned = 99;

    (void)state;
    assert_int_equal(count(r), 0);
    assert_int_equal(shl_registry_clean(r, &cleaned), SHL_OK);
    shl_registry_close(r);
    shl_registry_close(NULL);
}

/* shows DL-12 */
static void scan_shows_what_the_device_said(void **state)
{
    shl_registry *r = board_registry();
    struct shl_identity who = board_identity("My Synth");
    struct shl_device_info info;
    struct board_registered d;

    (void)state;
    board_start(&d, "My Synth");
    strcpy(who.vendor, "Vendor");
    strcpy(who.category, "Instrument");
    strcpy(who.version, "1.2");
    strcpy(who.tag, "lead");
    who.capabilities = UINT64_C(0x8000000000000401);
    who.rate_hz = 44100;
    who.pid = (uint32_t)getpid();
    who.quantum = 64;
    who.block_frames = 128;
    who.in_channels = 1;
    who.out_channels = 6;
    who.modes = SHL_MODE_BOTH | SHL_MODE_MIDI;
    who.drives = SHL_DRIVE_LOCKSTEP;
    who.latency_frames = 77;
    who.param_count = 4;
    shl_registration_update(&d.registration, &who);
    info = only(r);
    assert_string_equal(info.id, "My Synth:0");
    assert_string_equal(info.vendor, "Vendor");
    assert_string_equal(info.category, "Instrument");
    assert_string_equal(info.version, "1.2");
    assert_string_equal(info.tag, "lead");
    assert_true(info.capabilities == who.capabilities);
    assert_true(info.rate_hz == 44100);
    assert_int_equal(info.pid, getpid());
    assert_int_equal(info.quantum, 64);
    assert_int_equal(info.block_frames, 128);
    assert_int_equal(info.in_channels, 1);
    assert_int_equal(info.out_channels, 6);
    assert_int_equal(info.modes, who.modes);
    assert_int_equal(info.drives, who.drives);
    assert_int_equal(info.latency_frames, 77);
    assert_int_equal(info.param_count, 4);
    assert_string_equal(info.segment, d.registration.entry.segment);
    assert_int_equal(info.state, SHL_STATE_FREE);
    assert_int_equal(info.host_pid, 0);
    board_stop(&d);
    assert_int_equal(count(r), 0);
    shl_registry_close(r);
}

/* shows DL-24 DL-25 */
static void state_follows_the_claim(void **state)
{
    shl_registry *r = board_registry();
    struct shl_device_info info;
    struct shl_segment host;
    struct board_registered d;

    (void)state;
    board_start(&d, "MySynth");
    assert_int_equal(only(r).state, SHL_STATE_FREE);
    claim(&host, &d, "lead");
    info = only(r);
    assert_int_equal(info.state, SHL_STATE_BUSY);
    assert_int_equal(info.host_pid, getpid());
    assert_string_equal(info.tag, "lead");
    shl_segment_release(&host);
    info = only(r);
    assert_int_equal(info.state, SHL_STATE_FREE);
    assert_int_equal(info.host_pid, 0);
    shl_segment_close(&host);
    claim(&host, &d, "");
    shl_segment_close(&host); /* without release: as a killed one leaves it */
    info = only(r);
    assert_int_equal(info.state, SHL_STATE_STALE);
    assert_int_equal(info.host_pid, getpid());
    board_stop(&d);
    shl_registry_close(r);
}

struct writer {
    struct shl_segment *host;
    _Atomic uint32_t stop;
};

/** Claims of which every field says the same. */
static void *write_claims(void *arg)
{
    struct writer *w = arg;

    for (uint32_t i = 0; !atomic_load(&w->stop); i++) {
        struct shl_claim claim;

        memset(&claim, 0, sizeof claim);
        memset(claim.tag, 'a' + (int)(i % 26), sizeof claim.tag - 1);
        claim.pid = 'a' + i % 26;
        shl_seqlock_write(&w->host->claim->seqlock, &claim, sizeof claim / 8);
        for (int k = 0; k < 500; k++)
            shl_pause();
    }
    return NULL;
}

static void claim_is_never_shown_half_written(void **state)
{
    shl_registry *r = board_registry();
    struct shl_segment host;
    struct board_registered d;
    struct writer w = {.host = &host};
    pthread_t thread;
    int shown = 0;

    (void)state;
    board_start(&d, "MySynth");
    claim(&host, &d, "");
    assert_int_equal(pthread_create(&thread, NULL, write_claims, &w), 0);
    for (int i = 0; i < 20000; i++) {
        struct shl_device_info info = only(r);
        bool whole = info.host_pid == 0 || info.host_pid == (uint32_t)getpid();

        for (size_t k = 0; k < 63 && info.host_pid && !whole; k++) {
            if ((unsigned char)info.tag[k] != info.host_pid)
                break;
            whole = k == 62;
        }
        shown += info.host_pid != 0;
        if (!whole) {
            atomic_store(&w.stop, 1);
            fail_msg("claim of '%c' with tag %s", (char)info.host_pid,
                     info.tag);
        }
    }
    atomic_store(&w.stop, 1);
    pthread_join(thread, NULL);
    assert_true(shown > 0);
    shl_segment_close(&host);
    board_stop(&d);
    shl_registry_close(r);
}

static void device_without_its_segment_is_starting(void **state)
{
    shl_registry *r = board_registry();
    struct shl_device_info info;
    struct shl_segment segment;
    struct shl_registration registration;

    (void)state;
    assert_true(board_sit(&registration, "Slow", "Slow:0"));
    assert_int_equal(only(r).state, SHL_STATE_STARTING);
    assert_int_equal(shl_registry_find(r, "Slow", &info), SHL_AGAIN);
    assert_string_equal(info.id, "Slow:0");
    assert_int_equal(
        shl_segment_create(registration.entry.segment, 48000, &segment),
        SHL_OK);
    assert_int_equal(only(r).state, SHL_STATE_STARTING);
    shl_segment_ready(&segment);
    assert_int_equal(only(r).state, SHL_STATE_FREE);
    shl_map_unlink(registration.entry.segment);
    shl_segment_close(&segment);
    shl_registration_leave(&registration);
    shl_registry_close(r);
}

static void more_devices_than_room_are_counted(void **state)
{
    struct shl_device_info info[2] = {{.id = ""}, {.id = "untouched"}};
    shl_registry *r = board_registry();
    struct shl_registration registration[3];
    uint32_t found = 0;

    (void)state;
    assert_true(board_sit(&registration[0], "A", "A:0"));
    assert_true(board_sit(&registration[1], "B", "B:0"));
    assert_true(board_sit(&registration[2], "C", "C:0"));
    assert_int_equal(shl_registry_scan(r, info, 1, &found), SHL_OK);
    assert_int_equal(found, 3);
    assert_string_equal(info[0].id, "A:0");
    assert_string_equal(info[1].id, "untouched");
    for (int i = 0; i < 3; i++)
        shl_registration_leave(&registration[i]);
    shl_registry_close(r);
}

/* shows DL-13 */
static void scan_clears_the_dead(void **state)
{
    static char id[] = "Mortal:0";
    shl_registry *r = board_registry();
    struct shl_device_info info;
    pid_t pid = child_start(board_device, id);

    (void)state;
    info = only(r);
    assert_int_equal(info.pid, pid);
    child_kill(pid);
    assert_int_equal(count(r), 0);
    assert_false(board_exists(info.segment));
    assert_int_equal(board_used(), 0);
    shl_registry_close(r);
}

struct heir {
    pid_t pid;
};

static int device_with_a_child(void *arg)
{
    struct shl_identity who = board_identity("Parent:0");
    struct shl_segment segment;
    struct shl_registration registration;
    struct heir *heir = arg;
    pid_t pid;

    if (shl_registration_take(registry, &who, &registration, NULL) ||
        shl_segment_create(registration.entry.segment, 48000, &segment))
        return 1;
    shl_segment_ready(&segment);
    pid = fork();
    if (pid == 0) {
        alarm(60);
        for (;;)
            pause();
    }
    heir->pid = pid;
    child_forever();
}

static void dead_device_with_a_living_child_is_not_shown(void **state)
{
    struct heir *heir = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
                             MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    struct shl_device_info info;
    shl_registry *r = board_registry();
    char text[256], pid_text[32];
    pid_t pid;

    (void)state;
    assert_true(heir != MAP_FAILED);
    pid = child_start(device_with_a_child, heir);
    assert_true(heir->pid > 0);
    info = only(r);
    child_kill(pid);
    assert_int_equal(count(r), 0);
    assert_int_equal(shl_registry_find(r, "Parent:0", &info), SHL_NOT_FOUND);
    shl_registry_why(r, "Parent:0", text, sizeof text);
    snprintf(pid_text, sizeof pid_text, "process %d has ended", (int)pid);
    assert_non_null(strstr(text, pid_text));
    kill(heir->pid, SIGKILL);
    for (int i = 0; i < 1000 && board_used() > 0; i++) {
        shl_sleep_ms(10);
        count(r);
    }
    assert_int_equal(board_used(), 0);
    assert_false(board_exists(info.segment));
    munmap(heir, 4096);
    shl_registry_close(r);
}

struct orphan {
    pid_t pid;
    char segment[64];
};

static int host_with_a_child(void *arg)
{
    const struct shl_claim claim = {.rate_hz = 48000, .tag = "kept"};
    struct orphan *orphan = arg;
    struct shl_segment host;
    pid_t pid;

    if (shl_segment_open(orphan->segment, &host, NULL) ||
        shl_segment_claim(&host))
        return 1;
    shl_segment_claim_write(&host, &claim);
    pid = fork();
    if (pid == 0) {
        alarm(60);
        for (;;)
            pause();
    }
    orphan->pid = pid;
    child_forever();
}

/* Its lease lives on in the child: the claim says that the host is dead. */
static void dead_host_with_a_living_child_is_stale(void **state)
{
    struct orphan *orphan = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
                                 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    shl_registry *r = board_registry();
    struct shl_link_header *header;
    struct board_registered d;
    char text[400], words[64];
    uint32_t regions;
    pid_t pid;

    (void)state;
    assert_true(orphan != MAP_FAILED);
    board_start(&d, "Owned");
    snprintf(orphan->segment, sizeof orphan->segment, "%.63s", d.segment.name);
    pid = child_start(host_with_a_child, orphan);
    assert_true(orphan->pid > 0);
    assert_int_equal(only(r).state, SHL_STATE_BUSY);
    assert_true(shl_segment_host_alive(&d.segment));
    /* as many regions as there is room for: newer devices have more of them */
    header = (void *)(d.segment.map.base + SHL_LINK_OFFSET);
    regions = header->region_count;
    header->region_count = sizeof header->region / sizeof header->region[0];
    assert_int_equal(only(r).host_pid, pid);
    header->region_count = regions;
    child_kill(pid);
    assert_true(shl_lease_held(&d.segment.ask, SHL_LEASE_HOST));
    assert_int_equal(only(r).state, SHL_STATE_STALE);
    assert_int_equal(only(r).host_pid, pid);
    assert_string_equal(only(r).tag, "kept");
    assert_int_equal(only(r).mode, 0);
    assert_false(shl_segment_host_alive(&d.segment));
    shl_registry_why(r, "Owned", text, sizeof text);
    snprintf(words, sizeof words, "process %d, has ended, but a child",
             (int)pid);
    assert_non_null(strstr(text, words));
    kill(orphan->pid, SIGKILL);
    for (int i = 0; i < 1000 && shl_lease_held(&d.segment.ask, SHL_LEASE_HOST);
         i++)
        shl_sleep_ms(10);
    assert_int_equal(only(r).state, SHL_STATE_STALE);
    munmap(orphan, 4096);
    board_stop(&d);
    shl_registry_close(r);
}

static void removed_board_is_opened_anew(void **state)
{
    shl_registry *r = board_registry();
    struct shl_registration registration;

    (void)state;
    unlink(board);
    assert_true(board_sit(&registration, "New", "New:0"));
    assert_string_equal(only(r).id, "New:0");
    assert_int_equal(truncate(board, 0), 0);
    assert_int_equal(count(r), 0);
    assert_int_equal(shl_registration_renew(&registration), SHL_OK);
    assert_string_equal(only(r).id, "New:0");
    shl_registration_leave(&registration);
    shl_registry_close(r);
}

static void clean_finds_segments_whose_board_is_gone(void **state)
{
    static char id[] = "Mortal:0";
    shl_registry *r = board_registry();
    struct shl_device_info info;
    struct board_registered d;
    uint32_t cleaned = 0;
    pid_t pid = child_start(board_device, id);

    (void)state;
    info = only(r);
    board_start(&d, "Live");
    unlink(board);
    assert_int_equal(shl_registry_clean(r, &cleaned), SHL_OK);
    assert_true(board_exists(info.segment));
    child_kill(pid);
    assert_int_equal(count(r), 0);
    /* another program's scan does not look for it, its clean does */
    for (int i = 0; i < 3000 && board_exists(info.segment); i++) {
        assert_int_equal(shl_registry_clean(r, &cleaned), SHL_OK);
        shl_sleep_ms(10);
    }
    assert_false(board_exists(info.segment));
    assert_true(board_exists(d.registration.entry.segment));
    board_stop(&d);
    shl_registry_close(r);
}

static void unfinished_segment_is_cleaned_but_not_at_once(void **state)
{
    struct shl_map made = SHL_MAP_NONE, used = SHL_MAP_NONE;
    shl_registry *r = board_registry();
    char half[32], alive[32];
    uint32_t cleaned = 0;

    (void)state;
    snprintf(half, sizeof half, "/shl-%u-%012x", (unsigned)geteuid(),
             (unsigned)getpid());
    snprintf(alive, sizeof alive, "/shl-%u-a%011x", (unsigned)geteuid(),
             (unsigned)getpid());
    assert_int_equal(shl_map_create(half, 4096, &made), SHL_OK);
    assert_int_equal(shl_map_create(alive, 4096, &used), SHL_OK);
    assert_int_equal(shl_lease_take(&used, SHL_LEASE_DEVICE), SHL_OK);
    shl_map_close(&made);
    assert_int_equal(shl_registry_clean(r, &cleaned), SHL_OK);
    assert_true(board_exists(half)); /* its maker may be about to go on */
    for (int i = 0; i < 1000 && board_exists(half); i++) {
        shl_sleep_ms(20);
        assert_int_equal(shl_registry_clean(r, &cleaned), SHL_OK);
    }
    assert_false(board_exists(half));
    assert_true(board_exists(alive));
    shl_map_unlink(alive);
    shl_map_close(&used);
    shl_registry_close(r);
}

/* ---- hostile segments and refusing systems --------------------------------------- */

static void hostile_segment_is_shown_without_a_claim(void **state)
{
    shl_registry *r = board_registry();
    struct shl_link_header *link;
    struct shl_device_info info;
    struct board_registered d;

    (void)state;
    board_start(&d, "MySynth");
    link = (void *)(d.segment.map.base + SHL_LINK_OFFSET);
    for (uint32_t i = 0; i < link->region_count; i++)
        link->region[i].offset = 0xFFFFFFF0u;
    assert_int_equal(only(r).state, SHL_STATE_FREE);
    link->region_count = UINT32_MAX;
    assert_int_equal(only(r).state, SHL_STATE_FREE);
    assert_int_equal(ftruncate(d.segment.map.fd, 0), 0);
    info = only(r);
    assert_int_equal(info.state, SHL_STATE_STARTING);
    assert_int_equal(info.host_pid, 0);
    board_stop(&d);
    shl_registry_close(r);
}

static int no_descriptors(void *arg)
{
    struct rlimit limit;
    shl_registry *r = NULL, *second = NULL;
    uint32_t found = 99;
    struct shl_why why;
    struct shl_identity who = board_identity("Late");
    struct shl_registration registration;

    (void)arg;
    CHILD_CHECK(shl_registry_open(registry, &r, NULL) == SHL_OK);
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = 3;
    setrlimit(RLIMIT_NOFILE, &limit);
    CHILD_CHECK(shl_registry_scan(r, NULL, 0, &found) == SHL_NO_DESCRIPTORS);
    CHILD_CHECK(found == 99);
    CHILD_CHECK(shl_registry_open(registry, &second, &why) ==
                SHL_NO_DESCRIPTORS);
    CHILD_CHECK(strstr(why.text, "descriptors"));
    CHILD_CHECK(shl_registration_take(registry, &who, &registration, &why) ==
                SHL_NO_DESCRIPTORS);
    /* usable again as soon as there are some */
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    CHILD_CHECK(shl_registry_scan(r, NULL, 0, &found) == SHL_OK);
    CHILD_CHECK(found == 1);
    return 0;
}

/* shows DL-55 */
static void no_descriptors_is_said_and_passes(void **state)
{
    struct board_registered d;

    (void)state;
    board_start(&d, "MySynth");
    assert_int_equal(child_run(no_descriptors, NULL), 0);
    board_stop(&d);
}

static int shm_refuses(void *arg)
{
    const unsigned *kib = arg;
    shl_status want = *kib ? SHL_NO_SPACE : SHL_NO_SHM;
    struct shl_identity who = board_identity("Late");
    struct shl_registration registration;
    shl_registry *r;
    struct shl_why why;

    if (!child_own_shm(*kib))
        return CHILD_SKIP;
    CHILD_CHECK(shl_registry_open(registry, &r, &why) == want);
    CHILD_CHECK(strstr(why.text, "/dev/shm"));
    CHILD_CHECK(shl_registration_take(registry, &who, &registration, &why) ==
                want);
    CHILD_CHECK(strstr(why.text, "/dev/shm"));
    CHILD_CHECK(!board_exists(registry));
    return 0;
}

/* shows DL-55 */
static void full_and_missing_memory_are_said(void **state)
{
    unsigned kib[] = {16, 0};

    (void)state;
    for (int i = 0; i < 2; i++) {
        int result = child_run(shm_refuses, &kib[i]);
        if (result == CHILD_SKIP)
            skip();
        assert_int_equal(result, 0);
    }
}

/* ---- words --------------------------------------------------------------------- */

static void everything_has_a_word(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < SHL_CAP_COUNT; i++) {
        for (uint32_t k = 0; k < i; k++)
            assert_string_not_equal(shl_capability_name(i),
                                    shl_capability_name(k));
    }
    assert_string_equal(shl_capability_name(7), "midi_in");
    assert_string_equal(shl_capability_name(26), "synth");
    assert_string_equal(shl_capability_name(27), "any_rate");
    assert_string_equal(shl_capability_name(28), "unknown");
    assert_string_equal(shl_drive_name(SHL_DRIVE_PIPELINED), "pipelined");
    assert_string_equal(shl_drive_name(3), "unknown");
    assert_string_equal(shl_mode_name(SHL_MODE_MIDI), "midi");
    assert_string_equal(shl_mode_name(0), "unknown");
    assert_string_equal(shl_state_name(SHL_STATE_STALE), "stale");
    assert_string_equal(shl_state_name((enum shl_device_state)9), "unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOARD_TEST(empty_board_has_no_devices),
        BOARD_TEST(scan_shows_what_the_device_said),
        BOARD_TEST(state_follows_the_claim),
        BOARD_TEST(claim_is_never_shown_half_written),
        BOARD_TEST(device_without_its_segment_is_starting),
        BOARD_TEST(more_devices_than_room_are_counted),
        BOARD_TEST(scan_clears_the_dead),
        BOARD_TEST(dead_device_with_a_living_child_is_not_shown),
        BOARD_TEST(dead_host_with_a_living_child_is_stale),
        BOARD_TEST(removed_board_is_opened_anew),
        BOARD_TEST(clean_finds_segments_whose_board_is_gone),
        BOARD_TEST(unfinished_segment_is_cleaned_but_not_at_once),
        BOARD_TEST(hostile_segment_is_shown_without_a_claim),
        BOARD_TEST(no_descriptors_is_said_and_passes),
        BOARD_TEST(full_and_missing_memory_are_said),
        BOARD_TEST(everything_has_a_word),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
