/* SPDX-License-Identifier: MIT */
/* What hosts ask of a patch by message: its state, its programs, a reset, long
 * SysEx. The declared parameters are the state; a patch may keep words of its
 * own beside them. The device's keeper thread leaves what comes in a list, and
 * Pd's thread takes it from there. */
#include "pd/patch/patch.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WAIT_LIMIT (UINT64_C(2) * SHL_MAX_PAYLOAD)
#define WORDS_MAX  (1u << 20)

enum { WORD_NUMBER, WORD_SYMBOL };

/*   first    the keeper pushes (release), Pd's thread takes all (acquire)
 *   bytes    of all that wait, relaxed */
struct letter {
    struct letter *next;
    uint32_t type, request, asks, size;
    uint8_t bytes[];
};

struct program {
    char name[64];
    double *values; /* as many as there were parameters */
    uint32_t count;
};

struct letters {
    _Atomic(struct letter *) first;
    _Atomic uint64_t bytes;
    shl_device *device;   /* for the keeper */
    struct letter *taken; /* Pd's own, oldest first */
    t_atom *words;        /* the patch's own part of the state */
    int word_count;
    struct program *programs;
    uint32_t program_count, program;
};

/* ---- taking, on the keeper's thread -------------------------------------------- */

static int wanted(uint32_t type)
{
    return type == SHL_MESSAGE_STATE_SAVE ||
           type == SHL_MESSAGE_STATE_RESTORE ||
           type == SHL_MESSAGE_PROGRAM_LIST ||
           type == SHL_MESSAGE_PROGRAM_GET || type == SHL_MESSAGE_PROGRAM_SET ||
           type == SHL_MESSAGE_RESET || type == SHL_MESSAGE_MIDI_RAW;
}

/* An empty one takes memory, too. */
static uint64_t memory_of(uint32_t size)
{
    return sizeof(struct letter) + (uint64_t)size;
}

static struct letter *copy(const struct shl_received *message)
{
    struct letter *letter = malloc(sizeof *letter + message->size);

    if (!letter)
        return NULL;
    letter->type = message->type;
    letter->request = message->request;
    letter->asks = message->asks;
    letter->size = message->size;
    if (message->size)
        memcpy(letter->bytes, message->bytes, message->size);
    return letter;
}

static int take(void *arg, const struct shl_received *message)
{
    struct letters *letters = arg;
    struct letter *letter = NULL;

    if (!wanted(message->type))
        return 0;
    if (atomic_load_explicit(&letters->bytes, memory_order_relaxed) +
            memory_of(message->size) <=
        WAIT_LIMIT)
        letter = copy(message);
    if (!letter) {
        if (message->asks)
            shl_device_refuse(letters->device, message->request, SHL_NO_MEMORY,
                              "too much waits for this patch already");
        return 1;
    }
    atomic_fetch_add_explicit(&letters->bytes, memory_of(letter->size),
                              memory_order_relaxed);
    letter->next = atomic_load_explicit(&letters->first, memory_order_relaxed);
    /* release: the letter is whole */
    while (!atomic_compare_exchange_weak_explicit(
        &letters->first, &letter->next, letter, memory_order_release,
        memory_order_relaxed))
        continue;
    return 1;
}

/* The oldest that waits, or NULL; the caller frees it. */
static struct letter *next_letter(struct letters *letters)
{
    struct letter *letter;

    if (!letters->taken) {
        /* acquire: the letters are whole */
        letter = atomic_exchange_explicit(&letters->first, NULL,
                                          memory_order_acquire);
        while (letter) {
            struct letter *older = letter->next;
            letter->next = letters->taken;
            letters->taken = letter;
            letter = older;
        }
    }
    letter = letters->taken;
    if (!letter)
        return NULL;
    letters->taken = letter->next;
    atomic_fetch_sub_explicit(&letters->bytes, memory_of(letter->size),
                              memory_order_relaxed);
    return letter;
}

/* ---- answers --------------------------------------------------------------------- */

static void reply(t_patch *x, const struct letter *letter, const void *bytes,
                  size_t size)
{
    if (letter->asks && x->x_device)
        shl_device_reply(x->x_device, letter->request, bytes, (uint32_t)size);
}

static void refuse(t_patch *x, const struct letter *letter, shl_status status,
                   const char *text)
{
    if (letter->asks && x->x_device)
        shl_device_refuse(x->x_device, letter->request, status, text);
}

