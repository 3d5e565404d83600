/* SPDX-License-Identifier: MIT */
/* The device's state: as a file, as bytes in a message, and files for the
 * device itself. */
#include "pd/host/requests.h"
#include "pd/host/shmlink.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FORMAT     "link"
#define FILE_LIMIT ((size_t)1 << 28)
#define PIECE      ((size_t)1 << 19)

/* ---- words ------------------------------------------------------------------- */

/* What the patch says is seen from its folder. Pd's own canvas_makefilename
 * cuts at 1000 bytes, and writes one more than that. */
static int make_path(const t_shmlink *x, const char *name,
                     char path[SHL_PATH_SIZE])
{
    const char *folder = canvas_getdir(x->x_canvas)->s_name;
    int absolute = name[0] == '/' || (name[0] && name[1] == ':');

    if (absolute || !folder[0])
        return (size_t)snprintf(path, SHL_PATH_SIZE, "%s", name) <
               SHL_PATH_SIZE;
    return (size_t)snprintf(path, SHL_PATH_SIZE, "%s/%s", folder, name) <
           SHL_PATH_SIZE;
}

/* A path, relative to the patch, and perhaps async. */
static int read_path(t_shmlink *x, t_symbol *s, int argc, t_atom *argv,
                     char path[SHL_PATH_SIZE])
{
    char number[64];
    const char *name = number;

    if (!argc || !atoms_is_word(argv)) {
        replies_fail_words(&x->x_say, s, argc, argv, "the path of a file",
                           "sound.shl");
        return 0;
    }
    if (!requests_async(x, s, argc - 1, argv + 1))
        return 0;
    if (argv->a_type == A_SYMBOL)
        name = argv->a_w.w_symbol->s_name;
    else
        atoms_text(argv, number, sizeof number);
    if (make_path(x, name, path))
        return 1;
    replies_fail(&x->x_say, s, SHL_BAD_NAME,
                 "%s: this path has %u bytes or more: a path has at most %u",
                 s->s_name, SHL_PATH_SIZE, SHL_PATH_SIZE - 1);
    return 0;
}

void states_key(t_shmlink *x, char key[SHL_TEXT_SIZE])
{
    struct shl_device_info info = {.id = ""};
    int32_t number;

    key[0] = '\0';
    if (shl_host_get_device(x->x_host, &info))
        return;
    if (shl_id_check(info.id, key, &number, NULL) == SHL_OK)
        return;
    /* a plugin, format:name: one of another format has other states */
    snprintf(key, SHL_TEXT_SIZE, "%s", info.id);
    for (char *at = key; *at; at++)
        if (*at == ':' || *at == '/')
            *at = '_';
}

/* ---- done at the end ----------------------------------------------------------- */

static void tell_one(t_shmlink *x, struct request *request)
{
    request_done(request);
    replies_number(&x->x_say, request->selector->s_name, 1);
}

static void tell_restored(t_shmlink *x, struct request *request)
{
    shl_host_refresh(x->x_host);
    tell_one(x, request);
}

/* ---- program_read, program_write -------------------------------------------------- */

static void job_load(struct work *work)
{
    work->status = shl_state_load(FORMAT, work->path, &work->file, &work->bytes,
                                  &work->size, &work->why);
}

static void job_save(struct work *work)
{
    char path[SHL_PATH_SIZE];

    work->status = shl_path_follow(work->path, path, &work->why);
    if (!work->status)
        work->status = shl_state_save(FORMAT, work->store.key, path,
                                      work->bytes, work->size, &work->why);
}

static void restore(t_shmlink *x, struct request *request)
{
    request_ask(x, request, SHL_MESSAGE_STATE_RESTORE, request->work->bytes,
                request->work->size, tell_restored);
}

static void load(t_shmlink *x, struct request *request)
{
    struct work *work = request_work_new(x, request, job_load);

    if (!work)
        return;
    memcpy(work->path, request->path, sizeof work->path);
    request_work(x, request, restore);
}

/* The work gets the bytes: it may outlive the request. */
void states_hand_over(struct request *request)
{
    request->work->file = request->answer;
    request->work->bytes = request->answer;
    request->work->size = request->answer_size;
    request->answer = NULL;
}

static void save(t_shmlink *x, struct request *request)
{
    struct work *work = request_work_new(x, request, job_save);

    if (!work)
        return;
    states_hand_over(request);
    memcpy(work->path, request->path, sizeof work->path);
    states_key(x, work->store.key);
    request_work(x, request, tell_one);
}

static void ask_state(t_shmlink *x, struct request *request)
{
    request_ask(x, request, SHL_MESSAGE_STATE_SAVE, NULL, 0, save);
}

static void add_path(t_shmlink *x, t_symbol *s, int argc, t_atom *argv,
                     request_step begin, uint64_t needs)
{
    char path[SHL_PATH_SIZE];
    struct request *request;

    if (!read_path(x, s, argc, argv, path))
        return;
    request = requests_new(x, s, begin, needs);
    if (!request)
        return;
    memcpy(request->path, path, sizeof path);
    requests_add(x, request);
}

static void program_read(t_shmlink *x, t_symbol *s, int argc, t_atom *argv)
{
    add_path(x, s, argc, argv, load, SHL_CAP_STATE);
}

