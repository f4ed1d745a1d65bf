// SPDX-License-Identifier: GPL-2.0-only
#include "core/kernel_layout.h"

#include "core/layout_table.h"

#include "base/enforce.h"  // last

namespace ktwin {

namespace {

// Several times what a kernel has.
constexpr usize kLargestBtf = usize{64} << 20;

// Where in the BTF the variables of "percpu" stand.
constexpr BtfName kPerCpu("percpu");
constexpr BtfName kPerCpuSection(".data..percpu");

constexpr bool is_per_cpu(BtfName name) {
    return name.head() == kPerCpu;
}

constexpr BtfName root_of(BtfName name) {
    return is_per_cpu(name) ? kPerCpuSection : name.head();
}

// The structs and sections that the fields are in, each once.
class Roots {
  public:
    constexpr Roots() {
        for (const Wanted& wanted : kWanted) {
            for (const char* name : wanted.spellings.names) {
                if (name != nullptr) {
                    add(BtfName(name));
                }
            }
        }
    }

    Result locate(const BtfData& data) { return data.locate({roots_, count_}); }

    // kNotFound; kExists: which of several is meant, nobody can tell.
    Expected<u32> find(BtfName name) const {
        for (u32 i = 0; i < count_; ++i) {
            if (roots_[i].name == root_of(name) && roots_[i].times > 0) {
                return roots_[i].times == 1 ? Expected<u32>(roots_[i].id) : Errno::kExists;
            }
        }
        return Errno::kNotFound;
    }

  private:
    constexpr void add(BtfName name) {
        const BtfName root = root_of(name);
        for (u32 i = 0; i < count_; ++i) {
            if (roots_[i].name == root) {
                return;
            }
        }
        roots_[count_++] = {root, is_per_cpu(name) ? BtfKind::kSection : BtfKind::kStruct};
    }

    BtfSought roots_[24];
    u32 count_ = 0;
};

// Filled in by the compiler, which refuses a table with more structs than there is room.
constexpr Roots kRoots;

Expected<BtfField> find(const BtfReader& reader, const Roots& roots, BtfName name) {
    const Expected<u32> root = roots.find(name);
    if (!root) {
        return root.error();
    }
    return is_per_cpu(name) ? reader.variable(root.value(), name.rest())
                            : reader.member(root.value(), name.rest());
}

bool is_as_wanted(const WantedType& wanted, const BtfField& field) {
    return field.shape == wanted.shape && (wanted.size == 0 ? field.size != 0 : field.size == wanted.size) &&
           (wanted.tag == nullptr || field.type == BtfName(wanted.tag));
}

struct Found {
    const char* name = nullptr;
    BtfField field;
};

// kRange: there, but not as wanted.
Expected<Found> find(const BtfReader& reader, const Roots& roots, const Wanted& wanted) {
    for (const char* name : wanted.spellings.names) {
        if (name == nullptr) {
            break;
        }
        const Expected<BtfField> field = find(reader, roots, BtfName(name));
        if (field && !is_as_wanted(wanted.type, field.value())) {
            return Errno::kRange;
        }
        if (field) {
            return Found{name, field.value()};
        }
        if (field.error() != Errno::kNotFound) {
            return field.error();
        }
    }
    return Errno::kNotFound;
}

// What is wrong when a search ended so, kNone: nothing.
Errno judge(const Wanted& wanted, Errno found) {
    switch (wanted.presence) {
        case Presence::kOptional:
            return found == Errno::kNotFound ? Errno::kNone : found;
        case Presence::kForbidden:
            return found == Errno::kNotFound ? Errno::kNone : found == Errno::kInvalid ? found : Errno::kBusy;
        default:
            return found;
    }
}

const char* explain(Errno error) {
    switch (error) {
        case Errno::kNotFound:
            return "not found";
        case Errno::kExists:
            return "found more than once";
        case Errno::kRange:
            return "of another type or size than expected";
        case Errno::kNotSupported:
            return "of a kind that ktwin does not know";
        case Errno::kNoDevice:
            return "elsewhere than in the headers that ktwin was built with";
        case Errno::kBusy:
            return "there, which ktwin cannot follow";
        case Errno::kNoMemory:
            return "too large for the memory there is";
        case Errno::kNoData:
            return "not read";
        default:
            return "malformed";
    }
}

}  // namespace

Result KernelLayout::load(const void* btf, usize size, Span<const kt_layout_known> known) {
    if (size > kLargestBtf) {
        return refuse(kWholeBtf, Errno::kInvalid);
    }
    BtfData data({static_cast<const u8*>(btf), static_cast<u32>(size)});
    const Result opened = data.open();
    if (!opened) {
        return refuse(kWholeBtf, opened.error());
    }
    const Result filled = fill(data);
    return filled ? compare(known) : filled;
}

Result KernelLayout::fill(const BtfData& data) {
    Roots roots = kRoots;
    const Result located = roots.locate(data);
    if (!located) {
        return refuse(kWholeBtf, located.error());
    }
    const BtfReader reader(data);
    for (Group& group : groups_) {
        group = {nullptr, Errno::kNone};
    }
    for (const Wanted& wanted : kWanted) {
        const Expected<Found> found = find(reader, roots, wanted);
        Group& group = groups_[wanted.group];
        const Errno wrong = judge(wanted, found.error());
        if (found) {
            const BtfField& field = found.value().field;
            entries_[wanted.field] = {found.value().name, field.offset, field.size, false};
        }
        if (wrong == Errno::kInvalid) {
            return refuse(wanted.name(), wrong);
        }
        if (wrong != Errno::kNone && group.missing == nullptr) {
            group = {wanted.name(), wrong};
        }
    }
    return {};
}

// Nothing is known, because of what stands in missing.
Result KernelLayout::refuse(const char* missing, Errno why) {
    for (Group& group : groups_) {
        group = {missing, why};
    }
    return why;
}

Result KernelLayout::compare(Span<const kt_layout_known> known) {
    for (const kt_layout_known& one : known) {
        Entry& entry = entries_[one.field];
        const bool same_place = one.offset < 0 || static_cast<u32>(one.offset) == entry.offset;
        if (entry.name == nullptr || !same_place || one.size != entry.size) {
            return refuse(kWanted[one.field].name(), Errno::kNoDevice);
        }
        entry.compared = true;
    }
    return {};
}

i32 KernelLayout::offset(u32 field) const {
    if (field >= KT_FIELDS || missing(kWanted[field].group) != nullptr || entries_[field].name == nullptr) {
        return -1;
    }
    return static_cast<i32>(entries_[field].offset);
}

const char* KernelLayout::missing(u32 group) const {
    return group < KT_GROUPS ? groups_[group].missing : kWholeBtf;
}

bool KernelLayout::describe(u32 field, kt_layout_entry& entry) const {
    if (field >= KT_FIELDS) {
        return false;
    }
    const Group& group = groups_[kWanted[field].group];
    const bool known = offset(field) >= 0;
    entry.name = known ? entries_[field].name : kWanted[field].name();
    entry.missing = group.missing;
    entry.why = group.missing == nullptr ? nullptr : explain(group.why);
    entry.offset = offset(field);
    entry.size = known ? entries_[field].size : 0;
    entry.group = kWanted[field].group;
    entry.compared = known && entries_[field].compared;
    return true;
}

}  // namespace ktwin
