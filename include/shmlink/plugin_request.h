/* SPDX-License-Identifier: MIT */
/* The requests of the Maolan slot from the side that asks: what the bytes of
 * SHL_MESSAGE_PLUGIN are, and what the answer holds. Bytes of one's own;
 * whatever a peer wrote there is checked. */
#ifndef SHL_PLUGIN_REQUEST_H
#define SHL_PLUGIN_REQUEST_H

#include "scratchpad.h"

#ifdef __cplusplus
extern "C" {
#endif

#define SHL_PLUGIN_REQUEST_ENTRY_SIZE                                          \
    1024u /* of a name or path, with its end */
#define SHL_PLUGIN_REQUEST_ASK_SIZE 65540u

/** A question: *size in: room in `bytes` (SHL_PLUGIN_REQUEST_ASK_SIZE is enough for all),
 * out: bytes used. `text`: the path of folder and file, else not looked at;
 * `index`: of file; of folder: 1: other plugins share it. SHL_BAD_VALUE: no such type, or one with an answer of its
 * own kind (state); SHL_NO_SPACE. [any] */
shl_status shl_plugin_request_ask(enum shl_plugin_host_type type,
                                  uint32_t index, const char *text,
                                  uint8_t *bytes, uint32_t *size);

struct shl_plugin_request_entry {
    uint32_t id; /* of a parameter; key; index of a file */
    char name
        [SHL_PLUGIN_REQUEST_ENTRY_SIZE]; /* fit to be shown; cut if it is longer */
};

/** Call `told` for each entry of an answer to files or notes; *count: how many.
 * SHL_BAD_PEER: the answer is not as it must be; the entries before stand.
 * [any] */
shl_status shl_plugin_request_list(
    enum shl_plugin_host_type type, const uint8_t *bytes, uint32_t size,
    void (*told)(void *arg, const struct shl_plugin_request_entry *entry),
    void *arg, uint32_t *count);

/** The answer to ports: audio in, audio out, MIDI in, MIDI out. SHL_BAD_PEER.
 * [any] */
shl_status shl_plugin_request_ports(const uint8_t *bytes, uint32_t size,
                                    uint32_t counts[4]);

#ifdef __cplusplus
}
#endif
#endif
