// SPDX-License-Identifier: GPL-2.0-only
//
// The layout that ktwin asks for: known when all is there, unknown and named when one thing is not.
#include <gtest/gtest.h>

#include "btf_kernel.h"
#include "core/kernel_layout.h"
#include "fake_kernel.h"

namespace ktwin {
namespace {

using Known = std::vector<kt_layout_known>;

Result load(KernelLayout& layout, const BtfBuilder::Bytes& bytes, Known known = {}) {
    const BtfBuilder::Bytes copy(bytes);  // nothing of it is needed after the call
    return layout.load(copy.data(), copy.size(), {known.data(), static_cast<u32>(known.size())});
}

void expect_nothing_known(const KernelLayout& layout, const char* missing) {
    for (u32 group = 0; group < KT_GROUPS; ++group) {
        EXPECT_STREQ(layout.missing(group), missing);
    }
    for (u32 field = 0; field < KT_FIELDS; ++field) {
        EXPECT_EQ(layout.offset(field), -1);
        kt_layout_entry entry = {};
        ASSERT_TRUE(layout.describe(field, entry));
        EXPECT_EQ(entry.offset, -1);
        EXPECT_EQ(entry.size, 0u);
        EXPECT_STREQ(entry.missing, missing);
        EXPECT_NE(entry.why, nullptr);
    }
}

bool is_forbidden(const Wanted& wanted) {
    return wanted.presence == Presence::kForbidden;
}

// The group of this field alone is unknown, for want of that name.
void expect_missing(const KernelLayout& layout, kt_layout_field field, const char* missing, const char* why) {
    for (const Wanted& wanted : kWanted) {
        kt_layout_entry entry = {};
        ASSERT_TRUE(layout.describe(wanted.field, entry));
        if (wanted.group == kWanted[field].group) {
            EXPECT_EQ(layout.offset(wanted.field), -1);
            EXPECT_STREQ(entry.missing, missing);
            EXPECT_STREQ(entry.why, why);
            EXPECT_EQ(entry.size, 0u);
        } else {
            EXPECT_EQ(layout.offset(wanted.field) > 0, !is_forbidden(wanted));
            EXPECT_EQ(entry.missing, nullptr);
            EXPECT_EQ(entry.why, nullptr);
        }
    }
}

TEST(Layout, NothingIsKnownBeforeIt) {
    const KernelLayout layout;
    expect_nothing_known(layout, "vmlinux BTF");
}

TEST(Layout, AllIsKnown) {
    BtfKernel kernel;
    KernelLayout layout;
    ASSERT_TRUE(load(layout, kernel.build()));
    for (const Wanted& wanted : kWanted) {
        kt_layout_entry entry = {};
        ASSERT_TRUE(layout.describe(wanted.field, entry));
        EXPECT_EQ(layout.offset(wanted.field), kernel.offset(wanted.field)) << wanted.name();
        EXPECT_EQ(entry.offset, layout.offset(wanted.field));
        EXPECT_STREQ(entry.name, wanted.name());
        EXPECT_EQ(entry.missing, nullptr);
        EXPECT_EQ(entry.size != 0, !is_forbidden(wanted));
        EXPECT_EQ(entry.group, wanted.group);
        EXPECT_FALSE(entry.compared);
    }
    kt_layout_entry entry = {};
    EXPECT_FALSE(layout.describe(KT_FIELDS, entry));
    EXPECT_EQ(layout.offset(KT_FIELDS), -1);
    EXPECT_NE(layout.missing(KT_GROUPS), nullptr);
}

TEST(Layout, EachFieldThatIsMissing) {
    for (const Wanted& wanted : kWanted) {
        if (wanted.presence != Presence::kNeeded) {
            continue;
        }
        BtfKernel kernel;
        kernel.without.insert(wanted.name());
        KernelLayout layout;
        ASSERT_TRUE(load(layout, kernel.build()));
        expect_missing(layout, wanted.field, wanted.name(), "not found");
    }
}

TEST(Layout, EachFieldThatMayBeMissing) {
    for (const Wanted& wanted : kWanted) {
        if (wanted.presence != Presence::kOptional) {
            continue;
        }
        BtfKernel kernel;
        kernel.without.insert(wanted.name());
        KernelLayout layout;
        ASSERT_TRUE(load(layout, kernel.build()));
        EXPECT_EQ(layout.missing(wanted.group), nullptr);
        EXPECT_EQ(layout.offset(wanted.field), -1);
        kt_layout_entry entry = {};
        ASSERT_TRUE(layout.describe(wanted.field, entry));
        EXPECT_STREQ(entry.name, wanted.name());
        EXPECT_EQ(entry.missing, nullptr);
        EXPECT_EQ(entry.why, nullptr);
        EXPECT_EQ(entry.size, 0u);
    }
}

TEST(Layout, EachFieldThatMustNotBeThere) {
    for (const Wanted& wanted : kWanted) {
        if (!is_forbidden(wanted)) {
            continue;
        }
        BtfKernel kernel;
        kernel.with.insert(wanted.name());
        KernelLayout layout;
        ASSERT_TRUE(load(layout, kernel.build()));
        expect_missing(layout, wanted.field, wanted.name(), "there, which ktwin cannot follow");
    }
}

TEST(Layout, EachFieldOfAnotherType) {
    for (const Wanted& wanted : kWanted) {
        if (is_forbidden(wanted)) {
            continue;
        }
        BtfKernel kernel;
        const u32 of = kernel.builder.floating(4);
        kernel.as_type[wanted.name()] = of;
        KernelLayout layout;
        const Result loaded = load(layout, kernel.build());
        if (std::string(wanted.name()).find("percpu.") == 0) {
            // Its size stands twice in the BTF, which now contradicts itself.
            EXPECT_EQ(loaded.error(), Errno::kInvalid);
            expect_nothing_known(layout, wanted.name());
            continue;
        }
        ASSERT_TRUE(loaded);
        expect_missing(layout, wanted.field, wanted.name(), "of another type or size than expected");
    }
}

TEST(Layout, EachBitfield) {
    for (const Wanted& wanted : kWanted) {
        if (std::string(wanted.name()).find("percpu.") == 0 || is_forbidden(wanted)) {
            continue;
        }
        BtfKernel kernel;
        kernel.as_bitfield.insert(wanted.name());
        KernelLayout layout;
        ASSERT_TRUE(load(layout, kernel.build()));
        expect_missing(layout, wanted.field, wanted.name(), "of a kind that ktwin does not know");
    }
}

TEST(Layout, TheFirstThatIsMissingIsNamed) {
    BtfKernel kernel;
    kernel.without = {"epoll_filefd.fd", "eventpoll.file", "epitem.ep"};
    KernelLayout layout;
    ASSERT_TRUE(load(layout, kernel.build()));
    expect_missing(layout, KT_FIELD_EPITEM_EP, "eventpoll.file", "not found");
}

TEST(Layout, TwoStructsOfOneName) {
    BtfKernel kernel;
    kernel.twice = {"epitem"};
    KernelLayout layout;
    ASSERT_TRUE(load(layout, kernel.build()));
    expect_missing(layout, KT_FIELD_EPITEM_EP, "epitem.ep", "found more than once");
}

TEST(Layout, AnOlderSpelling) {
    BtfKernel kernel;
    kernel.spelt["cfs_rq.h_nr_queued"] = "cfs_rq.h_nr_running";
    KernelLayout layout;
    ASSERT_TRUE(load(layout, kernel.build()));
    EXPECT_EQ(layout.offset(KT_FIELD_CFS_RQ_H_NR_QUEUED), kernel.offset(KT_FIELD_CFS_RQ_H_NR_QUEUED));
    kt_layout_entry entry = {};
    ASSERT_TRUE(layout.describe(KT_FIELD_CFS_RQ_H_NR_QUEUED, entry));
    EXPECT_STREQ(entry.name, "cfs_rq.h_nr_running");
}

TEST(Layout, MalformedInOnePlaceIsMalformed) {
    BtfKernel kernel;
    kernel.as_type["rq.curr"] = 0x7fffffff;
    KernelLayout layout;
    EXPECT_EQ(load(layout, kernel.build()).error(), Errno::kInvalid);
    expect_nothing_known(layout, "rq.curr");
}

TEST(Layout, NotBtf) {
    for (const char* text : {"", "abc", "\177ELF and more than a header of it"}) {
        KernelLayout layout;
        const auto* bytes = reinterpret_cast<const uint8_t*>(text);
        EXPECT_FALSE(load(layout, BtfBuilder::Bytes(bytes, bytes + std::strlen(text))));
        expect_nothing_known(layout, "vmlinux BTF");
    }
    KernelLayout layout;
    EXPECT_EQ(layout.load("", usize{1} << 33, {}).error(), Errno::kInvalid);
}

TEST(Layout, AsTheCompilerKnowsIt) {
    BtfKernel kernel;
    const BtfBuilder::Bytes bytes = kernel.build();
    const int at = kernel.offset(KT_FIELD_TASK_STRUCT_STACK);
    KernelLayout layout;
    ASSERT_TRUE(load(layout, bytes, {{KT_FIELD_TASK_STRUCT_STACK, at, 8}, {KT_FIELD_EPITEM_FFD, -1, 12}}));
    EXPECT_EQ(layout.offset(KT_FIELD_TASK_STRUCT_STACK), at);
    kt_layout_entry entry = {};
    EXPECT_TRUE(layout.describe(KT_FIELD_TASK_STRUCT_STACK, entry) && entry.compared);
    EXPECT_TRUE(layout.describe(KT_FIELD_TASK_STRUCT_STATE, entry) && !entry.compared);
    for (const kt_layout_known& wrong : {kt_layout_known{KT_FIELD_TASK_STRUCT_STACK, at + 8, 8},
                                         kt_layout_known{KT_FIELD_TASK_STRUCT_STACK, at, 4},
                                         kt_layout_known{KT_FIELD_TASK_STRUCT_STACK, -1, 4}}) {
        KernelLayout other;
        EXPECT_EQ(load(other, bytes, {wrong}).error(), Errno::kNoDevice);
        expect_nothing_known(other, "task_struct.stack");
    }
}

TEST(Layout, WhatTheCompilerKnowsMustBeThere) {
    BtfKernel kernel;
    kernel.without = {"task_struct.stack"};
    KernelLayout layout;
    EXPECT_EQ(load(layout, kernel.build(), {{KT_FIELD_TASK_STRUCT_STACK, 8, 8}}).error(), Errno::kNoDevice);
    expect_nothing_known(layout, "task_struct.stack");
}

TEST(Layout, ThroughTheBoundaryWithEveryFailedAllocation) {
    BtfKernel kernel;
    const BtfBuilder::Bytes bytes = kernel.build();
    bool hit = true;
    for (int64_t nth = 1; hit; ++nth) {
        CoreRun run;
        FakeHost& host = FakeHost::get();
        const int64_t before = host.live_allocations();
        host.fail_allocation(nth);
        const int loaded = kt_core_layout_load(bytes.data(), bytes.size(), nullptr, 0);
        hit = host.failure_hit();
        ASSERT_EQ(loaded, hit ? -12 : 0);
        ASSERT_EQ(host.live_allocations(), before);
        kt_layout_entry entry = {};
        ASSERT_TRUE(kt_core_layout_entry(KT_FIELD_EPITEM_EP, &entry));
        EXPECT_EQ(entry.offset, hit ? -1 : kernel.offset(KT_FIELD_EPITEM_EP));
        EXPECT_EQ(kt_core_layout(KT_FIELD_EPITEM_EP), entry.offset);
        EXPECT_EQ(kt_core_layout_missing(KT_GROUP_EPOLL) != nullptr, hit);
        EXPECT_FALSE(kt_core_layout_entry(KT_FIELDS, &entry));
    }
}

}  // namespace
}  // namespace ktwin
