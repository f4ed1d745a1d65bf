// SPDX-License-Identifier: GPL-2.0-only
//
// The wire structs of BTF, the kernel's description of its own types, as Documentation/bpf/btf.rst has them.
//
//   header | types: one record after another, numbered from 1 (0 is void) | strings, each ended by a NUL
//
//   info of a record:   31      28..24   15..0
//                       kflag   kind     vlen
//
// A record is followed by its tail: something fixed, or vlen times something, by its kind.
#ifndef KTWIN_CORE_BTF_TYPES_H
#define KTWIN_CORE_BTF_TYPES_H

#include "base/types.h"

namespace ktwin {

inline constexpr u16 kBtfMagic = 0xeb9f;  // in the byte order of who wrote it
inline constexpr u8 kBtfVersion = 1;

struct BtfHeader {
    u16 magic;
    u8 version;
    u8 flags;
    u32 length;  // of the header; where it is longer than this struct, there is more that is not needed here
    u32 types_offset;  // from the end of the header
    u32 types_length;
    u32 strings_offset;  // from the end of the header
    u32 strings_length;
};

enum class BtfKind : u8 {
    kVoid,
    kInt,
    kPointer,
    kArray,
    kStruct,
    kUnion,
    kEnum,
    kForward,
    kTypedef,
    kVolatile,
    kConst,
    kRestrict,
    kFunction,
    kFunctionPrototype,
    kVariable,
    kSection,
    kFloat,
    kDeclarationTag,
    kTypeTag,
    kEnum64,
    kKinds
};

struct BtfType {
    u32 name;  // offset among the strings; 0 is the empty one
    u32 info;
    u32 size_or_type;  // by the kind: size in bytes, or number of the type referred to

    constexpr u32 vlen() const { return info & 0xffff; }
    constexpr u32 kind_number() const { return info >> 24 & 0x1f; }
    constexpr BtfKind kind() const { return static_cast<BtfKind>(kind_number()); }
    constexpr bool kind_flag() const { return info >> 31 != 0; }
    constexpr bool has_unknown_bits() const { return (info & 0x60ff0000) != 0; }
};

// Tails.

// Of a struct or union. offset is in bits; with the record's kflag its upper 8 bits are the width of a bitfield.
struct BtfMember {
    u32 name;
    u32 type;
    u32 offset;
};

struct BtfArray {
    u32 type;
    u32 index_type;
    u32 count;
};

// Of a section.
struct BtfSectionVariable {
    u32 type;
    u32 offset;
    u32 size;
};

// Of an integer. Older writers say here that a member is a bitfield.
struct BtfInt {
    u32 encoding;

    constexpr u32 first_bit() const { return encoding >> 16 & 0xff; }
    constexpr u32 bits() const { return encoding & 0xff; }
};

static_assert(sizeof(BtfHeader) == 24 && sizeof(BtfType) == 12 && sizeof(BtfMember) == 12);
static_assert(sizeof(BtfArray) == 12 && sizeof(BtfSectionVariable) == 12 && sizeof(BtfInt) == 4);

// Bytes of a record with its tail; 0 for a kind that is not known, whose end nobody can tell.
constexpr u32 btf_record_length(const BtfType& type) {
    constexpr struct {
        u8 fixed;
        u8 each;
    } kTails[] = {
        {0, 0}, {4, 0}, {0, 0}, {12, 0}, {0, 12}, {0, 12}, {0, 8}, {0, 0}, {0, 0}, {0, 0},
        {0, 0}, {0, 0}, {0, 0}, {0, 8},  {4, 0},  {0, 12}, {0, 0}, {4, 0}, {0, 0}, {0, 12},
    };
    static_assert(sizeof(kTails) / sizeof(kTails[0]) == static_cast<u32>(BtfKind::kKinds));
    const u32 kind = type.kind_number();
    if (kind == 0 || kind >= static_cast<u32>(BtfKind::kKinds)) {
        return 0;
    }
    return static_cast<u32>(sizeof(BtfType)) + kTails[kind].fixed + kTails[kind].each * type.vlen();
}

}  // namespace ktwin

#endif