/* ---- state: bytes ------------------------------------------------------------------ */

/* Whose state it is: the name in the box, without a number. */
static void kind_of(const t_patch *x, char kind[SHL_ID_SIZE])
{
    int32_t number;

    kind[0] = '\0';
    shl_id_check(x->x_box, kind, &number, NULL);
}

static size_t words_size(const struct letters *letters)
{
    size_t size = 4;
    int i;

    for (i = 0; i < letters->word_count; i++)
        size += letters->words[i].a_type == A_SYMBOL
                    ? 8 + strlen(letters->words[i].a_w.w_symbol->s_name)
                    : 12;
    return size;
}

static void pack_words(const struct letters *letters, struct shl_pack *pack)
{
    int i;

    shl_pack_u32(pack, (uint32_t)letters->word_count);
    for (i = 0; i < letters->word_count; i++) {
        const t_atom *word = &letters->words[i];
        if (word->a_type == A_SYMBOL) {
            shl_pack_u32(pack, WORD_SYMBOL);
            shl_pack_text(pack, word->a_w.w_symbol->s_name);
        } else {
            shl_pack_u32(pack, WORD_NUMBER);
            shl_pack_f64(pack, (double)word->a_w.w_float);
        }
    }
}

/* Checksum u32, parameters bytes, words. */
static uint8_t *pack_state(const t_patch *x, size_t *result)
{
    const struct letters *letters = x->x_letters;
    size_t inner = shl_snapshot_size(x->x_param_count);
    size_t size = 8 + inner + words_size(letters);
    uint8_t *bytes = malloc(size);
    struct shl_pack pack = shl_pack_into(bytes, bytes ? size : 0);
    char kind[SHL_ID_SIZE];

    if (!bytes)
        return NULL;
    kind_of(x, kind);
    shl_snapshot_write(kind, letters->program, x->x_params, x->x_values,
                       x->x_param_count, bytes + 8);
    pack.used = 4;
    shl_pack_u32(&pack, (uint32_t)inner);
    pack.used += inner;
    pack_words(letters, &pack);
    inner = pack.used;
    pack.used = 0;
    shl_pack_u32(&pack, shl_checksum(0, bytes + 4, size - 4));
    *result = inner;
    return bytes;
}

static t_atom *unpack_words(struct shl_unpack *unpack, uint32_t *count)
{
    char text[MAXPDSTRING];
    uint32_t i;
    t_atom *words;

    *count = shl_unpack_u32(unpack);
    /* each takes 8 bytes or more */
    if (unpack->bad || *count > (unpack->size - unpack->at) / 8)
        return NULL;
    words = malloc((*count + 1) * sizeof *words);
    for (i = 0; words && i < *count && !unpack->bad; i++) {
        if (shl_unpack_u32(unpack) == WORD_SYMBOL) {
            shl_unpack_text(unpack, text, sizeof text);
            atoms_set_text(&words[i], text);
        } else {
            atoms_set_number(&words[i], shl_unpack_f64(unpack));
        }
    }
    if (words && (unpack->bad || unpack->at != unpack->size)) {
        free(words);
        return NULL;
    }
    return words;
}

/* ---- state: saving and restoring --------------------------------------------------- */

static void set_words(struct letters *letters, t_atom *words, int count)
{
    free(letters->words);
    letters->words = words;
    letters->word_count = count;
}

/* Hosts that look see the values; the patch is told of each. */
static void tell_values(t_patch *x)
{
    uint32_t i;

    for (i = 0; i < x->x_param_count; i++) {
        struct shl_event event = shl_event_param(
            0, SHL_EVENT_PARAM, x->x_params[i].id, x->x_values[i]);
        patch_params_tell(x, &event);
    }
}

static void keep_values(t_patch *x)
{
    uint32_t i;

    for (i = 0; i < x->x_param_count && x->x_device; i++)
        shl_device_keep(x->x_device, x->x_params[i].id, x->x_values[i]);
}

static void tell_words(t_patch *x)
{
    struct letters *letters = x->x_letters;
    size_t size = (size_t)letters->word_count * sizeof(t_atom);
    t_atom *words = getbytes(size + sizeof(t_atom));

    if (!words)
        return;
    if (size)
        memcpy(words, letters->words, size);
    replies_send(&x->x_say, "state", letters->word_count, words);
    freebytes(words, size + sizeof(t_atom));
}

