/* SPDX-License-Identifier: MIT */
/* What an object says: replies and events on its last outlet, sentences on the
 * console, and which of them have been said already. Scheduler thread only,
 * never from perform. */
#ifndef PD_REPLIES_H
#define PD_REPLIES_H

#include "pd/atoms.h"

#if defined(__GNUC__)
#    define REPLIES_FORMAT(text, first)                                        \
        __attribute__((format(printf, text, first)))
#else
#    define REPLIES_FORMAT(text, first)
#endif

#define REPLIES_NAME 512 /* a plugin's may be a long path */

/* How long something said once stays said. */
enum replies_memory {
    REPLIES_OBJECT = 1, /* as long as the object lives */
    REPLIES_LINK = 2    /* until the link begins or ends */
};

#define REPLIES_SAID_MAX 128
#define REPLIES_RECENT   8
#define REPLIES_TEXTS    1024 /* a power of two */

struct replies {
    t_object *object;
    t_outlet *outlet;
    int outlet_number;
    int ended; /* the object has been deleted: nothing is said any more */
    const char *class_name;
    char name
        [REPLIES_NAME]; /* of the device, as the user wrote it; "" for none */
    struct {
        t_symbol *selector;
        enum replies_memory memory;
    } said[REPLIES_SAID_MAX];
    uint32_t said_count;
    /* lines on the console that come again and again are shown once */
    struct {
        uint32_t hash;
        double time; /* logical, of the last one */
        uint32_t held;
        char text[80];
    } recent[REPLIES_RECENT];
    uint32_t recent_next;
    /* sentences that have become symbols, which Pd keeps for ever: their sums */
    uint32_t texts[REPLIES_TEXTS];
    uint32_t text_count;
};

/** Nothing said yet, no name. The outlet is made by replies_outlet. */
void replies_init(struct replies *replies, t_object *object,
                  const char *class_name);

/** Make the outlet of messages, behind `before` other ones. */
void replies_outlet(struct replies *replies, int before);
/** The object is being deleted: methods that still run say nothing more. */
void replies_end(struct replies *replies);

/** One message. Atoms are the caller's. What hears it may delete the object: see
 * remains.h. */
void replies_send(struct replies *replies, const char *selector, int count,
                  t_atom *atoms);
void replies_bare(struct replies *replies, const char *selector);
void replies_number(struct replies *replies, const char *selector,
                    double number);
void replies_text(struct replies *replies, const char *selector,
                  const char *text);

/** `selector key value`. */
void replies_key_number(struct replies *replies, const char *selector,
                        const char *key, double number);
void replies_key_text(struct replies *replies, const char *selector,
                      const char *key, const char *text);

/** A sentence on the console: `class name: sentence`. One that comes again within
 * two seconds is counted, and the count told with the next line. */
void replies_note(struct replies *replies, const char *format, ...)
    REPLIES_FORMAT(2, 3);
void replies_complain(struct replies *replies, const char *format, ...)
    REPLIES_FORMAT(2, 3);

/** `error selector code sentence` on the outlet and the sentence on the
 * console as an error. */
void replies_error(struct replies *replies, t_symbol *selector,
                   shl_status status, const char *format, ...)
    REPLIES_FORMAT(4, 5);

/** The same, after the request's own failing reply `selector 0`. */
void replies_fail(struct replies *replies, t_symbol *selector,
                  shl_status status, const char *format, ...)
    REPLIES_FORMAT(4, 5);

/** The `error` message alone, for what the console has heard already. An object
 * that has said very many different sentences refers to the console. */
void replies_error_quiet(struct replies *replies, t_symbol *selector,
                         shl_status status, const char *text);

/** The same for words that a message does not take: `takes A, not WORDS: type
 * selector example`. */
void replies_refuse(struct replies *replies, t_symbol *selector, int argc,
                    const t_atom *argv, const char *takes, const char *example);
/** The same, after the request's own failing reply. */
void replies_fail_words(struct replies *replies, t_symbol *selector, int argc,
                        const t_atom *argv, const char *takes,
                        const char *example);

/** Whether a message came without words, as it must; if not, the error. */
int replies_alone(struct replies *replies, t_symbol *selector, int argc,
                  const t_atom *argv);

/** True the first time it is asked this, false afterwards. */
int replies_once(struct replies *replies, t_symbol *selector,
                 enum replies_memory memory);

/** Whether it was asked already. */
int replies_said(const struct replies *replies, const t_symbol *selector,
                 enum replies_memory memory);

/** The link began or ended: what was said of it may be said again. */
void replies_forget_link(struct replies *replies);

#endif
