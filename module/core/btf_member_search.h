// SPDX-License-Identifier: GPL-2.0-only
//
// BtfMemberSearch: one search for a member along a path. A struct or union without a name counts as part of the one
// that it stands in, as in C.
#ifndef KTWIN_CORE_BTF_MEMBER_SEARCH_H
#define KTWIN_CORE_BTF_MEMBER_SEARCH_H

#include "core/btf_reader.h"

namespace ktwin {

class BtfMemberSearch : Pinned {
  public:
    // A type, and where it lies within the struct that the search began with; in bytes.
    struct Place {
        u32 type = 0;
        u32 offset = 0;
        u32 size = 0;
    };

    explicit BtfMemberSearch(const BtfReader& reader) : reader_(reader), data_(reader.data_) {}

    // As BtfReader::member().
    Expected<Place> walk(u32 struct_id, BtfName path);

  private:
    // Anonymous structs within each other; sched.h has four.
    static constexpr u32 kDepth = 8;
    // Members looked at in one search; task_struct has some 300. Ends what is short but unfolds for ever.
    static constexpr u32 kPatience = 65536;

    Expected<Place> find(const Place& in, BtfName name, u32 depth);
    // kNotFound: it is another one.
    Expected<Place> look_at(const Place& in, const BtfRecord& record, u32 index, BtfName name, u32 depth);
    Expected<Place> place(const Place& in, const BtfRecord& record, const BtfMember& member) const;

    const BtfReader& reader_;
    const BtfData& data_;
    u32 looked_ = 0;
};

}  // namespace ktwin

#endif
