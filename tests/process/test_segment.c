/* SPDX-License-Identifier: MIT */
/* A segment from both sides: whole when it is ready, claimed by one host at a
 * time, its values never seen half written. */
#include "core/shm/segment.h"

#include "child.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "segments.h"

/* ---- creating and opening ---------------------------------------------------- */

/* shows MP-38 */
static void segment_is_for_nobody_until_it_is_ready(void **state)
{
    struct shl_why why;

    (void)state;
    assert_int_equal(opened(&why), SHL_AGAIN);
    assert_non_null(strstr(why.text, "not ready"));
    shl_segment_ready(&device);
    assert_int_equal(opened(&why), SHL_OK);
}

static void second_creation_is_refused(void **state)
{
    struct shl_segment other;

    (void)state;
    assert_int_equal(shl_segment_create(name, 48000, &other), SHL_TAKEN);
    /* and has not disturbed the first */
    shl_segment_ready(&device);
    assert_int_equal(opened(NULL), SHL_OK);
}

static void limits_are_within_what_is_allowed(void **state)
{
    struct shl_identity who = good_identity();

    (void)state;
    who.in_channels = who.out_channels = SHL_MAX_CHANNELS;
    who.block_frames = 1;
    assert_int_equal(shl_identity_check(&who), SHL_OK);
    who.block_frames = SHL_MAX_FRAMES;
    assert_int_equal(shl_identity_check(&who), SHL_OK);
    who.block_frames = 0;
    assert_int_equal(shl_identity_check(&who), SHL_BAD_PEER);
    who.block_frames = SHL_MAX_FRAMES + 1;
    assert_int_equal(shl_identity_check(&who), SHL_BAD_PEER);
    who.block_frames = 1;
    who.out_channels++;
    assert_int_equal(shl_identity_check(&who), SHL_BAD_PEER);
    who.out_channels--;
    who.in_channels++;
    assert_int_equal(shl_identity_check(&who), SHL_BAD_PEER);
    assert_int_equal(shl_segment_reserve_streams(&device, SHL_MAX_CHANNELS,
                                                 SHL_MAX_CHANNELS),
                     SHL_OK);
    assert_int_equal(
        shl_segment_reserve_streams(&device, SHL_MAX_CHANNELS + 1, 1),
        SHL_WRONG_CHANNELS);
    assert_int_equal(
        shl_segment_reserve_streams(&device, 1, SHL_MAX_CHANNELS + 1),
        SHL_WRONG_CHANNELS);
}

static uint32_t word_at(const struct shl_segment *s, uint32_t offset)
{
    return atomic_load(shl_segment_word(s, offset));
}

static void host_sees_what_the_device_wrote(void **state)
{
    struct shl_segment host;
    struct shl_identity who;
    double rate;

    (void)state;
    shl_segment_ready(&device);
    open_host(&host);
    assert_int_equal(word_at(&host, 0), SHL_MAOLAN_MAGIC);
    assert_int_equal(word_at(&host, 4), 3);
    assert_int_equal(word_at(&host, 40), 0);
    assert_int_equal(word_at(&host, 44), 0);
    memcpy(&rate, host.map.base + 1311264, sizeof rate);
    assert_true(rate == 48000);
    assert_int_equal(host.map.size, SHL_SEGMENT_SIZE);
    assert_int_equal(shl_segment_identity(&host, &who), SHL_OK);
    assert_string_equal(who.id, "MySynth:0");
    assert_int_equal(who.pid, getpid());
    assert_ptr_not_equal(host.map.base, device.map.base);
    atomic_store(&device.lines->host.doorbell, 99);
    assert_int_equal(atomic_load(&host.lines->host.doorbell), 99);
    shl_segment_plane(&device, 31, 1)[4095] = 0.5f;
    assert_true(shl_segment_plane(&host, 31, 1)[4095] == 0.5f);
    assert_false(shl_segment_bad(&host));
    shl_segment_close(&host);
}

static off_t reserved(void)
{
    struct stat at;

    assert_int_equal(fstat(device.map.fd, &at), 0);
    return (off_t)at.st_blocks * 512;
}

