/* SPDX-License-Identifier: MIT */
/* The control thread: the program's first. It loads the plugin, answers what is
 * slow, heeds what the plugin says has changed, and watches over the end. */
#ifndef PLUG_CONTROL_H
#define PLUG_CONTROL_H

#include "plugin.h"

/** Exit codes; 0 to 5 are those of the Maolan protocol. */
enum plug_exit {
    PLUG_OK = 0,
    PLUG_USAGE = 1,      /* wrong arguments */
    PLUG_NO_SEGMENT = 2, /* the segment cannot be used, or no longer */
    PLUG_NO_PIPES = 3,   /* the descriptors are no such pipes */
    PLUG_NO_FORMAT = 4,  /* this program does not have the format */
    PLUG_NO_PLUGIN = 5,  /* there is no such plugin */
    PLUG_NOT_LOADED = 6, /* it is there, but does not load */
    PLUG_NO_DEVICE = 7,  /* the board refuses the device */
    PLUG_HANGS = 8       /* the plugin did not come back: left without it */
};

/** What the command line says. */
struct control_options {
    const char *format, *spec;
    double rate_hz; /* 0: as the DAW says, else 48000 */
    uint32_t block_frames;
    uint32_t inputs, outputs; /* or PLUGIN_ANY */
    int follows;              /* 1: ends with its parent */
    uint32_t parent;          /* its pid */
    const char *name;         /* --register, or NULL */
};

/** Carry a plugin for a DAW that has rung up; returns the exit code. [control]
 */
int control_serve(const struct control_options *options,
                  shl_plugin_host *plugin_host);

/** Carry a plugin as a device on the board until asked to end. [control] */
int control_register(const struct control_options *options);

#endif
