/* SPDX-License-Identifier: MIT */
/* The three Maolan layouts as rows of one table. Whoever has a row needs no
 * version number any more. */
#include "core/shm/layout.h"

/* Regions of the B rows: sixteen rings per direction, indices inside. */
#define B_MIDI_IN  1180160u
#define B_MIDI_OUT 2228992u

/* What no version has moved. */
#define COMMON                                                                 \
    .magic = 0, .version = 4, .flags = 8, .ready = 12, .heartbeat = 16,        \
    .error_code = 20, .shutdown_request = 24, .tasks_issued = 28,              \
    .tasks_completed = 32, .block_size = 36, .input_channels = 40,             \
    .output_channels = 44, .parent_window_size = 8, .param_write = 256,        \
    .param_read = 260, .param_slots = 1049088

/* What B8 and B16 share: all but the first byte of the MIDI slots. */
#define COMMON_B                                                               \
    COMMON, .used_size = 3343616, .midi_in_ports = 48, .midi_out_ports = 52,   \
            .request_type = 56, .request_status = 60, .scratch_size = 64,      \
            .parent_window = 72, .state_dirty = 80, .latency = 84,             \
            .echo_write = 264, .echo_read = 268, .midi_in_write = B_MIDI_IN,   \
            .midi_in_read = B_MIDI_IN + 4, .midi_out_write = B_MIDI_OUT,       \
            .midi_out_read = B_MIDI_OUT + 4, .gui_mode = 272,                  \
            .gui_parent_api = 276, .echo_slots = 1114624,                      \
            .midi_ports = SHL_MAX_MIDI_PORTS, .transport = 3277824,            \
            .scratch = 3278080

const struct shl_maolan_layout shl_maolan_layouts[SHL_LAYOUT_COUNT] = {
    [SHL_LAYOUT_A] = {COMMON,
                      .name = "A",
                      .version_low = 3,
                      .version_high = 3,
                      .used_size = 1377024,
                      .midi_in_ports = SHL_NONE,
                      .midi_out_ports = SHL_NONE,
                      .request_type = 48,
                      .request_status = 52,
                      .scratch_size = 56,
                      .parent_window = 64,
                      .state_dirty = 72,
                      .latency = SHL_NONE,
                      .response_counter = SHL_NONE,
                      .block_response_eventless = SHL_NONE,
                      .midi_in_write = 264,
                      .midi_in_read = 268,
                      .echo_write = 272,
                      .echo_read = 276,
                      .midi_out_write = 280,
                      .midi_out_read = 284,
                      .gui_mode = SHL_NONE,
                      .gui_parent_api = SHL_NONE,
                      .midi_in_slots = 1114624,
                      .echo_slots = 1180160,
                      .midi_out_slots = 1245696,
                      .midi_ports = 1,
                      .transport = 1311232,
                      .scratch = 1311488},
    [SHL_LAYOUT_B8] = {COMMON_B, .name = "B8", .version_low = 4,
                       .version_high = 6, .response_counter = SHL_NONE,
                       .block_response_eventless = SHL_NONE,
                       .midi_in_slots = B_MIDI_IN + 8,
                       .midi_out_slots = B_MIDI_OUT + 8},
    [SHL_LAYOUT_B16] = {COMMON_B, .name = "B16", .version_low = 6,
                        .version_high = 8, .response_counter = 88,
                        .block_response_eventless = 92,
                        .midi_in_slots = B_MIDI_IN + 16,
                        .midi_out_slots = B_MIDI_OUT + 16},
};

const struct shl_maolan_layout *shl_layout_of_version(uint32_t version)
{
    switch (version) {
    case 3:
        return &shl_maolan_layouts[SHL_LAYOUT_A];
    case 4:
    case 5:
        return &shl_maolan_layouts[SHL_LAYOUT_B8];
    case 6:
    case 7:
    case 8:
        return &shl_maolan_layouts[SHL_LAYOUT_B16];
    default:
        return NULL;
    }
}
