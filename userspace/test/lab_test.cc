// SPDX-License-Identifier: GPL-2.0-only
// The lab: its calls over one made of paper, and the language of its scripts.
#include "lib/lab.h"

#include <gtest/gtest.h>

#include <cerrno>

#include "cli/lab_demo.h"
#include "cli/lab_session.h"
#include "lib/decode.h"
#include "lib/names.h"
#include "paper.h"
#include "paper_lab.h"

namespace ktwin {
namespace {

Lab lab(Handler handler) {
    return Lab(std::make_unique<Paper>(std::move(handler)));
}

Lab paper_lab(ktwin_lab options = {}) {
    auto paper = std::make_shared<PaperLab>(options);
    return lab([paper](unsigned long command, void* argument) { return paper->control(command, argument); });
}

Lab refusing(int code) {
    return lab([code](unsigned long, void*) { return -code; });
}

TEST(Lab, AllocatesAtEachLevel) {
    const Lab lab = paper_lab();
    ASSERT_EQ(lab.alloc({}).value().numbers, std::vector<int32_t>{1});
    const auto made = lab.create_namespace(1, 0);
    ASSERT_TRUE(made);
    EXPECT_EQ(made->ns, 2U);
    EXPECT_EQ(made->level, 1U);
    const auto pid = lab.alloc({.ns = 2, .task = true});
    ASSERT_TRUE(pid);
    EXPECT_EQ(pid->numbers, (std::vector<int32_t>{1, 2}));
    EXPECT_EQ(pid->task, 1U);
    const auto found = lab.find(1, 2);
    ASSERT_TRUE(found);
    EXPECT_EQ(found->serial, pid->serial);
    EXPECT_EQ(found->numbers.at(0).ns, 1U);
    EXPECT_EQ(found->numbers.at(1).ns, 2U);
    EXPECT_TRUE(found->used());
    EXPECT_EQ(lab.next(1, 2)->nr, 2);
    EXPECT_EQ(lab.free(1, 2).error().code, EBUSY);
    EXPECT_EQ(lab.leaves(1)->at(0).used, 0b110U);
    EXPECT_EQ(lab.namespaces()->at(1).parent, 1U);
    EXPECT_EQ(lab.tasks()->at(0).roles[KTWIN_LAB_TGID], 2);
    EXPECT_FALSE(lab.tasks()->at(0).roles[KTWIN_LAB_SID]);
}

TEST(Lab, ReadsMoreThanFitsInOneCall) {
    const Lab lab = paper_lab();
    for (int i = 0; i < 2000; i++) {
        ASSERT_TRUE(lab.alloc({}));
    }
    int32_t last = 0;
    const auto reading = lab.pids(1, [&](const LabPid& pid) { return pid.numbers.at(0).nr == ++last; });
    ASSERT_TRUE(reading);
    EXPECT_EQ(last, 2000);
}

TEST(Lab, ErrorsSayWhatToDo) {
    EXPECT_EQ(refusing(EAGAIN).alloc({.ns = 3}).error().message,
              "cannot allocate a pid in namespace 3: Resource temporarily unavailable: no number is left "
              "there, or in "
              "one above it");
    EXPECT_EQ(
        refusing(EOPNOTSUPP).find(1, 7).error().message,
        "number 7 of namespace 1: Operation not supported: this backend has no such operation: see ktwin lab "
        "backends");
    EXPECT_EQ(refusing(ESRCH).leaves(9).error().message,
              "cannot read the leaves of namespace 9: No such process: there is no such namespace in this "
              "lab: see ns "
              "list");
    EXPECT_EQ(refusing(ESRCH)
                  .role({.op = KTWIN_LAB_TRANSFER, .type = KTWIN_LAB_SID, .task = 2, .other = 4})
                  .error()
                  .message.substr(0, 42),
              "cannot transfer the sid of task 2 to task ");
    EXPECT_EQ(failing(EINVAL).lab({.backend = KTWIN_LAB_BLOCKS}).error().message.substr(0, 49),
              "cannot open a lab (blocks): Invalid argument: pid");
    // None of these is told what is true of the twin.
    for (const int code : {EAGAIN, EPERM, EOPNOTSUPP, ENODATA, EINTR}) {
        EXPECT_EQ(refusing(code).alloc({}).error().message.find("twin is being populated"),
                  std::string::npos);
        EXPECT_EQ(refusing(code).kill(1).error().message.find("kt_lab"), std::string::npos);
    }
}

TEST(Lab, MoreWantedNumbersThanThereAreLevels) {
    const auto pid = paper_lab().alloc({.wanted = std::vector<int32_t>(KTWIN_LEVELS + 1, 1)});
    EXPECT_EQ(pid.error().code, EINVAL);
}

TEST(Lab, AnswersThatMakeNoSense) {
    const auto answers = [](uint32_t depth) {
        return lab([depth](unsigned long, void* argument) {
            static_cast<ktwin_lab_alloc*>(argument)->depth = depth;
            return 0;
        });
    };
    EXPECT_EQ(answers(0).alloc({}).error().code, EPROTO);
    EXPECT_EQ(answers(KTWIN_LEVELS + 1).alloc({}).error().code, EPROTO);
    EXPECT_TRUE(answers(KTWIN_LEVELS).alloc({}));
    ktwin_lab_pid raw = {};
    raw.depth = UINT32_MAX;
    EXPECT_EQ(decode(raw).numbers.size(), size_t{KTWIN_LEVELS});
    ktwin_lab_ns ns = {};
    EXPECT_FALSE(decode(ns).parent || decode(ns).cursor);
}

TEST(Lab, NamesGoBothWays) {
    for (uint32_t backend = 0; backend <= KTWIN_LAB_SBITMAP; backend++) {
        EXPECT_EQ(lab_backend(lab_backend_name(backend)), backend);
        EXPECT_NE(lab_backend_sentence(backend), "");
    }
    EXPECT_FALSE(lab_backend("backend_9"));
    EXPECT_EQ(lab_backend_name(9), "backend_9");
    EXPECT_EQ(lab_type("sid"), uint32_t{KTWIN_LAB_SID});
    EXPECT_EQ(lab_how("any"), uint32_t{KTWIN_LAB_ANY});
    EXPECT_EQ(join(lab_has_names(KTWIN_LAB_HAS_AT | 1 << 9), ","), "wanted,bit_9");
}

}  // namespace

namespace cli {
namespace {

LabSession session(ktwin_lab options = {}) {
    return LabSession::begin(paper_lab(options)).value();
}

// What a line says: its text, or what is wrong.
std::string said(LabSession& session, std::string_view line) {
    const LabAnswer answer = session.execute(line);
    return answer.error.empty() ? answer.outcome.text : answer.error;
}

Verdict verdict(LabSession& session, std::string_view line) {
    return session.execute(line).verdict;
}

TEST(LabScript, TakesLinesApart) {
    const auto line = parse_line("  $a $b=x = expect");
    EXPECT_EQ(line.error(), "'$b=x' is no name: $ and letters");
    EXPECT_TRUE(parse_line(" \t# all of it")->words.empty());
    EXPECT_EQ(parse_line("free 1 2#3 # four")->words, (std::vector<std::string_view>{"free", "1", "2#3"}));
    const auto bound = parse_line("$nr $task = alloc 1 --task");
    EXPECT_EQ(bound->names, (std::vector<std::string>{"nr", "task"}));
    EXPECT_EQ(bound->words.size(), 3U);
    EXPECT_EQ(parse_line("expect EAGAIN alloc 1")->expected, EAGAIN);
    for (const std::string_view senseless :
         {"= alloc", "a = alloc", "$ = alloc", "$a =", "expect", "expect EAGAIN", "expect again alloc",
          "$a = expect EAGAIN alloc", "expect 11 alloc x"}) {
        EXPECT_EQ(parse_line(senseless).has_value(), senseless == "expect 11 alloc x" && parse_errno("11"))
            << senseless;
    }
}

TEST(LabScript, Names) {
    const Bindings bindings = {{"a", 7}, {"ab", 9}};
    EXPECT_EQ(substitute("$a-$ab,x", bindings), "7-9,x");
    EXPECT_EQ(substitute("plain", bindings), "plain");
    EXPECT_FALSE(substitute("$abc", bindings));
    EXPECT_FALSE(substitute("$", bindings));
    EXPECT_FALSE(substitute("$a$", bindings));
}

TEST(LabScript, NumbersAndRanges) {
    EXPECT_EQ(parse_number("4294967295", "x", 0, UINT32_MAX), 4294967295);
    for (const std::string_view wrong : {"", "-1", "+1", "1 ", "0x1", "99999999999999999999", "4294967296"}) {
        EXPECT_FALSE(parse_number(wrong, "x", 0, UINT32_MAX)) << wrong;
    }
    EXPECT_EQ(parse_range("3-5", "x", 0, 9)->last, 5);
    EXPECT_EQ(parse_range("3", "x", 0, 9)->last, 3);
    EXPECT_EQ(parse_range("-3--1", "x", -9, 9)->first, -3);
    for (const std::string_view wrong : {"", "-", "3-", "-3", "5-3", "3-5-7", "3-99"}) {
        EXPECT_FALSE(parse_range(wrong, "x", 0, 9)) << wrong;
    }
}

TEST(LabScript, ArgumentsAreAsTheUsageHasThem) {
    constexpr std::string_view usage = "NS [NR] [--how HOW] [--task]";
    const auto parse = [&](std::vector<std::string> words) { return Arguments::parse(usage, words); };
    EXPECT_FALSE(parse({}));
    EXPECT_FALSE(parse({"1", "2", "3"}));
    EXPECT_FALSE(parse({"1", "--bogus"}));
    EXPECT_FALSE(parse({"1", "--how"}));
    EXPECT_FALSE(parse({"1", "--task=x"}));
    const auto good = parse({"--how=any", "1", "--task"});
    ASSERT_TRUE(good);
    EXPECT_EQ(*good->value("--how"), "any");
    EXPECT_TRUE(good->has("--task"));
    EXPECT_EQ(good->count(), 1U);
    EXPECT_EQ(*parse({"1", "--how", "--task"})->value("--how"), "--task");
    EXPECT_FALSE(Arguments::parse("NS NR[-NR]...", std::vector<std::string>{"1"}));
    EXPECT_EQ(Arguments::parse("NS NR[-NR]...", std::vector<std::string>{"1", "2", "3", "4"})->count(), 4U);
}

TEST(LabScript, SaysWhatItDid) {
    LabSession lab = session();
    EXPECT_EQ(said(lab, "alloc"), "1 in 1");
    EXPECT_EQ(said(lab, "$c = ns create"), "namespace 2 at level 1, below 1");
    EXPECT_EQ(said(lab, "$nr $task = alloc $c --task"), "1 in 2, 2 in 1; task 1");
    EXPECT_EQ(said(lab, "find 2 $nr"), "pid 2: 2 in 1, 1 in 2; used by 1 task as pid, by 1 task as tgid");
    EXPECT_EQ(said(lab, "alloc 1 --count 3"), "3 pids: 3-5 in 1");
    EXPECT_EQ(said(lab, "free 1 3-9"), "3 pids freed");
    EXPECT_EQ(said(lab, "attach $task sid $c $nr"), "task 1 has number 1 of namespace 2 as sid");
    EXPECT_EQ(said(lab, "kill $c"), "1 task ended, 1 pid went");
    EXPECT_EQ(said(lab, "say so $nr"), "so 1");
    EXPECT_EQ(said(lab, "list 1"), "NR SERIAL PID TGID PGID SID NUMBERS\n 1      1   0    0    0   0 1 in 1");
    EXPECT_EQ(verdict(lab, ""), Verdict::nothing);
    EXPECT_EQ(verdict(lab, "quit"), Verdict::ended);
}

TEST(LabScript, WhatFails) {
    ktwin_lab small = {};
    small.pid_max = 4;
    LabSession lab = session(small);
    EXPECT_EQ(said(lab, "expect EAGAIN alloc --count 9").substr(0, 64),
              "EAGAIN, as expected: 3 of 9 allocated (1-3 in 1), then: cannot a");
    EXPECT_EQ(verdict(lab, "alloc"), Verdict::refused);
    EXPECT_EQ(verdict(lab, "expect EEXIST alloc"), Verdict::refused);
    EXPECT_EQ(said(lab, "expect EEXIST free 1 3"), "EEXIST was expected, and it was done: 1 pid freed");
    EXPECT_EQ(verdict(lab, "free 1 3"), Verdict::refused);
    EXPECT_EQ(verdict(lab, "free 1 9-20"), Verdict::refused);
    for (const std::string_view line :
         {"bogus", "ns", "ns bogus", "alloc x", "alloc 1 --how bogus", "alloc 1 --wanted 1,",
          "alloc 1 --count 0", "free 1", "find 1", "$x = say hello", "$x $y = alloc", "free 1 $unbound",
          "attach 1 uid 1 1", "show --svg", "expect EINVAL alloc x", "tasks now", "alloc 5000000000"}) {
        EXPECT_EQ(verdict(lab, line), Verdict::senseless) << line;
    }
}

// What results in too little for the names is not done at all.
TEST(LabScript, NamesAreCountedFirst) {
    LabSession lab = session();
    EXPECT_EQ(said(lab, "$nr $task = alloc 1"), "alloc: it results in 1, not in 2");
    EXPECT_EQ(verdict(lab, "$nr $task = ns create"), Verdict::senseless);
    EXPECT_EQ(verdict(lab, "$x = quit"), Verdict::senseless);
    EXPECT_EQ(said(lab, "list"), "namespace 1 is empty");
    EXPECT_EQ(lab.view(0)->namespaces.size(), 1U);
    EXPECT_EQ(verdict(lab, "$a $t = alloc --task"), Verdict::done);
    EXPECT_EQ(verdict(lab, "$b $u = alloc --task"), Verdict::done);
    // Each has the values that it is said to have.
    for (const std::string_view line :
         {"$c = ns create", "$x = pid-max 1", "$x = alloc $c", "$x = find 1 $a", "$x = next 1 $a",
          "$x = attach $t sid 1 $a", "$x = change $t sid 1 $b", "$x = transfer $t $u sid",
          "$x = exchange $t $u", "$x = detach $u sid"}) {
        const LabAnswer answer = lab.execute(line);
        EXPECT_EQ(answer.verdict, Verdict::done) << line << ": " << answer.error;
        EXPECT_EQ(answer.outcome.values.size(), 1U) << line;
    }
}

TEST(LabScript, WhatWasDoneBeforeAnErrorIsSaid) {
    LabSession lab = session();
    EXPECT_EQ(verdict(lab, "alloc --count 6"), Verdict::done);
    EXPECT_EQ(verdict(lab, "alloc --task"), Verdict::done);
    EXPECT_EQ(said(lab, "free 1 1 3-9").substr(0, 43), "5 pids freed (1,3-6), then: cannot free num");
    EXPECT_EQ(said(lab, "free 1 9 2").substr(0, 11), "cannot free");
    const LabAnswer other = lab.execute("expect EEXIST free 1 2 9");
    EXPECT_EQ(other.error.substr(0, 55), "EEXIST was expected: 1 pid freed (2), then: cannot free");
    EXPECT_EQ(other.outcome.json.at("expected"), "EEXIST");
    EXPECT_EQ(other.outcome.json.at("errno"), "ESRCH");
    const LabAnswer done = lab.execute("expect EEXIST alloc");
    EXPECT_EQ(done.outcome.json.at("expected"), "EEXIST");
    EXPECT_FALSE(lab.execute("expect ESRCH free 1 1").outcome.json.contains("expected"));
}

TEST(LabScript, SaysNothingToTheTerminal) {
    LabSession lab = session();
    const LabAnswer answer = lab.execute("say a \x1b[2J");
    EXPECT_EQ(answer.outcome.text, "a \\x1b[2J");
    EXPECT_EQ(answer.outcome.json.at("text"), "a \x1b[2J");
}

TEST(LabScript, EveryCommandIsExplained) {
    const std::string help = lab_commands_help();
    for (const std::string_view name : {"ns create", "alloc", "exchange", "show", "expect", "quit"}) {
        EXPECT_NE(help.find(name), std::string::npos) << name;
        EXPECT_EQ(find_lab_command(name) != nullptr, name != "expect");
    }
}

// Each chapter on each backend that has what it needs.
TEST(LabScript, DemoHoldsOnPaper) {
    for (uint32_t backend = 0; backend <= KTWIN_LAB_SBITMAP; backend++) {
        for (const Chapter& chapter : chapters()) {
            ktwin_lab options = {};
            options.backend = backend;
            options.pids = chapter.pids;
            LabSession lab = session(options);
            if ((lab.has() & chapter.needs) != chapter.needs) {
                continue;
            }
            std::string_view text = chapter.script;
            while (!text.empty()) {
                const size_t end = std::min(text.find('\n'), text.size() - 1);
                const LabAnswer answer = lab.execute(text.substr(0, end));
                EXPECT_TRUE(answer.verdict == Verdict::done || answer.verdict == Verdict::nothing)
                    << lab_backend_name(backend) << ": " << text.substr(0, end) << ": " << answer.error;
                text.remove_prefix(end + 1);
            }
        }
    }
}

}  // namespace
}  // namespace cli
}  // namespace ktwin
