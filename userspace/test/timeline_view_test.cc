// SPDX-License-Identifier: GPL-2.0-only
// A timeline as a trace and as a picture: read back, and held against what it was made of.
#include "cli/timeline_view.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <random>
#include <set>

namespace ktwin::cli {
namespace {

using Json = nlohmann::json;

// Random, and sound: runs and gaps one after the other, flows from run to run.
Timeline timeline(uint32_t seed, uint32_t cpus) {
    std::mt19937 random(seed);
    const auto below = [&](uint32_t bound) {
        return std::uniform_int_distribution<uint32_t>(0, bound - 1)(random);
    };
    Timeline made = {
        .begin_ns = 1000, .end_ns = 1501000, .tasks = {}, .lanes = {}, .flows = {}, .moves = {}};
    made.tasks = {{1, 1, 0, "a<b>&\"'c"}, {2, 1, KTWIN_WHO_KERNEL, "k"},    {0, 0, KTWIN_WHO_HIDDEN, ""},
                  {3, 3, 0, "\x1b[31m"},  {4, 4, 0, "\xff\xef\xbf\xbf]]>"}, {5, 5, KTWIN_WHO_HIDDEN, ""}};
    for (uint32_t cpu = 0; cpu < cpus; cpu++) {
        TimelineLane lane = {.cpu = cpu * 3, .runs = {}, .gaps = {}, .depths = {}};
        uint64_t at = made.begin_ns;
        while (at < made.end_ns - 300000) {
            const uint64_t begin = at + below(3) * 1000;
            at = begin + below(below(20) ? 3000 : 200000);
            if (below(15) == 0) {
                lane.gaps.push_back({begin, at, below(3)});
                lane.lost += lane.gaps.back().lost;
                continue;
            }
            TimelineRun run;
            run.begin_ns = begin;
            run.end_ns = at;
            run.task = below(6);
            run.waker = below(2) ? below(6) : no_task;
            run.woken_ns = begin - below(1000);
            run.interrupt = below(4) == 0;
            run.state = "RSDX"[below(4)];
            lane.runs.push_back(run);
            lane.depths.push_back({begin, below(9)});
            lane.events += 2;
        }
        made.lanes.push_back(std::move(lane));
    }
    for (int i = 0; i < 100; i++) {
        const uint32_t from = below(cpus);
        const uint32_t to = below(cpus);
        const auto from_run = below(static_cast<uint32_t>(made.lanes[from].runs.size()));
        const auto to_run = below(static_cast<uint32_t>(made.lanes[to].runs.size()));
        made.flows.push_back(
            {made.lanes[from].runs[from_run].begin_ns, from, from_run, to, to_run, below(5) == 0});
    }
    made.moves.push_back({5000, 3, 0, 3});
    return made;
}

std::string text(const Timeline& timeline, void (*writer)(const Timeline&, const Sink&)) {
    std::string all;
    writer(timeline, [&](std::string_view piece) {
        all += piece;
        return true;
    });
    return all;
}

// Nanoseconds, of which the trace has thousands.
int64_t ns(const Json& us) {
    return std::llround(us.get<double>() * 1000);
}

class Trace {
  public:
    explicit Trace(const Timeline& timeline) : all_(Json::parse(text(timeline, write_trace_json))) {
        for (const Json& event : all_["traceEvents"]) {
            of_kind_[event["ph"].get<std::string>()].push_back(event);
        }
    }
    const std::vector<Json>& of_kind(const std::string& ph) { return of_kind_[ph]; }
    const Json& about() const { return all_["otherData"]; }

    // By thread: begin and end.
    std::map<int64_t, std::vector<std::pair<int64_t, int64_t>>> slices() {
        std::map<int64_t, std::vector<std::pair<int64_t, int64_t>>> slices;
        for (const Json& slice : of_kind("X")) {
            slices[slice["tid"].get<int64_t>()].emplace_back(ns(slice["ts"]),
                                                             ns(slice["ts"]) + ns(slice["dur"]));
        }
        return slices;
    }

