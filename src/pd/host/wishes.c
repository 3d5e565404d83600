/* SPDX-License-Identifier: MIT */
/* What the patch wants of [shmlink~]: open, close, tag and bypass, as messages
 * and as lines of the patch's file. */
#include "pd/host/shmlink.h"
#include "pd/saved.h"

#include <stdio.h>
#include <string.h>

static void refuse_open(t_shmlink *x, const char *text)
{
    t_atom zero;

    replies_complain(&x->x_say, "%s", text);
    atoms_set_number(&zero, 0);
    replies_send(&x->x_say, "open", 1, &zero);
    replies_error_quiet(&x->x_say, gensym("open"), SHL_BAD_NAME, text);
}

static void give_up(t_shmlink *x)
{
    struct shl_notice notice;
    char name[sizeof x->x_say.name];
    int requested = x->x_requested;

    if (x->x_host) {
        shl_host_close(x->x_host);
        while (shl_host_notice(x->x_host, &notice))
            ; /* of a link that nobody wants any more */
    }
    notices_forget(x);
    schedule_clear(&x->x_in);
    x->x_due = 0;
    x->x_requested = 0;
    memcpy(name, x->x_say.name, sizeof name);
    x->x_say.name[0] = '\0';
    notices_overtaken(x, name, requested);
    waiting_release(x); /* nobody can hear them: each says so */
}

/* Before anything that the answers to what was given up have led to. */
static void tell_close(t_shmlink *x)
{
    int closing = x->x_closing;

    x->x_closing = 0;
    if (closing)
        replies_bare(&x->x_say, "close");
}

/* Its word may be the async of other hosts, which changes nothing. */
static void shmlink_close(t_shmlink *x, t_symbol *s, int argc, t_atom *argv)
{
    int was = x->x_say.name[0] != '\0' && !x->x_shut;
    double async;

    if (!(argc == 1 && atoms_whole(argv, 0, 1, &async)) &&
        !replies_alone(&x->x_say, s, argc, argv))
        return;
    tell_close(x);
    x->x_wish++;
    x->x_saved_device[0] = '\0';
    x->x_closing = was;
    give_up(x);
    tell_close(x);
}

/* Linked by its tag to another device than this very one. */
static int has_another(const t_shmlink *x, const char *id)
{
    struct shl_device_info info;
    int32_t number = -1;

    return x->x_open && x->x_host &&
           shl_id_check(id, NULL, &number, NULL) == SHL_OK && number >= 0 &&
           shl_host_get_device(x->x_host, &info) == SHL_OK &&
           strcmp(info.id, id) != 0 && !shl_name_matches(id, info.id);
}

/* What is wished for already, or there. */
static int asks_again(const t_shmlink *x, const struct flags *flags)
{
    return strcmp(flags->device, x->x_say.name) == 0 &&
           flags->drive == x->x_flags.drive && !has_another(x, flags->device);
}

/* 0: what was told of it has led to another open, or a close, which is newer. */
static int close_before_open(t_shmlink *x)
{
    uint32_t wish = ++x->x_wish;

    if (x->x_say.name[0]) {
        x->x_closing = x->x_open;
        give_up(x);
        tell_close(x);
    } else {
        waiting_release(x); /* what was said to one that is given up */
    }
    return x->x_wish == wish && !x->x_ended;
}

static void wish_for(t_shmlink *x, const struct flags *flags)
{
    x->x_literal = !x->x_reading;
    if (x->x_host)
        shl_host_set_literal(x->x_host, x->x_literal);
    if (flags->drive != x->x_flags.drive) {
        x->x_flags.drive = flags->drive;
        connection_make(
            x); /* what went wrong shows when it looks for the device */
    }
    snprintf(x->x_say.name, sizeof x->x_say.name, "%s", flags->device);
    snprintf(x->x_saved_device, sizeof x->x_saved_device, "%s", flags->device);
    memcpy(x->x_flags.program, flags->program, sizeof flags->program);
    x->x_flags.protocol = flags->protocol;
    x->x_flags.patience_s = flags->patience_s;
    x->x_flags.again = flags->again;
    x->x_requested = 1;
    connection_open(x);
}

static void shmlink_open(t_shmlink *x, t_symbol *s, int argc, t_atom *argv)
{
    struct flags flags;
    struct shl_why why;
    char name[SHL_ID_SIZE];
    int32_t number;
    (void)s;

    tell_close(x);
    if (x->x_ended)
        return;
    flags = x->x_flags;
    if (!flags_read_open(&flags, &x->x_say, argc, argv, &why) ||
        (strcmp(flags.device, "*") && !flags_is_plugin(flags.device) &&
         shl_id_check(flags.device, name, &number, &why))) {
        refuse_open(x, why.text);
        return;
    }
    if (x->x_open && asks_again(x, &flags)) {
        notices_open(x);
        return;
    }
    if (x->x_requested && asks_again(x, &flags)) {
        x->x_requested++;
        return;
    }
    if (close_before_open(x))
        wish_for(x, &flags);
    else
        notices_overtaken(x, flags.device, 1);
}

static void shmlink_tag(t_shmlink *x, t_symbol *s, int argc, t_atom *argv)
{
    struct shl_why why;
    char tag[256] = "";

    if (argc > 1 || (argc && !atoms_is_word(argv))) {
        replies_refuse(&x->x_say, s, argc, argv,
                       "one word (\\ and a space for a space), or none for no "
                       "tag",
                       "lead");
        return;
    }
    if (argc)
        atoms_text(argv, tag, sizeof tag);
    if (!flags_tag_check(tag, &x->x_zeros, &why)) {
        replies_error(&x->x_say, s, SHL_BAD_NAME, "tag: %s", why.text);
        return;
    }
    snprintf(x->x_flags.tag, sizeof x->x_flags.tag, "%.63s", tag);
    snprintf(x->x_saved_tag, sizeof x->x_saved_tag, "%.63s", tag);
    x->x_literal = 0; /* the tag is newer */
    if (x->x_host) {
        shl_host_set_literal(x->x_host, 0);
        shl_host_set_tag(x->x_host, tag);
    }
}

void wishes_saved(t_pd *owner, t_symbol *s, int argc, t_atom *argv)
{
    t_shmlink *x = (t_shmlink *)owner;

    if ((s == gensym("open") && x->x_box_device) ||
        (s == gensym("tag") && x->x_box_tag))
        return;
    x->x_reading = 1;
    pd_typedmess(owner, s, argc, argv);
    x->x_reading = 0;
}

static void shmlink_bypass(t_shmlink *x, t_symbol *s, int argc, t_atom *argv)
{
    double mode = -1;

    if (argc != 1 || !atoms_number(argv, &mode) ||
        (mode < 0 || mode > 2 || mode > (int)mode)) {
        replies_refuse(&x->x_say, s, argc, argv,
                       "0 (off), 1 (hard) or 2 (soft)", "0");
        return;
    }
    x->x_bypass = (uint32_t)mode;
    if (x->x_host)
        shl_host_set_bypass(x->x_host, x->x_bypass);
}

void wishes_methods(t_class *c)
{
    class_addmethod(c, (t_method)shmlink_open, gensym("open"), A_GIMME, 0);
    class_addmethod(c, (t_method)shmlink_close, gensym("close"), A_GIMME, 0);
    class_addmethod(c, (t_method)shmlink_tag, gensym("tag"), A_GIMME, 0);
    class_addmethod(c, (t_method)shmlink_bypass, gensym("bypass"), A_GIMME, 0);
}
