/* SPDX-License-Identifier: MIT */
#include "peer.h"

#include "core/board/board.h"
#include "core/shm/segment.h"

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define LIMIT_S 7200 /* no peer is ever needed for longer */

struct peer {
    struct peer_wish wish;
    struct peer_report *report;
    pid_t pid; /* 0: a thread, or ended */
    pthread_t thread;
    bool threaded;
};

/* ---- small things ------------------------------------------------------------ */

float peer_sound(float in, double gain)
{
    return in * (float)gain;
}

float peer_click(uint32_t velocity)
{
    return (float)velocity / 128;
}

uint64_t peer_random(uint64_t *state)
{
    *state += 0x9E3779B97F4A7C15u;
    uint64_t z = *state;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return z ^ z >> 31;
}

static pid_t board_owner;

static void remove_board(void)
{
    char name[40];
    if (getpid() != board_owner)
        return;
    snprintf(name, sizeof name, "/shl-%u-%s", (unsigned)getuid(),
             getenv("SHMLINK_REGISTRY"));
    shm_unlink(name);
}

void peer_own_board(void)
{
    char name[16];
    snprintf(name, sizeof name, "t%u", (unsigned)getpid());
    setenv("SHMLINK_REGISTRY", name, 1);
    board_owner = getpid();
    atexit(remove_board);
}

