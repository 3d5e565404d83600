/* SPDX-License-Identifier: MIT */
/* Hostile files: presets whose names, folders and contents are anybody's, and
 * files that a host sends to `shmlink device`. Nothing may appear, change or
 * vanish beside the folder that is meant; what is told to be kept must be there
 * as a whole; nothing half written may stay; no look may wait. */

/* shows DL-60 */
#include "shmlink/shmlink.h"
#include "tool/inbox.h"

#include "sandbox.h"

#define STEPS 8u

/* What files are made of: any part of it is told from any other. */
static uint8_t content[300];

/* ---- names -------------------------------------------------------------------- */

static void take_name(struct input *input, char name[300])
{
    static const char *const parts[] = {
        "a",    "b",      "..",    "/",     "\\",    ":",    ".",
        "-",    " ",      "trash", ".shl",  ".part", "\x01", "\xC3\xA9",
        "\xFF", "secret", "%n",    "$HOME", "*",     "\n"};
    const uint32_t choice = take(input, 1);
    size_t length = 0;

    name[0] = 0;
    if (choice >= 0xE0) {
        length = 118 + choice % 16;
        memset(name, 'n', length);
        name[length] = 0;
    }
    for (uint32_t n = choice % 4 + (choice < 0xE0); n > 0; n--) {
        const char *part = parts[take(input, 1) % 20];
        memcpy(name + length, part, strlen(part) + 1);
        length += strlen(part);
    }
}

/* ---- what others do in the same folder --------------------------------------------- */

/* Something of this name that is not ours; names with / or too long lead
 * nowhere. */
static void disturb(struct input *input, const char *folder, const char *name,
                    const char *ending)
{
    const uint32_t choice = take(input, 1);
    char path[600];

    if (name[0] == '.' || !name[0] || strchr(name, '/'))
        return;
    snprintf(path, sizeof path, "%s/%s%s", folder, name, ending);
    if (choice % 5 == 0) {
        mkdir(path, 0700);
    } else if (choice % 5 == 1) {
        mkfifo(path, 0600);
    } else if (choice % 5 == 2) {
        char secret[80];
        snprintf(secret, sizeof secret, "%s/secret", sandbox);
        const int made = symlink(secret, path);
        (void)made;
    } else if (choice % 5 == 3) {
        unlink(path);
    } else {
        const int fd =
            open(path, O_WRONLY | O_CREAT | O_NONBLOCK | O_NOFOLLOW, 0600);
        if (fd >= 0 && write(fd, content, choice) >= 0)
            close(fd);
    }
}

/* A folder without hidden files: ours are hidden until they are whole. */
static void check_folder(const char *folder)
{
    DIR *dir = opendir(folder);
    const struct dirent *entry;

    while (dir && (entry = readdir(dir)))
        MUST(entry->d_name[0] != '.' || !strcmp(entry->d_name, ".") ||
             !strcmp(entry->d_name, ".."));
    if (dir)
        closedir(dir);
}

static void check_why(shl_status status, const struct shl_why *why)
{
    MUST(status >= 0 && status < SHL_STATUS_COUNT);
    MUST(memchr(why->text, 0, sizeof why->text));
    MUST(!status || why->text[0]);
}

/* ---- presets ------------------------------------------------------------------------ */

static void load(const struct shl_store *store, const char *path,
                 const uint8_t *bytes, size_t size)
{
    struct shl_why why = {""};
    const uint8_t *state = NULL;
    uint8_t *file = NULL;
    size_t there = 0;
    const shl_status status =
        shl_state_load(store->format, path, &file, &state, &there, &why);

    check_why(status, &why);
    MUST(!bytes || (!status && there == size && !memcmp(state, bytes, size)));
    if (!status)
        MUST(file && there <= sizeof content + 64);
    free(file);
}