  private:
    Json all_;
    std::map<std::string, std::vector<Json>> of_kind_;
};

TEST(TimelineTrace, LanesWithoutOverlap) {
    for (const uint32_t cpus : {1, 2, 64}) {
        const Timeline made = timeline(cpus, cpus);
        Trace trace(made);
        auto slices = trace.slices();
        EXPECT_EQ(slices.size(), cpus);
        size_t count = 0;
        for (auto& [tid, spans] : slices) {
            std::ranges::sort(spans);
            for (size_t i = 0; i + 1 < spans.size(); i++) {
                ASSERT_LE(spans[i].second, spans[i + 1].first);
            }
            count += spans.size();
        }
        size_t wanted = 0;
        for (const TimelineLane& lane : made.lanes) {
            wanted += lane.runs.size() + lane.gaps.size();
        }
        EXPECT_EQ(count, wanted);
        std::set<std::string> names;
        for (const Json& event : trace.of_kind("M")) {
            if (event["name"] == "thread_name") {
                EXPECT_TRUE(names.insert(event["args"]["name"]).second);
                EXPECT_TRUE(slices.contains(event["tid"].get<int64_t>()));
            }
        }
        EXPECT_EQ(names.size(), cpus);
        EXPECT_TRUE(names.contains("CPU 0"));
    }
}

TEST(TimelineTrace, FlowsHaveBothEndsAndTheseAreInRuns) {
    const Timeline made = timeline(5, 4);
    Trace trace(made);
    const auto slices = trace.slices();
    std::set<int64_t> started;
    for (const char* ph : {"s", "f"}) {
        std::set<int64_t> seen;
        for (const Json& end : trace.of_kind(ph)) {
            EXPECT_TRUE(seen.insert(end["id"].get<int64_t>()).second);
            const auto& lane = slices.at(end["tid"].get<int64_t>());
            const int64_t at = ns(end["ts"]);
            EXPECT_TRUE(std::ranges::any_of(
                lane, [&](const auto& span) { return span.first <= at && at <= span.second; }));
            EXPECT_EQ(end.contains("bp"), std::string_view(ph) == "f");
        }
        EXPECT_EQ(seen.size(), made.flows.size());
        EXPECT_TRUE(started.empty() || started == seen);
        started = seen;
    }
}

TEST(TimelineTrace, EveryEventHasWhatItsKindNeeds) {
    const Timeline made = timeline(9, 3);
    Trace trace(made);
    uint64_t lost = 0;
    for (const char* ph : {"X", "C", "s", "f", "i"}) {
        EXPECT_FALSE(trace.of_kind(ph).empty()) << ph;
        for (const Json& event : trace.of_kind(ph)) {
            EXPECT_TRUE(event["pid"].is_number_integer() && event["pid"] != 0);
            EXPECT_TRUE(event["ts"].is_number() && event["ts"].get<double>() >= 0);
            EXPECT_TRUE(event["name"].is_string());
            EXPECT_TRUE(std::string_view(ph) == "C" || event["tid"].get<int64_t>() > 0);
        }
    }
    for (const Json& event : trace.of_kind("C")) {
        EXPECT_TRUE(event["args"]["tasks"].is_number_unsigned());
    }
    for (const Json& event : trace.of_kind("i")) {
        EXPECT_EQ(event["s"], "t");
        lost += event["name"] == "lost" ? event["args"]["events"].get<uint64_t>() : 0;
    }
    EXPECT_EQ(lost, made.lost());
    EXPECT_EQ(trace.about()["lost"], made.lost());
    EXPECT_EQ(trace.about()["start_ns"], 1000);
}

// --- XML, as far as it goes here: elements that are closed, attributes in quotes, nothing in the text that means more

class Xml {
  public:
    explicit Xml(std::string_view text) : rest_(text) {}

    // What is wrong with it; empty: nothing.
    std::string read() {
        if (rest_.starts_with("<?xml ")) {
            rest_.remove_prefix(rest_.find("?>") + 2);
        }
        while (wrong_.empty() && !rest_.empty()) {
            rest_[0] == '<' ? tag() : content();
        }
        return !wrong_.empty() ? wrong_ : open_.empty() ? "" : "not closed: " + open_.back();
    }

    std::map<std::string, size_t> elements;

  private:
    void complain(std::string_view what) {
        if (wrong_.empty()) {
            wrong_ = std::string(what) + " before: " + std::string(rest_.substr(0, 80));
        }
    }

    static bool entities_only(std::string_view text) {
        for (size_t at = text.find('&'); at != text.npos; at = text.find('&', at + 1)) {
            const std::string_view name = text.substr(at, text.find(';', at) + 1 - at);
            if (name != "&amp;" && name != "&lt;" && name != "&gt;" && name != "&quot;") {
                return false;
            }
        }
        return std::ranges::none_of(text,
                                    [](char c) { return static_cast<unsigned char>(c) < ' ' && c != '\n'; });
    }

