/* SPDX-License-Identifier: MIT */
/* A hostile board: slots hold whatever the fuzzer likes, some of them held by
 * somebody alive. Looking, finding, explaining and cleaning must neither crash
 * nor hang, nor remove anything that is not a dead segment of ours. */

/* shows DL-60 */
#include "core/board/board.h"
#include "core/shm/segment.h"
#include "shmlink/registry.h"

#include "input.h"

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#define HELD 6 /* slots whose lease somebody has */

static shl_registry *registry;
static struct shl_board_view view; /* another description: it holds leases */
static struct shl_board_entry usual;

/* Objects that must stay: a stranger's, one of our pattern with another magic,
 * and one of our pattern and magic that is in use. */
enum { STRANGER, OTHER_MAGIC, IN_USE, KEPT };
static char name[KEPT][SHL_SEGMENT_NAME_SIZE];
static ino_t inode[KEPT];
static struct shl_map in_use;

static ino_t inode_of(const char *object)
{
    char path[300];
    struct stat at;
    snprintf(path, sizeof path, "/dev/shm%s", object);
    return stat(path, &at) ? 0 : at.st_ino;
}

static void remove_all(void)
{
    shl_map_close(&in_use);
    for (int i = 0; i < KEPT; i++)
        shm_unlink(name[i]);
    shl_registry_close(registry);
    shm_unlink(view.name);
    shl_board_close(&view);
}

static void put(int which, uint32_t magic)
{
    int fd = shm_open(name[which], O_CREAT | O_EXCL | O_RDWR, 0600);
    if (fd < 0 || ftruncate(fd, 4096) ||
        pwrite(fd, &magic, sizeof magic, 0) != sizeof magic)
        abort();
    close(fd);
    inode[which] = inode_of(name[which]);
}

/* Where the system permits it, in a /dev/shm of our own: other programs clean
 * theirs, and a crash of ours leaves nothing. */
static void move_in(void)
{
    if (unshare(CLONE_NEWNS) == 0 &&
        mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
        mount("none", "/dev/shm", "tmpfs", 0, "size=16m,mode=1777") == 0)
        return;
    fprintf(stderr, "in the /dev/shm of everybody\n");
}

static void begin(void)
{
    move_in();
    unsigned user = (unsigned)getuid(), pid = (unsigned)getpid();
    struct shl_process self = shl_process_self();
    struct shl_why why;
    if (shl_registry_open(NULL, &registry, &why) ||
        shl_board_open(NULL, &view, &why))
        abort();
    snprintf(name[STRANGER], sizeof name[0], "/stranger-%u", pid);
    snprintf(name[OTHER_MAGIC], sizeof name[0], "/shl-%u-0f%010x", user, pid);
    snprintf(name[IN_USE], sizeof name[0], "/shl-%u-1f%010x", user, pid);
    put(STRANGER, SHL_MAOLAN_MAGIC);
    put(OTHER_MAGIC, 0x12345678);
    put(IN_USE, SHL_MAOLAN_MAGIC);
    atexit(remove_all);
    if (shl_map_ask(name[IN_USE], &in_use) || shl_lease_take(&in_use, 0))
        abort();
    for (uint32_t slot = 0; slot < HELD; slot++)
        shl_lease_take(&view.map, slot);
    usual = (struct shl_board_entry){
        .magic = SHL_BOARD_SLOT_MAGIC,
        .version = SHL_BOARD_VERSION,
        .identity = {.id = "Fuzz:0",
                     .tag = "tag",
                     .pid = self.pid,
                     .start_time = self.start_time,
                     .pid_namespace = self.pid_namespace,
                     .rate_hz = 48000,
                     .quantum = 1,
                     .block_frames = 64,
                     .out_channels = 2}};
}

/* One slot: a good entry with the name of one of the objects, then edits. */
static void fill(struct input *input)
{
    struct shl_board_entry entry = usual;
    uint32_t choice = take(input, 1);
    uint32_t slot = take(input, 1) % SHL_MAX_DEVICES;
    struct shl_board_slot *at = &view.board->slot[slot];
    uint8_t bytes[sizeof *at];
    memcpy(entry.segment, name[choice % KEPT], sizeof entry.segment);
    entry.identity.id[5] = (char)('0' + slot % 10);
    shl_seqlock_write(&at->seqlock, &entry, sizeof entry / 8);
    memcpy(bytes, at, sizeof bytes);
    for (uint32_t n = choice / KEPT % 16; n > 0 && input->at < input->end; n--)
        bytes[take(input, 2) % sizeof bytes] = (uint8_t)take(input, 1);
    memcpy(at, bytes, sizeof bytes);
}

static void terminated(const char *text, size_t size)
{
    MUST(memchr(text, 0, size));
}

static void check_info(const struct shl_device_info *info)
{
    terminated(info->id, sizeof info->id);
    terminated(info->vendor, sizeof info->vendor);
    terminated(info->category, sizeof info->category);
    terminated(info->version, sizeof info->version);
    terminated(info->tag, sizeof info->tag);
    terminated(info->segment, sizeof info->segment);
    MUST(info->in_channels <= SHL_MAX_CHANNELS);
    MUST(info->out_channels <= SHL_MAX_CHANNELS);
    MUST(info->rate_hz > 0);
    MUST(info->block_frames <= SHL_MAX_FRAMES);
    MUST(info->param_count <= SHL_MAX_PARAMS);
}

static void scan(void)
{
    static struct shl_device_info info[SHL_MAX_DEVICES];
    uint32_t count = 0;
    MUST(shl_registry_scan(registry, info, SHL_MAX_DEVICES, &count) == SHL_OK);
    MUST(count <= HELD);
    for (uint32_t i = 0; i < count; i++)
        check_info(&info[i]);
}

/* One kind of look per input: each asks the system some hundred times. */
static void look(uint32_t choice)
{
    static const char *const wishes[] = {"Fuzz:0", "Fuzz", "*", "A_b",
                                         "Fuzz:9"};
    const char *wish = wishes[choice / 4 % 5];
    struct shl_device_info one;
    char text[256];
    if (choice % 4 == 0)
        scan();
    if (choice % 4 == 1 && shl_registry_find(registry, wish, &one) == SHL_OK)
        check_info(&one);
    if (choice % 4 == 2 &&
        shl_registry_find_tag(registry, "tag", &one) == SHL_OK)
        check_info(&one);
    if (choice % 4 == 3) {
        shl_registry_why(registry, wish, text, sizeof text);
        terminated(text, sizeof text);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input input = {data, data + size};
    if (!registry)
        begin();
    for (uint32_t n = 1 + take(&input, 1) % 4; n > 0; n--)
        fill(&input);
    look(take(&input, 1));
    /* cleaning looks at every object of this user, so only now and then, and
     * not as often as the fuzzer would like */
    static uint32_t runs;
    if (runs++ % 100 == 0)
        MUST(shl_registry_clean(registry, NULL) == SHL_OK);
    for (int i = 0; i < KEPT; i++)
        MUST(inode_of(name[i]) == inode[i]);
    return 0;
}
