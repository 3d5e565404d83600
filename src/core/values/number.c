/* SPDX-License-Identifier: MIT */
#include "shmlink/number.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MANTISSA                                                               \
    800 /* digits that can make a difference: no number needs more */

/* The C library puts in the locale's point, of one byte or several, and nothing
 * else that is not here. */
static void set_point(char *text)
{
    char *at = text + strspn(text, "+-0123456789einfa");
    size_t length = strcspn(at, "0123456789");

    if (!*at)
        return;
    *at = '.';
    memmove(at + 1, at + length, strlen(at + length) + 1);
}

struct shl_number shl_digits(double value, int digits)
{
    struct shl_number number;

    snprintf(number.text, sizeof number.text, "%.*g",
             digits < 1    ? 1
             : digits > 17 ? 17
                           : digits,
             value);
    set_point(number.text);
    return number;
}

struct shl_number shl_places(double value, int places)
{
    struct shl_number number;

    if (!(fabs(value) < 1e15))
        return shl_digits(value, 17);
    snprintf(number.text, sizeof number.text, "%.*f",
             places < 0   ? 0
             : places > 9 ? 9
                          : places,
             value);
    set_point(number.text);
    return number;
}

/* A mantissa without a point, and what that does to the exponent. */
struct mantissa {
    char digit[MANTISSA + 40]; /* and a sign, and an exponent */
    int used;
    int found; /* digits, zeros in front included */
    long shift;
};

static const char *read_digits(struct mantissa *mantissa, const char *at,
                               int behind_point)
{
    for (; *at >= '0' && *at <= '9'; at++) {
        const int leading = *at == '0' && mantissa->used == 1;

        mantissa->found = 1;
        if (!leading && mantissa->used <= MANTISSA) {
            mantissa->digit[mantissa->used++] = *at;
            mantissa->shift -= behind_point;
        } else if (leading) {
            mantissa->shift -= behind_point;
        } else {
            /* one that is lost: that it was there may decide the rounding */
            if (*at != '0')
                mantissa->digit[MANTISSA] = '1';
            mantissa->shift += !behind_point;
        }
    }
    return at;
}

/* 0 and `at` itself if there is none. */
static const char *read_exponent(const char *at, long *exponent)
{
    const char *digit = at;
    long value = 0;
    int negative = 0;

    if (*digit != 'e' && *digit != 'E')
        return at;
    digit++;
    if (*digit == '-' || *digit == '+')
        negative = *digit++ == '-';
    if (*digit < '0' || *digit > '9')
        return at;
    for (; *digit >= '0' && *digit <= '9'; digit++)
        if (value < 1000000)
            value = 10 * value + (*digit - '0');
    *exponent = negative ? -value : value;
    return digit;
}

double shl_number_read(const char *text, const char **end)
{
    struct mantissa mantissa = {.digit = "+", .used = 1};
    const char *at = text;
    long exponent = 0;

    if (*at == '-' || *at == '+')
        mantissa.digit[0] = *at++;
    at = read_digits(&mantissa, at, 0);
    if (*at == '.')
        at = read_digits(&mantissa, at + 1, 1);
    if (!mantissa.found) {
        *end = text;
        return 0;
    }
    *end = read_exponent(at, &exponent);
    if (mantissa.used == 1) /* nothing but zeros */
        mantissa.digit[mantissa.used++] = '0';
    exponent += mantissa.shift;
    if (exponent > 100000 || exponent < -100000) /* far outside */
        exponent = exponent > 0 ? 100000 : -100000;
    snprintf(mantissa.digit + mantissa.used, 16, "e%ld", exponent);
    return strtod(mantissa.digit, NULL); /* no point: the same everywhere */
}
