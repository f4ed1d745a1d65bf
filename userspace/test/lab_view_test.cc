// SPDX-License-Identifier: GPL-2.0-only
// A lab to look at: empty, full, as large as it can be.
#include "cli/lab_view.h"

#include <gtest/gtest.h>

#include <random>
#include <set>

namespace ktwin::cli {
namespace {

LabIds ids(uint32_t pid_max, const std::set<uint32_t>& numbers,
           std::optional<uint32_t> cursor = std::nullopt) {
    LabIds ids = {.ns = {}, .leaves = {}};
    ids.ns.ns = 1;
    ids.ns.pid_max = pid_max;
    ids.ns.count = static_cast<uint32_t>(numbers.size());
    ids.ns.cursor = cursor;
    for (const uint32_t nr : numbers) {
        if (ids.leaves.empty() || ids.leaves.back().first != nr / 64 * 64) {
            ids.leaves.push_back({nr / 64 * 64, 0});
        }
        ids.leaves.back().used |= uint64_t{1} << nr % 64;
    }
    return ids;
}

LabIds full(uint32_t pid_max) {
    LabIds ids = {.ns = {}, .leaves = {}};
    ids.ns.ns = 1;
    ids.ns.pid_max = pid_max;
    ids.ns.count = pid_max - 1;
    for (uint32_t first = 0; first < pid_max; first += 64) {
        const uint64_t all = pid_max - first >= 64 ? ~uint64_t{0} : (uint64_t{1} << (pid_max - first)) - 1;
        ids.leaves.push_back({first, first ? all : all & ~uint64_t{1}});
    }
    return ids;
}

size_t count(std::string_view text, std::string_view what) {
    size_t found = 0;
    for (size_t at = text.find(what); at != std::string_view::npos; at = text.find(what, at + what.size())) {
        found++;
    }
    return found;
}

TEST(LabView, Nothing) {
    EXPECT_EQ(lab_ids_text(ids(2, {}), false),
              "namespace 1: 0 of 1 number in use\n  0  ." + std::string(62, ' ') + " 0\n");
    EXPECT_EQ(lab_ids_text(ids(32768, {}), false),
              "namespace 1: 0 of 32767 numbers in use\n  0 ... 32767 free\n");
}

TEST(LabView, OneSlot) {
    LabIds one = ids(10, {1}, 2);
    one.ns.hole_start = 2;
    one.ns.hole_length = 8;
    const std::string head = "namespace 1: 1 of 9 numbers in use, cursor 2, largest hole 2+8\n";
    const std::string blanks(54, ' ');
    EXPECT_EQ(lab_ids_text(one, false), head + "  0  #>......." + blanks + " 1\n");
    EXPECT_EQ(lab_ids_text(one, true), head + "  0  █>·······" + blanks + " 1\n");
    one.ns.cursor = 1;
    EXPECT_EQ(lab_ids_text(one, false).substr(head.size(), 7), "  0  @.");
}

TEST(LabView, FullAndRuns) {
    EXPECT_EQ(lab_ids_text(full(4194304), false),
              "namespace 1: 4194303 of 4194303 numbers in use, no hole\n  0 ... 4194303 used\n");
    const std::string text = lab_ids_text(ids(32768, {1, 2, 30000}, 500), false);
    EXPECT_NE(text.find("\n     64 ... 29888 free > 500\n"), std::string::npos) << text;
    EXPECT_NE(text.find("\n  29952 "), std::string::npos) << text;
    EXPECT_NE(text.find("\n  30016 ... 2752 free\n"), std::string::npos) << text;
}

TEST(LabView, AboveThePidMax) {
    const LabIds left = ids(10, {1, 200});
    EXPECT_EQ(left.end(), 201U);
    EXPECT_EQ(left.numbers(192, 64), 9U);
    EXPECT_NE(lab_ids_text(left, false).find("192 ........# "), std::string::npos)
        << lab_ids_text(left, false);
}

TEST(LabView, AsManyAsThereCanBe) {
    std::mt19937 random(1);
    std::set<uint32_t> numbers;
    while (numbers.size() < 50000) {
        numbers.insert(std::uniform_int_distribution<uint32_t>(1, 4194303)(random));
    }
    const LabIds scattered = ids(4194304, numbers, 4194303);
    const Grid grid = make_grid(scattered, 32);
    EXPECT_EQ(grid.per_cell, 2048U);
    uint32_t used = 0;
    uint32_t next = 0;
    for (const GridRow& row : grid.rows) {
        EXPECT_EQ(row.first, next);
        next += row.count;
        used += scattered.used(row.first, row.count);
    }
    EXPECT_EQ(next, 4194304U);
    EXPECT_EQ(used, numbers.size());
    EXPECT_LE(count(lab_ids_text(scattered, true), "\n"), 33U);
    EXPECT_LT(lab_svg({.stats = {}, .namespaces = {scattered.ns}, .ids = {scattered}}).size(), 1000000U);
}

TEST(LabView, CountsAnyStretch) {
    std::mt19937 random(2);
    const auto below = [&](uint32_t bound) {
        return std::uniform_int_distribution<uint32_t>(0, bound - 1)(random);
    };
    std::set<uint32_t> numbers;
    for (int i = 0; i < 300; i++) {
        numbers.insert(1 + below(999));
    }
    const LabIds some = ids(1000, numbers);
    for (int i = 0; i < 2000; i++) {
        const uint32_t first = below(1100);
        const uint32_t length = below(300);
        const auto expected = std::distance(numbers.lower_bound(first), numbers.lower_bound(first + length));
        ASSERT_EQ(some.used(first, length), static_cast<uint32_t>(expected)) << first << "+" << length;
    }
    std::set<uint32_t> again;
    for (const LabRange& range : used_ranges(some.leaves)) {
        for (uint32_t nr = range.first; nr <= range.last; nr++) {
            again.insert(nr);
        }
    }
    EXPECT_EQ(again, numbers);
    EXPECT_EQ(ranges_text(used_ranges(ids(1000, {1, 2, 63, 64, 65, 128, 191, 192}).leaves)),
              "1-2,63-65,128,191-192");
    EXPECT_EQ(ranges_text({}), "-");
    EXPECT_EQ(used_ranges({{64, ~uint64_t{0}}, {128, ~uint64_t{0}}}).front().last, 191U);
}

LabView view() {
    LabView view = {.stats = {}, .namespaces = {}, .ids = {}};
    view.stats.has = KTWIN_LAB_HAS_PIDS;
    view.stats.bytes = 1000;
    view.stats.bytes_limit = 64 << 20;
    view.stats.pid_pool = {10, 15, 100, 0, 0, 0};
    view.stats.node_pool = {0, 100, 100, 0, 0, 0};
    for (uint32_t ns = 1; ns <= 3; ns++) {
        LabIds of = ids(300, {1, 2, 3}, 4);
        of.ns.ns = ns;
        of.ns.level = ns - 1;
        of.ns.parent = ns > 1 ? std::optional(ns - 1) : std::nullopt;
        of.ns.dying = ns == 3;
        view.namespaces.push_back(of.ns);
        view.ids.push_back(of);
    }
    return view;
}

TEST(LabView, Pools) {
    const std::string text = lab_pools_text(view().stats, false);
    EXPECT_NE(text.find("pid          5    10      100 [#+++"), std::string::npos) << text;
    EXPECT_NE(text.find("[################################]"), std::string::npos) << text;
    EXPECT_NE(text.find("task         0     0        0 -\n"), std::string::npos) << text;
}

TEST(LabView, Whole) {
    const std::string text = lab_view_text(view(), false);
    EXPECT_NE(text.find("`-2"), std::string::npos) << text;
    EXPECT_NE(text.find("  `-3"), std::string::npos) << text;
    EXPECT_EQ(count(text, " of 299 numbers in use, cursor 4\n"), 2U) << text;
    EXPECT_EQ(count(text, " of 299 numbers in use, cursor 4; dying\n"), 1U) << text;
    const Json json = lab_json(view());
    EXPECT_EQ(json["ids"][2]["used"].dump(), "[[1,3]]");
    EXPECT_EQ(json["namespaces"][0]["parent"], nullptr);
    EXPECT_EQ(json["stats"]["pools"]["pid"]["in_use"], 5);
}

// Elements are closed, and nested as they were opened.
bool is_well_formed(std::string_view text) {
    std::vector<std::string> open;
    for (size_t at = text.find('<'); at != std::string_view::npos; at = text.find('<', at + 1)) {
        const size_t end = text.find('>', at);
        const std::string_view tag = text.substr(at + 1, end - at - 1);
        if (end == std::string_view::npos || tag.empty()) {
            return false;
        }
        if (tag.starts_with('?') || tag.ends_with('/')) {
            continue;
        }
        if (!tag.starts_with('/')) {
            open.emplace_back(tag.substr(0, tag.find(' ')));
        } else if (open.empty() || open.back() != tag.substr(1)) {
            return false;
        } else {
            open.pop_back();
        }
    }
    return open.empty() && text.find('&') == std::string_view::npos;
}

TEST(LabView, Picture) {
    for (const uint32_t backend : {uint32_t{KTWIN_LAB_TWIN}, uint32_t{KTWIN_LAB_IDR}}) {
        LabView pictured = view();
        pictured.stats.backend = backend;
        const std::string svg = lab_svg(pictured);
        EXPECT_TRUE(is_well_formed(svg)) << svg;
        EXPECT_EQ(count(svg, "cursor 4: the next search"), 3U);
        EXPECT_EQ(count(svg, ">directory of 0 to 65535<"), backend == KTWIN_LAB_TWIN ? 3U : 0U);
        EXPECT_EQ(svg.find("nan"), std::string::npos);
        EXPECT_EQ(svg.find("\"-"), std::string::npos);
    }
    EXPECT_TRUE(is_well_formed(lab_svg({.stats = {}, .namespaces = {}, .ids = {}})));
    LabView all = view();
    all.ids = {full(4194304), ids(4194304, {1, 70000, 4000000}), ids(2, {})};
    EXPECT_TRUE(is_well_formed(lab_svg(all)));
    for (uint32_t ns = 4; ns < 500; ns++) {
        all.namespaces.push_back(all.namespaces[ns % 3]);
        all.namespaces.back().ns = ns;
    }
    EXPECT_NE(lab_svg(all).find("and 435 more"), std::string::npos);
}

}  // namespace
}  // namespace ktwin::cli
