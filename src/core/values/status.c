/* SPDX-License-Identifier: MIT */
#include "shmlink/status.h"

/* NOLINTNEXTLINE(readability-function-size): a table */
const char *shl_status_text(shl_status status)
{
    switch (status) {
    case SHL_OK:
        return "no error";
    case SHL_AGAIN:
        return "not there yet";
    case SHL_TIMEOUT:
        return "no answer within the deadline";
    case SHL_NOT_FOUND:
        return "not found";
    case SHL_BUSY:
        return "claimed by another host";
    case SHL_GONE:
        return "the device has ended";
    case SHL_TAKEN:
        return "another device has this id";
    case SHL_BOARD_FULL:
        return "the board is full: it holds 64 devices";
    case SHL_RING_FULL:
        return "the ring is full";
    case SHL_NO_MEMORY:
        return "out of memory";
    case SHL_NO_SPACE:
        return "shared memory is full: free some space in /dev/shm";
    case SHL_NO_SHM:
        return "this system offers no shared memory: mount /dev/shm";
    case SHL_NO_PERMISSION:
        return "no permission to use this shared memory object";
    case SHL_NO_DESCRIPTORS:
        return "no file descriptors left: close something or raise the limit";
    case SHL_FOREIGN:
        return "a shared memory object of this name belongs to somebody else";
    case SHL_CUT:
        return "the segment is cut short";
    case SHL_WRONG_VERSION:
        return "the other side speaks another protocol version";
    case SHL_WRONG_RATE:
        return "the sample rates differ";
    case SHL_WRONG_BLOCK:
        return "block sizes go from 1 to 4096 frames";
    case SHL_WRONG_CHANNELS:
        return "a link has at most 32 channels each way";
    case SHL_WRONG_DRIVE:
        return "the device does not offer this drive";
    case SHL_WRONG_MODE:
        return "the device does not offer this transport mode";
    case SHL_BAD_PEER:
        return "the other side broke the protocol";
    case SHL_BAD_NAME:
        return "not a device name";
    case SHL_BAD_VALUE:
        return "value out of range";
    case SHL_UNSUPPORTED:
        return "the device cannot do this";
    case SHL_NO_DEVICE:
        return "no device is linked";
    case SHL_SYSTEM:
        return "the system refused";
    case SHL_STATUS_COUNT:
        break;
    }
    return "unknown status";
}

/* NOLINTNEXTLINE(readability-function-size): a table */
const char *shl_status_word(shl_status status)
{
    switch (status) {
    case SHL_OK:
        return "ok";
    case SHL_AGAIN:
        return "again";
    case SHL_TIMEOUT:
        return "timeout";
    case SHL_NOT_FOUND:
        return "not_found";
    case SHL_BUSY:
        return "busy";
    case SHL_GONE:
        return "gone";
    case SHL_TAKEN:
        return "taken";
    case SHL_BOARD_FULL:
        return "board_full";
    case SHL_RING_FULL:
        return "ring_full";
    case SHL_NO_MEMORY:
        return "no_memory";
    case SHL_NO_SPACE:
        return "no_space";
    case SHL_NO_SHM:
        return "no_shm";
    case SHL_NO_PERMISSION:
        return "no_permission";
    case SHL_NO_DESCRIPTORS:
        return "no_descriptors";
    case SHL_FOREIGN:
        return "foreign";
    case SHL_CUT:
        return "cut";
    case SHL_WRONG_VERSION:
        return "wrong_version";
    case SHL_WRONG_RATE:
        return "wrong_rate";
    case SHL_WRONG_BLOCK:
        return "wrong_block";
    case SHL_WRONG_CHANNELS:
        return "wrong_channels";
    case SHL_WRONG_DRIVE:
        return "wrong_drive";
    case SHL_WRONG_MODE:
        return "wrong_mode";
    case SHL_BAD_PEER:
        return "bad_peer";
    case SHL_BAD_NAME:
        return "bad_name";
    case SHL_BAD_VALUE:
        return "bad_value";
    case SHL_UNSUPPORTED:
        return "unsupported";
    case SHL_NO_DEVICE:
        return "no_device";
    case SHL_SYSTEM:
        return "system";
    case SHL_STATUS_COUNT:
        break;
    }
    return "unknown";
}
