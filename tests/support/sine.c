/* SPDX-License-Identifier: MIT */
#include "sine.h"

#include <math.h>

/* Solve the 4 x 4 normal equations in place. */
static void solve(double a[4][5])
{
    for (int i = 0; i < 4; i++) {
        int p = i;
        for (int j = i + 1; j < 4; j++)
            if (fabs(a[j][i]) > fabs(a[p][i]))
                p = j;
        for (int k = 0; k < 5; k++) {
            double t = a[i][k];
            a[i][k] = a[p][k];
            a[p][k] = t;
        }
        for (int j = 0; j < 4; j++) {
            double f = j == i ? 0.0 : a[j][i] / a[i][i];
            for (int k = i; k < 5 && j != i; k++)
                a[j][k] -= f * a[i][k];
        }
    }
    for (int i = 0; i < 4; i++)
        a[i][4] /= a[i][i];
}

double sine_residual(const float *x, uint32_t n, double step)
{
    double residual = 0.0, signal = 0.0, re = 0.0, im = 0.0;

    for (int round = 0; round < 5; round++) {
        double a[4][5] = {{0.0}};
        for (uint32_t i = 0; i < n; i++) {
            double t = (double)i - n / 2.0, c = cos(step * t),
                   s = sin(step * t);
            double base[4] = {c, s, 1.0, t * (im * c - re * s)};
            for (int j = 0; j < 4; j++) {
                for (int k = 0; k < 4; k++)
                    a[j][k] += base[j] * base[k];
                a[j][4] += base[j] * (double)x[i];
            }
        }
        if (round == 0)
            a[3][3] = 1.0;
        solve(a);
        re = a[0][4];
        im = a[1][4];
        step += a[3][4];
        residual = signal = 0.0;
        for (uint32_t i = 0; i < n; i++) {
            double t = (double)i - n / 2.0;
            double fit = re * cos(step * t) + im * sin(step * t) + a[2][4];
            residual += ((double)x[i] - fit) * ((double)x[i] - fit);
            signal += fit * fit;
        }
    }
    return 10.0 * log10(residual / signal + 1e-30);
}
