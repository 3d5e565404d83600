#include "core/messages/mail.h"

#include "core/os/platform.h"

#include <stdlib.h>
#include <string.h>

#define WAITING_LIMIT (3ull * SHL_MESSAGE_LIMIT)
#define HALF          (SHL_MESSAGE_SLOTS / 2)

struct shl_letter {
    struct shl_letter *next;
    struct shl_message head; /* total: all bytes; no payload */
    uint32_t epoch;
    uint32_t sent; /* fragments */
    uint8_t bytes[];
};

void shl_mail_open(struct shl_mail *mail, struct shl_message_ring *to,
                   struct shl_message_ring *from, const _Atomic uint32_t *epoch)
{
    memset(mail, 0, sizeof *mail);
    shl_fragments_init(&mail->fragments, SHL_MESSAGE_LIMIT);
    mail->epoch = epoch;
    if (!to)
        return;
    mail->to = to;
    mail->from = from;
    shl_ring_init_producer(&mail->out, &to->write, &to->read, to->slot,
                           sizeof to->slot[0], SHL_MESSAGE_SLOTS);
    shl_ring_init_consumer(&mail->in, &from->write, &from->read, from->slot,
                           sizeof from->slot[0], SHL_MESSAGE_SLOTS);
}

/* ---- letters ---------------------------------------------------------------- */

static void append(struct shl_letters *letters, struct shl_letter *letter)
{
    letter->next = NULL;
    if (letters->last)
        letters->last->next = letter;
    else
        letters->first = letter;
    letters->last = letter;
}

static struct shl_letter *remove_first(struct shl_letters *letters)
{
    struct shl_letter *letter = letters->first;

    letters->first = letter->next;
    if (!letters->first)
        letters->last = NULL;
    return letter;
}

static void discard(struct shl_mail *mail, struct shl_letter *letter)
{
    atomic_fetch_sub_explicit(&mail->waiting, letter->head.total,
                              memory_order_relaxed);
    free(letter);
}

/* Take over what was posted, oldest first again. */
static void collect(struct shl_mail *mail)
{
    /* acquire: the letters are whole */
    struct shl_letter *newest =
        atomic_exchange_explicit(&mail->posted, NULL, memory_order_acquire);
    struct shl_letter *oldest = NULL;

    while (newest) {
        struct shl_letter *next = newest->next;
        newest->next = oldest;
        oldest = newest;
        newest = next;
    }
    while (oldest) {
        struct shl_letter *next = oldest->next;
        append(shl_fragments_count(oldest->head.total) == 1 ? &mail->singles
                                                            : &mail->longs,
               oldest);
        oldest = next;
    }
}

void shl_mail_close(struct shl_mail *mail)
{
    collect(mail);
    while (mail->singles.first)
        discard(mail, remove_first(&mail->singles));
    while (mail->longs.first)
        discard(mail, remove_first(&mail->longs));
    shl_fragments_clear(&mail->fragments);
    mail->to = mail->from = NULL;
}

static uint32_t claim_flags(uint32_t epoch)
{
    return (epoch >> 1 & 0xFF) << 8;
}

/* acquire: whatever the claim brought with it */
static uint32_t epoch_now(const struct shl_mail *mail)
{
    return atomic_load_explicit(mail->epoch, memory_order_acquire);
}

static uint32_t unasked_id(struct shl_mail *mail)
{
    return SHL_MESSAGE_UNASKED |
           (atomic_fetch_add_explicit(&mail->serial, 1, memory_order_relaxed) &
            ~SHL_MESSAGE_UNASKED);
}

static struct shl_letter *write_letter(const void *bytes, uint32_t size)
{
    struct shl_letter *letter = malloc(sizeof *letter + size);

    if (!letter)
        return NULL;
    memset(letter, 0, sizeof *letter);
    letter->head.total = size;
    if (size)
        memcpy(letter->bytes, bytes, size);
    return letter;
}

static void hang_up(struct shl_mail *mail, struct shl_letter *letter)
{
    letter->next = atomic_load_explicit(&mail->posted, memory_order_relaxed);
    /* release: the letter is whole */
    while (!atomic_compare_exchange_weak_explicit(&mail->posted, &letter->next,
                                                  letter, memory_order_release,
                                                  memory_order_relaxed))
        continue;
}

shl_status shl_mail_post(struct shl_mail *mail, uint32_t type, uint32_t flags,
                         uint32_t request, const void *bytes, uint32_t size)
{
    struct shl_letter *letter;
    uint32_t epoch;

    if (!mail->to)
        return SHL_UNSUPPORTED;
    epoch = epoch_now(mail);
    if (!epoch)
        return SHL_NO_DEVICE;
    if (size > SHL_MESSAGE_LIMIT)
        return SHL_BAD_VALUE;
    if (atomic_load_explicit(&mail->waiting, memory_order_relaxed) + size >
        WAITING_LIMIT)
        return SHL_RING_FULL;
    letter = write_letter(bytes, size);
    if (!letter)
        return SHL_NO_MEMORY;
    letter->epoch = epoch;
    letter->head.type = (uint16_t)type;
    letter->head.flags = (uint16_t)(flags | claim_flags(epoch));
    letter->head.request = request ? request : unasked_id(mail);
    atomic_fetch_add_explicit(&mail->waiting, size, memory_order_relaxed);
    hang_up(mail, letter);
    return SHL_OK;
}

/* ---- sending ------------------------------------------------------------------ */

