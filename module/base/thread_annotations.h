// SPDX-License-Identifier: GPL-2.0-only
//
// Clang's thread-safety annotations; nothing for other compilers. Checked on the host build.
#ifndef KTWIN_BASE_THREAD_ANNOTATIONS_H
#define KTWIN_BASE_THREAD_ANNOTATIONS_H

#if defined(__clang__)
#define TA(x) __attribute__((x))
#else
#define TA(x)
#endif

#define TA_CAPABILITY(name) TA(capability(name))
#define TA_SCOPED_CAPABILITY TA(scoped_lockable)
#define TA_GUARDED_BY(lock) TA(guarded_by(lock))
#define TA_REQUIRES(...) TA(requires_capability(__VA_ARGS__))
#define TA_ACQUIRE(...) TA(acquire_capability(__VA_ARGS__))
#define TA_TRY_ACQUIRE(...) TA(try_acquire_capability(__VA_ARGS__))
#define TA_RELEASE(...) TA(release_capability(__VA_ARGS__))
#define TA_EXCLUDES(...) TA(locks_excluded(__VA_ARGS__))
#define TA_RETURN(lock) TA(lock_returned(lock))
#define TA_ACQUIRED_AFTER(...) TA(acquired_after(__VA_ARGS__))
#define TA_NO_ANALYSIS TA(no_thread_safety_analysis)

#endif
