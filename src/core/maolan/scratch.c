/* SPDX-License-Identifier: MIT */
#include "core/maolan/scratch.h"

#include "shmlink/arithmetic.h"
#include "shmlink/name.h"

#include <string.h>

static uint32_t word_at(const uint8_t *from)
{
    uint32_t value;
    memcpy(&value, from, sizeof value);
    return value;
}

static void put_word(uint8_t *to, uint32_t value)
{
    memcpy(to, &value, sizeof value);
}

/* ---- blocks -------------------------------------------------------------------- */

/* Length and text at `at`; the text may be `limit` bytes. */
static shl_status put_text(uint8_t *scratch, uint32_t at, const char *text,
                           uint32_t length, uint32_t limit)
{
    if (length > limit)
        return SHL_NO_SPACE;
    put_word(scratch + at, length);
    if (length)
        memcpy(scratch + at + 4, text, length);
    return SHL_OK;
}

static shl_status get_text(const uint8_t *scratch, uint32_t at, uint32_t limit,
                           const char **text, uint32_t *length)
{
    uint32_t there = word_at(scratch + at);
    if (there > limit)
        return SHL_BAD_PEER;
    *text = (const char *)scratch + at + 4;
    *length = there;
    return SHL_OK;
}

shl_status shl_scratch_name_write(uint8_t *scratch, const char *text,
                                  uint32_t length)
{
    return put_text(scratch, SHL_NAME_OFFSET, text, length,
                    SHL_SCRATCH_NAME_LIMIT);
}

shl_status shl_scratch_name_read(const uint8_t *scratch, char *text,
                                 size_t size)
{
    const char *from;
    uint32_t length;
    shl_status st = get_text(scratch, SHL_NAME_OFFSET, SHL_SCRATCH_NAME_LIMIT,
                             &from, &length);
    if (st)
        return st;
    if (!length)
        return SHL_NOT_FOUND;
    if (length >= size)
        length = (uint32_t)size - 1;
    memcpy(text, from, length);
    text[length] = 0;
    shl_text_clean(text, size);
    return SHL_OK;
}

void shl_scratch_ports_write(uint8_t *scratch,
                             const struct shl_port_counts *counts)
{
    put_word(scratch + SHL_PORT_COUNTS_AUDIO_IN,
             shl_least(counts->audio_in, SHL_MAX_CHANNELS));
    put_word(scratch + SHL_PORT_COUNTS_AUDIO_OUT,
             shl_least(counts->audio_out, SHL_MAX_CHANNELS));
    put_word(scratch + SHL_PORT_COUNTS_MIDI_IN,
             shl_least(counts->midi_in, SHL_MAX_MIDI_PORTS));
    put_word(scratch + SHL_PORT_COUNTS_MIDI_OUT,
             shl_least(counts->midi_out, SHL_MAX_MIDI_PORTS));
    put_word(scratch + SHL_PORT_COUNTS_OFFSET, SHL_PORT_COUNTS_MAGIC);
}

shl_status shl_scratch_ports_read(const uint8_t *scratch,
                                  struct shl_port_counts *counts)
{
    if (word_at(scratch + SHL_PORT_COUNTS_OFFSET) != SHL_PORT_COUNTS_MAGIC)
        return SHL_NOT_FOUND;
    *counts = (struct shl_port_counts){
        shl_least(word_at(scratch + SHL_PORT_COUNTS_AUDIO_IN),
                  SHL_MAX_CHANNELS),
        shl_least(word_at(scratch + SHL_PORT_COUNTS_AUDIO_OUT),
                  SHL_MAX_CHANNELS),
        shl_least(word_at(scratch + SHL_PORT_COUNTS_MIDI_IN),
                  SHL_MAX_MIDI_PORTS),
        shl_least(word_at(scratch + SHL_PORT_COUNTS_MIDI_OUT),
                  SHL_MAX_MIDI_PORTS)};
    return SHL_OK;
}

