/* SPDX-License-Identifier: MIT */
/* A reader racing the creation of segments. `race_create N` creates N of them
 * under one name, one after the other, while another process opens that name
 * all the time: it may find nothing, something that is not ready, or a complete
 * segment, and nothing else. Prints how often it found what; exit status 0 if
 * all is well, 1 if not, 2 for wrong arguments. */
#include "core/shm/segment.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define RATE 48000.0

struct race {
    _Atomic uint32_t stop;
    _Atomic uint64_t missing, starting, complete, wrong;
    struct shl_why why; /* of the first wrong one */
};

static char name[32];

static void wrong(struct race *race, const char *what)
{
    if (atomic_fetch_add(&race->wrong, 1) == 0)
        snprintf(race->why.text, sizeof race->why.text, "%s", what);
}

static struct shl_identity who_creates(void)
{
    struct shl_process self = shl_process_self();
    struct shl_identity who = {
        .id = "Race:0",
        .rate_hz = RATE,
        .block_frames = 64,
        .out_channels = 2,
        .param_count = 1,
        .pid = self.pid,
        .start_time = self.start_time,
        .pid_namespace = self.pid_namespace,
    };

    return who;
}

static const struct shl_param param = {
    .id = 77, .minimum = 0, .maximum = 1, .initial = 0.5, .name = "gain"};

/** What is wrong with a segment that was let in, or NULL. */
static const char *check(const struct shl_segment *s)
{
    struct shl_identity got, want = who_creates();
    struct shl_claim claim, nobody;
    double rate, value;
    uint64_t bits = atomic_load(&s->params[0].value);

    memset(&nobody, 0, sizeof nobody);
    memcpy(&rate, s->transport + SHL_TRANSPORT_RATE, sizeof rate);
    memcpy(&value, &bits, sizeof value);
    want.pid = (uint32_t)getppid();
    if (atomic_load(shl_segment_word(s, s->layout->magic)) != SHL_MAOLAN_MAGIC)
        return "another magic";
    if (atomic_load(shl_segment_word(s, s->layout->version)) != SHL_OWN_VERSION)
        return "another version";
    if (!(rate == RATE))
        return "another rate";
    if (shl_segment_identity(s, &got))
        return "no identity";
    if (strcmp(got.id, want.id) != 0 || got.pid != want.pid ||
        !(got.rate_hz == RATE) || got.block_frames != 64 ||
        got.out_channels != 2 || got.in_channels != 0 || got.param_count != 1 ||
        got.pid_namespace != want.pid_namespace || got.start_time == 0)
        return "another identity";
    if (s->params[0].id != 77 || !(value == 0.5) ||
        strcmp(s->params[0].name, "gain") != 0)
        return "another parameter";
    if (shl_segment_claim_read(s, &claim) ||
        memcmp(&claim, &nobody, sizeof claim) != 0 ||
        atomic_load(&s->claim->epoch) != 0 ||
        atomic_load(&s->lines->host.doorbell) != 0)
        return "traces of a host";
    return NULL;
}

static void look(struct race *race)
{
    struct shl_segment s;
    struct shl_why why = {"?"};
    const char *fault;

    switch ((int)shl_segment_open(name, &s, &why)) {
    case SHL_NOT_FOUND:
        atomic_fetch_add(&race->missing, 1);
        return;
    case SHL_AGAIN:
        atomic_fetch_add(&race->starting, 1);
        return;
    case SHL_OK:
        fault = check(&s);
        if (fault)
            wrong(race, fault);
        else
            atomic_fetch_add(&race->complete, 1);
        shl_segment_close(&s);
        return;
    default:
        wrong(race, why.text);
    }
}

static bool create(struct shl_segment *s)
{
    struct shl_identity who = who_creates();

    if (shl_segment_create(name, RATE, s))
        return false;
    shl_seqlock_write(&s->identity->seqlock, &who, sizeof who / 8);
    if (shl_segment_reserve_planes(s, 2) ||
        shl_segment_write_params(s, &param, 1))
        return false;
    shl_segment_ready(s);
    return true;
}

/** Create and remove; whether every creation succeeded. */
static bool create_all(long count, const struct race *race)
{
    for (long i = 0; i < count && !atomic_load(&race->wrong); i++) {
        uint64_t seen = atomic_load(&race->complete);
        struct shl_segment s;

        if (!create(&s))
            return false;
        /* let one in ten be found whole; the others race the removal too */
        for (int k = 0; i % 10 == 0 && k < 1000; k++) {
            if (atomic_load(&race->complete) != seen ||
                atomic_load(&race->wrong))
                break;
            shl_yield();
        }
        shl_map_unlink(name);
        shl_segment_close(&s);
    }
    return true;
}

static bool run(long count, struct race *race)
{
    pid_t reader = fork();
    bool created;
    int status = 0;

    if (reader == 0) {
        while (!atomic_load(&race->stop))
            look(race);
        _exit(0);
    }
    created = create_all(count, race);
    atomic_store(&race->stop, 1);
    while (waitpid(reader, &status, 0) < 0)
        continue;
    shl_map_unlink(name);
    return created && status == 0;
}

int main(int argc, char **argv)
{
    long count = argc == 2 ? strtol(argv[1], NULL, 10) : 0;
    struct race *race = mmap(NULL, sizeof *race, PROT_READ | PROT_WRITE,
                             MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    bool well;

    if (count < 1 || race == MAP_FAILED) {
        fprintf(stderr, "race_create N: create N segments\n");
        return 2;
    }
    snprintf(name, sizeof name, "/shltest-%d", (int)getpid());
    well = run(count, race) && !race->wrong && race->complete && race->starting;
    printf("race_create: %ld created; a reader found nothing %llu times, "
           "not ready %llu, complete %llu, wrong %llu%s%s\n",
           count, (unsigned long long)race->missing,
           (unsigned long long)race->starting,
           (unsigned long long)race->complete, (unsigned long long)race->wrong,
           race->wrong ? ": " : "", race->why.text);
    return well ? 0 : 1;
}
