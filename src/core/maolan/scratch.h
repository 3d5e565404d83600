/* SPDX-License-Identifier: MIT */
/* What stands in the scratch area of the Maolan part: blocks and tables, packed
 * and parsed. Pure functions on bytes of one's own: copy the scratch out, then
 * parse; whoever parses shared memory lets its peer change a length after the
 * check. A count promises nothing: entries are given out one by one, as far as
 * the bytes go. Texts come out as they stand, with their length; shl_text_clean
 * makes them fit to be shown. */
#ifndef SHL_SCRATCH_H
#define SHL_SCRATCH_H

#include "core/shm/layout.h"

#define SHL_SCRATCH_NAME_LIMIT (SHL_SCRATCH_SIZE - SHL_NAME_TEXT)
/* what is written fits also where a word follows it; longer ones may come */
#define SHL_SCRATCH_DIR_LIMIT (SHL_SCRATCH_SIZE - SHL_RESOURCE_DIR_TEXT)
#define SHL_SCRATCH_SHARED_LIMIT                                               \
    (SHL_SCRATCH_DIR_LIMIT - SHL_RESOURCE_DIR_SHARED_SIZE)
#define SHL_SCRATCH_UPDATE_LIMIT (SHL_SCRATCH_SIZE - SHL_FILE_UPDATE_TEXT)
#define SHL_SCRATCH_FILES_LIMIT  (SHL_SCRATCH_SIZE - SHL_FILE_REFS_ENTRIES)

/* All of these take the whole scratch area: SHL_SCRATCH_SIZE bytes. Readers:
 * SHL_NOT_FOUND: no such block; SHL_BAD_PEER: one that cannot be. Writers:
 * SHL_NO_SPACE: too long; nothing is written. [any] */

/** Name of the plugin. `text` gets `size` bytes at most, terminated and fit to
 * be shown. */
shl_status shl_scratch_name_write(uint8_t *scratch, const char *text,
                                  uint32_t length);
shl_status shl_scratch_name_read(const uint8_t *scratch, char *text,
                                 size_t size);

/** Channels of audio and ports of MIDI, clipped to what a segment can hold. */
struct shl_port_counts {
    uint32_t audio_in, audio_out, midi_in, midi_out;
};
SHL_RT void shl_scratch_ports_write(uint8_t *scratch,
                                    const struct shl_port_counts *counts);
SHL_RT shl_status shl_scratch_ports_read(const uint8_t *scratch,
                                         struct shl_port_counts *counts);

/** Resource directory: *text points into scratch, without an end mark. Whether
 * other plugins share it stands behind the text since number 7; those who speak
 * an older one do not look there. */
shl_status shl_scratch_dir_write(uint8_t *scratch, const char *text,
                                 uint32_t length, uint32_t shared);
SHL_RT shl_status shl_scratch_dir_read(const uint8_t *scratch,
                                       const char **text, uint32_t *length);

/** Of a directory that was read: the word behind its text. SHL_BAD_PEER: the text
 * leaves no room for it. */
SHL_RT shl_status shl_scratch_dir_shared(const uint8_t *scratch,
                                         const char *text, uint32_t length,
                                         uint32_t *shared);

/** Another path for file reference `index`. */
shl_status shl_scratch_update_write(uint8_t *scratch, uint32_t index,
                                    const char *text, uint32_t length);
SHL_RT shl_status shl_scratch_update_read(const uint8_t *scratch,
                                          uint32_t *index, const char **text,
                                          uint32_t *length);

/** Whether these bytes can be the state of an LV2 plugin: plugin hosts believe its
 * counts and lengths, and read beyond its end. SHL_BAD_VALUE. */
shl_status shl_scratch_lv2_state_check(const uint8_t *bytes, uint32_t size);

/* ---- tables -------------------------------------------------------------- */

enum shl_table_kind {
    SHL_TABLE_FILES,        /* index, path */
    SHL_TABLE_CLAP_PARAMS,  /* id, name, module, range, default */
    SHL_TABLE_LV2_CONTROLS, /* port, name, range, value */
    SHL_TABLE_NOTES,        /* key, name */
    SHL_TABLE_AU_PARAMS     /* id, name, range, default; see shl_table_end */
};

struct shl_table_entry {
    uint32_t id;
    uint32_t name_length, module_length;
    const char *name, *module; /* no end marks */
    double minimum, maximum, value;
};

struct shl_table {
    enum shl_table_kind kind;
    uint8_t *bytes; /* the whole scratch */
    uint32_t at;    /* of the next entry */
    uint32_t end;
    uint32_t count; /* entries written; or left to be read */
};

/** Begin to write a table into scratch. */
SHL_RT void shl_table_write(struct shl_table *table, enum shl_table_kind kind,
                            uint8_t *scratch);
/** SHL_NO_SPACE: it does not fit; the entries before it stand. */
shl_status shl_table_add(struct shl_table *table,
                         const struct shl_table_entry *entry);
/** Write the count. Returns where the table ends in scratch: its scratch_size,
 * but for SHL_TABLE_AU_PARAMS, which begins at SHL_AU_PARAMS_OFFSET and has the
 * bytes from there as its size. */
SHL_RT uint32_t shl_table_end(struct shl_table *table);

/** Begin to read one. `size`: scratch_size as the peer says it (files and AU
 * parameters: give SHL_SCRATCH_SIZE). SHL_NOT_FOUND, SHL_BAD_PEER: more entries are
 * promised than could fit. */
shl_status shl_table_read(struct shl_table *table, enum shl_table_kind kind,
                          const uint8_t *scratch, uint32_t size);
/** Next entry; SHL_AGAIN: that was the last. SHL_BAD_PEER: an entry goes beyond
 * the end. */
shl_status shl_table_next(struct shl_table *table,
                          struct shl_table_entry *entry);

#endif
