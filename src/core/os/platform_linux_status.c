/* SPDX-License-Identifier: MIT */
/* errno ends here: what an error of the system means to the core. */
#include "core/os/platform_linux.h"

#include <errno.h>

shl_status shl_linux_status(int error, shl_status missing)
{
    switch (error) {
    case 0:
        return SHL_OK;
    case ENOENT:
    case ENOTDIR:
        return missing;
    case EEXIST:
        return SHL_TAKEN;
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
        return SHL_NO_SPACE;
    case EACCES:
    case EPERM:
    case EROFS:
        return SHL_NO_PERMISSION;
    case EMFILE:
    case ENFILE:
        return SHL_NO_DESCRIPTORS;
    case ENOMEM:
    case ENOLCK:
        return SHL_NO_MEMORY;
    case ENOSYS:
        return SHL_NO_SHM;
    case ELOOP: /* a link or a folder where an object should be */
    case EISDIR:
    case EINVAL:
    case ENXIO:
        return SHL_FOREIGN;
    default:
        return SHL_SYSTEM;
    }
}
