/* SPDX-License-Identifier: MIT */
/* What `shmlink device` answers: over a whole link, its audio thread beside the
 * message_thread. */
#include "tool/bank.h"
#include "tool/inbox.h"
#include "tool/message_thread.h"
#include "tool/player.h"

#include "peer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LONG_MS 30000u

static char folder[64];
static struct exchange *exchange;
static struct player *player;
static struct message_thread *message_thread;
static shl_device *device;
static shl_host *host;
static pthread_t thread;
static _Atomic int quit, deaf, deafened;

/* ---- device and host ----------------------------------------------------------- */

static void *play(void *arg)
{
    struct shl_block block;
    (void)arg;

    while (!quit) {
        shl_status status;
        deafened = deaf;
        if (deafened) {
            shl_sleep_ms(1);
            continue;
        }
        status = shl_device_wait(device, 10000, &block);
        if (status == SHL_OK) {
            player_block(player, device, &block);
            shl_device_done(device);
        } else {
            player_heed(player, device);
        }
    }
    return NULL;
}

static int start_device(void)
{
    const struct shl_device_options self = {.id = "Clerk",
                                            .out_channels = 2,
                                            .rate_hz = 48000,
                                            .block_frames = 64,
                                            .params = synth_params(),
                                            .param_count = SYNTH_PARAMS};
    struct message_thread_options options = {.files = folder,
                                             .kind = "shmlink synth",
                                             .out_channels = 2,
                                             .sysex = 1};
    struct player_options sound = {.rate_hz = 48000, .out_channels = 2};

    quit = deaf = 0;
    sound.exchange = options.exchange = exchange = exchange_new();
    player = player_new(&sound);
    message_thread = message_thread_new(&options);
    return shl_device_open(&self, &device, NULL) ||
           message_thread_open(message_thread, device) ||
           pthread_create(&thread, NULL, play, NULL);
}

static int set_up(void **state)
{
    const struct shl_host_options options = {
        .out_channels = 2, .rate_hz = 48000, .block_frames = 64, .batch = 1};
    (void)state;

    snprintf(folder, sizeof folder, "/tmp/shmlink-message_thread-XXXXXX");
    return !mkdtemp(folder) || start_device() ||
           shl_host_new(&options, &host) ||
           shl_host_open(host, "Clerk:0", LONG_MS);
}

static int tear_down(void **state)
{
    char command[128];
    (void)state;

    quit = 1;
    shl_host_free(host);
    shl_device_wake(device);
    pthread_join(thread, NULL);
    message_thread_close(message_thread);
    shl_device_close(device);
    message_thread_free(message_thread);
    player_free(player);
    exchange_free(exchange);
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return system(command);
}

static struct {
    shl_status status;
    char text[200];
    uint8_t *bytes;
    uint32_t size, count;
} answer;

static void hear(void *arg, const struct shl_answer *a)
{
    (void)arg;
    free(answer.bytes);
    answer.status = a->status;
    snprintf(answer.text, sizeof answer.text, "%s", a->text);
    answer.bytes = malloc(a->size + 1);
    answer.size = a->size;
    answer.count++;
    if (a->size)
        memcpy(answer.bytes, a->bytes, a->size);
}

static shl_status ask(uint32_t type, const void *bytes, uint32_t size)
{
    uint32_t request;

    answer.count = 0;
    assert_int_equal(
        shl_host_ask(host, type, bytes, size, LONG_MS, hear, NULL, &request),
        SHL_OK);
    assert_int_equal(shl_host_await(host, request, LONG_MS), SHL_OK);
    assert_int_equal(answer.count, 1);
    return answer.status;
}

static shl_status ask_u32(uint32_t type, uint32_t value)
{
    return ask(type, &value, 4);
}

static struct shl_unpack reply(void)
{
    return shl_unpack_from(answer.bytes, answer.size);
}

static double value_of(enum synth_param param)
{
    struct shl_unpack unpack;

    assert_int_equal(ask_u32(SHL_MESSAGE_PARAM_GET, param), SHL_OK);
    unpack = reply();
    return shl_unpack_f64(&unpack);
}

