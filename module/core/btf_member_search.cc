// SPDX-License-Identifier: GPL-2.0-only
#include "core/btf_member_search.h"

#include "base/enforce.h"  // last

namespace ktwin {

using Place = BtfMemberSearch::Place;

Expected<Place> BtfMemberSearch::walk(u32 struct_id, BtfName path) {
    const Expected<u32> size = reader_.size_of(struct_id);
    if (!size) {
        return size.error();
    }
    Expected<Place> at(Place{struct_id, 0, size.value()});
    do {
        at = find(at.value(), path.head(), 0);
        path = path.rest();
    } while (at && !path.empty());
    return at;
}

Expected<Place> BtfMemberSearch::find(const Place& in, BtfName name, u32 depth) {
    const Expected<BtfRecord> record = reader_.resolve(in.type);
    if (!record) {
        return record.error();
    }
    if (!record.value().is_composite()) {
        return Errno::kNotFound;
    }
    for (u32 i = 0; i < record.value().type.vlen(); ++i) {
        const Expected<Place> found = look_at(in, record.value(), i, name, depth);
        if (found || found.error() != Errno::kNotFound) {
            return found;
        }
    }
    return Errno::kNotFound;
}

Expected<Place> BtfMemberSearch::look_at(const Place& in, const BtfRecord& record, u32 index, BtfName name,
                                         u32 depth) {
    const auto member = data_.tail<BtfMember>(record, index);
    const Expected<BtfName> its_name = data_.name(member.name);
    if (!its_name || ++looked_ > kPatience) {
        return Errno::kInvalid;
    }
    if (!its_name.value().empty()) {
        return its_name.value() == name ? place(in, record, member) : Expected<Place>(Errno::kNotFound);
    }
    const Expected<BtfRecord> inner = reader_.resolve(member.type);
    if (!inner) {
        return inner.error();
    }
    if (!inner.value().is_composite()) {
        return Errno::kNotFound;  // a bitfield that only fills up
    }
    const Expected<Place> there = place(in, record, member);
    if (!there || depth == kDepth) {
        return there ? Errno::kInvalid : there.error();
    }
    return find(there.value(), name, depth + 1);
}

Expected<Place> BtfMemberSearch::place(const Place& in, const BtfRecord& record,
                                       const BtfMember& member) const {
    const bool flag = record.type.kind_flag();
    const u32 bit = flag ? member.offset & 0xffffff : member.offset;
    const u32 width = flag ? member.offset >> 24 : 0;
    if (width != 0 || bit % 8 != 0) {
        return Errno::kNotSupported;
    }
    const Expected<u32> size = reader_.size_of(member.type);
    if (!size) {
        return size.error();
    }
    const u32 offset = bit / 8;
    if (u64{offset} + size.value() > in.size) {
        return Errno::kInvalid;
    }
    return Place{member.type, in.offset + offset, size.value()};
}

}  // namespace ktwin
