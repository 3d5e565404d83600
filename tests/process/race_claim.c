/* SPDX-License-Identifier: MIT */
/* Hosts racing for one device. `race_claim N [HOSTS]`: in each of N rounds that
 * many processes open the same device at once; exactly one must get it. The
 * others must be told busy, and then find the winner's process and tag on the
 * board. Prints how often who won; exit status 0 if all is well, 1 if not, 2
 * for wrong arguments. */
#include "shmlink/shmlink.h"

#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define MOST    8
#define LIMIT_S 60 /* without a round: only a hang is that slow */

struct race {
    _Atomic uint32_t stop;
    _Atomic uint32_t ready;   /* the device is there */
    _Atomic uint32_t at[4];   /* who has come to each gate, ever */
    _Atomic uint32_t winner;  /* of this round, from 1 */
    _Atomic uint32_t winners; /* of this round */
    _Atomic uint32_t wins[MOST];
    _Atomic uint32_t named;   /* losers who were told pid and tag at once */
    _Atomic uint32_t claimed; /* losers who came while the claim was written */
    _Atomic uint32_t wrong;
    struct shl_why why; /* of the first wrong one */
    pid_t pid[MOST];
};

static struct race *race;
static uint32_t hosts = 3;

static void wrong(const char *what)
{
    if (atomic_fetch_add(&race->wrong, 1) == 0)
        snprintf(race->why.text, sizeof race->why.text, "%s", what);
    atomic_store(&race->stop, 1);
}

/** All hosts go on from here together. False: the race is over. */
static bool gate(uint32_t number, uint32_t round)
{
    uint64_t from = shl_clock_ns();

    atomic_fetch_add(&race->at[number], 1);
    while (atomic_load(&race->at[number]) < (round + 1) * hosts) {
        if (atomic_load(&race->stop))
            return false;
        if (shl_clock_ns() - from > LIMIT_S * UINT64_C(1000000000)) {
            wrong("a host did not come to its gate");
            return false;
        }
        sched_yield();
    }
    return true;
}

static void tag_of(uint32_t number, char tag[16])
{
    snprintf(tag, 16, "host-%u", (unsigned)number);
}

/** What a loser must find while the winner holds on. */
static void check_board(shl_registry *registry)
{
    struct shl_device_info info;
    uint32_t winner = atomic_load(&race->winner);
    char tag[16];

    tag_of(winner, tag);
    if (shl_registry_find(registry, "Race:0", &info) != SHL_BUSY)
        wrong("the board does not show the device as busy");
    else if (info.host_pid != (uint32_t)race->pid[winner - 1])
        wrong("the board names another process than the winner's");
    else if (strcmp(info.tag, tag) != 0)
        wrong("the board names another tag than the winner's");
}

/** What a loser was told: whose it is, or that it is just being claimed. */
static void check_sentence(shl_host *host)
{
    char text[256], want[64], tag[16];
    uint32_t winner = atomic_load(&race->winner);

    tag_of(winner, tag);
    snprintf(want, sizeof want, "claimed by process %d (tag %s)",
             (int)race->pid[winner - 1], tag);
    shl_host_why(host, text, sizeof text);
    if (strstr(text, want))
        atomic_fetch_add(&race->named, 1);
    else if (strstr(text, "just being claimed"))
        atomic_fetch_add(&race->claimed, 1);
    else
        wrong(text);
}

static void open_once(shl_host *host, uint32_t number)
{
    shl_status status = shl_host_open(host, "Race:0", 0);

    if (status == SHL_OK) {
        atomic_store(&race->winner, number);
        atomic_fetch_add(&race->winners, 1);
        atomic_fetch_add(&race->wins[number - 1], 1);
    } else if (status != SHL_BUSY) {
        wrong(shl_status_text(status));
    }
}

static void check_round(shl_host *host, shl_registry *registry)
{
    uint32_t winners = atomic_load(&race->winners);

    if (winners != 1) {
        wrong(winners ? "two hosts got the device" : "no host got the device");
    } else if (!shl_host_linked(host)) {
        check_sentence(host);
        check_board(registry);
    }
}

