/* SPDX-License-Identifier: MIT */
/* A plugin host that does what the ones there are do, and worse: started as a
 * DAW starts one, it behaves by the words of its spec, LAYOUT/MODE/NUMBER, with
 * layout A, B8 or B16, and the number of the block (or milliseconds) for modes
 * that begin later. Modes may be joined by +. */
#include "core/maolan/maolan.h"
#include "core/maolan/scratch.h"
#include "core/os/platform.h"

#include <dirent.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static struct shl_maolan maolan;
static const struct shl_maolan_layout *row;
static uint8_t *scratch;
static struct shl_map map = SHL_MAP_NONE;
static const char *modes;
static uint32_t limit, blocks;
static int news, bell;
static uint8_t state[SHL_SCRATCH_SIZE];
static uint32_t state_size = 4; /* the level */
static float level = 1;
static bool shown; /* the window */

static bool is(const char *mode)
{
    const char *at = modes;
    size_t length = strlen(mode);
    while (at) {
        if (!strncmp(at, mode, length) &&
            (at[length] == 0 || at[length] == '+' || at[length] == '/'))
            return true;
        at = strchr(at, '+');
        if (at)
            at++;
    }
    return false;
}

static void word(uint32_t offset, uint32_t value)
{
    shl_maolan_store(&maolan, offset, value);
}

static uint32_t get(uint32_t offset)
{
    return shl_maolan_load(&maolan, offset);
}

static void count_block(void)
{
    if (is("count") && !(is("stops") && blocks >= limit))
        word(row->response_counter, get(row->response_counter) + 1);
}

static void complete(void)
{
    uint32_t count = is("storm") ? 500 : is("stale") ? 2 : 1;
    if (is("exact"))
        word(row->tasks_completed, get(row->tasks_completed) + 1);
    for (uint32_t i = 0; i < count; i++) {
        if (i == 1 && is("stale"))
            shl_sleep_ms(1); /* when the first has been taken */
        if (write(bell, "\1", 1) != 1)
            exit(0);
    }
}

/* ---- requests -------------------------------------------------------------------- */

static void list(uint32_t count, enum shl_table_kind kind)
{
    struct shl_table table;
    shl_table_write(&table, kind, scratch);
    for (uint32_t n = 0; n < count; n++) {
        char name[64];
        snprintf(name, sizeof name, "n\xC3\xA4me %u", n);
        struct shl_table_entry entry = {
            n,  (uint32_t)strlen(name),
            0,  name,
            "", 0,
            2,  kind == SHL_TABLE_LV2_CONTROLS && n == 0 ? (double)level : 1};
        if (shl_table_add(&table, &entry))
            break;
    }
    uint32_t size = shl_table_end(&table);
    if (kind != SHL_TABLE_FILES && kind != SHL_TABLE_AU_PARAMS)
        word(row->scratch_size, is("scratch") ? 0xFFFFFFFFu : size);
    if (is("scratch"))
        memset(scratch + (kind == SHL_TABLE_FILES ? 2052 : 0), 0xFF, 4);
}

static uint32_t save(void)
{
    memcpy(scratch, state, state_size);
    word(row->scratch_size, is("scratch") ? 0xFFFFFFFFu : state_size);
    return SHL_REQUEST_SUCCESS;
}

static uint32_t restore(void)
{
    state_size = get(row->scratch_size);
    if (state_size > SHL_SCRATCH_SIZE)
        return SHL_REQUEST_ERROR;
    memcpy(state, scratch, state_size);
    memcpy(&level, state, state_size >= 4 ? 4 : 0);
    if (state_size == 16) /* one of LV2, with one port */
        memcpy(&level, state + 8, 4);
    return SHL_REQUEST_SUCCESS;
}

static void tell_ports(uint32_t in, uint32_t out, uint32_t midi)
{
    const uint32_t words[] = {SHL_PORT_COUNTS_MAGIC, in, out, midi, midi};
    memcpy(scratch + SHL_PORT_COUNTS_OFFSET, words, sizeof words);
}

/* Number 7: it copies for 6, lists for 7, and changes nothing. */
static uint32_t resources(uint32_t type)
{
    if (type == SHL_MAOLAN_COLLECT)
        state[0] = (uint8_t)(state[0] + 1);
    else
        list(2, SHL_TABLE_FILES);
    return SHL_REQUEST_SUCCESS;
}

