/* SPDX-License-Identifier: MIT */
/* How much there can be of everything, and how long texts are. No other file writes
 * one of these numbers. Those that are part of the shared bytes never change. */
#ifndef SHL_LIMITS_H
#define SHL_LIMITS_H

/* ---- how many ---- */

#define SHL_MAX_FRAMES     4096u /* in one block */
#define SHL_MAX_CHANNELS   32u   /* of a link, each way, and of a tap */
#define SHL_MAX_PARAMS     1024u /* of a device */
#define SHL_MAX_EVENTS     4095u /* that wait in one ring of a link */
#define SHL_MAX_TAPS       64u   /* of a device */
#define SHL_MAX_DEVICES    64u   /* on a board */
#define SHL_MAX_MIDI_PORTS 16u   /* each way */
#define SHL_MAX_REQUESTS   255u  /* of a host in flight */
#define SHL_MAX_PRESETS    4096u /* of one kind of device */
#define SHL_MAX_PAYLOAD                                                        \
    67108864u /* bytes of one message in all its fragments */

/* ---- how long texts are: bytes, the terminating 0 included ---- */

#define SHL_ID_SIZE           48u /* "MySynth:0"; a name has the same room */
#define SHL_TAG_SIZE          64u /* of a link tag */
#define SHL_TEXT_SIZE         64u /* a vendor, a parameter's name, a bye's reason */
#define SHL_WORD_SIZE         32u /* a category, a version, a parameter's group */
#define SHL_LABEL_SIZE        16u  /* a unit: "Hz" */
#define SHL_TAP_NAME_SIZE     40u  /* "osc1" */
#define SHL_SEGMENT_NAME_SIZE 32u  /* "/shl-0-0123456789ab" */
#define SHL_FORMAT_SIZE       16u  /* of states and plugins: "link", "lv2" */
#define SHL_WHY_SIZE          384u /* a reason */
#define SHL_FILE_NAME_SIZE    128u /* of a file from the other side, no folder */
#define SHL_PATH_SIZE         4096u /* of a path */

#endif
