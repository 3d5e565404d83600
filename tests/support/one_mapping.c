/* SPDX-License-Identifier: MIT */
#include "one_mapping.h"

#include "peer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if PEER_THREAD_SANITIZER

static uint8_t *own_base;

static uint8_t *other_mapping(const struct shl_segment *segment)
{
    char text[512];
    uint8_t *base = NULL;
    FILE *file = fopen("/proc/self/maps", "r");
    while (file && !base && fgets(text, sizeof text, file)) {
        uint8_t *at = (uint8_t *)strtoull(text, NULL, 16);
        if (strstr(text, segment->name) && at != segment->map.base)
            base = at;
    }
    if (file)
        fclose(file);
    return base;
}

static void move_link(struct shl_link *link, uint8_t *base)
{
    struct shl_segment *s = &link->segment;
    ptrdiff_t by = base - s->map.base;
    void **pointers[] = {(void **)&s->identity,
                         (void **)&s->claim,
                         (void **)&s->lines,
                         (void **)&s->counters,
                         (void **)&s->params,
                         (void **)&s->events_to_device,
                         (void **)&s->events_to_host,
                         (void **)&s->transport,
                         (void **)&s->lanes,
                         (void **)&link->to_device.write,
                         (void **)&link->to_device.read,
                         (void **)&link->to_device.slots,
                         (void **)&link->to_host.write,
                         (void **)&link->to_host.read,
                         (void **)&link->to_host.slots};
    for (size_t i = 0; i < sizeof pointers / sizeof *pointers; i++)
        if (*pointers[i]) /* a device may lack some */
            *pointers[i] = (uint8_t *)*pointers[i] + by;
    s->map.base = base;
}

void one_mapping(struct shl_link *link)
{
    uint8_t *device = other_mapping(&link->segment);
    if (!device)
        abort();
    own_base = link->segment.map.base;
    move_link(link, device);
}

void one_mapping_end(struct shl_link *link)
{
    if (own_base)
        move_link(link, own_base);
    own_base = NULL;
}

#else

void one_mapping(struct shl_link *link)
{
    (void)link;
}

void one_mapping_end(struct shl_link *link)
{
    (void)link;
}

#endif