static void list(const struct shl_store *store)
{
    struct shl_preset *presets = NULL;
    struct shl_why why = {""};
    uint32_t count = 0;
    const shl_status status = shl_store_list(store, &presets, &count, &why);

    check_why(status, &why);
    for (uint32_t i = 0; i < count; i++) {
        MUST(!shl_file_name_check(presets[i].name, NULL));
        MUST(!i || strcmp(presets[i - 1].name, presets[i].name) < 0);
    }
    free(presets);
}

static int there(const char *path)
{
    struct stat about;
    return !lstat(path, &about);
}

static void save(struct input *input, const struct shl_store *store,
                 const char *name, const char *path)
{
    const size_t size = take(input, 1);
    struct shl_why why = {""};
    int is_new = 0;
    const shl_status status =
        shl_store_save(store, name, content, size, &is_new, &why);

    check_why(status, &why);
    if (!status)
        load(store, path, content, size);
}

static void rename_preset(const struct shl_store *store, const char *name,
                          const char *to, const char *path)
{
    char to_path[SHL_PATH_SIZE] = "";
    struct shl_why why = {""};
    const int taken =
        !shl_store_path(store, to, to_path, NULL) && there(to_path);
    const shl_status status = shl_store_rename(store, name, to, &why);

    check_why(status, &why);
    MUST(status || (!taken && there(to_path) && !there(path)));
}

static void delete_preset(const struct shl_store *store, const char *name,
                          const char *path)
{
    struct shl_why why = {""};
    const shl_status status = shl_store_delete(store, name, &why);

    check_why(status, &why);
    MUST(status || !there(path));
}

/* A state's file with a head of the fuzzer's, which may even be right. */
static void put_state(struct input *input, const char *path)
{
    uint8_t file[SHL_STATE_HEAD_SIZE + 64];
    const size_t size = take(input, 1) % 64;
    const uint32_t choice = take(input, 1);

    memcpy(file + SHL_STATE_HEAD_SIZE, content, size);
    shl_state_head(choice & 1 ? "link" : "clap", "Key", content, size, file);
    for (uint32_t n = choice >> 5; n > 0; n--)
        file[take(input, 1) % (SHL_STATE_HEAD_SIZE + size)] =
            (uint8_t)take(input, 1);
    shl_file_save(path, file,
                  choice & 2 ? take(input, 1) % (SHL_STATE_HEAD_SIZE + size)
                             : SHL_STATE_HEAD_SIZE + size,
                  NULL);
}

static void use_store(struct input *input, const struct shl_store *store)
{
    const uint32_t choice = take(input, 1);
    char name[300], to[300], path[SHL_PATH_SIZE];

    take_name(input, name);
    if (choice % 8 == 0)
        list(store);
    if (shl_store_path(store, name, path, NULL))
        strcpy(path, "/nowhere");
    if (choice % 8 == 1 || choice % 8 == 2)
        save(input, store, name, path);
    if (choice % 8 == 3) {
        take_name(input, to);
        rename_preset(store, name, to, path);
    }
    if (choice % 8 == 4)
        delete_preset(store, name, path);
    if (choice % 8 == 5)
        load(store, path, NULL, 0);
    if (choice % 8 == 6)
        disturb(input, store->folder, name, ".shl");
    if (choice % 8 == 7 && path[1] != 'n')
        put_state(input, path);
}

static void as_store(struct input *input)
{
    struct shl_store store;
    struct shl_why why = {""};
    char key[300], inside[100];
    shl_status status;

    take_name(input, key);
    status = shl_store_init(&store, "link", key, &why);
    check_why(status, &why);
    if (status)
        return;
    snprintf(inside, sizeof inside, "%s/presets/link/", sandbox_home);
    MUST(!strncmp(store.folder, inside, strlen(inside)));
    MUST(!strchr(store.folder + strlen(inside), '/'));
    MUST(store.folder[strlen(inside)] && store.folder[strlen(inside)] != '.');
    for (uint32_t n = 0; n < STEPS && input->at < input->end; n++)
        use_store(input, &store);
    check_folder(store.folder);
    sandbox_empty(sandbox_home);
}

/* ---- the inbox ------------------------------------------------------------------------- */

#define TRANSFERS 4u /* that are known here; there may be more */

