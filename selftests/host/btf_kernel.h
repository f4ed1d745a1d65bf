// SPDX-License-Identifier: GPL-2.0-only
//
// The BTF of a kernel that has all that ktwin's table asks for, and whatever a test changes about it.
#ifndef KTWIN_SELFTESTS_BTF_KERNEL_H
#define KTWIN_SELFTESTS_BTF_KERNEL_H

#include <map>
#include <set>
#include <string>

#include "btf_builder.h"
#include "core/layout_table.h"

class BtfKernel {
  public:
    // Names, as in the table; before build().
    std::set<std::string> without;             // fields that it does not have
    std::set<std::string> with;                // fields that it has though they are forbidden
    std::set<std::string> twice;               // structs that it has two of
    std::set<std::string> as_bitfield;         // fields
    std::map<std::string, uint32_t> as_type;   // fields of that type (number in builder) instead
    std::map<std::string, std::string> spelt;  // fields that have an older name

    BtfBuilder builder;

    BtfBuilder::Bytes build() {
        for (const ktwin::Wanted& wanted : ktwin::kWanted) {
            add(wanted);
        }
        for (auto& [name, members] : structs_) {
            if (name == "percpu") {
                add_section(members);
                continue;
            }
            builder.structure(name, end_[name], members);
            if (twice.count(name) != 0) {
                builder.structure(name, end_[name] + 8, members);
            }
        }
        return builder.build();
    }

    // Where build() has put the field; -1: nowhere.
    int offset(ktwin::u32 field) const {
        const auto at = offsets_.find(field);
        return at != offsets_.end() ? static_cast<int>(at->second) : -1;
    }
    static constexpr uint32_t kOtherSize = 24;  // of a struct of which the table does not know the size

  private:
    void add(const ktwin::Wanted& wanted) {
        const std::string path = wanted.name();
        const bool forbidden = wanted.presence == ktwin::Presence::kForbidden;
        if (without.count(path) != 0 || (forbidden && with.count(path) == 0)) {
            return;
        }
        const auto other = spelt.find(path);
        const std::string& used = other != spelt.end() ? other->second : path;
        const size_t dot = used.find('.');
        const std::string root = used.substr(0, dot);
        const uint32_t size = wanted.type.size != 0 ? wanted.type.size : kOtherSize;
        // Not at 0, and 8-aligned.
        uint32_t& end = end_.emplace(root, 8).first->second;
        const auto given = as_type.find(path);
        const uint32_t type = given != as_type.end() ? given->second : make(wanted.type, size);
        const uint32_t width = as_bitfield.count(path) != 0 ? 3 : 0;
        structs_[root].push_back({used.substr(dot + 1), type, end * 8, width});
        sizes_[root].push_back(size);
        offsets_[wanted.field] = end;
        end += (size + 7) / 8 * 8;
    }

    uint32_t make(const ktwin::WantedType& type, uint32_t size) {
        switch (type.shape) {
            case ktwin::BtfShape::kInteger:
                return builder.integer("int", size);
            case ktwin::BtfShape::kPointer:
                return builder.pointer(type.tag != nullptr ? builder.forward(type.tag) : 0);
            case ktwin::BtfShape::kArray:
                return type.tag != nullptr
                           ? builder.array(builder.composite(ktwin::BtfKind::kUnion, type.tag, 16, {}),
                                           size / 16)
                           : builder.array(builder.integer("long", 8), size / 8);
            default:
                // Of the same name as one of the table's own: a forward declaration cannot stand for it, a
                // union can, and is no second struct.
                return builder.composite(ktwin::BtfKind::kUnion, type.tag, size, {});
        }
    }

    void add_section(const std::vector<BtfBuilder::Member>& members) {
        std::vector<BtfBuilder::Variable> variables;
        for (size_t i = 0; i < members.size(); ++i) {
            variables.push_back({members[i].name, members[i].type, members[i].bit / 8, sizes_["percpu"][i]});
        }
        builder.section(".data..percpu", end_["percpu"], variables);
    }

    std::map<std::string, std::vector<BtfBuilder::Member>> structs_;
    std::map<std::string, std::vector<uint32_t>> sizes_;
    std::map<std::string, uint32_t> end_;
    std::map<ktwin::u32, uint32_t> offsets_;
};

#endif