shl_status shl_scratch_dir_write(uint8_t *scratch, const char *text,
                                 uint32_t length, uint32_t shared)
{
    shl_status st = put_text(scratch, SHL_RESOURCE_DIR_LENGTH, text, length,
                             SHL_SCRATCH_SHARED_LIMIT);
    if (st)
        return st;
    put_word(scratch + SHL_RESOURCE_DIR_TEXT + length, shared ? 1 : 0);
    put_word(scratch + SHL_RESOURCE_DIR_OFFSET, SHL_FILE_REFS_MAGIC);
    return SHL_OK;
}

shl_status shl_scratch_dir_shared(const uint8_t *scratch, const char *text,
                                  uint32_t length, uint32_t *shared)
{
    const uint8_t *at = (const uint8_t *)text + length;

    if (length > SHL_SCRATCH_SHARED_LIMIT ||
        at > scratch + SHL_SCRATCH_SIZE - SHL_RESOURCE_DIR_SHARED_SIZE)
        return SHL_BAD_PEER;
    *shared = word_at(at) != 0;
    return SHL_OK;
}

shl_status shl_scratch_dir_read(const uint8_t *scratch, const char **text,
                                uint32_t *length)
{
    if (word_at(scratch + SHL_RESOURCE_DIR_OFFSET) != SHL_FILE_REFS_MAGIC)
        return SHL_NOT_FOUND;
    return get_text(scratch, SHL_RESOURCE_DIR_LENGTH, SHL_SCRATCH_DIR_LIMIT,
                    text, length);
}

shl_status shl_scratch_update_write(uint8_t *scratch, uint32_t index,
                                    const char *text, uint32_t length)
{
    shl_status st = put_text(scratch, SHL_FILE_UPDATE_LENGTH, text, length,
                             SHL_SCRATCH_UPDATE_LIMIT);
    if (st)
        return st;
    put_word(scratch + SHL_FILE_UPDATE_INDEX, index);
    put_word(scratch + SHL_FILE_UPDATE_OFFSET, SHL_FILE_UPDATE_MAGIC);
    return SHL_OK;
}

shl_status shl_scratch_update_read(const uint8_t *scratch, uint32_t *index,
                                   const char **text, uint32_t *length)
{
    if (word_at(scratch + SHL_FILE_UPDATE_OFFSET) != SHL_FILE_UPDATE_MAGIC)
        return SHL_NOT_FOUND;
    shl_status st = get_text(scratch, SHL_FILE_UPDATE_LENGTH,
                             SHL_SCRATCH_UPDATE_LIMIT, text, length);
    if (!st)
        *index = word_at(scratch + SHL_FILE_UPDATE_INDEX);
    return st;
}

/* ---- states -------------------------------------------------------------------- */

/* What is left of a state that is read. */
struct rest {
    const uint8_t *at;
    uint32_t size;
};

static bool pass_bytes(struct rest *rest, uint32_t size)
{
    if (size > rest->size)
        return false;
    rest->at += size;
    rest->size -= size;
    return true;
}

static bool pass_word(struct rest *rest, uint32_t *value)
{
    if (rest->size < 4)
        return false;
    *value = word_at(rest->at);
    return pass_bytes(rest, 4);
}

static bool pass_block(struct rest *rest)
{
    uint32_t length;

    return pass_word(rest, &length) && pass_bytes(rest, length);
}

/* Ports with a value each; properties: key, type, flags, value. */
shl_status shl_scratch_lv2_state_check(const uint8_t *bytes, uint32_t size)
{
    struct rest rest = {bytes, size};
    uint32_t count, flags;

    if (!pass_word(&rest, &count) || count > rest.size / 8 ||
        !pass_bytes(&rest, count * 8) || !pass_word(&rest, &count))
        return SHL_BAD_VALUE;
    for (; count; count--)
        /* NOLINTNEXTLINE(misc-redundant-expression): each call goes on */
        if (!pass_block(&rest) || !pass_block(&rest) ||
            !pass_word(&rest, &flags) || !pass_block(&rest))
            return SHL_BAD_VALUE;
    return SHL_OK;
}