static uint32_t perform(uint32_t type)
{
    const char *text;
    uint32_t index, length;
    if (is("seven") &&
        (type == SHL_MAOLAN_COLLECT || type == SHL_MAOLAN_RESOURCE_FILES))
        return resources(type);
    if (is("bare") && type > SHL_MAOLAN_GUI_HIDE)
        return SHL_REQUEST_ERROR;
    switch (type) {
    case SHL_MAOLAN_STATE_SAVE:
        return save();
    case SHL_MAOLAN_STATE_RESTORE:
        return restore();
    case SHL_MAOLAN_GUI_SHOW:
    case SHL_MAOLAN_GUI_HIDE:
        shown = type == SHL_MAOLAN_GUI_SHOW;
        return is("nogui") ? SHL_REQUEST_ERROR : SHL_REQUEST_SUCCESS;
    case SHL_MAOLAN_RESOURCE_DIR:
        return shl_scratch_dir_read(scratch, &text, &length)
                   ? SHL_REQUEST_ERROR
                   : SHL_REQUEST_SUCCESS;
    case SHL_MAOLAN_FILE_UPDATE:
        return shl_scratch_update_read(scratch, &index, &text, &length)
                   ? SHL_REQUEST_ERROR
                   : SHL_REQUEST_SUCCESS;
    case SHL_MAOLAN_FILE_LIST:
        list(3, SHL_TABLE_FILES);
        return SHL_REQUEST_SUCCESS;
    case SHL_MAOLAN_AU_PARAMS:
        list(5, SHL_TABLE_AU_PARAMS);
        return SHL_REQUEST_SUCCESS;
    case SHL_MAOLAN_LV2_CONTROLS:
        list(4, SHL_TABLE_LV2_CONTROLS);
        return SHL_REQUEST_SUCCESS;
    case SHL_MAOLAN_CLAP_PARAMS:
        list(5, SHL_TABLE_CLAP_PARAMS);
        return SHL_REQUEST_SUCCESS;
    case SHL_MAOLAN_LV2_NOTES:
    case SHL_MAOLAN_CLAP_NOTES:
        list(6, SHL_TABLE_NOTES);
        return SHL_REQUEST_SUCCESS;
    case SHL_MAOLAN_AUDIO_PORTS:
        tell_ports(is("ports") && blocks >= limit ? 4 : 2, 2, 1);
        return SHL_REQUEST_SUCCESS;
    default:
        return SHL_REQUEST_ERROR;
    }
}

/* The order of the hosts there are: status, byte, type. */
static void handle(uint32_t type)
{
    static int asked;
    bool table = type == SHL_MAOLAN_CLAP_PARAMS;
    asked++;
    if (is("dead"))
        abort();
    if (is("dies") && !table)
        abort();
    if (is("silent") && !table)
        for (;;)
            pause();
    if (is("slow"))
        shl_sleep_ms(50);
    word(row->request_status, perform(type));
    if (type != SHL_MAOLAN_GUI_SHOW && type != SHL_MAOLAN_GUI_HIDE)
        complete();
    else if (is("exact"))
        word(row->tasks_completed, get(row->tasks_completed) + 1);
    if (is("erase"))
        shl_sleep_ms(100); /* and the next one is lost, if it is there */
    word(row->request_type, 0);
}

/* ---- blocks ---------------------------------------------------------------------- */

static void tell_param(uint32_t id, double value)
{
    struct shl_event event = shl_event_param(0, SHL_EVENT_PARAM, id, value);
    shl_maolan_send(&maolan, &event, 0);
    shl_maolan_show(&maolan);
}

static void hurt(void)
{
    if (is("exit0"))
        exit(0);
    if (is("exit7"))
        exit(7);
    if (is("crash"))
        abort();
    if (is("eof"))
        close(bell);
    if (is("hang"))
        for (;;)
            pause();
    if (is("pause"))
        shl_sleep_ms(400);
    if (is("latency"))
        word(row->latency, 456);
    if (is("ports") || is("dirty"))
        word(row->state_dirty, 1);
    if (is("turns"))
        tell_param(1, 0.25);
    if (is("midiports"))
        word(row->midi_in_ports, 5);
    if (is("cut"))
        (void)!ftruncate(map.fd, 4096);
}

static void hostile(void)
{
    if (is("indices")) {
        word(row->echo_write, get(row->echo_read) + 0x80000000u);
        word(row->midi_out_write, get(row->midi_out_read) + 5000);
        word(row->param_read, 77777777);
    }
    if (is("counts")) {
        word(row->midi_in_ports, 0xFFFFFFFFu);
        word(row->midi_out_ports, 0xFFFFFFFFu);
        word(row->latency, 0xFFFFFFFFu);
    }
    if (is("nan"))
        for (uint32_t i = 0; i < 64; i++)
            shl_maolan_plane(&maolan, 0, 1)[i] = i % 2 ? NAN : INFINITY;
}

static void echo_events(const struct shl_maolan_block *block)
{
    struct shl_event event;
    uint32_t offset;
    shl_maolan_begin(&maolan, block->frames);
    while (shl_maolan_take(&maolan, &event, &offset)) {
        if (event.kind == SHL_EVENT_PARAM && shl_event_id(&event) == 0) {
            level = (float)shl_event_value(&event);
            memcpy(state, &level, 4);
            if (state_size < 4)
                state_size = 4;
        }
        shl_maolan_send(&maolan, &event, is("nan") ? 9999 : offset);
    }
    shl_maolan_show(&maolan);
}

