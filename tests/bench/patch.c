/* SPDX-License-Identifier: MIT */
/* What a Pd patch costs: wall time per block, and processor time of Pd, of all
 * that it started, and of the device beside it.
 *
 *     patch empty|shmlink|pd one|two ms folder
 *
 * Runs pd-KIND.pd of the folder in a headless Pd for so many milliseconds of
 * logical time; for shmlink a device that plays back what it hears runs in a
 * process of its own. The patch prints "begin" when all is warm, and "end"; the
 * clocks are read when these lines come.
 * Prints wall and processor time (ns per block), the latency in blocks and the
 * blocks. */
#include "measure.h"

#include "shmlink/shmlink.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>

#define RATE_HZ   48000
#define FRAMES    64
#define PROCESSES 64

struct run {
    struct place place;
    pid_t pd, device;
    _Atomic uint32_t *ready; /* 1: the device is there; 2: it may go */
    int from_pd;
    uint32_t blocks;
    pid_t all[PROCESSES]; /* whose time counts, since "begin" */
    uint32_t count;
    uint64_t wall_ns, cpu_ns;
    double latency, level;
    int begun, ended;
};

/* ---- the device ---------------------------------------------------------------- */

static void serve(void *arg)
{
    const struct run *run = arg;
    _Atomic uint32_t *ready = run->ready;
    struct shl_device_options options = {.id = "Bench",
                                         .in_channels = 2,
                                         .out_channels = 2,
                                         .rate_hz = RATE_HZ,
                                         .block_frames = FRAMES};
    shl_device *device;
    struct shl_why why;
    struct shl_block block;
    if (shl_device_open(&options, &device, &why)) {
        fprintf(stderr, "device: %s\n", why.text);
        _exit(2);
    }
    atomic_store(ready, 1);
    while (atomic_load_explicit(ready, memory_order_relaxed) == 1) {
        if (shl_device_wait(device, 100, &block))
            continue;
        for (uint32_t c = 0; c < 2; c++)
            memcpy(block.out[c], block.in[c], block.frames * sizeof(float));
        shl_device_done(device);
    }
    shl_device_close(device);
}

static void start_device(struct run *run)
{
    run->device = second_process(serve, run, run->place.theirs);
    for (int i = 0; i < 5000 && !atomic_load(run->ready); i++)
        usleep(1000);
    if (!atomic_load(run->ready)) {
        fprintf(stderr, "patch: the device did not start\n");
        exit(2);
    }
}

/* ---- Pd -------------------------------------------------------------------------- */

static void become_pd(const char *kind, const char *ms, const char *folder)
{
    char patch[1024], root[1024], message[64];
    const char *pd = getenv("PD");
    snprintf(patch, sizeof patch, "%s/pd-%s.pd", folder, kind);
    snprintf(root, sizeof root, "%s/../..", folder);
    snprintf(message, sizeof message, "bench-ms %s", ms);
    execlp(pd ? pd : "pd", "pd", "-nogui", "-batch", "-nrt", "-noprefs",
           "-nomidi", "-noaudio", "-r", "48000", "-stderr", "-path", root,
           "-open", patch, "-send", message, (char *)NULL);
    fprintf(stderr, "patch: cannot run Pd\n");
    _exit(77);
}

static void start_pd(struct run *run, char **argv)
{
    int ends[2];
    if (pipe(ends))
        exit(2);
    alarm(LIMIT_S);
    run->pd = fork();
    if (run->pd == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        alarm(LIMIT_S);
        int nothing = open("/dev/null", O_RDONLY);
        dup2(nothing, 0);
        dup2(ends[1], 1);
        dup2(ends[1], 2);
        close(ends[0]);
        close(ends[1]);
        bind_to(0, run->place.ours);
        become_pd(argv[1], argv[3], argv[4]);
    }
    close(ends[1]);
    run->from_pd = ends[0];
}

/* ---- who takes part -------------------------------------------------------------- */

