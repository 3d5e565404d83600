/* SPDX-License-Identifier: MIT */
/* For programs that host plugins and serve Maolan DAWs, and for whoever keeps states
 * in files: requests, the scratch area, presets. Contains shmlink.h. C11, and C++. */
#ifndef SHL_PLUGIN_DOOR_H
#define SHL_PLUGIN_DOOR_H

#include "file.h"
#include "plugin_host.h"
#include "plugin_request.h"
#include "scratchpad.h"
#include "shmlink.h"
#include "store.h"

#endif
