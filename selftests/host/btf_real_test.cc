// SPDX-License-Identifier: GPL-2.0-only
//
// The BTF of kernels that are at hand: every member of every struct where pahole, which reads the same bytes with code
// of its own, says it is; and ktwin's table known. KTWIN_BTF names a folder made by btf-of-kernels.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <unordered_map>

#include "core/kernel_layout.h"
#include "core/layout_table.h"

namespace ktwin {
namespace {

struct Kernel {
    std::string name;
    std::vector<u8> btf;
    std::string expect;
};

std::vector<Kernel> kernels() {
    std::vector<Kernel> found;
    const char* folder = std::getenv("KTWIN_BTF");
    for (int n = 0; folder != nullptr; ++n) {
        const std::string stem = std::string(folder) + "/" + std::to_string(n);
        std::ifstream name(stem + ".name");
        if (!name) {
            break;
        }
        Kernel kernel;
        std::getline(name, kernel.name);
        std::ifstream bytes(stem + ".btf", std::ios::binary);
        kernel.btf.assign(std::istreambuf_iterator<char>(bytes), {});
        kernel.expect = stem + ".expect";
        found.push_back(std::move(kernel));
    }
    return found;
}

Span<const u8> span(const Kernel& kernel) {
    return {kernel.btf.data(), static_cast<u32>(kernel.btf.size())};
}

// Number of each struct; 0: there are two of that name.
std::unordered_map<std::string, u32> structs(const BtfData& data) {
    std::unordered_map<std::string, u32> found;
    for (u32 id = 1;; ++id) {
        const Expected<BtfRecord> record = data.record(id);
        if (!record) {
            return found;
        }
        if (record.value().kind() == BtfKind::kStruct) {
            const Expected<BtfName> name = data.name(record.value().type.name);
            EXPECT_TRUE(name);
            std::string text(name.value().text(), name.value().size());
            found[text] = found.count(text) != 0 ? 0 : id;
        }
    }
}

TEST(BtfReal, EveryMemberIsWherePaholeSays) {
    const std::vector<Kernel> all = kernels();
    if (all.empty()) {
        GTEST_SKIP() << "no kernel's BTF, or no pahole";
    }
    for (const Kernel& kernel : all) {
        BtfData data(span(kernel));
        ASSERT_TRUE(data.open()) << kernel.name;
        const BtfReader reader(data);
        const auto ids = structs(data);
        std::ifstream lines(kernel.expect);
        std::string root;
        std::string member;
        std::string offset;
        u32 size = 0;
        u32 compared = 0;
        for (std::string text; std::getline(lines, text);) {
            std::istringstream line(text);
            line >> root >> member >> offset;
            ASSERT_EQ(ids.count(root), 1u) << root;
            if (ids.at(root) == 0) {
                continue;
            }
            const Expected<BtfField> field = reader.member(ids.at(root), BtfName(member.c_str()));
            if (offset == "bitfield") {
                EXPECT_EQ(field.error(), Errno::kNotSupported) << root << "." << member;
                continue;
            }
            ASSERT_TRUE(line >> size) << text;
            ASSERT_TRUE(field) << kernel.name << ": " << root << "." << member << ": "
                               << static_cast<int>(field.error());
            EXPECT_EQ(field.value().offset, std::stoul(offset)) << root << "." << member;
            EXPECT_EQ(field.value().size, size) << root << "." << member;
            ++compared;
        }
        EXPECT_GT(compared, 20000u) << kernel.name;
        std::printf("%s: %u members compared\n", kernel.name.c_str(), compared);
    }
}

TEST(BtfReal, TheTableIsKnown) {
    const std::vector<Kernel> all = kernels();
    if (all.empty()) {
        GTEST_SKIP() << "no kernel's BTF, or no pahole";
    }
    for (const Kernel& kernel : all) {
        KernelLayout layout;
        ASSERT_TRUE(layout.load(kernel.btf.data(), kernel.btf.size(), {})) << kernel.name;
        for (const Wanted& wanted : kWanted) {
            kt_layout_entry entry = {};
            ASSERT_TRUE(layout.describe(wanted.field, entry));
            EXPECT_EQ(entry.missing, nullptr) << kernel.name << ": " << entry.missing << " " << entry.why;
        }
    }
}

}  // namespace
}  // namespace ktwin
