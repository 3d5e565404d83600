/* SPDX-License-Identifier: MIT */
/* A clock's estimator in shared memory: one side shows when which frame of it is due,
 * the other looks. */
#ifndef SHL_SHARED_CLOCK_H
#define SHL_SHARED_CLOCK_H

#include "core/free/clock_estimator.h"
#include "core/shm/layout.h"
#include "shmlink/realtime.h"
#include "shmlink/system.h"

#include <stdbool.h>
#include <stdint.h>

/** [audio] */
SHL_RT void shl_shared_clock_write(struct shl_shared_clock *shared_clock,
                                   const struct shl_clock_line *line);

/** True if there is another line than at *sequence (0 at first), and it could
 * be read in one go; nobody waits for it, an older one is nearly as good. The
 * values are as the peer wrote them: check. [audio] */
SHL_RT bool shl_shared_clock_read(struct shl_shared_clock *shared_clock,
                                  uint32_t *sequence,
                                  struct shl_clock_line *line);

#endif
