/* SPDX-License-Identifier: MIT */
/* Our host role with a published plugin host of the other side, as its users
 * have it, for check_interop_real.sh: null, and a plugin of a format that it
 * finds here. Prints a line for what is wrong, and the count of what was done.
 *
 *   interop_real PROGRAM PROTOCOL FORMAT:SPEC       PROTOCOL: that it speaks
 */
#include "shmlink/shmlink.h"

#include "core/maolan/plugin_process.h"
#include "core/shm/layout.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LIMIT_MS 60000u /* only a hang is that slow */
#define FRAMES   64u
#define BLOCKS   300u

static const char *program, *spec;
static uint32_t protocol;
static uint32_t good, bad;
static shl_host *host;
static float in_memory[2][FRAMES], out_memory[2][FRAMES];
static const float *const in[2] = {in_memory[0], in_memory[1]};
static float *const out[2] = {out_memory[0], out_memory[1]};

static void verdict(int fine, const char *what, const char *why)
{
    good += fine != 0;
    bad += !fine;
    if (!fine)
        printf("FAIL %s: %s\n", what, why);
}

static int open_plugin(const char *plugin, uint32_t number)
{
    const struct shl_host_options options = {.in_channels = 2,
                                             .out_channels = 2,
                                             .rate_hz = 48000,
                                             .block_frames = FRAMES,
                                             .batch = 1};
    const struct shl_host_program what = {
        .plugin = plugin, .program = program, .protocol = number};
    char why[256] = "";
    shl_status status = shl_host_new(&options, &host);

    if (!status)
        status = shl_host_spawn(host, &what, LIMIT_MS);
    for (uint32_t ms = 0; status == SHL_AGAIN && ms < LIMIT_MS; ms += 5) {
        usleep(5000);
        shl_host_poll(host);
        if (shl_host_linked(host) == 2)
            status = SHL_OK;
    }
    shl_host_why(host, why, sizeof why);
    verdict(!status, plugin, why);
    return !status;
}

/* How many blocks came; *heard: in how many of them something was heard. */
static uint32_t play(uint32_t *heard)
{
    uint32_t came = 0;

    *heard = 0;
    for (uint32_t n = 0; n < BLOCKS; n++) {
        float sum = 0;

        for (uint32_t i = 0; i < FRAMES; i++)
            in_memory[0][i] = in_memory[1][i] =
                0.25f * sinf((float)(n * FRAMES + i) * 0.05f);
        came += shl_host_process(host, in, out, FRAMES) != 0;
        for (uint32_t i = 0; i < FRAMES; i++)
            sum += fabsf(out_memory[0][i]);
        *heard += sum > 0;
        shl_host_poll(host);
    }
    return came;
}

static void blocks(const char *what)
{
    char why[100];
    uint32_t heard, came = play(&heard);

    snprintf(why, sizeof why, "%u of %u blocks came, %u were heard", came,
             BLOCKS, heard);
    /* a busy machine may be late, a wrong count of bytes is so for ever */
    verdict(came > BLOCKS * 9 / 10 && heard > BLOCKS * 9 / 10, what, why);
}

static void null_plugin(void)
{
    if (open_plugin("null:null", 0))
        blocks("null");
    shl_host_free(host);
    host = NULL;
}

/* ---- requests ---------------------------------------------------------------- */

static struct {
    shl_status status;
    uint32_t size;
    uint8_t bytes[SHL_SCRATCH_SIZE];
    char text[256];
} answer;

static void on_answer(void *arg, const struct shl_answer *given)
{
    (void)arg;
    answer.status = given->status;
    answer.size =
        given->size < SHL_SCRATCH_SIZE ? given->size : SHL_SCRATCH_SIZE;
    if (answer.size)
        memcpy(answer.bytes, given->bytes, answer.size);
    snprintf(answer.text, sizeof answer.text, "%s", given->text);
}

static shl_status ask(uint32_t type, const void *bytes, uint32_t size)
{
    uint32_t request;
    shl_status status = shl_host_ask(host, type, bytes, size, LIMIT_MS,
                                     on_answer, NULL, &request);

    if (status)
        return status;
    status = shl_host_await(host, request, 2 * LIMIT_MS);
    return status ? status : answer.status;
}

static shl_status ask_slot(uint32_t number)
{
    return ask(SHL_MESSAGE_PLUGIN, &number, sizeof number);
}

static void state(void)
{
    static uint8_t kept[SHL_SCRATCH_SIZE];
    shl_status status = ask(SHL_MESSAGE_STATE_SAVE, NULL, 0);
    uint32_t size = answer.size;

    /* not every plugin has one */
    verdict(!status || status == SHL_UNSUPPORTED, "state", answer.text);
    if (status)
        return;
    memcpy(kept, answer.bytes, size);
    verdict(!ask(SHL_MESSAGE_STATE_RESTORE, kept, size), "restore",
            answer.text);
    verdict(!ask(SHL_MESSAGE_STATE_SAVE, NULL, 0) && answer.size == size,
            "state again", answer.text);
}

/* Nothing is answered by 1 that was not done. */
static void files(void)
{
    static const uint32_t update[] = {SHL_PLUGIN_HOST_FILE,
                                      SHL_FILE_UPDATE_MAGIC, 0, 0};
    shl_status status = ask(SHL_MESSAGE_PLUGIN, update, sizeof update);

    verdict(status == SHL_UNSUPPORTED, "a file set where there is none",
            shl_status_text(status));
    status = ask_slot(SHL_PLUGIN_HOST_FILES);
    verdict(status == SHL_UNSUPPORTED || status == SHL_OK, "files",
            shl_status_text(status));
    status = ask_slot(SHL_PLUGIN_HOST_COLLECT);
    verdict(protocol >= 7 || status == SHL_UNSUPPORTED, "collect",
            shl_status_text(status));
}

/* ---- all --------------------------------------------------------------------- */

static void parameters(void)
{
    char why[64];
    uint32_t count = shl_host_param_count(host);

    snprintf(why, sizeof why, "%u", count);
    verdict(count > 0 || protocol == 3 || !strncmp(spec, "vst3", 4),
            "parameters", why);
    if (!count)
        return;
    const struct shl_param *param = shl_host_param(host, 0);
    const struct shl_event event =
        shl_event_param(0, SHL_EVENT_PARAM, param->id, param->initial);
    verdict(!shl_host_send(host, &event, 0), "a parameter", "not sent");
}

static void plugin(uint32_t number)
{
    if (!open_plugin(spec, number))
        return;
    blocks("the first blocks");
    parameters();
    state();
    files();
    blocks("blocks after requests");
    shl_host_free(host);
    host = NULL;
}

int main(int count, char **words)
{
    if (count != 4)
        return 2;
    program = words[1];
    protocol = (uint32_t)atoi(words[2]);
    spec = words[3];
    alarm(1200);
    null_plugin();
    plugin(0);
    plugin(protocol);
    for (uint32_t ms = 0; ms < LIMIT_MS && shl_plugin_process_get_count();
         ms += 5)
        usleep(5000);
    verdict(!shl_plugin_process_get_count(), "the end", "a program is left");
    printf("%u good, %u bad\n", good, bad);
    return bad > 0;
}
