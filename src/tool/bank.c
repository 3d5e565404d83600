/* SPDX-License-Identifier: MIT */
#include "bank.h"

/* clang-format off */
static const struct program programs[] = {
    /*         gain   attack release tune cutoff  Q    decay   sustain lfo  vibrato */
    {"saws",    {-6.0,   5.0,  400.0, 0.0, 5000.0, 1.0, 2500.0,  55.0, 5.0,  0.0}},
    {"pad",     {-9.0, 900.0, 2500.0, 0.0, 1800.0, 0.7, 6000.0,  80.0, 0.3,  4.0}},
    {"strings", {-9.0, 250.0,  900.0, 0.0, 3800.0, 0.6, 4000.0,  85.0, 5.2,  7.0}},
    {"brass",   {-8.0,  60.0,  250.0, 0.0, 2600.0, 1.6,  700.0,  70.0, 4.8,  3.0}},
    {"pluck",   {-5.0,   1.0,  300.0, 0.0, 6500.0, 1.2,  350.0,   0.0, 5.0,  0.0}},
    {"bass",    {-4.0,   2.0,  120.0, 0.0,  700.0, 2.5,  450.0,  35.0, 5.0,  0.0}},
    {"organ",   {-10.0,  8.0,   60.0, 0.0, 9000.0, 0.5, 5000.0, 100.0, 6.5,  5.0}},
    {"squelch", {-8.0,   1.0,  180.0, 0.0,  900.0, 9.0,  220.0,  25.0, 5.0,  0.0}},
};
/* clang-format on */

uint32_t bank_count(void)
{
    return sizeof(programs) / sizeof(*programs);
}

const struct program *bank_program(uint32_t number)
{
    return number < bank_count() ? &programs[number] : NULL;
}
