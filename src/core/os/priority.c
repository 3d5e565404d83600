/* SPDX-License-Identifier: MIT */
#include "core/os/priority.h"

#include "core/os/platform.h"

static void note(struct shl_priority *own, uint32_t answer)
{
    atomic_store_explicit(&own->answer, answer, memory_order_relaxed);
}

SHL_RT_BEGIN("when a claim begins or ends")

void shl_priority_raise(struct shl_priority *own, uint32_t policy,
                        uint32_t priority)
{
    uint32_t below = shl_priority_below(policy, priority);
    note(own, 0);
    if (!below || own->raised)
        return;
    shl_thread_priority(&own->policy_before, &own->priority_before);
    if (own->priority_before)
        return;
    shl_status st = shl_thread_set_priority(policy, below);
    own->raised = st == SHL_OK;
    own->policy = policy;
    own->priority = below;
    note(own, (uint32_t)st + 1);
}

void shl_priority_restore(struct shl_priority *own)
{
    uint32_t policy, priority;
    note(own, 0);
    if (!own->raised)
        return;
    own->raised = false;
    shl_thread_priority(&policy, &priority);
    if (policy == own->policy && priority == own->priority)
        shl_thread_set_priority(own->policy_before, own->priority_before);
}

SHL_RT_END

shl_status shl_priority_answer(const struct shl_priority *own)
{
    uint32_t answer = atomic_load_explicit(&own->answer, memory_order_relaxed);
    return answer ? (shl_status)(answer - 1) : SHL_AGAIN;
}
