/* SPDX-License-Identifier: MIT */
/* The mark of functions that the audio thread may call. A clang from 20 on checks it
 * (`make effects`): such a function may call only such functions, allocates nothing,
 * and each exception stands in the code with its reason: SHL_RT_EXCEPT around a call,
 * SHL_RT_BEGIN and SHL_RT_END around a few functions. */
#ifndef SHL_REALTIME_H
#define SHL_REALTIME_H

/* No allocation, no lock, no system call but the wake-up and the bounded wait. */
#if defined(__has_attribute)
#    if __has_attribute(nonblocking)
#        define SHL_RT __attribute__((nonblocking))
#        define SHL_RT_EXCEPT(reason, ...)                                     \
            _Pragma("clang diagnostic push")                                   \
                _Pragma("clang diagnostic ignored \"-Wfunction-effects\"")     \
                    __VA_ARGS__ _Pragma("clang diagnostic pop")
#        define SHL_RT_BEGIN(reason)                                           \
            _Pragma("clang diagnostic push")                                   \
                _Pragma("clang diagnostic ignored \"-Wfunction-effects\"")
#        define SHL_RT_END _Pragma("clang diagnostic pop")
#    endif
#endif
#if !defined(SHL_RT)
#    define SHL_RT
#    define SHL_RT_EXCEPT(reason, ...) __VA_ARGS__
#    define SHL_RT_BEGIN(reason)
#    define SHL_RT_END
#endif

#endif