/* The patch may answer `state_save` with its words before this returns. */
static void state_save(t_patch *x, const struct letter *letter)
{
    size_t size = 0;
    uint8_t *bytes;

    replies_bare(&x->x_say, "state_save");
    bytes = pack_state(x, &size);
    if (bytes)
        reply(x, letter, bytes, size);
    else
        refuse(x, letter, SHL_NO_MEMORY, NULL);
    free(bytes);
}

static void state_restore(t_patch *x, const struct letter *letter)
{
    struct shl_unpack unpack = shl_unpack_from(letter->bytes, letter->size);
    uint32_t sum = shl_unpack_u32(&unpack), size, count = 0;
    const uint8_t *inner = shl_unpack_bytes(&unpack, &size);
    t_atom *words = inner ? unpack_words(&unpack, &count) : NULL;
    struct shl_why why;
    shl_status status;
    char kind[SHL_ID_SIZE];

    if (!words || sum != shl_checksum(0, letter->bytes + 4, letter->size - 4)) {
        free(words);
        refuse(x, letter, SHL_BAD_VALUE,
               "this is no state of a patch, or it is damaged");
        return;
    }
    kind_of(x, kind);
    status = shl_snapshot_read(kind, inner, size, x->x_params, x->x_param_count,
                               x->x_values, &x->x_letters->program, &why);
    if (status) {
        free(words);
        refuse(x, letter, status, why.text);
        return;
    }
    set_words(x->x_letters, words, (int)count);
    keep_values(x);
    reply(x, letter, NULL, 0);
    tell_values(x);
    tell_words(x);
}

/* ---- programs ------------------------------------------------------------------------ */

static void program_list(t_patch *x, const struct letter *letter)
{
    const struct letters *letters = x->x_letters;
    const struct shl_payload_list list = {letters->program_count};
    struct shl_payload_program_name row;
    size_t size = 4 + letters->program_count * 68u;
    uint8_t *bytes = malloc(size);
    struct shl_pack pack = shl_pack_into(bytes, bytes ? size : 0);
    uint32_t i;

    shl_pack_list(&pack, &list);
    for (i = 0; i < letters->program_count; i++) {
        shl_text_copy(row.name, sizeof row.name, letters->programs[i].name);
        shl_pack_program_name(&pack, &row);
    }
    if (pack.full)
        refuse(x, letter, SHL_NO_MEMORY, NULL);
    else
        reply(x, letter, bytes, pack.used);
    free(bytes);
}

static void program_get(t_patch *x, const struct letter *letter)
{
    const struct letters *letters = x->x_letters;
    struct shl_payload_program program = {0};
    uint8_t bytes[sizeof program + 4];
    struct shl_pack pack = shl_pack_into(bytes, sizeof bytes);

    if (letters->program < letters->program_count) {
        program.index = letters->program;
        shl_text_copy(program.name, sizeof program.name,
                      letters->programs[program.index].name);
    }
    shl_pack_program(&pack, &program);
    reply(x, letter, bytes, pack.used);
}

static void set_program(t_patch *x, uint32_t number)
{
    struct letters *letters = x->x_letters;
    const struct program *program = &letters->programs[number];
    uint32_t i;

    letters->program = number;
    for (i = 0; i < program->count && i < x->x_param_count; i++)
        x->x_values[i] = shl_param_clip(&x->x_params[i], program->values[i]);
    keep_values(x);
}

static void tell_program(t_patch *x)
{
    const struct letters *letters = x->x_letters;
    t_atom atoms[2];

    atoms_set_number(&atoms[0], letters->program);
    SETSYMBOL(&atoms[1], atoms_name(letters->programs[letters->program].name));
    tell_values(x);
    replies_send(&x->x_say, "program", 2, atoms);
}

static void program_set(t_patch *x, const struct letter *letter)
{
    struct shl_unpack unpack = shl_unpack_from(letter->bytes, letter->size);
    struct shl_payload_program_set set;

    if (!shl_unpack_program_set(&unpack, &set) ||
        set.index >= x->x_letters->program_count) {
        refuse(x, letter, SHL_NOT_FOUND, "this patch has no such program");
        return;
    }
    set_program(x, set.index);
    program_get(x, letter);
    tell_program(x);
}

/* ---- reset and MIDI --------------------------------------------------------------------- */

static void reset(t_patch *x, const struct letter *letter)
{
    reply(x, letter, NULL, 0);
    replies_bare(&x->x_say, "reset");
}

