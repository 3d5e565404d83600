/* What a DAW asks for through the request slot, answered by a plugin. */
#ifndef PLUG_REQUESTS_H
#define PLUG_REQUESTS_H

#include "plugin.h"

/** What an answer asks the program to do besides. */
struct requests_needs {
    int tell;    /* values may have changed */
    int restart; /* deactivate, activate: counts may have changed */
};

/** Prepare the answer; shl_serve_answer(serve, the status returned) comes
 * next. `why` has a sentence if it is not SHL_OK. The plugin does not process
 * meanwhile. [control] */
shl_status requests_answer(shl_serve *serve, struct plugin *plugin,
                           const struct shl_serve_request *request,
                           struct requests_needs *needs, struct shl_why *why);

#endif