static void memory_is_reserved_as_it_comes_into_use(void **state)
{
    struct shl_param params[3];
    off_t before = reserved();

    (void)state;
    memset(params, 0, sizeof params);
    /* header and control, rings with transport and scratch, link area */
    assert_in_range(before, 740000, 840000);
    assert_int_equal(shl_segment_reserve_planes(&device, 2), SHL_OK);
    assert_in_range(reserved() - before, 4 * SHL_PLANE_SIZE - 4096,
                    4 * SHL_PLANE_SIZE + 4096);
    before = reserved();
    assert_int_equal(shl_segment_reserve_planes(&device, 0), SHL_OK);
    assert_int_equal(shl_segment_write_params(&device, params, 3), SHL_OK);
    assert_in_range(reserved() - before, 768, 8192);
    assert_int_equal(shl_segment_reserve_planes(&device, 33),
                     SHL_WRONG_CHANNELS);
    assert_int_equal(shl_segment_reserve_planes(&device, UINT32_MAX),
                     SHL_WRONG_CHANNELS);
    assert_int_equal(shl_segment_write_params(&device, params, 1025),
                     SHL_BAD_VALUE);
    assert_int_equal(shl_segment_reserve_planes(&device, 32), SHL_OK);
}

static void parameters_arrive_clean(void **state)
{
    struct shl_param params[2] = {
        {.id = 7,
         .flags = SHL_PARAM_AUTOMATABLE,
         .curve = SHL_CURVE_LOG,
         .minimum = 20,
         .maximum = 20000,
         .initial = 440,
         .name = "cut\toff",
         .label = "Hz",
         .group = "filter"},
        {.id = 9, .curve = SHL_CURVE_STEPPED, .steps = 3, .maximum = 2}};
    struct shl_segment host;
    double value;
    uint64_t bits;

    (void)state;
    memset(params[1].name, 'x', sizeof params[1].name);
    assert_int_equal(shl_segment_write_params(&device, params, 2), SHL_OK);
    shl_segment_ready(&device);
    open_host(&host);
    assert_int_equal(host.param_capacity, 1024);
    assert_int_equal(host.params[0].id, 7);
    assert_string_equal(host.params[0].name, "cut?off");
    assert_string_equal(host.params[0].label, "Hz");
    assert_string_equal(host.params[0].group, "filter");
    bits = atomic_load(&host.params[0].value);
    memcpy(&value, &bits, sizeof value);
    assert_true(value == 440);
    assert_int_equal(strlen(host.params[1].name), 63);
    assert_int_equal(host.params[1].steps, 3);
    shl_segment_close(&host);
}

/* ---- seqlocks --------------------------------------------------------------------- */

enum { CELL_WORDS = 40 };
static struct {
    SHL_SEQLOCK(CELL_WORDS) seqlock;
} shared_seqlock;
static atomic_bool enough;

static void *write_seqlocks(void *arg)
{
    uint64_t value[CELL_WORDS];

    for (uint64_t n = 1; !atomic_load_explicit(&enough, memory_order_relaxed);
         n++) {
        for (int i = 0; i < CELL_WORDS; i++)
            value[i] = n * 1000 + (uint64_t)i;
        shl_seqlock_write(&shared_seqlock.seqlock, value, CELL_WORDS);
        /* Let readers through now and then, whatever the two processors do. */
        if (n % 64 == 0)
            sched_yield();
        for (uint64_t i = 0; i < n % 256; i++)
            shl_pause();
    }
    return arg;
}

static void reader_never_sees_half_a_value(void **state)
{
    const char *soak = getenv("SHL_SOAK");
    const long reads = soak && *soak ? 20000000 : 200000;
    uint64_t value[CELL_WORDS];
    pthread_t thread;
    long n;
    int whole = 0;

    (void)state;
    assert_int_equal(pthread_create(&thread, NULL, write_seqlocks, NULL), 0);
    /* On one processor reader and writer meet only when they are switched: read
     * on until some reads were whole. */
    for (n = 0; n < reads || (whole < 100 && n < 1000 * reads); n++) {
        if (shl_seqlock_read(&shared_seqlock.seqlock, value, CELL_WORDS) !=
            SHL_OK) {
            if (n >= reads)
                sched_yield();
            continue;
        }
        whole += value[0] != 0;
        for (int i = 1; i < CELL_WORDS && value[0]; i++) {
            if (value[i] != value[0] + (uint64_t)i) {
                atomic_store(&enough, true);
                fail_msg("read %ld is torn at word %d", n, i);
            }
        }
    }
    atomic_store(&enough, true);
    pthread_join(thread, NULL);
    print_message("# figure: %d of %ld reads of a busy seqlock came through\n",
                  whole, n);
    assert_true(whole > 0);
}

