/* SPDX-License-Identifier: MIT */
/* The requests of the Maolan slot, answered by a plugin, whichever way they
 * have come. */
#ifndef PLUG_REQUESTS_H
#define PLUG_REQUESTS_H

#include "plugin.h"

/** What an answer asks the program to do besides. */
struct requests_needs {
    int tell;    /* values may have changed */
    int restart; /* deactivate, activate; then requests_put_ports once more */
};

/** Have the plugin's counts be the answer. [control] */
void requests_put_ports(shl_scratchpad *pad, const struct plugin *plugin);

/** Write the answer on the pad; the status returned is the rest of it. `why` has
 * a sentence if it is not SHL_OK. The plugin does not process meanwhile, or not
 * where the request changes something. [control] */
shl_status requests_answer(shl_scratchpad *pad, struct plugin *plugin,
                           const struct shl_plugin_host_request *request,
                           struct requests_needs *needs, struct shl_why *why);

#endif
