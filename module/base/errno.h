// SPDX-License-Identifier: GPL-2.0-only
//
// The errors the core can return, with Linux's numbers, so that the boundary has nothing to translate.
#ifndef KTWIN_BASE_ERRNO_H
#define KTWIN_BASE_ERRNO_H

namespace ktwin {

enum class Errno : int {
    kNone = 0,
    kNotPermitted = 1,   // EPERM
    kNotFound = 3,       // ESRCH
    kInterrupted = 4,    // EINTR
    kAgain = 11,         // EAGAIN
    kNoMemory = 12,      // ENOMEM
    kBusy = 16,          // EBUSY
    kExists = 17,        // EEXIST
    kNoDevice = 19,      // ENODEV
    kInvalid = 22,       // EINVAL
    kNoSpace = 28,       // ENOSPC
    kRange = 34,         // ERANGE
    kRemoved = 43,       // EIDRM
    kNoData = 61,        // ENODATA
    kOverflow = 75,      // EOVERFLOW
    kNotSupported = 95,  // EOPNOTSUPP
    kTimedOut = 110,     // ETIMEDOUT
    kAlready = 114,      // EALREADY
};

}  // namespace ktwin

#endif
