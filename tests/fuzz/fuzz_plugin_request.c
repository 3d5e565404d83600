/* SPDX-License-Identifier: MIT */
/* A hostile plugin program: what it does with the request slot, at every moment
 * at which the host looks or sleeps, and what comes of its answers. The program,
 * its pipes and the clock are played here; slot, host and link are the real
 * ones.
 *
 * Each request must end, with one answer that fits into the scratch area; the
 * counts of ports must be such as there can be. */

/* shows DL-60 */
#include "core/host/host_state.h"
#include "shmlink/name.h"
#include "shmlink/plugin_request.h"

#include "input.h"

#include <string.h>

#define REQUESTS 6u /* at most, per input */

uint64_t __wrap_shl_clock_ns(void);
void __wrap_shl_word_wait(_Atomic uint32_t *word, uint32_t seen,
                          uint32_t timeout_us);
shl_status __wrap_shl_pipes_ring(const struct shl_pipes *pipes);
shl_status __wrap_shl_pipes_wait(const struct shl_pipes *pipes,
                                 uint32_t timeout_us);
shl_status __wrap_shl_pipes_drain(const struct shl_pipes *pipes,
                                  uint32_t *count);

static struct input *input; /* of this run */
static struct shl_plugin_process plugin;
static const struct shl_maolan_layout *row;
static shl_host *host;
static struct shl_console console;
static uint64_t now_ns = 1;
static uint32_t bytes_there; /* in its pipe to us */
static int gone;
static volatile uint32_t sink;

static struct {
    uint32_t number, asked, answered;
} question[REQUESTS];

/* ---- the program's turn ----------------------------------------------------------- */

static void store(uint32_t offset, uint32_t value)
{
    shl_maolan_store(&plugin.maolan, offset, value);
}

static uint32_t load(uint32_t offset)
{
    return shl_maolan_load(&plugin.maolan, offset);
}

/* As it should be: an answer of that kind of request. */
static void answer_well(uint32_t size)
{
    uint8_t *scratch = plugin.maolan.base + row->scratch;
    const struct shl_port_counts ports = {take(input, 1), take(input, 1),
                                          take(input, 1), take(input, 1)};
    const struct shl_table_entry entry = {
        .id = size, .name = "n\xC3\xA9", .name_length = 3, .module = ""};
    struct shl_table table;

    if (load(row->request_type) == SHL_MAOLAN_AUDIO_PORTS)
        shl_scratch_ports_write(scratch, &ports);
    if (load(row->request_type) == SHL_MAOLAN_AUDIO_PORTS && size & 1)
        memset(scratch + SHL_PORT_COUNTS_AUDIO_IN + size % 16, 0xFF, 4);
    if (load(row->request_type) == SHL_MAOLAN_FILE_LIST ||
        load(row->request_type) == SHL_MAOLAN_CLAP_NOTES) {
        shl_table_write(&table,
                        load(row->request_type) == SHL_MAOLAN_FILE_LIST
                            ? SHL_TABLE_FILES
                            : SHL_TABLE_NOTES,
                        scratch);
        for (uint32_t i = 0; i < size % 8; i++)
            shl_table_add(&table, &entry);
        size = shl_table_end(&table);
    }
    store(row->scratch_size, size);
    store(row->request_status, SHL_REQUEST_SUCCESS);
    store(row->tasks_completed, load(row->tasks_completed) + 1);
    bytes_there++;
}

/* Anything, most of it in words that matter. */
static void write_wild(void)
{
    const uint32_t words[] = {row->request_type, row->request_status,
                              row->scratch_size, row->tasks_completed,
                              row->state_dirty,  row->midi_in_ports,
                              row->latency,      row->block_size};
    const uint32_t choice = take(input, 1);
    uint8_t *scratch = plugin.maolan.base + row->scratch;

    if (choice & 0x80)
        store(words[choice % 8],
              choice & 0x40 ? take(input, 4) : take(input, 1) % 4);
    else
        for (uint32_t n = choice % 16; n > 0; n--)
            scratch[take(input, 2)] = (uint8_t)take(input, 1);
}

static void turn(void)
{
    const uint32_t choice = take(input, 1) % 16;

    if (choice < 4)
        return;
    if (choice < 8)
        answer_well(take(input, choice == 7 ? 4 : 1));
    else if (choice == 8)
        store(row->request_type, 0);
    else if (choice == 9)
        store(row->request_status, 2 + take(input, 1));
    else if (choice == 10)
        bytes_there += take(input, 1);
    else if (choice == 11 && take(input, 1) > 200)
        gone = 1;
    else
        write_wild();
}

/* Whoever sleeps is late by much. */
static void sleep_us(uint32_t us)
{
    turn();
    now_ns += us * UINT64_C(1000) + UINT64_C(40000000);
}