static void seqlock_of_a_dead_writer_says_again_until_the_next(void **state)
{
    uint64_t value[CELL_WORDS] = {1, 2, 3}, got[CELL_WORDS] = {9};

    (void)state;
    atomic_store(&shared_seqlock.seqlock.sequence, UINT32_MAX); /* odd, wraps */
    assert_int_equal(shl_seqlock_read(&shared_seqlock.seqlock, got, CELL_WORDS),
                     SHL_AGAIN);
    shl_seqlock_write(&shared_seqlock.seqlock, value, CELL_WORDS);
    assert_int_equal(atomic_load(&shared_seqlock.seqlock.sequence), 0);
    assert_int_equal(shl_seqlock_read(&shared_seqlock.seqlock, got, CELL_WORDS),
                     SHL_OK);
    assert_int_equal(got[2], 3);
}

/* ---- claims -------------------------------------------------------------------- */

static void one_host_at_a_time_has_the_claim(void **state)
{
    struct shl_segment first, second;
    struct shl_claim claim = {.tag = "lead", .rate_hz = 48000, .drive = 1};
    struct shl_claim got;

    (void)state;
    shl_segment_ready(&device);
    open_host(&first);
    open_host(&second);
    assert_false(shl_segment_host_alive(&device));
    assert_int_equal(shl_segment_claim(&first), SHL_OK);
    assert_int_equal(shl_segment_claim(&second), SHL_BUSY);
    assert_int_equal(shl_segment_claim_write(&first, &claim), 1);
    assert_true(shl_segment_host_alive(&device));
    assert_true(shl_segment_host_alive(&second));
    assert_int_equal(shl_segment_claim_read(&device, &got), SHL_OK);
    assert_string_equal(got.tag, "lead");
    assert_int_equal(got.pid, getpid());
    assert_true(got.start_time != 0 && got.pid_namespace != 0);
    shl_segment_release(&first);
    assert_int_equal(atomic_load(&device.claim->epoch), 2);
    assert_false(shl_segment_host_alive(&device));
    assert_int_equal(shl_segment_claim(&second), SHL_OK);
    assert_int_equal(shl_segment_claim_write(&second, &claim), 3);
    assert_int_equal(shl_segment_claim(&first), SHL_BUSY);
    /* closing is enough */
    shl_segment_close(&second);
    assert_false(shl_segment_host_alive(&device));
    assert_int_equal(shl_segment_claim(&first), SHL_OK);
    assert_int_equal(shl_segment_claim_write(&first, &claim), 5);
    shl_segment_close(&first);
}

static int claim_and_wait(void *arg)
{
    struct shl_claim claim = {.tag = "doomed"};
    struct shl_segment host;

    (void)arg;
    if (shl_segment_open(name, &host, NULL) || shl_segment_claim(&host))
        return 1;
    shl_segment_claim_write(&host, &claim);
    child_forever();
}

/* shows DL-24 */
static void killed_host_loses_its_claim_at_once(void **state)
{
    struct shl_segment host;
    struct shl_claim claim = {.tag = "next"};
    pid_t pid;

    (void)state;
    shl_segment_ready(&device);
    open_host(&host);
    pid = child_start(claim_and_wait, NULL);
    assert_true(shl_segment_host_alive(&device));
    assert_int_equal(shl_segment_claim(&host), SHL_BUSY);
    child_kill(pid);
    assert_false(shl_segment_host_alive(&device));
    assert_int_equal(atomic_load(&device.claim->epoch), 1);
    assert_int_equal(shl_segment_claim(&host), SHL_OK);
    /* odd to odd: the device must see that it is another */
    assert_int_equal(shl_segment_claim_write(&host, &claim), 3);
    assert_true(shl_segment_host_alive(&device));
    shl_segment_close(&host);
}

static int claim_fork_and_wait(void *arg)
{
    struct shl_claim claim = {.tag = "parent"};
    struct shl_segment host;
    pid_t *heir = arg;
    pid_t pid;

    if (shl_segment_open(name, &host, NULL) || shl_segment_claim(&host))
        return 1;
    shl_segment_claim_write(&host, &claim);
    pid = fork();
    if (pid == 0) {
        alarm(60);
        for (;;)
            pause();
    }
    *heir = pid;
    child_forever();
}

/* shows DL-24 */
static void claim_inherited_by_a_child_is_no_host(void **state)
{
    pid_t *heir = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
                       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pid_t pid;

    (void)state;
    assert_true(heir != MAP_FAILED);
    shl_segment_ready(&device);
    pid = child_start(claim_fork_and_wait, heir);
    assert_true(*heir > 0);
    assert_true(shl_segment_host_alive(&device));
    child_kill(pid);
    assert_true(shl_lease_held(&device.ask, SHL_LEASE_HOST));
    assert_false(shl_segment_host_alive(&device));
    kill(*heir, SIGKILL);
    munmap(heir, 4096);
}