/** False: the race is over. */
static bool run_round(shl_host *host, shl_registry *registry, uint32_t number,
                      uint32_t round)
{
    if (!gate(0, round))
        return false;
    open_once(host, number);
    if (!gate(1, round))
        return false;
    check_round(host, registry);
    if (!gate(2, round))
        return false;
    if (shl_host_linked(host))
        atomic_store(&race->winners, 0);
    shl_host_close(host);
    return gate(3, round);
}

static int host_main(uint32_t number, uint32_t rounds)
{
    const struct shl_host_options options = {
        .out_channels = 1, .rate_hz = 48000, .block_frames = 64};
    shl_registry *registry = NULL;
    shl_host *host = NULL;
    char tag[16];

    tag_of(number, tag);
    race->pid[number - 1] = getpid();
    if (shl_registry_open(NULL, &registry, NULL) ||
        shl_host_new(&options, &host) || shl_host_set_tag(host, tag)) {
        wrong("a host could not be made");
        return 1;
    }
    for (uint32_t round = 0; round < rounds; round++)
        if (!run_round(host, registry, number, round))
            break;
    shl_host_free(host);
    shl_registry_close(registry);
    return 0;
}

static int device_main(uint32_t unused, uint32_t rounds)
{
    const struct shl_device_options options = {.id = "Race:0",
                                               .out_channels = 1,
                                               .rate_hz = 48000,
                                               .block_frames = 64};
    shl_device *device = NULL;
    struct shl_block block;

    (void)unused;
    (void)rounds;
    if (shl_device_open(&options, &device, &race->why)) {
        wrong("the device could not be made");
        return 1;
    }
    atomic_store(&race->ready, 1);
    while (!atomic_load(&race->stop))
        if (shl_device_wait(device, 20, &block) == SHL_OK)
            shl_device_done(device);
    shl_device_close(device);
    return 0;
}

/** A second process that ends with this one. */
static pid_t start(int (*job)(uint32_t, uint32_t), uint32_t number,
                   uint32_t rounds)
{
    pid_t parent = getpid(), pid = fork();

    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != parent)
            _exit(1);
        _exit(job(number, rounds));
    }
    return pid;
}

static bool ended_well(pid_t pid)
{
    int status = 0;

    while (waitpid(pid, &status, 0) < 0)
        continue;
    return status == 0;
}

static bool run(uint32_t rounds)
{
    pid_t device = start(device_main, 0, rounds), host[MOST];
    bool well = true;

    while (!atomic_load(&race->ready) && !atomic_load(&race->stop))
        sched_yield();
    for (uint32_t i = 0; i < hosts; i++)
        host[i] = start(host_main, i + 1, rounds);
    for (uint32_t i = 0; i < hosts; i++)
        well = ended_well(host[i]) && well;
    atomic_store(&race->stop, 1);
    return ended_well(device) && well && !race->wrong;
}

static void print_counts(uint32_t rounds)
{
    printf("race_claim: %u rounds; won by", (unsigned)rounds);
    for (uint32_t i = 0; i < hosts; i++)
        printf(" %u", (unsigned)race->wins[i]);
    printf(
        "; losers told whose it is %u, just being claimed %u, wrong %u%s%s\n",
        (unsigned)race->named, (unsigned)race->claimed, (unsigned)race->wrong,
        race->wrong ? ": " : "", race->why.text);
}

int main(int argc, char **argv)
{
    long rounds = argc > 1 ? strtol(argv[1], NULL, 10) : 0;
    bool well;

    race = mmap(NULL, sizeof *race, PROT_READ | PROT_WRITE,
                MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (argc > 2)
        hosts = (uint32_t)strtol(argv[2], NULL, 10);
    if (rounds < 1 || rounds > 1000000 || hosts < 2 || hosts > MOST ||
        race == MAP_FAILED) {
        fprintf(stderr, "race_claim N [HOSTS]: N rounds of 2 to 8 hosts\n");
        return 2;
    }
    well = run((uint32_t)rounds);
    print_counts((uint32_t)rounds);
    return well ? 0 : 1;
}