/* ---- the exchange ------------------------------------------------------------------- */

static void an_unheard_wish_keeps_its_silence(void **state)
{
    struct exchange *own = exchange_new();
    double values[SYNTH_PARAMS] = {1}, seen[SYNTH_PARAMS];
    const struct exchange_wish *wish;
    uint32_t first, second;

    (void)state;
    first = exchange_post(own, values, 1);
    values[0] = 2;
    second = exchange_post(own, values, 0);
    exchange_values(own, seen);
    assert_true(seen[0] == 2);
    assert_false(exchange_heard(own, first));
    wish = exchange_take(own);
    assert_non_null(wish);
    assert_true(wish->value[0] == 2 && wish->reset);
    assert_null(exchange_take(own));
    exchange_done(own, wish);
    assert_true(exchange_heard(own, first) && exchange_heard(own, second));
    exchange_post(own, values, 0);
    assert_int_equal(exchange_take(own)->reset, 0);
    exchange_free(own);
}

static void midi_waits_in_order_and_has_an_end(void **state)
{
    struct exchange *own = exchange_new();
    uint32_t ump[2] = {0, 0};

    (void)state;
    for (uint32_t round = 0; round < 3; round++) {
        for (uint32_t i = 0; i < EXCHANGE_MIDI; i++) {
            ump[0] = i;
            assert_true(exchange_midi(own, ump));
        }
        assert_false(exchange_midi(own, ump));
        for (uint32_t i = 0; i < EXCHANGE_MIDI; i++) {
            assert_true(exchange_next_midi(own, ump));
            assert_int_equal(ump[0], i);
        }
        assert_false(exchange_next_midi(own, ump));
    }
    exchange_free(own);
}

static void the_first_program_is_how_it_begins(void **state)
{
    (void)state;
    assert_null(bank_program(bank_count()));
    for (uint32_t p = 0; p < bank_count(); p++)
        for (uint32_t i = 0; i < SYNTH_PARAMS; i++) {
            const struct shl_param *param = &synth_params()[i];
            const double value = bank_program(p)->value[i];
            assert_true(shl_param_clip(param, value) == value);
            assert_true(p || param->initial == value);
        }
}

/* ---- over the link ------------------------------------------------------------------ */

/* shows DL-09 */
static void programs_are_listed_set_and_named(void **state)
{
    struct shl_unpack unpack;
    char name[64];

    (void)state;
    assert_int_equal(ask(SHL_MESSAGE_PROGRAM_LIST, NULL, 0), SHL_OK);
    unpack = reply();
    assert_int_equal(shl_unpack_u32(&unpack), bank_count());
    for (uint32_t i = 0; i < bank_count(); i++) {
        shl_unpack_text(&unpack, name, sizeof name);
        assert_string_equal(name, bank_program(i)->name);
    }
    assert_int_equal(unpack.at, unpack.size);
    assert_int_equal(ask_u32(SHL_MESSAGE_PROGRAM_SET, 2), SHL_OK);
    unpack = reply();
    assert_int_equal(shl_unpack_u32(&unpack), 2);
    assert_int_equal(ask(SHL_MESSAGE_PROGRAM_GET, NULL, 0), SHL_OK);
    unpack = reply();
    assert_int_equal(shl_unpack_u32(&unpack), 2);
    shl_unpack_text(&unpack, name, sizeof name);
    assert_string_equal(name, "strings");
    assert_int_equal(ask_u32(SHL_MESSAGE_PROGRAM_SET, bank_count()),
                     SHL_NOT_FOUND);
    assert_string_equal(answer.text, "programs go from 0 to 7");
    assert_true(value_of(SYNTH_ATTACK) == 250);
}

/* No block has been asked for: the answer is there when the value is.
 * shows DL-57 */
static void what_was_answered_is_what_the_host_sees(void **state)
{
    struct shl_event event;
    uint32_t offset;

    (void)state;
    for (uint32_t i = 0; i < 200; i++) {
        const struct program *program = bank_program(i % bank_count());
        assert_int_equal(ask_u32(SHL_MESSAGE_PROGRAM_SET, i % bank_count()),
                         SHL_OK);
        shl_host_refresh(host);
        for (uint32_t p = 0; p < SYNTH_PARAMS; p++)
            assert_true(shl_host_param_value(host, p) == program->value[p]);
    }
    assert_int_equal(shl_host_event(host, &event, &offset), 0); /* no echo */
}

