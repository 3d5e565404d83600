/* SPDX-License-Identifier: MIT */
#ifndef _POSIX_C_SOURCE
#    define _POSIX_C_SOURCE 200809L
#endif

#include "terminal.h"

#include "tool.h"

#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#define SLICE_NS 100000000u

static volatile sig_atomic_t ended; /* handler writes, loops read */
static int line_width;              /* columns of the status line; 0: none */

static void on_end(int number)
{
    (void)number;
    ended = 1;
}

int terminal_catch_end(void)
{
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
    struct sigaction action;

    memset(&action, 0, sizeof(action));
    sigemptyset(&action.sa_mask);
    action.sa_handler = SIG_IGN;
    if (sigaction(SIGPIPE, &action, NULL))
        return 0;
    action.sa_handler = on_end; /* no SA_RESTART: sleeps shall end */
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
        if (sigaction(numbers[i], &action, NULL))
            return 0;
    return 1;
}

int terminal_ended(void)
{
    return ended != 0;
}

int terminal_is_one(void)
{
    return isatty(STDOUT_FILENO);
}

/* Columns that a line may have without running into the next; 79 if nobody
 * knows. */
static int room_on_line(void)
{
    struct winsize size;

    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) || size.ws_col < 2)
        return 79;
    return size.ws_col - 1;
}

void terminal_line(const char *text)
{
    const int room = room_on_line();
    int width = 0, bytes = 0;

    for (; text[bytes]; bytes++) {
        if (((unsigned char)text[bytes] & 0xC0) == 0x80)
            continue;
        if (width == room)
            break;
        width++;
    }
    printf("\r%.*s%*s", bytes, text,
           line_width > width ? line_width - width : 0, "");
    fflush(stdout);
    line_width = width;
}

void terminal_say(const char *format, ...)
{
    va_list arguments;

    if (line_width)
        printf("\r%*s\r", line_width, "");
    line_width = 0;
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    printf("\n");
    fflush(stdout);
}

void terminal_sleep_until(uint64_t clock_ns)
{
    uint64_t now = shl_clock_ns();

    /* in slices: a signal just before the sleep would not cut it short */
    while (now < clock_ns && !ended) {
        uint64_t left = clock_ns - now;
        struct timespec slice = {.tv_nsec =
                                     (long)(left < SLICE_NS ? left : SLICE_NS)};

        clock_nanosleep(CLOCK_MONOTONIC, 0, &slice, NULL);
        now = shl_clock_ns();
    }
}

/* Bytes of the UTF-8 sequence at `text`, or 0 if it is broken. Overlong forms,
 * surrogates and what lies above U+10FFFF are broken. */
static int sequence(const char *text)
{
    const unsigned char *c = (const unsigned char *)text;
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    int length = c[0] < 0x80             ? 1
                 : (c[0] & 0xE0) == 0xC0 ? 2
                 : (c[0] & 0xF0) == 0xE0 ? 3
                 : (c[0] & 0xF8) == 0xF0 ? 4
                                         : 0;

    if (length < 2)
        return length;
    uint32_t point = c[0] & (0x7Fu >> length);
    for (int i = 1; i < length; i++) {
        if ((c[i] & 0xC0) != 0x80)
            return 0;
        point = point << 6 | (c[i] & 0x3Fu);
    }
    if (point < least[length] || point > 0x10FFFF ||
        (point >= 0xD800 && point <= 0xDFFF))
        return 0;
    return length;
}

static int is_control(const char *text)
{
    const unsigned char *c = (const unsigned char *)text;

    return c[0] < 0x20 || c[0] == 0x7F ||
           (c[0] == 0xC2 && c[1] >= 0x80 && c[1] < 0xA0);
}

int terminal_plain(const char *text, char *plain, size_t size)
{
    size_t used = 0;
    int columns = 0;

    while (*text) {
        int length = sequence(text);
        int harmless = length && !is_control(text);
        size_t bytes = harmless ? (size_t)length : 1;

        if (used + bytes + 1 > size)
            break;
        if (harmless)
            memcpy(plain + used, text, bytes);
        else
            plain[used] = '?';
        used += bytes;
        text += length ? length : 1;
        columns++;
    }
    if (size)
        plain[used] = 0;
    return columns;
}

void terminal_json(FILE *file, const char *text)
{
    fputc('"', file);
    while (*text) {
        int length = sequence(text);

        if (!length)
            fputs("\\ufffd", file);
        else if (length == 1 && (*text == '"' || *text == '\\'))
            fprintf(file, "\\%c", *text);
        else if (length == 1 && ((unsigned char)*text < 0x20 || *text == 0x7F))
            fprintf(file, "\\u%04x", (unsigned)*text);
        else
            fwrite(text, 1, (size_t)length, file);
        text += length ? length : 1;
    }
    fputc('"', file);
}
