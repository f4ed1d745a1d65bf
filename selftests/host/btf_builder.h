// SPDX-License-Identifier: GPL-2.0-only
//
// Writes BTF, record by record, right or wrong on purpose.
#ifndef KTWIN_SELFTESTS_BTF_BUILDER_H
#define KTWIN_SELFTESTS_BTF_BUILDER_H

#include <cstdint>
#include <cstring>
#include <map>
#include <string>
#include <vector>

#include "core/btf_types.h"

class BtfBuilder {
  public:
    using Kind = ktwin::BtfKind;
    using Bytes = std::vector<uint8_t>;

    struct Member {
        std::string name;
        uint32_t type;
        uint32_t bit;        // as it stands in the record, with the width above it where the struct has kflag
        uint32_t width = 0;  // of a bitfield; kflag
    };

    static constexpr uint32_t kFlag = 1u << 31;

    // What stands in the header; build() fills in the lengths.
    ktwin::BtfHeader header = {ktwin::kBtfMagic, ktwin::kBtfVersion, 0, sizeof(ktwin::BtfHeader), 0, 0, 0, 0};

    uint32_t string(const std::string& text) {
        if (text.empty()) {
            return 0;
        }
        const auto known = offsets_.find(text);
        if (known != offsets_.end()) {
            return known->second;
        }
        const auto offset = static_cast<uint32_t>(strings_.size());
        offsets_[text] = offset;
        strings_.insert(strings_.end(), text.begin(), text.end());
        strings_.push_back(0);
        return offset;
    }

    // Any record; returns its number. tail: words.
    uint32_t record(uint32_t name, uint32_t info, uint32_t size_or_type,
                    const std::vector<uint32_t>& tail = {}) {
        for (const uint32_t word : {name, info, size_or_type}) {
            append(types_, word);
        }
        for (const uint32_t word : tail) {
            append(types_, word);
        }
        return ++count_;
    }

    static uint32_t info(Kind kind, uint32_t vlen = 0) { return static_cast<uint32_t>(kind) << 24 | vlen; }

    uint32_t integer(const std::string& name, uint32_t size) { return partial_integer(name, size, size * 8); }
    uint32_t partial_integer(const std::string& name, uint32_t size, uint32_t bits, uint32_t first = 0) {
        return record(string(name), info(Kind::kInt), size, {first << 16 | bits});
    }
    uint32_t pointer(uint32_t type) { return record(0, info(Kind::kPointer), type); }
    uint32_t alias(Kind kind, const std::string& name, uint32_t type) {
        return record(string(name), info(kind), type);
    }
    uint32_t array(uint32_t type, uint32_t count) {
        return record(0, info(Kind::kArray), 0, {type, type, count});
    }
    uint32_t forward(const std::string& name) { return record(string(name), info(Kind::kForward), 0); }
    uint32_t floating(uint32_t size) { return record(string("f"), info(Kind::kFloat), size); }
    uint32_t enumeration(const std::string& name) {
        return record(string(name), info(Kind::kEnum, 1), 4, {string("one"), 1});
    }
    uint32_t enumeration64(const std::string& name) {
        return record(string(name), info(Kind::kEnum64, 1), 8, {string("one"), 1, 0});
    }
    uint32_t function(const std::string& name) {
        const uint32_t prototype = record(0, info(Kind::kFunctionPrototype, 1), 0, {string("argument"), 0});
        return record(string(name), info(Kind::kFunction, 1), prototype);
    }
    uint32_t tag(const std::string& name, uint32_t type) {
        return record(string(name), info(Kind::kDeclarationTag), type, {~0u});
    }

    uint32_t structure(const std::string& name, uint32_t size, const std::vector<Member>& members) {
        return composite(Kind::kStruct, name, size, members);
    }
    uint32_t composite(Kind kind, const std::string& name, uint32_t size,
                       const std::vector<Member>& members) {
        bool flag = false;
        for (const Member& member : members) {
            flag = flag || member.width != 0;
        }
        std::vector<uint32_t> tail;
        for (const Member& member : members) {
            tail.insert(tail.end(), {string(member.name), member.type, member.bit | member.width << 24});
        }
        const auto vlen = static_cast<uint32_t>(members.size());
        return record(string(name), info(kind, vlen) | (flag ? kFlag : 0), size, tail);
    }

    struct Variable {
        std::string name;
        uint32_t type;
        uint32_t offset;
        uint32_t size;
    };
    uint32_t section(const std::string& name, uint32_t size, const std::vector<Variable>& variables) {
        std::vector<uint32_t> tail;
        for (const Variable& variable : variables) {
            const uint32_t number = record(string(variable.name), info(Kind::kVariable), variable.type, {1});
            tail.insert(tail.end(), {number, variable.offset, variable.size});
        }
        return record(string(name), info(Kind::kSection, static_cast<uint32_t>(variables.size())), size,
                      tail);
    }

    // For the number of a record that is yet to come.
    uint32_t next() const { return count_ + 1; }

    Bytes build() {
        header.types_length = static_cast<uint32_t>(types_.size());
        header.strings_offset = static_cast<uint32_t>(types_.size());
        header.strings_length = static_cast<uint32_t>(strings_.size());
        Bytes bytes(header.length);
        std::memcpy(bytes.data(), &header, sizeof(header));
        bytes.insert(bytes.end(), types_.begin(), types_.end());
        bytes.insert(bytes.end(), strings_.begin(), strings_.end());
        return bytes;
    }

  private:
    static void append(Bytes& to, uint32_t word) {
        const auto* bytes = reinterpret_cast<const uint8_t*>(&word);
        to.insert(to.end(), bytes, bytes + sizeof(word));
    }

    Bytes types_;
    Bytes strings_{0};
    std::map<std::string, uint32_t> offsets_;
    uint32_t count_ = 0;
};

#endif