/* ---- tables ------------------------------------------------------------------------ */

/* What stands behind the texts of an entry: three numbers of so many bytes. */
static uint32_t number_size(enum shl_table_kind kind)
{
    return kind == SHL_TABLE_CLAP_PARAMS                                   ? 8
           : kind == SHL_TABLE_LV2_CONTROLS || kind == SHL_TABLE_AU_PARAMS ? 4
                                                                           : 0;
}

static bool has_module(enum shl_table_kind kind)
{
    return kind == SHL_TABLE_CLAP_PARAMS;
}

/* Bytes of an entry without its texts. */
static uint32_t bare_size(enum shl_table_kind kind)
{
    if (kind == SHL_TABLE_AU_PARAMS)
        return 36;
    return 8 + (has_module(kind) ? 4u : 0) + 3 * number_size(kind);
}

static uint32_t count_at(enum shl_table_kind kind)
{
    return kind == SHL_TABLE_FILES       ? SHL_FILE_REFS_COUNT
           : kind == SHL_TABLE_AU_PARAMS ? SHL_AU_PARAMS_COUNT
                                         : 0;
}

/* Those that do not begin with their count have a magic word before it. */
static uint32_t magic_of(enum shl_table_kind kind)
{
    return kind == SHL_TABLE_FILES       ? SHL_FILE_REFS_MAGIC
           : kind == SHL_TABLE_AU_PARAMS ? SHL_AU_PARAMS_MAGIC
                                         : 0;
}

void shl_table_write(struct shl_table *table, enum shl_table_kind kind,
                     uint8_t *scratch)
{
    *table = (struct shl_table){.kind = kind,
                                .bytes = scratch,
                                .at = count_at(kind) + 4,
                                .end = SHL_SCRATCH_SIZE};
    if (magic_of(kind))
        put_word(scratch + count_at(kind) - 4, magic_of(kind));
    put_word(scratch + count_at(kind), 0);
}

static void add_word(struct shl_table *table, uint32_t value)
{
    put_word(table->bytes + table->at, value);
    table->at += 4;
}

static void add_text(struct shl_table *table, const char *text, uint32_t length)
{
    add_word(table, length);
    if (length)
        memcpy(table->bytes + table->at, text, length);
    table->at += length;
}

static void add_number(struct shl_table *table, double value)
{
    float narrow = (float)value;
    uint32_t size = number_size(table->kind);

    if (size == sizeof value)
        memcpy(table->bytes + table->at, &value, size);
    else
        memcpy(table->bytes + table->at, &narrow, size);
    table->at += size;
}

/* Index, scope (0, global), element; id, range, default; flags; name. */
static void add_au(struct shl_table *table, const struct shl_table_entry *entry)
{
    add_word(table, table->count);
    add_word(table, 0);
    add_word(table, 0);
    add_word(table, entry->id);
    add_number(table, entry->minimum);
    add_number(table, entry->maximum);
    add_number(table, entry->value);
    add_word(table, 0);
    add_text(table, entry->name, entry->name_length);
}

static void add_plain(struct shl_table *table,
                      const struct shl_table_entry *entry)
{
    add_word(table, entry->id);
    add_text(table, entry->name, entry->name_length);
    if (has_module(table->kind))
        add_text(table, entry->module, entry->module_length);
    if (number_size(table->kind)) {
        add_number(table, entry->minimum);
        add_number(table, entry->maximum);
        add_number(table, entry->value);
    }
}