static void midi_raw(t_patch *x, const struct letter *letter)
{
    size_t i, count = letter->size > 4 ? letter->size - 4 : 0;
    t_atom *atoms = count ? getbytes(count * sizeof *atoms) : NULL;

    if (!atoms) {
        refuse(x, letter, SHL_BAD_VALUE, "there are no bytes in it");
        return;
    }
    for (i = 0; i < count; i++)
        atoms_set_number(&atoms[i], letter->bytes[i + 4]);
    reply(x, letter, NULL, 0);
    replies_send(&x->x_say, letter->bytes[4] == 0xf0 ? "sysex" : "midi",
                 (int)count, atoms);
    freebytes(atoms, count * sizeof *atoms);
}

/* ---- serving ------------------------------------------------------------------------------ */

static void serve(t_patch *x, const struct letter *letter)
{
    switch (letter->type) {
    case SHL_MESSAGE_STATE_SAVE:
        state_save(x, letter);
        break;
    case SHL_MESSAGE_STATE_RESTORE:
        state_restore(x, letter);
        break;
    case SHL_MESSAGE_PROGRAM_LIST:
        program_list(x, letter);
        break;
    case SHL_MESSAGE_PROGRAM_GET:
        program_get(x, letter);
        break;
    case SHL_MESSAGE_PROGRAM_SET:
        program_set(x, letter);
        break;
    case SHL_MESSAGE_RESET:
        reset(x, letter);
        break;
    default:
        midi_raw(x, letter);
    }
}

/* What a letter makes the patch say may end the object. */
int patch_letters_serve(t_patch *x)
{
    struct letter *letter = x->x_device ? next_letter(x->x_letters) : NULL;
    int ended = 0, *outer = x->x_gone;

    if (!letter)
        return 0;
    x->x_gone = &ended;
    patch_claim_look(x); /* who asks is told of first */
    if (!ended)
        serve(x, letter);
    free(letter);
    if (!ended)
        x->x_gone = outer;
    else if (outer)
        *outer = 1;
    return 1;
}

/* ---- life ------------------------------------------------------------------------------------ */

int patch_letters_new(t_patch *x)
{
    x->x_letters = calloc(1, sizeof *x->x_letters);
    return x->x_letters != NULL;
}

void patch_letters_free(t_patch *x)
{
    struct letters *letters = x->x_letters;
    uint32_t i;

    if (!letters)
        return;
    patch_letters_forget(x);
    for (i = 0; i < letters->program_count; i++)
        free(letters->programs[i].values);
    free(letters->programs);
    free(letters->words);
    free(letters);
}

void patch_letters_forget(t_patch *x)
{
    struct letter *letter;

    while ((letter = next_letter(x->x_letters)))
        free(letter);
}

void patch_letters_listen(t_patch *x)
{
    x->x_letters->device = x->x_device;
    shl_device_on_message(x->x_device, take, x->x_letters);
}

uint64_t patch_letters_capabilities(const t_patch *x)
{
    uint64_t all = SHL_CAP_STATE | SHL_CAP_RESET;

    return x->x_letters->program_count ? all | SHL_CAP_PROGRAMS : all;
}

int patch_letters_send_sysex(t_patch *x, t_symbol *s, const uint8_t *bytes,
                             size_t size)
{
    uint8_t *whole, *to;
    shl_status status;

    if (size <= VOICE_SYSEX_MAX)
        return 0;
    whole = to = malloc(size + 6);
    status = whole ? SHL_OK : SHL_NO_MEMORY;
    if (whole) {
        memset(to, 0, 4);
        to += 4;
        if (bytes[0] != 0xf0)
            *to++ = 0xf0;
        memcpy(to, bytes, size);
        to += size;
        if (bytes[size - 1] != 0xf7)
            *to++ = 0xf7;
        status = shl_device_post(x->x_device, SHL_MESSAGE_MIDI_RAW, whole,
                                 (uint32_t)(to - whole));
    }
    free(whole);
    if (status)
        replies_error(&x->x_say, s, status, "%s: %s", s->s_name,
                      shl_status_text(status));
    return 1;
}

/* ---- messages ---------------------------------------------------------------------------------- */