bool peer_there(const char *name)
{
    int fd = shm_open(name, O_RDONLY, 0);
    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

bool peer_cut(const char *name, uint64_t size)
{
    int fd = shm_open(name, O_RDWR, 0);
    bool done = fd >= 0 && ftruncate(fd, (off_t)size) == 0;
    if (fd >= 0)
        close(fd);
    return done;
}

uint32_t peer_descriptors(void)
{
    uint32_t found = 0;
    DIR *folder = opendir("/proc/self/fd");
    while (folder && readdir(folder))
        found++;
    if (folder)
        closedir(folder);
    return found;
}

/* Words that are more often nearly right than wholly wrong. */
static uint32_t lie(uint64_t *random, uint32_t truth)
{
    uint64_t r = peer_random(random);
    switch (r & 7) {
    case 0:
        return truth + 1;
    case 1:
        return truth - 1;
    case 2:
        return 0xFFFFFFFF;
    case 3:
        return (uint32_t)(r >> 8 & 0xFFF);
    case 4:
        return 0;
    default:
        return (uint32_t)(r >> 16);
    }
}

void peer_scribble(void *base, uint64_t *random, bool spare)
{
    _Atomic uint32_t *words = base;
    uint32_t first = (uint32_t)(SHL_IDENTITY_OFFSET / 4);
    uint32_t count = (uint32_t)(SHL_EVENTS_TO_DEVICE_OFFSET / 4) - first;
    uint32_t line = (uint32_t)(SHL_LINES_OFFSET / 4);
    uint32_t epoch =
        line + (uint32_t)(offsetof(struct shl_lines, device.epoch) / 4);
    for (int i = 0; i < 24; i++) {
        uint64_t r = peer_random(random);
        uint32_t at = first + (uint32_t)(r >> 8) % count;
        if (r & 1)
            at = line + (uint32_t)(r >> 8) % 64;
        if ((r & 6) == 6)
            at = (uint32_t)(SHL_EVENTS_TO_DEVICE_OFFSET / 4) +
                 (uint32_t)(r >> 8) % (2 * 131072 / 4);
        if (spare && (at == epoch || (at >= first && at < first + 256)))
            continue;
        uint32_t now = atomic_load_explicit(&words[at], memory_order_relaxed);
        atomic_store_explicit(&words[at], lie(random, now),
                              memory_order_relaxed);
    }
}

/* ---- being the peer ------------------------------------------------------------ */

struct self {
    const struct peer_wish *wish;
    struct peer_report *report;
    shl_device *device;
    struct shl_segment segment; /* a second look, for liars and the dying */
    double gain;
    uint32_t number; /* of the block */
    uint64_t random;
    struct shl_held held;
};

static void bump(_Atomic uint32_t *counter)
{
    atomic_fetch_add_explicit(counter, 1, memory_order_relaxed);
}

/* Until the time is over, or is said to be. */
static void work(struct peer_report *report, uint32_t us)
{
    uint64_t until = shl_clock_ns() + us * (uint64_t)1000;
    uint32_t nap = us / 4 < 5000 ? us / 4 : 5000;
    while (shl_clock_ns() < until &&
           atomic_load_explicit(&report->work_us, memory_order_relaxed))
        usleep(us > 200 ? nap : 10);
}

static void enter(struct self *self, const struct shl_block *block,
                  const struct shl_event *event)
{
    uint32_t at =
        atomic_load_explicit(&self->report->logged, memory_order_relaxed);
    if (at < PEER_LOG) {
        struct peer_heard *heard = &self->report->log[at];
        heard->block = self->number;
        heard->offset = (uint32_t)(event->frame - block->frame);
        memcpy(heard->data, event->data, sizeof heard->data);
    }
    atomic_store_explicit(&self->report->logged, at + 1, memory_order_release);
}

static void click(const struct shl_block *block, uint32_t outs, uint64_t offset,
                  uint32_t velocity)
{
    for (uint32_t c = 0; c < outs && offset < block->frames; c++)
        block->out[c][offset] += peer_click(velocity);
}

/* A controller 20 changes the gain, and the host is told. */
static void midi(struct self *self, const struct shl_block *block,
                 const struct shl_event *event)
{
    struct peer_report *report = self->report;
    uint32_t word = event->data[0];
    uint32_t status = word >> 20 & 0xF;
    shl_held_follow(&self->held, event->data);
    if (status == 9) {
        bump(&report->ons);
        click(block, self->wish->out, event->frame - block->frame, word & 127);
    } else if (status == 8) {
        bump(&report->offs);
    } else if (status == 0xB && (word >> 8 & 127) == 64) {
        if ((word & 127) < 64)
            bump(&report->pedal_ups);
    } else if (status == 0xB && (word >> 8 & 127) == 20) {
        self->gain = (word & 127) / 32.0;
        struct shl_event told =
            shl_event_param(event->frame, SHL_EVENT_PARAM, 7, self->gain);
        shl_device_send(self->device, &told);
    } else if (status == 0xE) {
        bump(&report->bends);
    }
    if (status == 9 || status == 8) {
        struct shl_event back = *event;
        if (shl_device_send(self->device, &back) == SHL_RING_FULL)
            bump(&report->send_full);
    }
}

static void listen(struct self *self, const struct shl_block *block)
{
    struct shl_event event;
    while (shl_device_event(self->device, &event)) {
        uint64_t offset = event.frame - block->frame;
        if (event.frame < block->frame ||
            (block->frames ? offset >= block->frames : offset > 0))
            bump(&self->report->misplaced);
        enter(self, block, &event);
        if (event.kind == SHL_EVENT_UMP)
            midi(self, block, &event);
        else if (event.kind == SHL_EVENT_PARAM && shl_event_id(&event) == 7)
            self->gain = shl_event_value(&event);
        else
            bump(&self->report->others);
    }
}

/* Whole blocks have one gain: what a change in the middle would sound like is
 * the device's own matter. */
static void sound(struct self *self, const struct shl_block *block)
{
    const struct peer_wish *wish = self->wish;
    for (uint32_t c = 0; c < wish->out; c++)
        for (uint32_t i = 0; i < block->frames; i++)
            block->out[c][i] =
                c < wish->in ? peer_sound(block->in[c][i], self->gain) : 0;
}

static void die(void)
{
    kill(getpid(), SIGKILL);
    for (;;)
        pause();
}

/* Show events that belong to no answer, then die. */
static void die_telling(struct self *self, const struct shl_block *block)
{
    for (uint32_t i = 0; i < 100; i++) {
        struct shl_event event =
            shl_event_midi(block->frame, 0, 0x90, 60, (uint8_t)(i & 127));
        shl_device_send(self->device, &event);
    }
    _Atomic uint32_t *write = &self->segment.lines->device.event_write;
    atomic_fetch_add_explicit(write, 50, memory_order_release);
    die();
}

static void *keep_lying(void *arg)
{
    struct self *self = arg;
    uint32_t round = 0;
    while (!atomic_load(&self->report->quit)) {
        peer_scribble(self->segment.map.base, &self->random,
                      round++ % 4096 != 4095);
        if (round % 16 == 0)
            usleep(50);
    }
    return NULL;
}

static void play(struct self *self, const struct shl_block *block)
{
    struct peer_report *report = self->report;
    enum peer_kind kind = self->wish->kind;
    uint32_t us = atomic_load_explicit(&report->work_us, memory_order_relaxed);
    self->number = atomic_load_explicit(&report->blocks, memory_order_relaxed);
    if (block->fresh)
        bump(&report->fresh_blocks);
    if (block->frames == 0)
        bump(&report->empty_blocks);
    if (self->number == self->wish->at && kind == PEER_DIES_WORKING)
        die();
    if (self->number == self->wish->at && kind == PEER_DIES_TELLING)
        die_telling(self, block);
    if (us)
        work(report, us);
    sound(self, block);
    listen(self, block);
    atomic_store_explicit(&report->held, self->held.count,
                          memory_order_relaxed);
    atomic_store_explicit(&report->frames, block->frames, memory_order_relaxed);
    bump(&report->blocks); /* before the answer: the host may look at once */
    shl_device_done(self->device);
}

static void loop(struct self *self)
{
    struct peer_report *report = self->report;
    struct shl_host_info host;
    struct shl_block block;
    while (!atomic_load(&report->quit)) {
        bool dies = self->wish->kind == PEER_DIES_CLAIMED;
        shl_status st = shl_device_wait(self->device, dies ? 1 : 50, &block);
        if (dies && shl_device_claimed(self->device, &host))
            die();
        if (st == SHL_OK)
            play(self, &block);
        if (st == SHL_BAD_PEER)
            return;
    }
}

/* With the core's inner parts: the segment exists, but nobody is let in. */
static void die_before_ready(const struct shl_device_options *options)
{
    struct shl_identity identity = {.rate_hz = options->rate_hz,
                                    .block_frames = 64};
    struct shl_registration registration;
    struct shl_segment segment;
    struct shl_why why;
    snprintf(identity.id, sizeof identity.id, "%s", options->id);
    if (shl_registration_take(NULL, &identity, &registration, &why) == SHL_OK &&
        shl_segment_create(registration.entry.segment, options->rate_hz,
                           &segment) == SHL_OK)
        die();
}

/* By the system's clock, a block of 64 each time; what was missed while it was
 * stopped is left out. */
static void loop_in_own_time(struct self *self)
{
    struct peer_report *report = self->report;
    uint64_t due_ns = shl_clock_ns();
    struct shl_block block;
    while (!atomic_load(&report->quit)) {
        uint64_t late_ns = shl_clock_ns() - due_ns;
        if (late_ns > 200000000)
            due_ns += late_ns;
        if (shl_device_begin(self->device, 64, &block) == SHL_BAD_PEER)
            return;
        play(self, &block);
        due_ns += 1333333;
        struct timespec due = {(time_t)(due_ns / 1000000000),
                               (long)(due_ns % 1000000000)};
        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL);
    }
}

