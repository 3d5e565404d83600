/* SPDX-License-Identifier: MIT */
#include "inbox.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct transfer {
    uint32_t number; /* 0: free */
    char name[SHL_FILE_NAME_SIZE];
    uint64_t size, kept;
    uint32_t checksum, sum;
    shl_draft *draft;
};

struct inbox {
    const char *folder;
    uint32_t numbers;
    struct transfer transfer[INBOX_TRANSFERS];
    char complete[SHL_FILE_NAME_SIZE];
};

struct inbox *inbox_new(const char *folder)
{
    struct inbox *inbox = calloc(1, sizeof(*inbox));

    if (inbox)
        inbox->folder = folder;
    return inbox;
}

static void drop(struct transfer *transfer)
{
    shl_draft_drop(transfer->draft);
    memset(transfer, 0, sizeof(*transfer));
}

void inbox_free(struct inbox *inbox)
{
    for (int i = 0; inbox && i < INBOX_TRANSFERS; i++)
        drop(&inbox->transfer[i]);
    free(inbox);
}

static shl_status say(struct shl_why *why, shl_status status, const char *text)
{
    snprintf(why->text, sizeof(why->text), "%s", text);
    return status;
}

/* A free place, or that of the transfer that began first. */
static struct transfer *place_for(struct inbox *inbox)
{
    struct transfer *oldest = &inbox->transfer[0];

    for (int i = 0; i < INBOX_TRANSFERS; i++) {
        struct transfer *transfer = &inbox->transfer[i];

        if (!transfer->number)
            return transfer;
        if (transfer->number < oldest->number)
            oldest = transfer;
    }
    drop(oldest);
    return oldest;
}

/* Whatever it is; looking waits for nothing. */
static int exists(const char *path)
{
    uint8_t *bytes;
    size_t size;
    const shl_status status = shl_file_load(path, 0, &bytes, &size, NULL);

    if (!status)
        free(bytes);
    return status != SHL_NOT_FOUND;
}

static shl_status check_offer(const struct inbox *inbox, const char *name,
                              uint64_t size, struct shl_why *why)
{
    if (!inbox->folder)
        return say(why, SHL_NO_PERMISSION,
                   "this device takes no files: start it with --files FOLDER");
    if (size > INBOX_LIMIT)
        return say(why, SHL_NO_SPACE,
                   "this device takes files of at most 256 MiB");
    return shl_file_name_check(name, why);
}

/* Its name belongs to it from here on, or it is gone. */
static shl_status finish(struct inbox *inbox, struct transfer *transfer,
                         struct shl_why *why)
{
    shl_status status;

    if (transfer->sum != transfer->checksum) {
        drop(transfer);
        return say(why, SHL_BAD_VALUE,
                   "the file came damaged: its checksum is another");
    }
    status = shl_draft_keep(transfer->draft, 0, why);
    transfer->draft = NULL;
    if (!status)
        snprintf(inbox->complete, sizeof(inbox->complete), "%s",
                 transfer->name);
    drop(transfer);
    return status;
}

shl_status inbox_offer(struct inbox *inbox, const char *name, uint64_t size,
                       uint32_t checksum, uint32_t *number, struct shl_why *why)
{
    char path[SHL_PATH_SIZE];
    struct transfer *transfer;
    shl_status status = check_offer(inbox, name, size, why);

    if (status)
        return status;
    if ((size_t)snprintf(path, sizeof(path), "%s/%s", inbox->folder, name) >=
        sizeof(path))
        return say(why, SHL_BAD_NAME, "this name is too long here");
    if (exists(path))
        return say(why, SHL_TAKEN,
                   "this device has a file of this name already");
    transfer = place_for(inbox);
    status = shl_draft_new(path, &transfer->draft, why);
    if (status)
        return status;
    snprintf(transfer->name, sizeof(transfer->name), "%s", name);
    transfer->size = size;
    transfer->checksum = checksum;
    transfer->number = *number = ++inbox->numbers;
    return size ? SHL_OK : finish(inbox, transfer, why);
}

static struct transfer *find(struct inbox *inbox, uint32_t number)
{
    for (int i = 0; i < INBOX_TRANSFERS && number; i++)
        if (inbox->transfer[i].number == number)
            return &inbox->transfer[i];
    return NULL;
}

shl_status inbox_data(struct inbox *inbox, uint32_t number, uint64_t offset,
                      const uint8_t *bytes, uint32_t size, uint64_t *kept,
                      const char **name, struct shl_why *why)
{
    struct transfer *transfer = find(inbox, number);
    shl_status status;

    *name = NULL;
    if (!transfer)
        return say(why, SHL_NOT_FOUND, "no file of this number is under way");
    if (offset != transfer->kept || size > transfer->size - transfer->kept) {
        drop(transfer);
        return say(why, SHL_BAD_VALUE,
                   "the bytes of this file do not fit together");
    }
    status = shl_draft_write(transfer->draft, bytes, size, why);
    if (status) {
        drop(transfer);
        return status;
    }
    transfer->sum = shl_checksum(transfer->sum, bytes, size);
    transfer->kept += size;
    *kept = transfer->kept;
    if (transfer->kept < transfer->size)
        return SHL_OK;
    status = finish(inbox, transfer, why);
    if (!status)
        *name = inbox->complete;
    return status;
}