static void play(void)
{
    struct shl_maolan_block block;
    shl_maolan_block_read(&maolan, &block);
    if (!block.frames) {
        count_block();
        complete();
        return;
    }
    blocks++;
    echo_events(&block);
    for (uint32_t c = 0; c < block.out_channels; c++)
        for (uint32_t f = 0; f < block.frames; f++)
            shl_maolan_plane(&maolan, c, 1)[f] =
                c < block.in_channels
                    ? shl_maolan_plane(&maolan, c, 0)[f] * level
                    : 0;
    if (limit && blocks == limit)
        hurt();
    for (uint32_t id = 10; is("bare") && blocks == 1 && id <= 30; id += 10)
        tell_param(id, id / 128.0);
    hostile();
    count_block();
    complete();
}

/* Waits for a doorbell, at most 100 ms; less where a window has timers, which
 * are taken for a block. */
static bool rung(void)
{
    struct shl_pipes pipes = {.news = news, .bell = bell, .kept = -1};
    bool timers = shown && is("editor");
    char byte;
    if (is("deaf"))
        pause();
    shl_status st = shl_pipes_wait(&pipes, timers ? 5000 : 100000);
    if (st == SHL_TIMEOUT && timers)
        complete();
    if (st == SHL_TIMEOUT)
        return false;
    if (read(news, &byte, 1) != 1)
        exit(0);
    return true;
}

static void loop(void)
{
    while (is("stubborn") || !get(row->shutdown_request)) {
        uint32_t type = get(row->request_type);
        if (type && !is("exact")) {
            handle(type);
            continue;
        }
        if (!rung())
            continue;
        type = is("exact") ? get(row->request_type) : 0;
        if (type)
            handle(type);
        else
            play();
    }
}

/* Bytes without end, whoever asks: as many as the pipe takes. */
static void flood(void *arg)
{
    static const char bytes[1000];
    (void)arg;
    while (write(bell, bytes, sizeof bytes) > 0)
        continue;
}

/* ---- start ------------------------------------------------------------------------ */

/* Which descriptors are open, as a name: what we have inherited. */
static void describe(char *text, size_t size)
{
    size_t used = 0;
    text[0] = 0;
    for (int fd = 0; fd < 512; fd++)
        if (fcntl(fd, F_GETFD) >= 0)
            used += (size_t)snprintf(text + used, size - used, "%d,", fd);
}

static void introduce(const char *name)
{
    shl_scratch_name_write(scratch, name, (uint32_t)strlen(name));
    if (is("counts"))
        tell_ports(0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF);
    else if (!is("plain"))
        tell_ports(2, 2, is("wide") ? 16 : 1);
    word(row->midi_in_ports, is("wide") ? 16 : 1);
    word(row->midi_out_ports, is("wide") ? 16 : 1);
    word(row->latency, is("latency") ? 123 : 0);
    if (is("mono")) {
        word(row->input_channels, 1);
        word(row->output_channels, 1);
    }
}

int main(int argc, char **argv)
{
    char name[128];
    describe(name, sizeof name);
    if (argc != 7 && argc != 11)
        return 1;
    modes = strchr(argv[2], '/');
    modes = modes ? modes + 1 : "";
    limit =
        strrchr(argv[2], '/') ? (uint32_t)atoi(strrchr(argv[2], '/') + 1) : 0;
    news = atoi(argv[5]);
    bell = atoi(argv[6]);
    if (is("code"))
        return (int)limit;
    if (shl_map_open(argv[3], SHL_MAOLAN_SIZE, &map))
        return 2;
    for (int i = 0; i < SHL_LAYOUT_COUNT; i++) {
        size_t length = strlen(shl_maolan_layouts[i].name);
        if (!strncmp(argv[2], shl_maolan_layouts[i].name, length) &&
            argv[2][length] == '/')
            row = &shl_maolan_layouts[i];
    }
    if (!strcmp(argv[2], "null"))
        row = &shl_maolan_layouts[SHL_LAYOUT_B16];
    if (!row)
        return 4;
    memcpy(state, &level, sizeof level);
    shl_maolan_init(&maolan, map.base, row, SHL_MAOLAN_PLUGIN);
    scratch = map.base + row->scratch;
    if (is("stubborn"))
        signal(SIGTERM, SIG_IGN);
    if (is("never"))
        for (;;)
            pause();
    if (is("late"))
        word(row->ready, 1);
    if (is("late") || is("slowly"))
        shl_sleep_ms(200);
    if (!is("anonymous"))
        introduce(is("fds") ? name : "peer");
    word(row->ready, 1);
    if (is("flood") && shl_thread_start(flood, NULL))
        return 1;
    loop();
    return 0;
}