static struct shl_device_options options_of(const struct peer_wish *wish,
                                            const struct shl_param *param)
{
    return (struct shl_device_options){
        .id = wish->id && wish->id[0] ? wish->id : "Peer",
        .vendor = "tests",
        .tag = wish->tag,
        .in_channels = wish->in,
        .out_channels = wish->out,
        .rate_hz = wish->rate_hz > 0 ? wish->rate_hz : 48000,
        .block_frames = 64,
        .latency_frames = wish->latency,
        .capabilities = SHL_CAP_PARAMS | SHL_CAP_PARAM_OUT | SHL_CAP_MIDI_IN |
                        SHL_CAP_MIDI_OUT,
        .drives = wish->drives,
        .params = param,
        .param_count = 2};
}

static const struct shl_param params[2] = {
    {.id = 7, .minimum = 0, .maximum = 4, .initial = 1, .name = "gain"},
    {.id = 9,
     .flags = SHL_PARAM_READ_ONLY,
     .minimum = 0,
     .maximum = 1,
     .name = "meter"}};

static int be(const struct peer_wish *wish, struct peer_report *report)
{
    struct self self = {
        .wish = wish, .report = report, .gain = 1, .random = wish->seed};
    struct shl_device_options options = options_of(wish, params);
    struct shl_why why;
    pthread_t liar;
    bool lies = wish->kind == PEER_LIAR;
    if (wish->kind == PEER_DIES_BEFORE_READY)
        die_before_ready(&options);
    atomic_store(&report->work_us, wish->work_us);
    shl_status st = shl_device_open(&options, &self.device, &why);
    if (st) {
        fprintf(stderr, "# peer: %s\n", why.text);
        atomic_store(&report->ready, 2);
        return 1;
    }
    snprintf(report->id, sizeof report->id, "%s", shl_device_id(self.device));
    snprintf(report->segment, sizeof report->segment, "%s",
             shl_device_segment(self.device));
    if (lies || wish->kind == PEER_DIES_TELLING)
        st = shl_segment_open(report->segment, &self.segment, &why);
    if (lies)
        pthread_create(&liar, NULL, keep_lying, &self);
    atomic_store(&report->ready, 1);
    if (wish->drives == SHL_DRIVE_FREE)
        loop_in_own_time(&self);
    else
        loop(&self);
    if (lies)
        pthread_join(liar, NULL);
    if (self.segment.lines)
        shl_segment_close(&self.segment);
    shl_device_close(self.device);
    return st == SHL_OK ? 0 : 1;
}