static struct {
    uint64_t size;
    uint32_t sum, number;
    char name[SHL_FILE_NAME_SIZE];
} offered[TRANSFERS];
static uint32_t offers;

/* It is there, and it is what was offered. */
static void check_file(const char *name, uint64_t size, uint32_t sum)
{
    char path[300];
    uint8_t *bytes;
    size_t length;

    snprintf(path, sizeof path, "%s/%s", sandbox_inbox, name);
    MUST(!shl_file_load(path, 1000, &bytes, &length, NULL));
    MUST(length == size && shl_checksum(0, bytes, length) == sum);
    free(bytes);
}

static void offer(struct input *input, struct inbox *inbox)
{
    const uint32_t choice = take(input, 1);
    const uint64_t size =
        choice < 0xF0 ? choice % 4 * 5 : take_u64(input) >> take(input, 1) % 64;
    /* now and then of 5 bytes more, or of none that there are */
    const uint32_t sum =
        shl_checksum(
            0, content,
            size < 256 ? (size_t)size + ((choice & 0x70) == 0x40 ? 5 : 0) : 0) +
        (choice % 32 == 31);
    struct shl_why why = {""};
    uint32_t number = 0;
    char name[300];

    take_name(input, name);
    const shl_status status =
        inbox_offer(inbox, name, size, sum, &number, &why);
    check_why(status, &why);
    if (status)
        return;
    MUST(number && size <= INBOX_LIMIT && !strchr(name, '/'));
    if (!size)
        check_file(name, 0, sum);
    offered[offers].size = size;
    offered[offers].sum = sum;
    memcpy(offered[offers].name, name, strlen(name) + 1);
    offered[offers++ % TRANSFERS].number = number;
    offers %= TRANSFERS;
}

static void send(struct input *input, struct inbox *inbox)
{
    const uint32_t choice = take(input, 1);
    const uint32_t which = choice % TRANSFERS;
    const uint64_t at =
        choice < 0xF0 ? take(input, 1) % 4 * 5 : take_u64(input);
    const uint32_t size = take(input, 1) % 4 * 5;
    struct shl_why why = {""};
    const char *name = NULL;
    char path[300];
    uint64_t kept = 0;

    snprintf(path, sizeof path, "%s/%s", sandbox_inbox, offered[which].name);
    const int taken = there(path);
    const shl_status status =
        inbox_data(inbox, offered[which].number, at,
                   content + (at < 200 ? at : 0), size, &kept, &name, &why);

    check_why(status, &why);
    MUST(status || kept == at + size);
    MUST(status || kept <= offered[which].size);
    MUST(!name || (!status && !taken));
    if (name)
        check_file(name, offered[which].size, offered[which].sum);
}

static void as_inbox(struct input *input)
{
    struct inbox *inbox = inbox_new(sandbox_inbox);
    char name[300];

    MUST(inbox);
    memset(offered, 0, sizeof offered);
    offers = 0;
    for (uint32_t n = 0; n < 2 * STEPS && input->at < input->end; n++) {
        const uint32_t choice = take(input, 1);
        if (choice % 4 == 0)
            offer(input, inbox);
        if (choice % 4 == 1 || choice % 4 == 2)
            send(input, inbox);
        if (choice % 4 == 3) {
            take_name(input, name);
            if (choice & 0x80) /* one that is under way */
                strcpy(name, offered[choice / 4 % TRANSFERS].name);
            disturb(input, sandbox_inbox, name, "");
        }
    }
    inbox_free(inbox);
    check_folder(sandbox_inbox);
    sandbox_empty(sandbox_inbox);
}

static void begin(void)
{
    sandbox_open();
    setenv("SHMLINK_HOME", sandbox_home, 1);
    for (size_t i = 0; i < sizeof content; i++)
        content[i] = (uint8_t)(i * i / 3 + i * 7 + 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input input = {data, data + size};

    if (!sandbox[0])
        begin();
    if (take(&input, 1) & 1)
        as_inbox(&input);
    else
        as_store(&input);
    sandbox_check();
    return 0;
}
