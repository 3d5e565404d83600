/* SPDX-License-Identifier: MIT */
/* A Maolan DAW for tests, in this process: makes a segment by its own rules (by
 * default those of the DAWs in use: mode 0644, nothing but magic and version),
 * two pipes, and does what it is told, byte by byte. */
#ifndef FAKE_DAW_H
#define FAKE_DAW_H

#include "core/maolan/maolan.h"
#include "core/maolan/scratch.h"
#include "shmlink/plugin_host.h"

#include <stdbool.h>

struct fake_daw {
    char name[64];
    int fd;
    size_t size;
    uint8_t *base;
    uint32_t version;
    struct shl_maolan maolan;   /* the DAW's side */
    int doorbell[2], answer[2]; /* 0: reading end */
};

/** Make segment and pipes. False and nothing left if that fails. */
bool fake_daw_open(struct fake_daw *daw, uint32_t version, size_t size);
void fake_daw_close(struct fake_daw *daw);

/** Have the plugin host's role open it; the descriptors it gets are its own. */
shl_status fake_daw_serve(struct fake_daw *daw, shl_plugin_host **plugin_host,
                          struct shl_why *why);

/** A word of the header by its offset in the layout. */
uint32_t fake_daw_word(const struct fake_daw *daw, uint32_t offset);
void fake_daw_set(struct fake_daw *daw, uint32_t offset, uint32_t value);

uint8_t *fake_daw_scratch(const struct fake_daw *daw);

/** Announce a block (counts as they are, also impossible ones) and ring. */
void fake_daw_block(struct fake_daw *daw, uint32_t frames, uint32_t inputs,
                    uint32_t outputs);

/** Write one byte. */
void fake_daw_ring(struct fake_daw *daw);

/** Take the bytes that are there now; how many. */
uint32_t fake_daw_bytes(struct fake_daw *daw);

/** Wait for one byte, 30 s at most. */
bool fake_daw_wait(struct fake_daw *daw);

/** Store a request as the DAWs in use do: type, then status 0, then ring. */
void fake_daw_ask(struct fake_daw *daw, uint32_t type);

/** Wait until the status of a request is not 0, 30 s at most; the slot is free
 * then, too. Its value. */
uint32_t fake_daw_status(struct fake_daw *daw);

#endif
