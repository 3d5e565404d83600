/* A clock's pace in shared memory: one side shows when which frame of it is due,
 * the other looks. */
#ifndef SHL_BEACON_H
#define SHL_BEACON_H

#include "core/free/pace.h"
#include "core/shm/layout.h"
#include "shmlink/system.h"

#include <stdbool.h>
#include <stdint.h>

/** [audio] */
SHL_RT void shl_beacon_show(struct shl_beacon *beacon,
                            const struct shl_pace_line *line);

/** True if there is another line than at *sequence (0 at first), and it could
 * be read in one go; nobody waits for it, an older one is nearly as good. The
 * values are as the peer wrote them: check. [audio] */
SHL_RT bool shl_beacon_look(struct shl_beacon *beacon, uint64_t *sequence,
                            struct shl_pace_line *line);

#endif
