/* SPDX-License-Identifier: MIT */
#include "fake_daw.h"

#include "core/os/platform.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATIENCE_MS 30000

static bool make_segment(struct fake_daw *daw, uint32_t version, size_t size)
{
    static int count;
    const struct shl_maolan_layout *row = shl_layout_of_version(version);

    snprintf(daw->name, sizeof daw->name, "/maolan-%d-clap-%d-%d", getpid(),
             getpid(), count++);
    daw->fd = shm_open(daw->name, O_CREAT | O_RDWR | O_CLOEXEC, 0644);
    if (daw->fd < 0 || fchmod(daw->fd, 0644) || ftruncate(daw->fd, (off_t)size))
        return false;
    daw->base = mmap(NULL, size ? size : 4096, PROT_READ | PROT_WRITE,
                     MAP_SHARED, daw->fd, 0);
    if (daw->base == MAP_FAILED)
        return false;
    daw->version = version;
    daw->size = size;
    if (size < SHL_MAOLAN_SIZE)
        return true;
    shl_maolan_init(&daw->maolan, daw->base,
                    row ? row : &shl_maolan_layouts[SHL_LAYOUT_A],
                    SHL_MAOLAN_DAW);
    fake_daw_set(daw, 0, SHL_MAOLAN_MAGIC);
    fake_daw_set(daw, 4, version);
    return true;
}

bool fake_daw_open(struct fake_daw *daw, uint32_t version, size_t size)
{
    *daw =
        (struct fake_daw){.fd = -1, .doorbell = {-1, -1}, .answer = {-1, -1}};
    if (make_segment(daw, version, size) && !pipe2(daw->doorbell, O_CLOEXEC) &&
        !pipe2(daw->answer, O_CLOEXEC) &&
        !fcntl(daw->answer[0], F_SETFL, O_NONBLOCK))
        return true;
    fake_daw_close(daw);
    return false;
}

static void shut(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

void fake_daw_close(struct fake_daw *daw)
{
    for (int i = 0; i < 2; i++) {
        shut(&daw->doorbell[i]);
        shut(&daw->answer[i]);
    }
    if (daw->base && daw->base != MAP_FAILED)
        munmap(daw->base, daw->size ? daw->size : 4096);
    shut(&daw->fd);
    if (daw->name[0])
        shm_unlink(daw->name);
    daw->name[0] = 0;
}

shl_status fake_daw_serve(struct fake_daw *daw, shl_plugin_host **plugin_host,
                          struct shl_why *why)
{
    const struct shl_plugin_host_options options = {
        .segment = daw->name,
        .doorbell = fcntl(daw->doorbell[0], F_DUPFD_CLOEXEC, 0),
        .answer = fcntl(daw->answer[1], F_DUPFD_CLOEXEC, 0)};
    const shl_status status = shl_plugin_host_open(&options, plugin_host, why);

    if (status) {
        close(options.doorbell);
        close(options.answer);
    } else {
        shut(&daw->answer[1]);
    }
    return status;
}

uint32_t fake_daw_word(const struct fake_daw *daw, uint32_t offset)
{
    return shl_maolan_load(&daw->maolan, offset);
}

void fake_daw_set(struct fake_daw *daw, uint32_t offset, uint32_t value)
{
    atomic_store_explicit((_Atomic uint32_t *)(void *)(daw->base + offset),
                          value, memory_order_release);
}

uint8_t *fake_daw_scratch(const struct fake_daw *daw)
{
    return daw->base + daw->maolan.layout->scratch;
}

void fake_daw_block(struct fake_daw *daw, uint32_t frames, uint32_t inputs,
                    uint32_t outputs)
{
    const struct shl_maolan_layout *row = daw->maolan.layout;

    fake_daw_set(daw, row->block_size, frames);
    fake_daw_set(daw, row->input_channels, inputs);
    fake_daw_set(daw, row->output_channels, outputs);
    if (row->midi_in_ports != SHL_NONE) {
        fake_daw_set(daw, row->midi_in_ports, row->midi_ports);
        fake_daw_set(daw, row->midi_out_ports, row->midi_ports);
    }
    shl_maolan_show(&daw->maolan);
    fake_daw_ring(daw);
}

void fake_daw_ring(struct fake_daw *daw)
{
    const uint8_t byte = 1;

    while (write(daw->doorbell[1], &byte, 1) < 0 && errno == EINTR)
        continue;
}

uint32_t fake_daw_bytes(struct fake_daw *daw)
{
    uint8_t bytes[4096];
    uint32_t all = 0;
    ssize_t got;

    while ((got = read(daw->answer[0], bytes, sizeof bytes)) > 0)
        all += (uint32_t)got;
    return all;
}

bool fake_daw_wait(struct fake_daw *daw)
{
    struct pollfd look = {.fd = daw->answer[0], .events = POLLIN};
    uint8_t byte;

    return poll(&look, 1, PATIENCE_MS) == 1 &&
           read(daw->answer[0], &byte, 1) == 1;
}

void fake_daw_ask(struct fake_daw *daw, uint32_t type)
{
    const struct shl_maolan_layout *row = daw->maolan.layout;

    fake_daw_set(daw, row->request_type, type);
    fake_daw_set(daw, row->request_status, SHL_REQUEST_PENDING);
    fake_daw_ring(daw);
}

uint32_t fake_daw_status(struct fake_daw *daw)
{
    const struct shl_maolan_layout *row = daw->maolan.layout;

    for (uint32_t ms = 0; ms < PATIENCE_MS; ms++) {
        if (fake_daw_word(daw, row->request_status) &&
            !fake_daw_word(daw, row->request_type))
            break;
        shl_sleep_ms(1);
    }
    return fake_daw_word(daw, row->request_status);
}
