/* A segment from both sides: whole when it is ready, refused when anything in
 * it is wrong, claimed by one host at a time, harmless when it is cut. */
#include "core/segment.h"

#include "child.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static char name[32];
static struct shl_segment device; /* as its device sees it */

static struct shl_identity good_identity(void)
{
    struct shl_process self = shl_process_self();
    struct shl_identity who = {
        .id = "MySynth:0",
        .vendor = "Test",
        .rate_hz = 48000,
        .block_frames = 64,
        .in_channels = 2,
        .out_channels = 2,
        .param_count = 3,
        .pid = self.pid,
        .start_time = self.start_time,
        .pid_namespace = self.pid_namespace,
    };

    return who;
}

static void say_identity(const struct shl_identity *who)
{
    shl_cell_write(&device.identity->cell, who, sizeof *who / 8);
}

/** A segment, complete but not ready. */
static int set_up(void **state)
{
    struct shl_identity who = good_identity();

    (void)state;
    snprintf(name, sizeof name, "/shltest-%d", (int)getpid());
    if (shl_segment_create(name, 48000, &device))
        return -1;
    say_identity(&who);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    shl_map_unlink(name);
    shl_segment_close(&device);
    return 0;
}

static shl_status opened(struct shl_why *why)
{
    struct shl_segment host;
    shl_status status;

    memset(&host, 0x55, sizeof host);
    status = shl_segment_open(name, &host, why);
    if (!status) {
        shl_segment_close(&host);
        assert_int_equal(host.map.fd, -1);
        shl_segment_close(&host);
    }
    return status;
}

static void open_host(struct shl_segment *host)
{
    struct shl_why why = {""};

    if (shl_segment_open(name, host, &why))
        fail_msg("%s", why.text);
}

/* ---- creating and opening ---------------------------------------------------- */

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

/* ---- what is refused ----------------------------------------------------------- */

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
    assert_non_null(strstr(why.text, "2.1"));
    assert_non_null(strstr(why.text, "1.1"));
    link->major = 0;
    assert_int_equal(opened(&why), SHL_WRONG_VERSION);
}

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

    (void)state;
    shl_segment_ready(&device);
    assert_int_equal(fchmod(device.map.fd, 0644), 0);
    assert_int_equal(opened(&why), SHL_FOREIGN);
    assert_non_null(strstr(why.text, name));
    assert_int_equal(fchmod(device.map.fd, 0600), 0);
    assert_int_equal(shl_segment_open("/shltest-none", &host, &why),
                     SHL_NOT_FOUND);
    assert_int_equal(shl_segment_open("/a-name-that-is-longer-than-any-of-ours",
                                      &host, &why),
                     SHL_BAD_NAME);
}

static int cut_it(void *arg)
{
    const off_t *left = arg;
    struct shl_map map;

    return shl_map_ask(name, &map) || ftruncate(map.fd, *left);
}

/** Without set-up: cmocka puts its own handler over ours when a test begins,
 * so everything must be mapped after that. */
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

/* ---- cells --------------------------------------------------------------------- */

enum { CELL_WORDS = 40 };
static struct {
    SHL_CELL(CELL_WORDS) cell;
} shared_cell;
static atomic_bool enough;

static void *write_cells(void *arg)
{
    uint64_t value[CELL_WORDS];

    for (uint64_t n = 1; !atomic_load_explicit(&enough, memory_order_relaxed);
         n++) {
        for (int i = 0; i < CELL_WORDS; i++)
            value[i] = n * 1000 + (uint64_t)i;
        shl_cell_write(&shared_cell.cell, value, CELL_WORDS);
        for (int i = 0; i < 20; i++) /* let readers through now and then */
            shl_pause();
    }
    return arg;
}

static void reader_never_sees_half_a_value(void **state)
{
    const char *soak = getenv("SHL_SOAK");
    const int reads = soak && *soak ? 20000000 : 200000;
    uint64_t value[CELL_WORDS];
    pthread_t thread;
    int whole = 0;

    (void)state;
    assert_int_equal(pthread_create(&thread, NULL, write_cells, NULL), 0);
    for (int n = 0; n < reads; n++) {
        if (shl_cell_read(&shared_cell.cell, value, CELL_WORDS) != SHL_OK)
            continue;
        whole += value[0] != 0;
        for (int i = 1; i < CELL_WORDS && value[0]; i++) {
            if (value[i] != value[0] + (uint64_t)i) {
                atomic_store(&enough, true);
                fail_msg("read %d is torn at word %d", n, i);
            }
        }
    }
    atomic_store(&enough, true);
    pthread_join(thread, NULL);
    print_message("# figure: %d of %d reads of a busy cell came through\n",
                  whole, reads);
    assert_true(whole > 0);
}

static void cell_of_a_dead_writer_says_again_until_the_next(void **state)
{
    uint64_t value[CELL_WORDS] = {1, 2, 3}, got[CELL_WORDS] = {9};

    (void)state;
    atomic_store(&shared_cell.cell.sequence, UINT32_MAX); /* odd, wraps */
    assert_int_equal(shl_cell_read(&shared_cell.cell, got, CELL_WORDS),
                     SHL_AGAIN);
    shl_cell_write(&shared_cell.cell, value, CELL_WORDS);
    assert_int_equal(atomic_load(&shared_cell.cell.sequence), 0);
    assert_int_equal(shl_cell_read(&shared_cell.cell, got, CELL_WORDS), SHL_OK);
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
    shl_cell_write(&own.identity->cell, &who, sizeof who / 8);
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
        TEST(host_sees_what_the_device_wrote),
        TEST(memory_is_reserved_as_it_comes_into_use),
        TEST(parameters_arrive_clean),
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
        TEST(reader_never_sees_half_a_value),
        TEST(cell_of_a_dead_writer_says_again_until_the_next),
        TEST(one_host_at_a_time_has_the_claim),
        TEST(killed_host_loses_its_claim_at_once),
        TEST(claim_inherited_by_a_child_is_no_host),
        TEST(killed_device_is_seen_dead_at_once),
        TEST(two_hosts_that_claim_at_once_never_both_win),
        TEST(full_memory_is_an_error_and_leaves_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