/* ---- as a process ---------------------------------------------------------------- */

int peer_main(int count, char **words)
{
    if (count < 13)
        return 2;
    struct peer_wish wish = {.kind = (enum peer_kind)atoi(words[2]),
                             .id = words[3],
                             .tag = words[4][0] ? words[4] : NULL,
                             .in = (uint32_t)atoi(words[5]),
                             .out = (uint32_t)atoi(words[6]),
                             .rate_hz = atof(words[7]),
                             .latency = (uint32_t)atoi(words[8]),
                             .drives = (uint32_t)atoi(words[9]),
                             .at = (uint32_t)atoi(words[10]),
                             .work_us = (uint32_t)atoi(words[11]),
                             .seed = (uint32_t)atoi(words[12])};
    struct peer_report *report =
        mmap(NULL, sizeof *report, PROT_READ | PROT_WRITE, MAP_SHARED,
             atoi(words[1]), 0);
    alarm(LIMIT_S);
    return report == MAP_FAILED ? 2 : be(&wish, report);
}

/* The program peer_run lies beside the running one. */
static void program_path(char *path, size_t size)
{
    ssize_t length = readlink("/proc/self/exe", path, size - 16);
    path[length > 0 ? length : 0] = 0;
    char *slash = strrchr(path, '/');
    snprintf(slash ? slash + 1 : path, 12, "peer_run");
}

static void run(const struct peer_wish *wish, int fd)
{
    char path[4096], n[9][24];
    program_path(path, sizeof path);
    fcntl(fd, F_SETFD, 0);
    snprintf(n[0], sizeof n[0], "%d", fd);
    snprintf(n[1], sizeof n[1], "%d", (int)wish->kind);
    snprintf(n[2], sizeof n[2], "%u", wish->in);
    snprintf(n[3], sizeof n[3], "%u", wish->out);
    snprintf(n[4], sizeof n[4], "%.3f", wish->rate_hz);
    snprintf(n[5], sizeof n[5], "%u", wish->latency);
    snprintf(n[6], sizeof n[6], "%u", wish->drives);
    snprintf(n[7], sizeof n[7], "%u", wish->at);
    snprintf(n[8], sizeof n[8], "%u", wish->work_us);
    char seed[24];
    snprintf(seed, sizeof seed, "%u", wish->seed);
    execl(path, path, n[0], n[1], wish->id ? wish->id : "Peer",
          wish->tag ? wish->tag : "", n[2], n[3], n[4], n[5], n[6], n[7], n[8],
          seed, (char *)NULL);
    _exit(127);
}