static void parameters_are_set_and_read_in_words(void **state)
{
    uint8_t bytes[100];
    struct shl_pack pack = shl_pack_into(bytes, sizeof bytes);
    struct shl_unpack unpack;
    char text[64];

    (void)state;
    shl_pack_u32(&pack, SYNTH_TUNE);
    shl_pack_f64(&pack, 500);
    assert_int_equal(ask(SHL_MESSAGE_PARAM_SET, bytes, 12), SHL_OK);
    assert_true(value_of(SYNTH_TUNE) == 100); /* clipped */
    shl_pack_text(&pack, "-25 cents");
    assert_int_equal(ask(SHL_MESSAGE_PARAM_TEXT, bytes, (uint32_t)pack.used),
                     SHL_OK);
    unpack = reply();
    assert_true(shl_unpack_f64(&unpack) == -25);
    pack = shl_pack_into(bytes, sizeof bytes);
    shl_pack_u32(&pack, SYNTH_TUNE);
    shl_pack_f64(&pack, 12.5);
    shl_pack_text(&pack, "");
    assert_int_equal(ask(SHL_MESSAGE_PARAM_TEXT, bytes, (uint32_t)pack.used),
                     SHL_OK);
    unpack = reply();
    assert_true(shl_unpack_f64(&unpack) == 12.5);
    shl_unpack_text(&unpack, text, sizeof text);
    assert_string_equal(text, "12.5 cents");
    assert_int_equal(ask_u32(SHL_MESSAGE_PARAM_GET, SYNTH_PARAMS),
                     SHL_NOT_FOUND);
    assert_int_equal(ask(SHL_MESSAGE_PARAM_LIST, NULL, 0), SHL_OK);
    assert_int_equal(ask(SHL_MESSAGE_BUS_LAYOUT, NULL, 0), SHL_OK);
}

static void a_state_comes_back_and_others_change_nothing(void **state)
{
    static uint8_t saved[1000];
    uint32_t size;

    (void)state;
    assert_int_equal(ask_u32(SHL_MESSAGE_PROGRAM_SET, 5), SHL_OK);
    assert_int_equal(ask(SHL_MESSAGE_STATE_SAVE, NULL, 0), SHL_OK);
    size = answer.size;
    memcpy(saved, answer.bytes, size);
    assert_int_equal(ask_u32(SHL_MESSAGE_PROGRAM_SET, 0), SHL_OK);
    saved[size - 1] ^= 1;
    assert_int_equal(ask(SHL_MESSAGE_STATE_RESTORE, saved, size),
                     SHL_BAD_VALUE);
    assert_string_equal(answer.text, "this state is damaged");
    assert_int_equal(ask(SHL_MESSAGE_STATE_RESTORE, "x", 1), SHL_BAD_VALUE);
    assert_int_equal(ask(SHL_MESSAGE_STATE_RESTORE, NULL, 0), SHL_BAD_VALUE);
    assert_true(value_of(SYNTH_CUTOFF) == 5000);
    saved[size - 1] ^= 1;
    assert_int_equal(ask(SHL_MESSAGE_STATE_RESTORE, saved, size), SHL_OK);
    assert_true(value_of(SYNTH_CUTOFF) == 700);
    assert_int_equal(ask(SHL_MESSAGE_RESET, NULL, 0), SHL_OK);
    assert_true(value_of(SYNTH_CUTOFF) == 700);
}