static int be_a_device(void *arg)
{
    struct shl_segment own;
    struct shl_identity who = good_identity();

    (void)arg;
    if (shl_segment_create(name, 44100, &own))
        return 1;
    shl_seqlock_write(&own.identity->seqlock, &who, sizeof who / 8);
    shl_segment_ready(&own);
    child_forever();
}

static void killed_device_is_seen_dead_at_once(void **state)
{
    struct shl_segment host;
    pid_t pid;

    tear_down(state);
    pid = child_start(be_a_device, NULL);
    open_host(&host);
    assert_true(shl_segment_device_alive(&host));
    child_kill(pid);
    assert_false(shl_segment_device_alive(&host));
    shl_segment_close(&host);
    shl_map_unlink(name);
    assert_int_equal(set_up(state), 0);
    assert_true(shl_lease_held(&device.ask, SHL_LEASE_DEVICE));
    assert_true(shl_segment_device_alive(&device));
}

struct contest {
    _Atomic uint32_t round, holders, most, wins;
};

/** Claim as fast as can be; while holding, nobody else may hold. */
static int contend(void *arg)
{
    const char *soak = getenv("SHL_SOAK");
    uint32_t left = soak && *soak ? 100000 : 5000;
    struct contest *contest = arg;
    struct shl_segment host;

    if (shl_segment_open(name, &host, NULL))
        return 1;
    while (left > 0) {
        if (shl_segment_claim(&host))
            continue;
        if (atomic_fetch_add(&contest->holders, 1) != 0)
            atomic_store(&contest->most, 2);
        atomic_fetch_add(&contest->wins, 1);
        atomic_fetch_sub(&contest->holders, 1);
        shl_segment_release(&host);
        left--;
    }
    shl_segment_close(&host);
    return 0;
}

/* shows DL-23 */
static void two_hosts_that_claim_at_once_never_both_win(void **state)
{
    struct contest *contest = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
                                   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pid_t a, b;

    (void)state;
    assert_true(contest != MAP_FAILED);
    shl_segment_ready(&device);
    fflush(NULL);
    a = fork();
    if (a == 0)
        _exit(contend(contest));
    b = fork();
    if (b == 0)
        _exit(contend(contest));
    assert_int_equal(child_wait(a), 0);
    assert_int_equal(child_wait(b), 0);
    assert_int_equal(contest->most, 0);
    print_message("# figure: %u claims of two processes, never two at once\n",
                  (unsigned)contest->wins);
    munmap(contest, 4096);
}

/* ---- full memory ----------------------------------------------------------------- */

static int create_without_space(void *arg)
{
    struct shl_segment s;
    struct shl_map map;

    (void)arg;
    if (!child_own_shm(512))
        return CHILD_SKIP;
    CHILD_CHECK(shl_segment_create("/shltest-full", 48000, &s) == SHL_NO_SPACE);
    CHILD_CHECK(shl_map_ask("/shltest-full", &map) == SHL_NOT_FOUND);
    return 0;
}

static int planes_without_space(void *arg)
{
    struct shl_segment s;

    (void)arg;
    if (!child_own_shm(1024))
        return CHILD_SKIP;
    CHILD_CHECK(shl_segment_create("/shltest-full", 48000, &s) == SHL_OK);
    CHILD_CHECK(shl_segment_reserve_planes(&s, 32) == SHL_NO_SPACE);
    CHILD_CHECK(shl_segment_reserve_planes(&s, 1) == SHL_OK);
    CHILD_CHECK(!shl_segment_bad(&s));
    shl_segment_close(&s);
    return 0;
}

/* shows DL-55 */
static void full_memory_is_an_error_and_leaves_nothing(void **state)
{
    int created = child_run(create_without_space, NULL);
    int grown = child_run(planes_without_space, NULL);

    (void)state;
    if (created == CHILD_SKIP)
        skip();
    assert_int_equal(created, 0);
    assert_int_equal(grown, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(segment_is_for_nobody_until_it_is_ready),
        TEST(second_creation_is_refused),
        TEST(limits_are_within_what_is_allowed),
        TEST(host_sees_what_the_device_wrote),
        TEST(memory_is_reserved_as_it_comes_into_use),
        TEST(parameters_arrive_clean),
        TEST(reader_never_sees_half_a_value),
        TEST(seqlock_of_a_dead_writer_says_again_until_the_next),
        TEST(one_host_at_a_time_has_the_claim),
        TEST(killed_host_loses_its_claim_at_once),
        TEST(claim_inherited_by_a_child_is_no_host),
        TEST(killed_device_is_seen_dead_at_once),
        TEST(two_hosts_that_claim_at_once_never_both_win),
        TEST(full_memory_is_an_error_and_leaves_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
