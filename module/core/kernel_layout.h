// SPDX-License-Identifier: GPL-2.0-only
//
// KernelLayout: where the fields are that ktwin reads in structs no header shows. Fails closed: a group of fields is
// known when each was found once, of the expected type and size; otherwise none of it is, and the first that was not
// is named.
//
// Filled at load, before anybody can ask; afterwards it only answers, so it has no lock.
#ifndef KTWIN_CORE_KERNEL_LAYOUT_H
#define KTWIN_CORE_KERNEL_LAYOUT_H

#include "base/expected.h"
#include "base/span.h"
#include "boundary/types.h"
#include "core/btf_reader.h"

namespace ktwin {

// Missing where no field in particular is.
inline constexpr const char* kWholeBtf = "vmlinux BTF";

class KernelLayout : Pinned {
  public:
    // [sleep] See kt_core_layout_load().
    Result load(const void* btf, usize size, Span<const kt_layout_known> known);

    i32 offset(u32 field) const;
    const char* missing(u32 group) const;
    bool describe(u32 field, kt_layout_entry& entry) const;

  private:
    struct Entry {
        const char* name = nullptr;  // the spelling that was found, nullptr: none
        u32 offset = 0;
        u32 size = 0;
        bool compared = false;  // with what the headers say
    };
    struct Group {
        const char* missing = kWholeBtf;
        Errno why = Errno::kNoData;
    };

    Result fill(const BtfData& data);
    Result compare(Span<const kt_layout_known> known);
    Result refuse(const char* missing, Errno why);

    Entry entries_[KT_FIELDS];
    Group groups_[KT_GROUPS];
};

}  // namespace ktwin

#endif
