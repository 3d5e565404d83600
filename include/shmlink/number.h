/* SPDX-License-Identifier: MIT */
/* Numbers as text, the same in every locale: a point before the decimals, and
 * no other form. An external or a library that calls setlocale changes what the
 * C library reads and prints, in all threads at once. Pure functions; no audio
 * thread needs them. */
#ifndef SHL_NUMBER_H
#define SHL_NUMBER_H

#ifdef __cplusplus
extern "C" {
#endif

/** Room for any number that these functions write. It is given by value, so that
 * it may be used where it is made: printf("%s Hz", shl_digits(rate, 10).text). */
struct shl_number {
    char text[32];
};

/** With at most so many (1 to 17) significant digits, as %g: "0.5", "1e+20",
 * "inf", "nan". 17 digits are read as the same number again. [any] */
struct shl_number shl_digits(double value, int digits);

/** With so many (0 to 9) digits behind the point, as %f; from 1e15 on as
 * shl_digits. [any] */
struct shl_number shl_places(double value, int places);

/** Read a decimal number at the beginning of `text`: sign, digits, point,
 * exponent; no spaces before it, no inf, no nan, nothing hexadecimal. *end is
 * what comes behind it, or `text` itself if there is none, and then it returns
 * 0. What is too large is infinite. [any] */
double shl_number_read(const char *text, const char **end);

#ifdef __cplusplus
}
#endif
#endif
