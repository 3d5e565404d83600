/* SPDX-License-Identifier: MIT */
#include "shmlink/name.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void shl_why_set(struct shl_why *why, const char *format, ...)
{
    va_list arguments;

    if (!why)
        return;
    va_start(arguments, format);
    vsnprintf(why->text, sizeof why->text, format, arguments);
    va_end(arguments);
    /* never half a character at the end */
    shl_text_clean(why->text, sizeof why->text);
}

/** Bytes of the UTF-8 character at `text`, 0 if it is none, -1 if it is a
 * control character. Reads no further than the terminating 0. */
static int character_length(const char *text)
{
    const unsigned char *at = (const unsigned char *)text;
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    int length = at[0] < 0x80             ? 1
                 : (at[0] & 0xE0) == 0xC0 ? 2
                 : (at[0] & 0xF0) == 0xE0 ? 3
                 : (at[0] & 0xF8) == 0xF0 ? 4
                                          : 0;
    uint32_t code = length == 1 ? at[0] : at[0] & (0x7Fu >> length);

    if (length == 0)
        return 0;
    for (int i = 1; i < length; i++) {
        if ((at[i] & 0xC0) != 0x80)
            return 0;
        code = code << 6 | (at[i] & 0x3Fu);
    }
    if (code < least[length] || code > 0x10FFFF ||
        (code >= 0xD800 && code <= 0xDFFF))
        return 0;
    return code < 0x20 || (code >= 0x7F && code < 0xA0) ? -1 : length;
}

void shl_text_clean(char *text, size_t size)
{
    size_t at = 0;

    if (size == 0)
        return;
    text[size - 1] = 0;
    while (text[at]) {
        int length = character_length(text + at);
        if (length > 0) {
            at += (size_t)length;
        } else {
            text[at] = '?';
            at++;
        }
    }
    memset(text + at, 0, size - at);
}

/* A byte that continues a character; more than three of them are no UTF-8. */
static bool continues(char byte)
{
    return ((unsigned char)byte & 0xC0) == 0x80;
}

size_t shl_text_copy(char *to, size_t size, const char *from)
{
    size_t length = 0, cut = 0;

    while (length < size - 1 && from[length])
        length++;
    while (cut < 3 && cut < length && continues(from[length - cut]))
        cut++;
    if (!continues(from[length - cut]))
        length -= cut;
    memmove(to, from, length);
    to[length] = 0;
    return length;
}

/** Whether all of a text is UTF-8 without control characters and of none of
 * the bytes in `forbidden`. */
static bool text_allowed(const char *text, const char *forbidden)
{
    while (*text) {
        int length = character_length(text);
        if (length <= 0 || strchr(forbidden, *text))
            return false;
        text += length;
    }
    return true;
}

/** Where the number of an id begins, behind its colon; NULL if it has none.
 * Only one spelling of each number counts. */
static const char *number_of(const char *id)
{
    const char *colon = strrchr(id, ':');
    size_t digits;

    if (!colon)
        return NULL;
    digits = strspn(colon + 1, "0123456789");
    if (digits == 0 || digits > 6 || colon[1 + digits] ||
        (colon[1] == '0' && digits > 1))
        return NULL;
    return colon + 1;
}

static bool name_reserved(const char *name)
{
    static const char *const words[] = {"lv2", "clap", "vst3", "null", "*"};

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strcmp(name, words[i]) == 0)
            return true;
    }
    return false;
}

/** What is wrong with a name (without its number), or NULL. */
static const char *name_fault(const char *name)
{
    if (!*name)
        return "it is empty";
    if (!text_allowed(name, ""))
        return "it has control characters or is not UTF-8";
    if (!text_allowed(name, "/\\,;$"))
        return "none of / \\ , ; $ may be in it";
    if (strchr(name, ':'))
        return "a colon may only stand before its number, as in Name:0";
    if (name[0] == '-')
        return "it begins with -, as flags do";
    if (name_reserved(name))
        return "this word is reserved";
    return NULL;
}

shl_status shl_id_check(const char *id, char name[SHL_ID_SIZE], int32_t *number,
                        struct shl_why *why)
{
    char base[SHL_ID_SIZE] = "";
    size_t length = id ? strlen(id) : 0;
    const char *fault = "it is longer than 47 bytes";
    const char *digits = NULL;

    if (length < SHL_ID_SIZE) {
        if (id)
            memcpy(base, id, length + 1);
        digits = id ? number_of(id) : NULL;
        if (digits)
            base[digits - 1 - id] = 0;
        fault = name_fault(base);
    }
    if (fault) {
        shl_why_set(why, "\"%.60s\" is no device name: %s", id ? id : "",
                    fault);
        return SHL_BAD_NAME;
    }
    if (name)
        memcpy(name, base, sizeof base);
    if (number)
        *number = digits ? (int32_t)strtol(digits, NULL, 10) : -1;
    return SHL_OK;
}

shl_status shl_tag_check(const char *tag, struct shl_why *why)
{
    const char *fault = NULL;

    if (!tag)
        fault = "it is missing";
    else if (strlen(tag) >= SHL_TAG_SIZE)
        fault = "it is longer than 63 bytes";
    else if (!text_allowed(tag, ""))
        fault = "it has control characters or is not UTF-8";
    if (!fault)
        return SHL_OK;
    shl_why_set(why, "\"%.80s\" is no link tag: %s", tag ? tag : "", fault);
    return SHL_BAD_NAME;
}
