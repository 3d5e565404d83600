/* SPDX-License-Identifier: MIT */
/* The words in a box: device, channel counts and flags, in any order. */
#ifndef PD_FLAGS_H
#define PD_FLAGS_H

#include "pd/replies.h"

struct flags {
    char device[REPLIES_NAME];  /* "" for none */
    char program[REPLIES_NAME]; /* that runs plugins; "": the usual ones */
    uint32_t patience_s;        /* for a program that starts; 0: the usual */
    uint32_t protocol;          /* Maolan; 0: what the program understands */
    int again;                  /* start a program that crashed again */
    char tag[SHL_TAG_SIZE];
    uint32_t in_channels, out_channels;
    uint32_t drive; /* 0: what the device offers, lockstep first */
    uint32_t mode;
    uint32_t deadline_ms;    /* 0: by block */
    uint32_t block_frames;   /* exchanged with the device; 0: as Pd's own */
    uint32_t latency_frames; /* each way in the free drive; 0: by the blocks */
    enum shl_host_onloss onloss;
    int resample;
    int must;
    int render;
};

/** The defaults: no device, 2 in, 2 out, fade. */
void flags_init(struct flags *flags);

/** Read a box. What is wrong gets one line each, the rest still counts. */
void flags_read(struct flags *flags, struct replies *replies, int argc,
                const t_atom *argv);

/** Read the words after `open`: name, flags, and the number that says
 * asynchronous in other hosts. False if there is no usable name; the reason is
 * in `why`. Unknown flags get one line each. */
int flags_read_open(struct flags *flags, struct replies *replies, int argc,
                    const t_atom *argv, struct shl_why *why);

/** Whether a name is of a plugin, format:name, and not of a device, name:number
 * or name. */
int flags_is_plugin(const char *name);

/** The numbers that `$0` has in a box's patch and in the patches around it. */
#define FLAGS_ZEROS 8
struct flags_zeros {
    int count, number[FLAGS_ZEROS];
};

/** Those of the canvas that is being loaded. */
struct flags_zeros flags_dollar_zeros(void);

/** Whether a tag will do. One made from `$0`, which is another number in each
 * session, will not. */
int flags_tag_check(const char *tag, const struct flags_zeros *zeros,
                    struct shl_why *why);

#endif