    void content() {
        const std::string_view text = rest_.substr(0, rest_.find('<'));
        if (text.find("]]>") != text.npos || !entities_only(text) ||
            (open_.empty() && text.find_first_not_of('\n') != text.npos) ||
            text.find("\xef\xbf\xbf") != text.npos) {
            complain("text");
        }
        rest_.remove_prefix(text.size());
    }

    std::string_view name() {
        const std::string_view name = rest_.substr(0, rest_.find_first_of(" />="));
        if (name.empty() || name.find_first_of("<\"'&\n") != name.npos) {
            complain("a name");
        }
        rest_.remove_prefix(std::min(name.size(), rest_.size()));
        return name;
    }

    bool take(std::string_view what) {
        if (!rest_.starts_with(what)) {
            return false;
        }
        rest_.remove_prefix(what.size());
        return true;
    }

    void tag() {
        if (take("</")) {
            const std::string_view closed = name();
            if (open_.empty() || open_.back() != closed || !take(">")) {
                complain("an end");
                return;
            }
            open_.pop_back();
            return;
        }
        take("<");
        const std::string element(name());
        elements[element]++;
        std::set<std::string_view> attributes;
        while (wrong_.empty() && take(" ")) {
            if (!attributes.insert(name()).second || !take("=\"")) {
                complain("an attribute");
                return;
            }
            const std::string_view value = rest_.substr(0, rest_.find('"'));
            if (value.find('<') != value.npos || !entities_only(value)) {
                complain("a value");
            }
            rest_.remove_prefix(std::min(value.size() + 1, rest_.size()));
        }
        if (take("/>")) {
            return;
        }
        if (!take(">")) {
            complain("no end of a tag");
        }
        open_.push_back(element);
    }

    std::string_view rest_;
    std::vector<std::string> open_;
    std::string wrong_;
};

TEST(TimelinePicture, IsXml) {
    for (const uint32_t cpus : {1, 2, 9, 20, 64}) {
        const std::string svg = text(timeline(cpus, cpus), write_timeline_svg);
        Xml xml(svg);
        EXPECT_EQ(xml.read(), "");
        EXPECT_EQ(xml.elements["svg"], 1U);
        EXPECT_EQ(xml.elements["g"], cpus);
        EXPECT_EQ(xml.elements["script"], 0U);
        EXPECT_GT(xml.elements["title"], 2 * cpus);
        EXPECT_NE(svg.find("url(#lost)"), svg.npos);
        // However much happened.
        EXPECT_LT(svg.size(), 700000U * cpus);
    }
    EXPECT_NE(Xml("<a><b></a>").read(), "") << "the reader sees what is wrong";
    EXPECT_NE(Xml("<a b=\"<\"/>").read(), "");
    EXPECT_NE(Xml("<a>&</a>").read(), "");
}

TEST(TimelinePicture, OfNothing) {
    Timeline empty = {.begin_ns = 5, .end_ns = 5, .tasks = {}, .lanes = {}, .flows = {}, .moves = {}};
    EXPECT_EQ(Xml(text(empty, write_timeline_svg)).read(), "");
    EXPECT_TRUE(Json::accept(text(empty, write_trace_json)));
    empty.lanes.push_back({.cpu = 0, .runs = {}, .gaps = {{5, 5, 1}}, .depths = {{5, 1}}});
    EXPECT_EQ(Xml(text(empty, write_timeline_svg)).read(), "");
}

TEST(TimelineView, AReaderThatIsGone) {
    for (const auto writer : {write_trace_json, write_timeline_svg}) {
        size_t pieces = 0;
        writer(timeline(1, 2), [&](std::string_view) { return ++pieces < 3; });
        EXPECT_EQ(pieces, 3U) << "it is told no more";
    }
}

TEST(TimelineView, Names) {
    EXPECT_EQ(task_title({7, 7, 0, "a\nb"}), "a\\x0ab 7");
    EXPECT_EQ(task_title({7, 7, KTWIN_WHO_HIDDEN, ""}), "[hidden] 7");
    EXPECT_EQ(task_title({0, 0, KTWIN_WHO_HIDDEN, ""}), "[no number here]");
    EXPECT_EQ(task_title({0, 0, KTWIN_WHO_HIDDEN | KTWIN_WHO_KERNEL, ""}), "[kernel thread]");
}

}  // namespace
}  // namespace ktwin::cli