static void payloads_that_lie_are_refused(void **state)
{
    static const uint32_t types[] = {
        SHL_MESSAGE_MIDI_RAW,    SHL_MESSAGE_PARAM_LIST,
        SHL_MESSAGE_PARAM_GET,   SHL_MESSAGE_PARAM_SET,
        SHL_MESSAGE_PARAM_TEXT,  SHL_MESSAGE_PROGRAM_LIST,
        SHL_MESSAGE_PROGRAM_GET, SHL_MESSAGE_PROGRAM_SET,
        SHL_MESSAGE_STATE_SAVE,  SHL_MESSAGE_STATE_RESTORE,
        SHL_MESSAGE_FILE_OFFER,  SHL_MESSAGE_FILE_DATA,
        SHL_MESSAGE_RESET,       SHL_MESSAGE_BUS_LAYOUT};
    uint8_t bytes[300];

    (void)state;
    memset(bytes, 0xFF, sizeof bytes);
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        for (uint32_t size = 1; size < sizeof bytes; size += 37)
            assert_int_not_equal(ask(types[i], bytes, size), SHL_OK);
    assert_int_equal(ask(SHL_MESSAGE_TAP_LIST, NULL, 0), SHL_UNSUPPORTED);
}

/* An audio thread that does not come: one error, not silence for ever. */
static void a_deaf_audio_thread_is_told_of(void **state)
{
    (void)state;
    deaf = 1;
    for (uint32_t i = 0; i < LONG_MS && !deafened; i++) {
        shl_device_wake(device);
        shl_sleep_ms(1);
    }
    assert_int_equal(ask_u32(SHL_MESSAGE_PROGRAM_SET, 1), SHL_TIMEOUT);
    assert_string_equal(answer.text, "the audio thread does not take it");
    deaf = 0;
}

/* ---- SysEx -------------------------------------------------------------------------- */

static uint8_t *echoed;
static uint32_t echoed_size;

static int hear_echo(void *arg, const struct shl_received *message)
{
    (void)arg;
    if (message->type != SHL_MESSAGE_MIDI_RAW)
        return 0;
    echoed_size = message->size;
    echoed = malloc(message->size);
    memcpy(echoed, message->bytes, message->size);
    return 1;
}

/* shows DL-29 DL-08 */
static void ten_mebibytes_of_sysex_come_back_equal(void **state)
{
    uint32_t size = 4 + (10u << 20);
    uint8_t *bytes = malloc(size);
    uint64_t seed = 29;

    (void)state;
    memset(bytes, 0, 4);
    for (uint32_t i = 4; i < size; i++)
        bytes[i] = (uint8_t)(peer_random(&seed) & 0x7F);
    bytes[4] = 0xF0;
    bytes[size - 1] = 0xF7;
    shl_host_on_message(host, hear_echo, NULL);
    assert_int_equal(ask(SHL_MESSAGE_MIDI_RAW, bytes, size), SHL_OK);
    for (uint32_t i = 0; i < LONG_MS && !echoed; i++) {
        shl_host_poll(host);
        shl_sleep_ms(1);
    }
    assert_int_equal(echoed_size, size);
    assert_memory_equal(echoed, bytes, size);
    free(echoed);
    echoed = NULL;
    free(bytes);
}

/* ---- files --------------------------------------------------------------------------- */

static uint32_t files(void)
{
    DIR *dir = opendir(folder);
    uint32_t count = 0;

    while (readdir(dir))
        count++;
    closedir(dir);
    return count - 2;
}

static shl_status offer(const char *name, uint64_t size, uint32_t sum,
                        uint32_t *transfer)
{
    uint8_t bytes[400];
    struct shl_pack pack = shl_pack_into(bytes, sizeof bytes);
    struct shl_unpack unpack;
    shl_status status;

    shl_pack_text(&pack, name);
    shl_pack_u64(&pack, size);
    shl_pack_u32(&pack, sum);
    status = ask(SHL_MESSAGE_FILE_OFFER, bytes, (uint32_t)pack.used);
    unpack = reply();
    *transfer = shl_unpack_u32(&unpack);
    return status;
}

static shl_status data(uint32_t transfer, uint64_t offset, const uint8_t *from,
                       uint32_t size)
{
    uint8_t *bytes = malloc(size + 12);
    struct shl_pack pack = shl_pack_into(bytes, 12);
    shl_status status;

    shl_pack_u32(&pack, transfer);
    shl_pack_u64(&pack, offset);
    memcpy(bytes + 12, from, size);
    status = ask(SHL_MESSAGE_FILE_DATA, bytes, size + 12);
    free(bytes);
    return status;
}

