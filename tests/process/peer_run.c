/* SPDX-License-Identifier: MIT */
/* The second process of the tests, see peer.h. */
#include "peer.h"

int main(int count, char **words)
{
    return peer_main(count, words);
}