static void state(t_patch *x, t_symbol *s, int argc, t_atom *argv)
{
    t_atom *words;
    int i;

    for (i = 0; i < argc; i++) {
        if (argv[i].a_type != A_SYMBOL && argv[i].a_type != A_FLOAT)
            break;
    }
    words = i == argc && (uint32_t)argc < WORDS_MAX
                ? malloc(((size_t)argc + 1) * sizeof *words)
                : NULL;
    if (!words) {
        replies_refuse(&x->x_say, s, argc, argv, "numbers and symbols",
                       "1 two 3");
        return;
    }
    if (argc)
        memcpy(words, argv, (size_t)argc * sizeof *words);
    set_words(x->x_letters, words, argc);
}

/* The values as they are now, under a name. The same name: instead of those. */
static void program_add(t_patch *x, t_symbol *s, int argc, t_atom *argv)
{
    struct letters *letters = x->x_letters;
    uint32_t i = 0, count = letters->program_count;
    size_t size = x->x_param_count * sizeof(double);
    struct program *more;
    char name[256] = "";
    double *values;

    if (argc == 1)
        atoms_text(argv, name, sizeof name);
    if (!name[0] || strlen(name) >= sizeof more->name) {
        replies_refuse(&x->x_say, s, argc, argv,
                       "one name, which the parameters as they are now get",
                       "warm");
        return;
    }
    while (i < count && strcmp(letters->programs[i].name, name) != 0)
        i++;
    values = malloc(size + sizeof *values);
    more = i < count ? letters->programs
                     : realloc(letters->programs, (count + 1) * sizeof *more);
    if (more)
        letters->programs = more;
    if (!more || !values) {
        free(values);
        replies_error(&x->x_say, s, SHL_NO_MEMORY,
                      "program_add: out of memory");
        return;
    }
    if (size)
        memcpy(values, x->x_values, size);
    if (i < count)
        free(more[i].values);
    else
        letters->program_count++;
    memcpy(more[i].name, name, strlen(name) + 1);
    more[i].values = values;
    more[i].count = x->x_param_count;
    if (!count)
        patch_announce_soon(x); /* hosts have copied what we can do */
}

/* From here: hosts hear of it. */
static void program_change(t_patch *x, t_symbol *s, int argc, t_atom *argv)
{
    struct shl_payload_program_set set;
    uint8_t bytes[sizeof set];
    struct shl_pack pack = shl_pack_into(bytes, sizeof bytes);
    double number = -1;

    if (argc != 1 || !x->x_letters->program_count ||
        !atoms_whole(argv, 0, x->x_letters->program_count - 1, &number)) {
        char words[100];
        atoms_words(argc, argv, words, sizeof words);
        replies_error(&x->x_say, s, SHL_NOT_FOUND,
                      "program_set: takes the number of a program, not %s: "
                      "this patch has declared %u: type %s",
                      words, (unsigned)x->x_letters->program_count,
                      x->x_letters->program_count ? "program_set 0"
                                                  : "program_add warm");
        return;
    }
    set_program(x, (uint32_t)number);
    set.index = x->x_letters->program;
    shl_pack_program_set(&pack, &set);
    if (x->x_device)
        shl_device_post(x->x_device, SHL_MESSAGE_PROGRAM_SET, bytes,
                        sizeof bytes);
    tell_program(x);
}

/* A line for the host's console. */
static void say_log(t_patch *x, t_symbol *s, int argc, t_atom *argv)
{
    struct shl_payload_log log = {2, ""};
    uint8_t bytes[sizeof log + 4];
    struct shl_pack pack = shl_pack_into(bytes, sizeof bytes);
    char word[MAXPDSTRING];
    int i;

    if (!argc) {
        replies_refuse(&x->x_say, s, argc, argv, "the words of a line",
                       "hello");
        return;
    }
    for (i = 0; i < argc; i++) {
        size_t used = strlen(log.sentence);
        atoms_text(&argv[i], word, sizeof word);
        if (i)
            used += shl_text_copy(log.sentence + used,
                                  sizeof log.sentence - used, " ");
        shl_text_copy(log.sentence + used, sizeof log.sentence - used, word);
    }
    shl_pack_log(&pack, &log);
    if (x->x_device)
        shl_device_post(x->x_device, SHL_MESSAGE_LOG, bytes,
                        (uint32_t)pack.used);
}

void patch_letters_methods(t_class *c)
{
    class_addmethod(c, (t_method)state, gensym("state"), A_GIMME, 0);
    class_addmethod(c, (t_method)program_add, gensym("program_add"), A_GIMME,
                    0);
    class_addmethod(c, (t_method)program_change, gensym("program_set"), A_GIMME,
                    0);
    class_addmethod(c, (t_method)say_log, gensym("log"), A_GIMME, 0);
}
