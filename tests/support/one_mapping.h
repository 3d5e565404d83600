/* SPDX-License-Identifier: MIT */
/* With two mappings of one object the thread sanitizer sees neither races nor
 * what prevents them. Under it a link is made to use its device's own mapping,
 * which lies somewhere else in the same process; without it nothing happens. */
#ifndef ONE_MAPPING_H
#define ONE_MAPPING_H

#include "core/host/link.h"

/** After opening the link; its device is in this process. Aborts if it is not.
 */
void one_mapping(struct shl_link *link);

/** Before closing it. */
void one_mapping_end(struct shl_link *link);

#endif
