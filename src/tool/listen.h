/* SPDX-License-Identifier: MIT */
/* A tap of the device, heard behind its own outputs. */
#ifndef TOOL_LISTEN_H
#define TOOL_LISTEN_H

#include "tool.h"

/** Have the tap `name` come out from channel `first` on; waits for the device's
 * answer. *channels gets how many it has. TOOL_GO_ON, or complain. */
int listen_route(shl_host *host, const char *name, uint32_t first,
                 uint32_t *channels);

#endif