static pid_t parent_of(pid_t pid)
{
    char path[64], text[512];
    int parent = 0;
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    FILE *file = fopen(path, "r");
    if (!file)
        return 0;
    size_t got = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    text[got] = 0;
    const char *at = strrchr(text, ')');
    if (!at || sscanf(at, ") %*c %d", &parent) != 1)
        return 0;
    return parent;
}

static int takes_part(const struct run *run, pid_t pid)
{
    for (uint32_t i = 0; i < run->count; i++)
        if (run->all[i] == pid)
            return 1;
    return 0;
}

/* Pd, its children and theirs: each pass finds one generation. */
static void find_all(struct run *run)
{
    uint32_t before = 0;
    run->count = 0;
    run->all[run->count++] = run->pd;
    if (run->device)
        run->all[run->count++] = run->device;
    while (before < run->count) {
        before = run->count;
        DIR *folder = opendir("/proc");
        struct dirent *entry;
        while (folder && (entry = readdir(folder)) != NULL) {
            pid_t pid = (pid_t)atoi(entry->d_name);
            if (!isdigit((unsigned char)entry->d_name[0]) ||
                run->count == PROCESSES || takes_part(run, pid) ||
                !takes_part(run, parent_of(pid)))
                continue;
            run->all[run->count++] = pid;
            bind_to(pid, run->place.theirs);
        }
        if (folder)
            closedir(folder);
    }
}

static uint64_t all_cpu_ns(const struct run *run)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < run->count; i++)
        sum += process_cpu_ns(run->all[i]);
    return sum;
}

/* ---- the run ---------------------------------------------------------------------- */

static void heed(struct run *run, const char *line)
{
    if (strcmp(line, "bench: begin\n") == 0) {
        find_all(run);
        run->begun = 1;
        run->wall_ns = clock_now_ns(CLOCK_MONOTONIC);
        run->cpu_ns = all_cpu_ns(run);
    } else if (strcmp(line, "bench: end\n") == 0) {
        run->ended = run->begun;
        run->wall_ns = clock_now_ns(CLOCK_MONOTONIC) - run->wall_ns;
        run->cpu_ns = all_cpu_ns(run) - run->cpu_ns;
    } else if (sscanf(line, "bench-latency: %lf", &run->latency) != 1 &&
               sscanf(line, "bench-level: %lf", &run->level) != 1 &&
               getenv("BENCH_VERBOSE")) {
        fputs(line, stderr);
    }
}

/* What Pd started and left behind. */
static void end_rest(const struct run *run)
{
    for (uint32_t i = 0; i < run->count; i++)
        if (run->all[i] != run->pd && run->all[i] != run->device &&
            parent_of(run->all[i]) == getpid())
            kill(run->all[i], SIGKILL);
}

int main(int argc, char **argv)
{
    if (argc < 5) {
        fprintf(stderr, "patch empty|shmlink|pd one|two ms folder\n");
        return 2;
    }
    struct run run = {.place = place_of(argv[2]), .latency = -1};
    run.blocks = (uint32_t)(strtod(argv[3], NULL) * RATE_HZ / 1000 / FRAMES);
    run.ready = shared_memory(64);
    /* orphans become ours, so that they can be ended by their number */
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    if (strcmp(argv[1], "shmlink") == 0)
        start_device(&run);
    start_pd(&run, argv);
    char line[1024];
    FILE *lines = fdopen(run.from_pd, "r");
    while (lines && fgets(line, sizeof line, lines))
        heed(&run, line);
    int status = join_process(run.pd);
    end_rest(&run);
    atomic_store(run.ready, 2);
    int device = run.device ? join_process(run.device) : 0;
    if (status || device || !run.ended || run.blocks == 0 ||
        run.level != 0.25) {
        fprintf(stderr,
                "patch %s: Pd ended with %d, the device with %d, the level "
                "was %g instead of 0.25; BENCH_VERBOSE=1 shows what Pd says\n",
                argv[1], status, device, run.level);
        return status == 77 ? 77 : 2;
    }
    printf("%.1f %.1f %.0f %u\n", (double)run.wall_ns / run.blocks,
           (double)run.cpu_ns / run.blocks, run.latency / FRAMES, run.blocks);
    return 0;
}
