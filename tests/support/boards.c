/* SPDX-License-Identifier: MIT */
#include "boards.h"

#include "child.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

char registry[16];
char board[64];

int board_set_up(void **state)
{
    (void)state;
    snprintf(registry, sizeof registry, "t%d", (int)getpid());
    snprintf(board, sizeof board, "/dev/shm/shl-%u-%s", (unsigned)geteuid(),
             registry);
    return 0;
}

int board_tear_down(void **state)
{
    (void)state;
    unlink(board);
    return 0;
}

bool board_soak(void)
{
    const char *set = getenv("SHL_SOAK");

    return set && *set;
}

struct shl_identity board_identity(const char *id)
{
    struct shl_identity who = {
        .rate_hz = 48000, .block_frames = 64, .out_channels = 2};

    snprintf(who.id, sizeof who.id, "%s", id);
    return who;
}

bool board_sit(struct shl_registration *registration, const char *wish,
               const char *got)
{
    struct shl_identity who = board_identity(wish);
    struct shl_why why = {""};

    if (shl_registration_take(registry, &who, registration, &why)) {
        fprintf(stderr, "# no registration: %s\n", why.text);
        return false;
    }
    return strcmp(who.id, got) == 0 &&
           strcmp(registration->entry.identity.id, got) == 0;
}

struct shl_board_view board_view(void)
{
    struct shl_board_view view;

    if (shl_board_open(registry, &view, NULL))
        abort();
    return view;
}

bool board_exists(const char *name)
{
    char path[64];

    snprintf(path, sizeof path, "/dev/shm%s", name);
    return access(path, F_OK) == 0;
}

uint32_t board_used(void)
{
    static const struct shl_board_entry nothing;
    struct shl_board_view view = board_view();
    uint32_t used = 0;

    for (uint32_t i = 0; i < SHL_MAX_DEVICES; i++) {
        struct shl_board_entry entry;
        uint32_t words = sizeof entry / 8;

        used += shl_board_held(&view, i) ||
                shl_seqlock_read(&view.board->slot[i].seqlock, &entry, words) ||
                memcmp(&entry, &nothing, sizeof entry) != 0;
    }
    shl_board_close(&view);
    return used;
}

uint32_t board_sweep(void)
{
    struct shl_board_view view = board_view();
    uint32_t cleared = 0;

    for (uint32_t i = 0; i < SHL_MAX_DEVICES; i++)
        cleared += shl_board_sweep(&view, i);
    shl_board_close(&view);
    return cleared;
}

static bool starts(struct board_registered *device, const char *wish)
{
    struct shl_identity who = board_identity(wish);

    if (shl_registration_take(registry, &who, &device->registration, NULL) ||
        shl_segment_create(device->registration.entry.segment, 48000,
                           &device->segment))
        return false;
    shl_seqlock_write(&device->segment.identity->seqlock, &who, sizeof who / 8);
    shl_segment_ready(&device->segment);
    return true;
}

void board_start(struct board_registered *device, const char *wish)
{
    if (!starts(device, wish))
        abort();
}

void board_stop(struct board_registered *device)
{
    shl_map_unlink(device->registration.entry.segment);
    shl_segment_close(&device->segment);
    shl_registration_leave(&device->registration);
}

shl_registry *board_registry(void)
{
    shl_registry *opened = NULL;

    if (shl_registry_open(registry, &opened, NULL))
        abort();
    return opened;
}

int board_device(void *id)
{
    struct board_registered device;

    if (!starts(&device, id))
        return 1;
    child_forever();
}