uint64_t __wrap_shl_clock_ns(void)
{
    return now_ns += 1000;
}

void __wrap_shl_word_wait(_Atomic uint32_t *word, uint32_t seen,
                          uint32_t timeout_us)
{
    sleep_us(timeout_us);
    if (word == &plugin.held && seen && take(input, 1) & 1)
        shl_plugin_process_let(&plugin);
}

shl_status __wrap_shl_pipes_ring(const struct shl_pipes *pipes)
{
    MUST(pipes == &plugin.pipes);
    return take(input, 1) < 250 ? SHL_OK : SHL_RING_FULL;
}

shl_status __wrap_shl_pipes_wait(const struct shl_pipes *pipes,
                                 uint32_t timeout_us)
{
    MUST(pipes == &plugin.pipes);
    sleep_us(timeout_us);
    return gone ? SHL_GONE : bytes_there ? SHL_OK : SHL_TIMEOUT;
}

shl_status __wrap_shl_pipes_drain(const struct shl_pipes *pipes,
                                  uint32_t *count)
{
    MUST(pipes == &plugin.pipes);
    *count = bytes_there;
    bytes_there = 0;
    return gone ? SHL_GONE : SHL_OK;
}

/* ---- what must hold ----------------------------------------------------------------- */

static void check_text(const char *text)
{
    char copy[512];
    const size_t length = strlen(text);

    MUST(length < sizeof copy);
    memcpy(copy, text, length + 1);
    shl_text_clean(copy, length + 1);
    MUST(!strcmp(copy, text));
}

static void hear_line(void *arg, const char *text)
{
    (void)arg;
    check_text(text);
}

static void hear_entry(void *arg, const struct shl_plugin_request_entry *entry)
{
    (void)arg;
    check_text(entry->name);
}

static void use_answer(uint32_t number, const struct shl_answer *answer)
{
    uint32_t counts[4], count = 0;

    if (!shl_plugin_request_ports(answer->bytes, answer->size, counts))
        MUST(counts[0] <= SHL_MAX_CHANNELS && counts[1] <= SHL_MAX_CHANNELS &&
             counts[2] <= SHL_MAX_MIDI_PORTS &&
             counts[3] <= SHL_MAX_MIDI_PORTS);
    shl_plugin_request_list((enum shl_plugin_host_type)number, answer->bytes,
                            answer->size, hear_entry, NULL, &count);
}

static void hear_answer(void *arg, const struct shl_answer *answer)
{
    const size_t at = (size_t)(uintptr_t)arg;

    MUST(question[at].asked && !question[at].answered++);
    MUST(answer->status >= 0 && answer->status < SHL_STATUS_COUNT);
    MUST(!answer->status == !answer->text[0] || answer->bytes);
    check_text(answer->text);
    MUST(answer->size <= SHL_SCRATCH_SIZE && (answer->bytes || !answer->size));
    for (uint32_t i = 0; i < answer->size; i++)
        sink += answer->bytes[i];
    use_answer(question[at].number, answer);
}

static void check_host(void)
{
    const struct shl_link *link = &host->link;
    struct shl_notice notice;

    MUST(link->in_planes <= SHL_MAX_CHANNELS &&
         link->out_planes <= SHL_MAX_CHANNELS);
    MUST(plugin.ports.midi_in <= SHL_MAX_MIDI_PORTS &&
         plugin.ports.midi_out <= SHL_MAX_MIDI_PORTS);
    MUST(host->plugin.state_size <= SHL_SCRATCH_SIZE);
    while (shl_host_notice(host, &notice))
        MUST(notice.kind == SHL_NOTICE_DIRTY ||
             notice.kind == SHL_NOTICE_PORTS);
}

/* ---- the host's turn ------------------------------------------------------------------- */

static void ask(uint32_t at)
{
    static const uint32_t types[] = {
        SHL_MESSAGE_PLUGIN,     SHL_MESSAGE_PLUGIN,        SHL_MESSAGE_PLUGIN,
        SHL_MESSAGE_STATE_SAVE, SHL_MESSAGE_STATE_RESTORE, SHL_MESSAGE_RESET};
    const uint32_t type = types[take(input, 1) % 6];
    uint8_t bytes[8192] = {0};
    uint32_t size = sizeof bytes;

    question[at].number = take(input, 1) % 15;
    if (question[at].number == 14)
        question[at].number = SHL_PLUGIN_HOST_COLLECT;
    question[at].asked = 1;
    question[at].answered = 0;
    if (type == SHL_MESSAGE_PLUGIN &&
        shl_plugin_request_ask((enum shl_plugin_host_type)question[at].number,
                               take(input, 1), "/a", bytes, &size)) {
        memcpy(bytes, &question[at].number, 4);
        size = take(input, 1) % 8;
    }
    uint8_t *exact = malloc(size);
    MUST(exact);
    memcpy(exact, bytes, size);
    if (shl_host_ask(host, type, exact, size, 0, hear_answer,
                     (void *)(uintptr_t)at, NULL))
        question[at].asked = 0;
    else if (type == SHL_MESSAGE_PLUGIN)
        MUST(question[at].number - 1 < SHL_PLUGIN_HOST_AU_PARAMS ||
             question[at].number == SHL_PLUGIN_HOST_COLLECT);
    free(exact);
}