void shl_mail_bell(struct shl_message_ring *ring)
{
    /* seq_cst, both: the sleeper raises its flag before it looks a last time */
    atomic_fetch_add_explicit(&ring->bell, 1, memory_order_seq_cst);
    if (atomic_load_explicit(&ring->parked, memory_order_seq_cst))
        shl_word_wake(&ring->bell);
}

/* The first of these letters that is still meant for our peer. */
static struct shl_letter *first_of(struct shl_mail *mail,
                                   struct shl_letters *letters, uint32_t epoch)
{
    while (letters->first && letters->first->epoch != epoch)
        discard(mail, remove_first(letters));
    return letters->first;
}

static bool send_part(struct shl_mail *mail, struct shl_letter *letter)
{
    struct shl_message message;
    void *slot = shl_ring_push(&mail->out);

    if (!slot)
        return false;
    shl_fragments_cut(&message, &letter->head, letter->sent++, letter->bytes);
    memcpy(slot, &message, sizeof message);
    return true;
}

/* Behind the others that the peer has begun to put together: at most as many
 * as it can, so the next letter waits until one of them is whole. */
static void step_back(struct shl_letters *letters)
{
    struct shl_letter *letter = remove_first(letters);
    struct shl_letter *before = letters->first;

    for (uint32_t i = 2; before && before->next && i < SHL_FRAGMENTS_AT_ONCE;
         i++)
        before = before->next;
    if (!before || !before->next) {
        append(letters, letter);
        return;
    }
    letter->next = before->next;
    before->next = letter;
}

static bool send_single(struct shl_mail *mail, struct shl_letter *letter)
{
    if (!send_part(mail, letter))
        return false;
    discard(mail, remove_first(&mail->singles));
    return true;
}

static bool send_long(struct shl_mail *mail, struct shl_letter *letter)
{
    if (!send_part(mail, letter))
        return false;
    if (letter->sent == shl_fragments_count(letter->head.total))
        discard(mail, remove_first(&mail->longs));
    else
        step_back(&mail->longs);
    return true;
}

void shl_mail_send(struct shl_mail *mail)
{
    uint32_t before = mail->out.own;
    bool room = true;

    if (!mail->to)
        return;
    collect(mail);
    while (room && (mail->singles.first || mail->longs.first)) {
        uint32_t epoch = epoch_now(mail);
        struct shl_letter *letter = first_of(mail, &mail->singles, epoch);

        if (letter)
            room = send_single(mail, letter);
        letter = first_of(mail, &mail->longs, epoch);
        if (letter && room)
            room = send_long(mail, letter);
    }
    if (mail->out.own == before)
        return;
    shl_ring_publish(&mail->out);
    shl_mail_bell(mail->to);
}

/* ---- taking -------------------------------------------------------------------- */

/* A bye is sent just before the claim ends, and may be taken just behind. */
static bool is_last(const struct shl_mail *mail)
{
    return mail->last && mail->message.type == SHL_MESSAGE_BYE &&
           (mail->message.flags & 0xFF00u) ==
               claim_flags(
                   atomic_load_explicit(mail->last, memory_order_acquire));
}

/* A message of the present claim? The epoch is loaded after the message: a peer
 * that sends has seen its claim accepted, so we see it as well. */
static bool meant_for_us(struct shl_mail *mail)
{
    uint32_t epoch = epoch_now(mail);

    if (epoch != mail->epoch_seen)
        shl_fragments_clear(&mail->fragments);
    mail->epoch_seen = epoch;
    return epoch ? (mail->message.flags & 0xFF00u) == claim_flags(epoch)
                 : is_last(mail);
}

/* Copy the next message and give its slot back. When half of a full ring is
 * empty again, its producer may be waiting for room. */
static bool take_one(struct shl_mail *mail)
{
    uint32_t there = shl_ring_waiting(&mail->in);
    const void *slot = there ? shl_ring_peek(&mail->in, NULL) : NULL;

    if (!slot) {
        shl_ring_release(&mail->in); /* an index that cannot be: start over */
        return false;
    }
    memcpy(&mail->message, slot, sizeof mail->message);
    shl_ring_pop(&mail->in);
    shl_ring_release(&mail->in);
    mail->taken++;
    if (there == HALF)
        shl_mail_bell(mail->to);
    return true;
}

shl_status shl_mail_take(struct shl_mail *mail, struct shl_whole *whole,
                         uint32_t *budget)
{
    while (mail->to && *budget > 0 && take_one(mail)) {
        shl_status status;

        --*budget;
        if (!meant_for_us(mail)) {
            mail->stale++;
            continue;
        }
        mail->message.flags &= 0xFF;
        status = shl_fragments_add(&mail->fragments, &mail->message, whole);
        if (status != SHL_AGAIN)
            return status;
    }
    return SHL_AGAIN;
}

/* ---- waiting ------------------------------------------------------------------- */

uint32_t shl_mail_seen(const struct shl_mail *mail)
{
    return mail->from
               ? atomic_load_explicit(&mail->from->bell, memory_order_seq_cst)
               : 0;
}

void shl_mail_nap(struct shl_mail *mail, uint32_t seen, uint32_t timeout_us)
{
    if (!mail->from) {
        shl_sleep_ms(timeout_us / 1000 + 1);
        return;
    }
    atomic_store_explicit(&mail->from->parked, 1, memory_order_seq_cst);
    if (shl_mail_seen(mail) == seen)
        shl_word_wait(&mail->from->bell, seen, timeout_us);
    atomic_store_explicit(&mail->from->parked, 0, memory_order_relaxed);
}