static void program_write(t_shmlink *x, t_symbol *s, int argc, t_atom *argv)
{
    add_path(x, s, argc, argv, ask_state, SHL_CAP_STATE);
}

/* ---- bytes in messages ---------------------------------------------------------------- */

static void ask_restore(t_shmlink *x, struct request *request)
{
    request_ask(x, request, SHL_MESSAGE_STATE_RESTORE, request->bytes,
                request->size, tell_restored);
}

static void program_data_set(t_shmlink *x, t_symbol *s, int argc, t_atom *argv)
{
    struct request *request = requests_new(x, s, ask_restore, SHL_CAP_STATE);
    double number;
    int i;

    if (!request)
        return;
    request->bytes = malloc((size_t)argc + 1);
    request->size = (size_t)argc;
    for (i = 0; i < argc && request->bytes; i++) {
        if (!atoms_whole(&argv[i], 0, 255, &number))
            break;
        request->bytes[i] = (uint8_t)number;
    }
    if (argc && i == argc) {
        requests_add(x, request);
        return;
    }
    requests_cancel(request);
    replies_fail_words(&x->x_say, s, argc, argv,
                       "the bytes of a state, numbers from 0 to 255",
                       "and the bytes that program_data_get tells");
}

static void tell_data(t_shmlink *x, struct request *request)
{
    size_t i, count = request->answer_size;
    t_atom *atoms = getbytes((count + 1) * sizeof *atoms);

    if (!atoms) {
        request_fail(x, request, SHL_NO_MEMORY, shl_status_text(SHL_NO_MEMORY));
        return;
    }
    for (i = 0; i < count; i++)
        atoms_set_number(&atoms[i], request->answer[i]);
    request_done(request);
    replies_send(&x->x_say, "program_data", (int)count, atoms);
    freebytes(atoms, (count + 1) * sizeof *atoms);
}

static void ask_data(t_shmlink *x, struct request *request)
{
    request_ask(x, request, SHL_MESSAGE_STATE_SAVE, NULL, 0, tell_data);
}

static void program_data_get(t_shmlink *x, t_symbol *s, int argc, t_atom *argv)
{
    struct request *request;

    if (argc) {
        replies_fail_words(&x->x_say, s, argc, argv, "no words", "");
        return;
    }
    request = requests_new(x, s, ask_data, SHL_CAP_STATE);
    if (request)
        requests_add(x, request);
}

/* ---- files for the device ---------------------------------------------------------------- */

static void job_read(struct work *work)
{
    work->status = shl_file_load(work->path, FILE_LIMIT, &work->file,
                                 &work->size, &work->why);
    if (!work->status)
        work->index = (int32_t)shl_checksum(0, work->file, work->size);
}

static void send_piece(t_shmlink *x, struct request *request)
{
    size_t rest = request->size - request->sent;
    size_t size = rest < PIECE ? rest : PIECE;
    uint8_t *bytes = malloc(size + 12);
    struct shl_pack pack = shl_pack_into(bytes, bytes ? 12 : 0);

    if (!bytes) {
        request_fail(x, request, SHL_NO_MEMORY, shl_status_text(SHL_NO_MEMORY));
        return;
    }
    shl_pack_u32(&pack, request->transfer);
    shl_pack_u64(&pack, request->sent);
    memcpy(bytes + 12, request->bytes + request->sent, size);
    request->sent += size;
    request_ask(x, request, SHL_MESSAGE_FILE_DATA, bytes, size + 12,
                request->sent < request->size ? send_piece : tell_one);
    free(bytes);
}

static void begin_pieces(t_shmlink *x, struct request *request)
{
    struct shl_unpack unpack =
        shl_unpack_from(request->answer, request->answer_size);

    request->transfer = shl_unpack_u32(&unpack);
    if (unpack.bad)
        request_fail(x, request, SHL_BAD_PEER,
                     "the answer of the device is not as it must be");
    else if (request->size)
        send_piece(x, request);
    else
        tell_one(x, request);
}

static const char *last_part(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

static void offer_file(t_shmlink *x, struct request *request)
{
    uint8_t bytes[SHL_PATH_SIZE + 16];
    struct shl_pack pack = shl_pack_into(bytes, sizeof bytes);
    struct work *work = request->work;

    request->bytes = work->file;
    request->size = work->size;
    work->file = NULL;
    shl_pack_text(&pack, last_part(request->path));
    shl_pack_u64(&pack, request->size);
    shl_pack_u32(&pack, (uint32_t)work->index);
    request_ask(x, request, SHL_MESSAGE_FILE_OFFER, bytes, pack.used,
                begin_pieces);
}

static void read_file(t_shmlink *x, struct request *request)
{
    struct work *work = request_work_new(x, request, job_read);

    if (!work)
        return;
    memcpy(work->path, request->path, sizeof work->path);
    request_work(x, request, offer_file);
}

static void file_send(t_shmlink *x, t_symbol *s, int argc, t_atom *argv)
{
    add_path(x, s, argc, argv, read_file, 0);
}

void states_methods(t_class *c)
{
    waiting_add(c, (t_method)program_read, "program_read");
    waiting_add(c, (t_method)program_write, "program_write");
    waiting_add(c, (t_method)program_data_set, "program_data_set");
    waiting_add(c, (t_method)program_data_get, "program_data_get");
    waiting_add(c, (t_method)file_send, "file_send");
}
