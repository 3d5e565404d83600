/* SPDX-License-Identifier: MIT */
/* What plugins there are, as JSON. */
#ifndef PLUG_SCAN_H
#define PLUG_SCAN_H

/** Print all plugins of one format (NULL: of all) to standard output. False:
 * there is no such format. [control] */
int scan_print(const char *format);

struct scan_options {
    const char *format; /* one that DAWs know */
    const char *path;   /* of one file; NULL: all there are */
    const char *output; /* a file; NULL: standard output */
};

/** The same as Maolan DAWs expect it: an object of errors, warnings and data.
 * Our own plugins are CLAP files there (plugin.h); a format that this program
 * does not have has no plugins, which is no error. False: the output cannot be
 * written. [control] */
int scan_for_daw(const struct scan_options *options);

#endif
