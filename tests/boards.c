#include "boards.h"

#include "child.h"
#include "core/segment.h"

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

bool board_sit(struct shl_seat *seat, const char *wish, const char *got)
{
    struct shl_identity who = board_identity(wish);
    struct shl_why why = {""};

    if (shl_seat_take(registry, &who, seat, &why)) {
        fprintf(stderr, "# no seat: %s\n", why.text);
        return false;
    }
    return strcmp(who.id, got) == 0 &&
           strcmp(seat->entry.identity.id, got) == 0;
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

    for (uint32_t i = 0; i < SHL_BOARD_SLOTS; i++) {
        struct shl_board_entry entry;
        uint32_t words = sizeof entry / 8;

        used += shl_board_held(&view, i) ||
                shl_cell_read(&view.board->slot[i].cell, &entry, words) ||
                memcmp(&entry, &nothing, sizeof entry) != 0;
    }
    shl_board_close(&view);
    return used;
}

uint32_t board_sweep(void)
{
    struct shl_board_view view = board_view();
    uint32_t cleared = 0;

    for (uint32_t i = 0; i < SHL_BOARD_SLOTS; i++)
        cleared += shl_board_sweep(&view, i);
    shl_board_close(&view);
    return cleared;
}

int board_device(void *id)
{
    struct shl_identity who = board_identity(id);
    struct shl_segment segment;
    struct shl_seat seat;

    if (shl_seat_take(registry, &who, &seat, NULL) ||
        shl_segment_create(seat.entry.segment, 48000, &segment))
        return 1;
    shl_cell_write(&segment.identity->cell, &who, sizeof who / 8);
    shl_segment_ready(&segment);
    child_forever();
}