shl_status shl_table_add(struct shl_table *table,
                         const struct shl_table_entry *entry)
{
    bool module = has_module(table->kind);
    uint64_t size = (uint64_t)bare_size(table->kind) + entry->name_length +
                    (module ? entry->module_length : 0);

    if (size > table->end - table->at)
        return SHL_NO_SPACE;
    if (table->kind == SHL_TABLE_AU_PARAMS)
        add_au(table, entry);
    else
        add_plain(table, entry);
    table->count++;
    return SHL_OK;
}

uint32_t shl_table_end(struct shl_table *table)
{
    put_word(table->bytes + count_at(table->kind), table->count);
    return table->at;
}

shl_status shl_table_read(struct shl_table *table, enum shl_table_kind kind,
                          const uint8_t *scratch, uint32_t size)
{
    uint32_t at = count_at(kind);

    size = shl_least(size, SHL_SCRATCH_SIZE);
    if (magic_of(kind) && word_at(scratch + at - 4) != magic_of(kind))
        return SHL_NOT_FOUND;
    if (size < at + 4)
        return SHL_BAD_PEER;
    uint32_t count = word_at(scratch + at);
    if (count > (size - at - 4) / bare_size(kind))
        return SHL_BAD_PEER;
    *table = (struct shl_table){.kind = kind,
                                .bytes = (uint8_t *)(uintptr_t)scratch,
                                .at = at + 4,
                                .end = size,
                                .count = count};
    return SHL_OK;
}

/* The next `size` bytes, or NULL. */
static const uint8_t *take(struct shl_table *table, uint32_t size)
{
    if (size > table->end - table->at)
        return NULL;
    table->at += size;
    return table->bytes + table->at - size;
}

static bool take_word(struct shl_table *table, uint32_t *value)
{
    const uint8_t *from = take(table, 4);

    if (from)
        *value = word_at(from);
    return from != NULL;
}

static bool take_text(struct shl_table *table, const char **text,
                      uint32_t *length)
{
    const uint8_t *from =
        take_word(table, length) ? take(table, *length) : NULL;

    *text = (const char *)from;
    return from != NULL;
}

static bool take_number(struct shl_table *table, double *value)
{
    uint32_t size = number_size(table->kind);
    const uint8_t *from = take(table, size);
    float narrow;

    if (!from)
        return false;
    if (size == sizeof *value)
        memcpy(value, from, size);
    else
        memcpy(&narrow, from, sizeof narrow);
    if (size == sizeof narrow)
        *value = (double)narrow;
    return true;
}

static bool take_numbers(struct shl_table *table, struct shl_table_entry *next)
{
    return take_number(table, &next->minimum) &&
           take_number(table, &next->maximum) &&
           take_number(table, &next->value);
}

/* The address of a parameter has three words; we know them by the fourth. */
static bool take_au(struct shl_table *table, struct shl_table_entry *next)
{
    uint32_t unused;

    /* NOLINTNEXTLINE(misc-redundant-expression): each call goes on */
    return take_word(table, &unused) && take_word(table, &unused) &&
           take_word(table, &unused) && take_word(table, &next->id) &&
           take_numbers(table, next) && take_word(table, &unused) &&
           take_text(table, &next->name, &next->name_length);
}

static bool take_plain(struct shl_table *table, struct shl_table_entry *next)
{
    return take_word(table, &next->id) &&
           take_text(table, &next->name, &next->name_length) &&
           (!has_module(table->kind) ||
            take_text(table, &next->module, &next->module_length)) &&
           (!number_size(table->kind) || take_numbers(table, next));
}

shl_status shl_table_next(struct shl_table *table,
                          struct shl_table_entry *entry)
{
    struct shl_table_entry next = {.module = ""};

    if (!table->count)
        return SHL_AGAIN;
    if (table->kind == SHL_TABLE_AU_PARAMS ? !take_au(table, &next)
                                           : !take_plain(table, &next)) {
        table->count = 0;
        return SHL_BAD_PEER;
    }
    table->count--;
    *entry = next;
    return SHL_OK;
}
