// SPDX-License-Identifier: GPL-2.0-only
#include "core/btf_reader.h"

#include "core/btf_member_search.h"

#include "base/enforce.h"  // last

namespace ktwin {

namespace {

// Steps from a type to the one it stands for: typedefs of typedefs, arrays of arrays. More is a loop.
constexpr u32 kSteps = 32;
constexpr u32 kPointerSize = sizeof(void*);
constexpr u32 kLargest = 0x7fffffff;

bool is_alias(BtfKind kind) {
    switch (kind) {
        case BtfKind::kTypedef:
        case BtfKind::kVolatile:
        case BtfKind::kConst:
        case BtfKind::kRestrict:
        case BtfKind::kTypeTag:
            return true;
        default:
            return false;
    }
}

BtfShape shape_of(BtfKind kind) {
    switch (kind) {
        case BtfKind::kInt:
        case BtfKind::kEnum:
        case BtfKind::kEnum64:
            return BtfShape::kInteger;
        case BtfKind::kPointer:
            return BtfShape::kPointer;
        case BtfKind::kStruct:
        case BtfKind::kUnion:
            return BtfShape::kStruct;
        case BtfKind::kArray:
            return BtfShape::kArray;
        default:
            return BtfShape::kOther;
    }
}

// Of one that is no array and no alias.
Expected<u32> own_size(const BtfRecord& record) {
    switch (record.kind()) {
        case BtfKind::kInt:
        case BtfKind::kEnum:
        case BtfKind::kEnum64:
        case BtfKind::kFloat:
        case BtfKind::kStruct:
        case BtfKind::kUnion:
            return record.type.size_or_type;
        case BtfKind::kPointer:
            return kPointerSize;
        default:
            return Errno::kInvalid;
    }
}

}  // namespace

Expected<BtfRecord> BtfReader::resolve(u32 id) const {
    for (u32 step = 0; step < kSteps; ++step) {
        const Expected<BtfRecord> record = data_.record(id);
        if (!record || !is_alias(record.value().kind())) {
            return record;
        }
        id = record.value().type.size_or_type;
    }
    return Errno::kInvalid;
}

Expected<u32> BtfReader::size_of(u32 id) const {
    u64 count = 1;
    for (u32 step = 0; step < kSteps; ++step) {
        const Expected<BtfRecord> record = resolve(id);
        if (!record) {
            return record.error();
        }
        if (record.value().kind() != BtfKind::kArray) {
            const Expected<u32> size = own_size(record.value());
            if (!size || count * size.value() > kLargest) {
                return Errno::kInvalid;
            }
            return static_cast<u32>(count * size.value());
        }
        const auto array = data_.tail<BtfArray>(record.value());
        count *= array.count;
        if (count > kLargest) {
            return Errno::kInvalid;
        }
        id = array.type;
    }
    return Errno::kInvalid;
}

// The tag behind arrays of it, or behind the one pointer to it.
Expected<BtfName> BtfReader::tag_of(u32 id) const {
    bool pointed = false;
    for (u32 step = 0; step < kSteps; ++step) {
        const Expected<BtfRecord> record = resolve(id);
        if (!record) {
            return record.error();
        }
        switch (record.value().kind()) {
            case BtfKind::kStruct:
            case BtfKind::kUnion:
            case BtfKind::kForward:
                return data_.name(record.value().type.name);
            case BtfKind::kArray:
                id = data_.tail<BtfArray>(record.value()).type;
                break;
            case BtfKind::kPointer:
                if (pointed) {
                    return BtfName();
                }
                pointed = true;
                id = record.value().type.size_or_type;
                break;
            default:
                return BtfName();
        }
    }
    return Errno::kInvalid;
}

// Fills in all but offset and size.
Result BtfReader::describe(u32 id, BtfField& field) const {
    const Expected<BtfRecord> record = resolve(id);
    const Expected<BtfName> tag = tag_of(id);
    if (!record || !tag) {
        return Errno::kInvalid;
    }
    field.shape = shape_of(record.value().kind());
    field.type = tag.value();
    if (record.value().kind() == BtfKind::kInt) {
        const auto integer = data_.tail<BtfInt>(record.value());
        if (integer.first_bit() != 0 || u64{integer.bits()} != u64{record.value().type.size_or_type} * 8) {
            return Errno::kNotSupported;
        }
    }
    return {};
}

Expected<BtfField> BtfReader::member(u32 struct_id, BtfName path) const {
    const Expected<BtfMemberSearch::Place> place = BtfMemberSearch(*this).walk(struct_id, path);
    if (!place) {
        return place.error();
    }
    BtfField field;
    field.offset = place.value().offset;
    field.size = place.value().size;
    const Result described = describe(place.value().type, field);
    return described ? Expected<BtfField>(field) : described.error();
}

// kNotFound: it has another name.
Expected<BtfField> BtfReader::look_at(const BtfRecord& section, u32 index, BtfName name) const {
    const auto entry = data_.tail<BtfSectionVariable>(section, index);
    const Expected<BtfRecord> variable = data_.record(entry.type);
    if (!variable || variable.value().kind() != BtfKind::kVariable) {
        return Errno::kInvalid;
    }
    const Expected<BtfName> its_name = data_.name(variable.value().type.name);
    if (!its_name || !(its_name.value() == name)) {
        return its_name ? Errno::kNotFound : its_name.error();
    }
    const u32 type = variable.value().type.size_or_type;
    const Expected<u32> size = size_of(type);
    if (!size || size.value() != entry.size || u64{entry.offset} + entry.size > section.type.size_or_type) {
        return Errno::kInvalid;
    }
    BtfField field;
    field.offset = entry.offset;
    field.size = entry.size;
    const Result described = describe(type, field);
    return described ? Expected<BtfField>(field) : described.error();
}

Expected<BtfField> BtfReader::variable(u32 section_id, BtfName name) const {
    const Expected<BtfRecord> section = data_.record(section_id);
    if (!section || section.value().kind() != BtfKind::kSection) {
        return Errno::kInvalid;
    }
    Expected<BtfField> found(Errno::kNotFound);
    for (u32 i = 0; i < section.value().type.vlen(); ++i) {
        const Expected<BtfField> seen = look_at(section.value(), i, name);
        if (!seen && seen.error() != Errno::kNotFound) {
            return seen;
        }
        if (seen && found) {
            return Errno::kExists;
        }
        if (seen) {
            found = seen;
        }
    }
    return found;
}

}  // namespace ktwin