/* shows DL-58 */
static void a_file_arrives_whole_or_not_at_all(void **state)
{
    static const uint8_t text[] = "a file in three pieces";
    const uint32_t size = sizeof text, sum = shl_checksum(0, text, size);
    char path[200];
    uint8_t *bytes;
    size_t length;
    uint32_t t;

    (void)state;
    assert_int_equal(offer("a.txt", size, sum, &t), SHL_OK);
    assert_int_equal(data(t, 0, text, 10), SHL_OK);
    assert_int_equal(data(t, 10, text + 10, 5), SHL_OK);
    snprintf(path, sizeof path, "%s/a.txt", folder);
    assert_int_not_equal(access(path, F_OK), 0);
    assert_int_equal(data(t, 15, text + 15, size - 15), SHL_OK);
    assert_int_equal(shl_file_load(path, 100, &bytes, &length, NULL), SHL_OK);
    assert_int_equal(length, size);
    assert_memory_equal(bytes, text, size);
    free(bytes);
    assert_int_equal(offer("a.txt", size, sum, &t), SHL_TAKEN);
    assert_int_equal(offer("b", size, sum + 1, &t), SHL_OK);
    assert_int_equal(data(t, 0, text, size), SHL_BAD_VALUE); /* checksum */
    assert_int_equal(offer("b", size, sum, &t), SHL_OK);
    assert_int_equal(data(t, 1, text, 5), SHL_BAD_VALUE); /* a gap */
    assert_int_equal(data(t, 0, text, 5), SHL_NOT_FOUND);
    assert_int_equal(offer("b", size, sum, &t), SHL_OK);
    assert_int_equal(data(t, 0, text, size), SHL_OK);
    assert_int_equal(offer("empty", 0, 0, &t), SHL_OK);
    assert_int_equal(offer("c", INBOX_LIMIT + 1, 0, &t), SHL_NO_SPACE);
    assert_int_equal(files(), 3);
}

static void names_of_files_are_not_trusted(void **state)
{
    static const char *const names[] = {"../x", "/tmp/x", "a/b",  ".x",
                                        "..",   "",       "a\\b", "a\nb"};
    uint32_t t;

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        assert_int_equal(offer(names[i], 1, 0, &t), SHL_BAD_NAME);
    assert_int_equal(files(), 0);
}

static void unfinished_files_leave_nothing(void **state)
{
    char name[8];
    uint32_t t;

    (void)state;
    for (uint32_t i = 0; i < 3 * INBOX_TRANSFERS; i++) {
        snprintf(name, sizeof name, "f%u", (unsigned)i);
        assert_int_equal(offer(name, 100, 0, &t), SHL_OK);
    }
    assert_int_equal(files(), INBOX_TRANSFERS);
    message_thread_close(message_thread);
    message_thread_free(message_thread);
    message_thread = NULL;
    assert_int_equal(files(), 0);
    struct message_thread_options options = {.exchange = exchange,
                                             .kind = "shmlink synth"};
    message_thread = message_thread_new(&options);
    assert_int_equal(message_thread_open(message_thread, device), SHL_OK);
    assert_int_equal(offer("a", 1, 0, &t), SHL_NO_PERMISSION);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_unheard_wish_keeps_its_silence),
        cmocka_unit_test(midi_waits_in_order_and_has_an_end),
        cmocka_unit_test(the_first_program_is_how_it_begins),
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        TEST(programs_are_listed_set_and_named),
        TEST(what_was_answered_is_what_the_host_sees),
        TEST(parameters_are_set_and_read_in_words),
        TEST(a_state_comes_back_and_others_change_nothing),
        TEST(payloads_that_lie_are_refused),
        TEST(a_deaf_audio_thread_is_told_of),
        TEST(ten_mebibytes_of_sysex_come_back_equal),
        TEST(a_file_arrives_whole_or_not_at_all),
        TEST(names_of_files_are_not_trusted),
        TEST(unfinished_files_leave_nothing),
    };

    peer_own_board();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
