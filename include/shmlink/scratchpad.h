/* SPDX-License-Identifier: MIT */
/* The requests of the Maolan slot and their answers, apart from the way they go:
 * through the slot and the scratch area (plugin_host.h), or as one message of a link
 * (SHL_MESSAGE_PLUGIN). A scratchpad is a scratch area of one's own: what a
 * request brings is copied there before it is looked at, and its answer is
 * written there. */
#ifndef SHL_SCRATCHPAD_H
#define SHL_SCRATCHPAD_H

#include "realtime.h"
#include "status.h"

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** What is asked for. The numbers are those of the protocol up to number 6, and
 * of links between our own programs. From number 7 on the slot has 7 for files
 * and 6 for collect, and lost file: plugin_host.h and plugin.h translate. */
enum shl_plugin_host_type {
    SHL_PLUGIN_HOST_STATE_SAVE = 1,
    SHL_PLUGIN_HOST_STATE_RESTORE,
    SHL_PLUGIN_HOST_SHOW,
    SHL_PLUGIN_HOST_HIDE,
    SHL_PLUGIN_HOST_FOLDER,
    SHL_PLUGIN_HOST_FILES,
    SHL_PLUGIN_HOST_FILE,
    SHL_PLUGIN_HOST_LV2_CONTROLS,
    SHL_PLUGIN_HOST_CLAP_PARAMS,
    SHL_PLUGIN_HOST_LV2_NOTES,
    SHL_PLUGIN_HOST_CLAP_NOTES,
    SHL_PLUGIN_HOST_PORTS,
    SHL_PLUGIN_HOST_AU_PARAMS,
    SHL_PLUGIN_HOST_COLLECT = 0x106 /* copy the files in use into the folder */
};

/** What a request of the slot asks for, by the protocol number of the DAW.
 * [any] */
SHL_RT uint32_t shl_plugin_host_meaning(uint32_t wire, uint32_t version);

/** What a request brings; what its type has no use for is 0. */
struct shl_plugin_host_request {
    uint32_t type;        /* enum shl_plugin_host_type, or any other number */
    shl_status problem;   /* not SHL_OK: it makes no sense; answer with this */
    const uint8_t *bytes; /* state_restore; valid until the answer */
    uint32_t size;
    uint32_t index;   /* file */
    const char *path; /* folder, file; valid until the answer */
    uint32_t shared;  /* folder: 1: other plugins keep their files there, too */
    uint32_t relative; /* files: 1: paths are told as from the folder */
    uint32_t wish;     /* ports: 1: the DAW would have these counts; 0: it asks
                         how many there are */
    uint32_t audio_in, audio_out;
    uint64_t parent;     /* show: window, 0: none */
    uint32_t floating;   /* show: 1: a window of its own */
    uint32_t window_api; /* show: of the parent: 0 none, 1 X11, 2 Wayland, 3
                            Cocoa */
};

/** One line of the list or table that is asked for. */
struct shl_plugin_host_entry {
    uint32_t id;             /* of a parameter; key; index of a file */
    const char *name;        /* or path */
    const char *module;      /* clap_params; NULL: "" */
    double minimum, maximum; /* of parameters */
    double value; /* lv2_controls: the present one; else the default */
};

typedef struct shl_scratchpad shl_scratchpad;

/** SHL_NO_MEMORY. [control] */
shl_status shl_scratchpad_new(shl_scratchpad **pad);
/** NULL is fine. [control] */
void shl_scratchpad_free(shl_scratchpad *pad);

/** Read what request `type` brings with these bytes of scratch, and begin an
 * empty answer. What it leaves 0: window and counts, which are not in scratch.
 * [audio] */
SHL_RT void shl_scratchpad_begin(shl_scratchpad *pad, uint32_t type,
                                 const void *bytes, uint32_t size,
                                 struct shl_plugin_host_request *request);

/** Have these bytes be the answer to state_save. SHL_NO_SPACE: more than 65536;
 * SHL_UNSUPPORTED: that was not the question. [control] */
shl_status shl_scratchpad_state(shl_scratchpad *pad, const void *bytes,
                                size_t size);

/** Add a line to the answer. SHL_NO_SPACE: it does not fit any more; those
 * before it stand. SHL_UNSUPPORTED: this request has no list. [control] */
shl_status shl_scratchpad_put(shl_scratchpad *pad,
                              const struct shl_plugin_host_entry *entry);

/** Have these counts be the answer to ports. [control] */
void shl_scratchpad_ports(shl_scratchpad *pad, uint32_t audio_in,
                          uint32_t audio_out, uint32_t midi_in,
                          uint32_t midi_out);

/** The answer: scratch from its beginning to *end; what lies before *begin (may
 * be NULL) is 0 and of no interest. [control] */
SHL_RT const uint8_t *shl_scratchpad_answer(shl_scratchpad *pad,
                                            uint32_t *begin, uint32_t *end);

#ifdef __cplusplus
}
#endif
#endif
