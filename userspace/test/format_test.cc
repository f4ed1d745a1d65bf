// SPDX-License-Identifier: GPL-2.0-only
#include <gtest/gtest.h>

#include "cli/columns.h"
#include "cli/table.h"
#include "cli/tree.h"
#include "lib/text.h"

namespace ktwin::cli {
namespace {

TEST(Text, Printable) {
    EXPECT_EQ(printable("plain text"), "plain text");
    EXPECT_EQ(printable("a b", true), "a\\x20b");
    EXPECT_EQ(printable("\033[31m\n\t\\"), "\\x1b[31m\\x0a\\x09\\x5c");
    EXPECT_EQ(printable("h\u00e4user \u2603 \U0001f600"), "h\u00e4user \u2603 \U0001f600");
    EXPECT_EQ(printable("\xc3"), "\\xc3");                    // cut off
    EXPECT_EQ(printable("\xc0\xaf"), "\\xc0\\xaf");           // overlong
    EXPECT_EQ(printable("\xe0\x80\xaf"), "\\xe0\\x80\\xaf");  // overlong
    EXPECT_EQ(printable("\xc2\x9b"), "\\xc2\\x9b");           // a control character of C1
    EXPECT_EQ(printable("\xed\xa0\x80"), "\\xed\\xa0\\x80");  // a surrogate
    EXPECT_EQ(printable("\xf5\x80\x80\x80"), "\\xf5\\x80\\x80\\x80");
    EXPECT_EQ(printable(std::string_view("\0", 1)), "\\x00");
}

TEST(Table, Aligned) {
    Table table({{"NAME", Align::left}, {"COUNT", Align::right}, {"WHY", Align::left}});
    table.add({"a", "1", "-"});
    table.add({"\u251c\u2500longer", "123456", "x y"});
    EXPECT_EQ(table.str({}),
              "NAME      COUNT WHY\n"
              "a             1 -\n"
              "\u251c\u2500longer 123456 x y\n");
    EXPECT_EQ(table.str({.raw = false, .headings = false}),
              "a             1 -\n"
              "\u251c\u2500longer 123456 x y\n");
}

TEST(Table, NarrowWithoutHeadings) {
    Table table({{"LONGNAME", Align::right}, {"B", Align::left}});
    table.add({"1", "x"});
    EXPECT_EQ(table.str({.raw = false, .headings = false}), "1 x\n");
}

TEST(Table, Raw) {
    Table table({{"NAME", Align::left}, {"COUNT", Align::right}});
    table.add({"a b", "1"});
    EXPECT_EQ(table.str({.raw = true, .headings = true}), "NAME COUNT\na\\x20b 1\n");
}

TEST(Columns, Cells) {
    EXPECT_EQ(cell_text(nullptr), "-");
    EXPECT_EQ(cell_text(""), "-");
    EXPECT_EQ(cell_text(true), "yes");
    EXPECT_EQ(cell_text(18446744073709551615ULL), "18446744073709551615");
    EXPECT_EQ(cell_text(-1), "-1");
    EXPECT_EQ(cell_text(1.5), "1.500");
    EXPECT_EQ(cell_text(Json::array({"a", "b"})), "a,b");
    EXPECT_EQ(cell_text(Json::array()), "-");
    EXPECT_EQ(cell_text("a\nb"), "a\\x0ab");
}

TEST(Columns, JsonTakesAnyBytes) {
    EXPECT_EQ(dump(Json{{"comm",
                         "a\xff"
                         "b\n"}}),
              "{\"comm\":\"a\uFFFDb\\n\"}");
}

TEST(Columns, Select) {
    constexpr std::string_view names[] = {"PID", "NS", "SERIAL"};
    const std::vector<size_t> standard = {0, 1};
    using Chosen = std::vector<size_t>;
    EXPECT_EQ(select_columns("", names, standard), standard);
    EXPECT_EQ(select_columns("serial,PID", names, standard), (Chosen{2, 0}));
    EXPECT_EQ(select_columns("+SERIAL", names, standard), (Chosen{0, 1, 2}));
    for (const char* wrong : {"bogus", "PID,", ",", "+", "PID,,NS"}) {
        EXPECT_FALSE(select_columns(wrong, names, standard)) << wrong;
    }
    EXPECT_EQ(select_columns("bogus", names, standard).error(),
              "unknown column 'bogus'; there are PID, NS, SERIAL");
}

struct Sample {
    int number;
};
constexpr Column<Sample> columns[] = {
    {"NUMBER", Align::right, true, "", [](const Sample& s) { return Json(s.number); }},
    {"ODD", Align::left, false, "", [](const Sample& s) { return Json(s.number % 2 != 0); }},
};

TEST(Columns, Selection) {
    const auto standard = Selection<Sample>::make(columns, "", false);
    EXPECT_EQ(standard->cells({3}), std::vector<std::string>{"3"});
    const auto all = Selection<Sample>::make(columns, "", true);
    EXPECT_EQ(dump(all->object({3})), "{\"number\":3,\"odd\":true}");
    EXPECT_EQ(all->find("ODD"), 1U);
    EXPECT_EQ(all->find("NONE"), 2U);
}

Namespace node(uint32_t inode, std::optional<uint32_t> parent) {
    Namespace ns = {};
    ns.inode = inode;
    ns.parent = parent;
    return ns;
}

std::string drawing(const std::vector<Namespace>& all, bool utf8 = false) {
    std::string text;
    for (const Branch& branch : namespace_tree(all, utf8)) {
        text += branch.prefix + std::to_string(all[branch.index].inode) + "\n";
    }
    return text;
}

TEST(Tree, Drawn) {
    const std::vector<Namespace> all = {node(1, {}), node(2, 1), node(3, 1),
                                        node(4, 2),  node(5, 4), node(6, 2)};
    EXPECT_EQ(drawing(all),
              "1\n"
              "|-2\n"
              "| |-4\n"
              "| | `-5\n"
              "| `-6\n"
              "`-3\n");
    EXPECT_EQ(drawing({node(1, {}), node(2, 1)}, true), "1\n\u2514\u25002\n");
}

TEST(Tree, NothingLostWhateverTheRecordsSay) {
    EXPECT_EQ(drawing({}), "");
    EXPECT_EQ(drawing({node(2, 9), node(1, 2)}), "2\n`-1\n");                   // a parent that is gone
    EXPECT_EQ(drawing({node(1, 2), node(2, 1)}), "1\n`-2\n");                   // a circle
    EXPECT_EQ(drawing({node(1, 1)}), "1\n");                                    // its own parent
    EXPECT_EQ(drawing({node(1, {}), node(1, {}), node(2, 1)}), "1\n`-2\n1\n");  // twice the same
}

}  // namespace
}  // namespace ktwin::cli
