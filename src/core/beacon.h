/* A clock's pace in shared memory: one side shows when which frame of it is due,
 * the other looks. */
#ifndef SHL_BEACON_H
#define SHL_BEACON_H

#include "pace.h"
#include "system.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define SHL_BEACON_WORDS 5

/** A struct shl_pace_line, in its order. The sequence is odd while the words
 * are rewritten.
 *   offset size field     writer  reader  ordering
 *   0      8    sequence  writer  reader  odd: relaxed store; even: release
 *                                         store; acquire load before the words,
 *                                         relaxed after them
 *   8      40   word      writer  reader  release store, acquire load */
struct shl_beacon {
    _Atomic uint64_t sequence;
    _Atomic uint64_t word[SHL_BEACON_WORDS];
};

/** [audio] */
SHL_RT void shl_beacon_show(struct shl_beacon *beacon,
                            const struct shl_pace_line *line);

/** True if there is another line than at *sequence (0 at first), and it could
 * be read in one go; nobody waits for it, an older one is nearly as good. The
 * values are as the peer wrote them: check. [audio] */
SHL_RT bool shl_beacon_look(struct shl_beacon *beacon, uint64_t *sequence,
                            struct shl_pace_line *line);

#endif