static void step(uint32_t at)
{
    const uint32_t choice = take(input, 1);

    if (choice & 1)
        turn();
    if (choice & 2)
        plugin.held = SHL_PLUGIN_PROCESS_AUDIO;
    if (choice & 4)
        shl_host_plugin_opened(host);
    ask(at);
    if (choice & 8)
        now_ns += UINT64_C(6000000000);
    shl_plugin_request_serve(&plugin);
    MUST(!shl_mpsc_newest(&plugin.posted));
    MUST(atomic_load(&plugin.held) != SHL_PLUGIN_PROCESS_SLOT);
    if (choice & 2)
        plugin.held = SHL_PLUGIN_PROCESS_NOBODY;
    shl_host_plugin_poll(host);
    MUST(question[at].answered == question[at].asked);
    check_host();
}

/* ---- beginning and end ------------------------------------------------------------------- */

static void leave(void)
{
    free(host->plugin.state);
    host->plugin.running = NULL;
    memset(&host->plugin, 0, sizeof host->plugin);
    shl_host_free(host);
    free(plugin.map.base);
}

static void begin(void)
{
    const struct shl_host_options options = {.in_channels = 2,
                                             .out_channels = 2,
                                             .rate_hz = 48000,
                                             .block_frames = 64};

    plugin.map.fd = -1;
    plugin.map.size = SHL_MAOLAN_SIZE;
    plugin.map.base = calloc(1, SHL_MAOLAN_SIZE);
    strcpy(plugin.format, "clap");
    MUST(plugin.map.base && !shl_host_new(&options, &host));
    shl_monitor_console(&console, hear_line, NULL);
    shl_host_set_monitor(host, &console.monitor);
    atexit(leave);
}

static void link_up(uint32_t choice)
{
    const struct shl_link_options options = {
        .rate_hz = 48000, .block_frames = 64, .in_channels = 2};
    struct shl_why why;

    row = &shl_maolan_layouts[choice % SHL_LAYOUT_COUNT];
    memset(plugin.map.base, 0, SHL_AUDIO_OFFSET);
    memset(plugin.map.base + row->scratch, 0, SHL_SCRATCH_SIZE);
    shl_maolan_init(&plugin.maolan, plugin.map.base, row, SHL_MAOLAN_DAW);
    plugin.ports = (struct shl_port_counts){2, 2, 1, 1};
    plugin.ports_told = choice & 4;
    plugin.ports_fixed = plugin.owed = false;
    plugin.heard = plugin.rung = 0;
    plugin.tasks = plugin.responses = (struct shl_plugin_process_count){0, 0};
    plugin.gone = gone = 0;
    bytes_there = 0;
    strcpy(plugin.title,
           choice & 32 ? "thirty letters before a wide: \xC3\xB6" : "");
    MUST(!shl_link_open_plugin(&host->link, &plugin, &options, &why));
    check_text(host->link.identity.id);
    host->plugin.running = &plugin;
    host->plugin.again = choice & 8;
    host->plugin.links = choice & 16 ? 2 : 1;
    host->plugin.ports = plugin.ports;
    host->plugin.saving = host->plugin.changed = false;
    host->plugin.saved_ns = now_ns;
    host->linked = host->announced = true;
    shl_requester_begin(&host->requester, NULL, host->link.epoch);
}

static void unlink_again(void)
{
    shl_plugin_request_clear(&plugin);
    shl_requester_end(&host->requester);
    shl_requester_gone(&host->requester, now_ns);
    host->linked = host->announced = false;
    shl_link_close(&host->link);
    for (uint32_t i = 0; i < REQUESTS; i++)
        MUST(question[i].answered == question[i].asked);
    free(host->plugin.state);
    host->plugin.state = NULL;
    host->plugin.state_size = 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input bytes = {data, data + size};

    input = &bytes;
    if (!host)
        begin();
    memset(question, 0, sizeof question);
    link_up(take(input, 1));
    for (uint32_t at = 0; at < REQUESTS && input->at < input->end; at++)
        step(at);
    unlink_again();
    return 0;
}