static struct peer *prepare(const struct peer_wish *wish, int fd)
{
    struct peer *peer = calloc(1, sizeof *peer);
    peer->wish = *wish;
    peer->report = mmap(NULL, sizeof *peer->report, PROT_READ | PROT_WRITE,
                        MAP_SHARED | (fd < 0 ? MAP_ANONYMOUS : 0), fd, 0);
    return peer;
}

static void wait_ready(struct peer *peer)
{
    for (int i = 0; i < 300000; i++) {
        if (atomic_load(&peer->report->ready) || peer_ended(peer, 0))
            return;
        usleep(i < 1000 ? 50 : 500);
    }
}

struct peer *peer_start(const struct peer_wish *wish)
{
    int fd = memfd_create("peer", MFD_CLOEXEC);
    if (fd < 0 || ftruncate(fd, sizeof(struct peer_report)))
        return NULL;
    struct peer *peer = prepare(wish, fd);
    fflush(NULL);
    peer->pid = fork();
    if (peer->pid == 0)
        run(wish, fd);
    close(fd);
    wait_ready(peer);
    return peer;
}

static void *thread_main(void *arg)
{
    struct peer *peer = arg;
    be(&peer->wish, peer->report);
    return NULL;
}

struct peer *peer_thread(const struct peer_wish *wish)
{
    struct peer *peer = prepare(wish, -1);
    peer->threaded = true;
    pthread_create(&peer->thread, NULL, thread_main, peer);
    while (!atomic_load(&peer->report->ready))
        usleep(50);
    return peer;
}

struct peer_report *peer_report(struct peer *peer)
{
    return peer->report;
}

const struct peer_heard *peer_heard(struct peer *peer, uint32_t index)
{
    struct peer_report *report = peer->report;
    for (int i = 0; i < 20000 && index < PEER_LOG; i++) {
        /* acquire: the log up to there is whole */
        if (atomic_load_explicit(&report->logged, memory_order_acquire) > index)
            return &report->log[index];
        usleep(1000);
    }
    return NULL;
}

pid_t peer_pid(const struct peer *peer)
{
    return peer->pid;
}

void peer_kill(struct peer *peer)
{
    if (peer->pid <= 0)
        return;
    kill(peer->pid, SIGKILL);
    while (waitpid(peer->pid, NULL, 0) < 0)
        ;
    peer->pid = 0;
}

void peer_stop(struct peer *peer)
{
    int status;
    kill(peer->pid, SIGSTOP);
    waitpid(peer->pid, &status, WUNTRACED);
}

void peer_continue(struct peer *peer)
{
    kill(peer->pid, SIGCONT);
}

bool peer_ended(struct peer *peer, uint32_t within_ms)
{
    uint64_t until = shl_clock_ns() + within_ms * (uint64_t)1000000;
    if (peer->threaded)
        return false;
    while (peer->pid > 0) {
        if (waitpid(peer->pid, NULL, WNOHANG) == peer->pid) {
            peer->pid = 0;
            return true;
        }
        if (shl_clock_ns() >= until)
            return false;
        usleep(200);
    }
    return true;
}

void peer_free(struct peer *peer)
{
    if (!peer)
        return;
    atomic_store(&peer->report->quit, 1);
    if (peer->threaded)
        pthread_join(peer->thread, NULL);
    else if (!peer_ended(peer, 5000))
        peer_kill(peer);
    munmap(peer->report, sizeof *peer->report);
    free(peer);
}
