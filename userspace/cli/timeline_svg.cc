// SPDX-License-Identifier: GPL-2.0-only
// CPUs x time as one picture without script: what is too short to be seen is drawn together with its neighbours.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <set>

#include "command.h"
#include "lib/names.h"
#include "lib/text.h"
#include "timeline_view.h"

namespace ktwin::cli {
namespace {

constexpr double width = 1600;
constexpr double left = 70;
constexpr double right = 20;
constexpr double plot = width - left - right;
constexpr double head = 56;  // title and times
constexpr double letter_width = 6.2;
constexpr size_t legend_rows = 5;
constexpr size_t legend_columns = 4;

// In text and in attributes. Control characters were made visible before; two that are valid UTF-8 may not stand in XML.
std::string xml(std::string_view text) {
    std::string all;
    for (const char letter : text) {
        switch (letter) {
            case '&':
                all += "&amp;";
                break;
            case '<':
                all += "&lt;";
                break;
            case '>':
                all += "&gt;";
                break;
            case '"':
                all += "&quot;";
                break;
            default:
                all += letter;
        }
    }
    for (const char* forbidden : {"\xef\xbf\xbe", "\xef\xbf\xbf"}) {
        for (size_t at = all.find(forbidden); at != std::string::npos; at = all.find(forbidden)) {
            all.replace(at, 3, "?");
        }
    }
    return all;
}

// Hues far apart for those that are next to each other in rank; kernel threads nearly grey.
std::string colour(size_t rank, bool kernel) {
    const double hue = std::fmod(static_cast<double>(rank) * 137.508, 360) / 60;
    const double lightness = rank % 3 == 0 ? 0.72 : rank % 3 == 1 ? 0.62 : 0.80;
    const double chroma = (1 - std::abs(2 * lightness - 1)) * (kernel ? 0.12 : 0.65);
    const auto part = [&](double turn) {
        const double at = std::fmod(hue + turn, 6);
        const double share = std::clamp(std::abs(at - 3) - 1, 0.0, 1.0);
        return static_cast<int>(std::lround((lightness - chroma / 2 + chroma * share) * 255));
    };
    return fmt::format("#{:02x}{:02x}{:02x}", part(0), part(4), part(2));
}

// A step of 1, 2 or 5 with zeros, so that there are about ten of them.
uint64_t tick(uint64_t span_ns) {
    uint64_t step = 1;
    while (step * 100 < span_ns) {
        step *= 10;
    }
    return span_ns > step * 50 ? step * 5 : span_ns > step * 20 ? step * 2 : step;
}

std::string share_text(uint64_t part, uint64_t whole) {
    return fmt::format("{:.1f} %",
                       whole ? 100.0 * static_cast<double>(part) / static_cast<double>(whole) : 0.0);
}

class Picture {
  public:
    Picture(const Timeline& timeline, const Sink& sink) : timeline_(timeline), sink_(sink) {
        const size_t cpus = std::max<size_t>(timeline.lanes.size(), 1);
        lane_ = cpus <= 8 ? 48 : cpus <= 16 ? 36 : cpus <= 32 ? 26 : 18;
        bar_ = std::round(lane_ * 0.58);
        // What is narrower is drawn together.
        least_ = cpus <= 8 ? 1 : 2;
        rank();
    }

    void write() {
        begin();
        axis();
        for (size_t i = 0; i < timeline_.lanes.size(); i++) {
            lane(timeline_.lanes[i], head + static_cast<double>(i) * lane_);
        }
        legend();
        put("</svg>\n");
    }

  private:
    struct Task {
        uint64_t busy_ns = 0;
        std::string fill;
    };

    // Short runs side by side.
    struct Heap {
        uint64_t begin_ns = 0;
        uint64_t end_ns = 0;
        uint64_t busy_ns = 0;
        size_t runs = 0;
        std::set<TaskIndex> tasks;
    };

    void put(std::string_view text) {
        if (open_) {
            open_ = sink_(text);
        }
    }

    double x(uint64_t time_ns) const {
        const double span = static_cast<double>(std::max<uint64_t>(timeline_.end_ns - timeline_.begin_ns, 1));
        return left + plot * static_cast<double>(time_ns - timeline_.begin_ns) / span;
    }

    std::string since(uint64_t time_ns) const { return duration_text(time_ns - timeline_.begin_ns); }

    // Colours by who ran longest.
    void rank() {
        tasks_.resize(timeline_.tasks.size());
        for (const TimelineLane& lane : timeline_.lanes) {
            for (const TimelineRun& run : lane.runs) {
                tasks_[run.task].busy_ns += run.end_ns - run.begin_ns;
            }
        }
        order_.resize(tasks_.size());
        std::iota(order_.begin(), order_.end(), TaskIndex{0});
        std::ranges::stable_sort(order_, std::greater<>(), [&](TaskIndex i) { return tasks_[i].busy_ns; });
        for (size_t i = 0; i < order_.size(); i++) {
            tasks_[order_[i]].fill = colour(i, timeline_.tasks[order_[i]].is(KTWIN_WHO_KERNEL));
        }
        for (const TimelineLane& lane : timeline_.lanes) {
            for (const TimelineDepth& depth : lane.depths) {
                deepest_ = std::max(deepest_, depth.tasks);
            }
        }
    }

    size_t shown() const {
        const auto idle = [&](TaskIndex i) { return tasks_[i].busy_ns == 0; };
        const auto busy = static_cast<size_t>(std::ranges::find_if(order_, idle) - order_.begin());
        return std::min(busy, legend_rows * legend_columns);
    }

    double foot() const { return head + static_cast<double>(timeline_.lanes.size()) * lane_; }

    void begin() {
        const size_t rows = (shown() + legend_columns - 1) / legend_columns;
        const double height = foot() + 40 + static_cast<double>(rows) * 18;
        const std::string title = fmt::format("ktwin trace: {}", timeline_summary(timeline_));
        put(fmt::format(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0}\" height=\"{1}\" viewBox=\"0 0 {0} {1}\" "
            "font-family=\"sans-serif\" font-size=\"11\">\n"
            "<title>{2}</title>\n"
            "<defs><pattern id=\"lost\" width=\"6\" height=\"6\" patternUnits=\"userSpaceOnUse\">"
            "<rect width=\"6\" height=\"6\" fill=\"#fff\"/><path d=\"M0 6L6 0\" stroke=\"#c00\" "
            "stroke-width=\"1.5\"/>"
            "</pattern><pattern id=\"unknown\" width=\"6\" height=\"6\" patternUnits=\"userSpaceOnUse\">"
            "<rect width=\"6\" height=\"6\" fill=\"#fff\"/><circle cx=\"3\" cy=\"3\" r=\"1\" fill=\"#888\"/>"
            "</pattern></defs>\n"
            "<rect width=\"{0}\" height=\"{1}\" fill=\"#fff\"/>\n"
            "<text x=\"{3}\" y=\"20\" font-size=\"14\">{2}</text>\n",
            width, height, xml(title), left));
    }

    void axis() {
        const uint64_t span = timeline_.end_ns - timeline_.begin_ns;
        const uint64_t step = tick(span);
        for (uint64_t at = 0; at <= span; at += step) {
            const double where = x(timeline_.begin_ns + at);
            put(
                fmt::format("<path d=\"M{0:.1f} {1}V{2}\" stroke=\"#ddd\"/>"
                            "<text x=\"{0:.1f}\" y=\"{3}\" text-anchor=\"middle\" fill=\"#555\">{4}</text>\n",
                            where, head - 6, foot(), head - 10, duration_text(at)));
        }
    }

    // With a title to be shown by whoever points at it, and a label if there is room.
    void box(uint64_t begin_ns, uint64_t end_ns, double y, std::string_view look, std::string_view title,
             std::string_view label) {
        const double from = x(begin_ns);
        const double wide = std::max(x(end_ns) - from, 0.5);
        put(fmt::format(
            "<rect x=\"{:.2f}\" y=\"{}\" width=\"{:.2f}\" height=\"{}\" {}><title>{}</title></rect>\n", from,
            y, wide, bar_, look, xml(title)));
        const size_t room = static_cast<size_t>(wide / letter_width);
        if (room >= 3 && bar_ >= 10 && !label.empty() && label.size() <= room) {
            put(fmt::format("<text x=\"{:.2f}\" y=\"{}\" pointer-events=\"none\">{}</text>\n", from + 2,
                            y + bar_ / 2 + 4, xml(label)));
        }
    }

    void run(const TimelineRun& run, double y) {
        const SchedWho& who = timeline_.tasks[run.task];
        std::string title = fmt::format("{}: {} from {}", task_title(who),
                                        duration_text(run.end_ns - run.begin_ns), since(run.begin_ns));
        if (run.woken_ns) {
            title += fmt::format(", woken by {} {} before",
                                 run.interrupt          ? "an interrupt"
                                 : run.waker == no_task ? "idle"
                                                        : task_title(timeline_.tasks[run.waker]),
                                 duration_text(run.begin_ns - run.woken_ns));
        }
        if (run.state) {
            title += fmt::format(", left {}", run.preempted ? "preempted" : std::string(1, run.state));
        }
        const std::string name = task_title(who);
        const double room = (x(run.end_ns) - x(run.begin_ns)) / letter_width;
        box(run.begin_ns, run.end_ns, y, fmt::format("fill=\"{}\"", tasks_[run.task].fill), title,
            static_cast<double>(name.size()) <= room ? name : printable(who.comm));
    }

    void heap(const Heap& heap, double y) {
        const double share =
            static_cast<double>(heap.busy_ns) / static_cast<double>(heap.end_ns - heap.begin_ns);
        box(heap.begin_ns, heap.end_ns, y,
            fmt::format("fill=\"#345\" fill-opacity=\"{:.2f}\"", 0.2 + 0.7 * share),
            fmt::format("{} of {}: {} of {} from {}", counted(heap.runs, "run"),
                        counted(heap.tasks.size(), "task"),
                        share_text(heap.busy_ns, heap.end_ns - heap.begin_ns),
                        duration_text(heap.end_ns - heap.begin_ns), since(heap.begin_ns)),
            "");
    }

    // Wide ones by themselves, narrow ones heaped up with those that are as near as they are narrow.
    void runs(const TimelineLane& lane, double y) {
        Heap narrow;
        const TimelineRun* only = nullptr;
        const auto end_heap = [&] {
            if (narrow.runs == 1) {
                run(*only, y);
            } else if (narrow.runs) {
                heap(narrow, y);
            }
            narrow = Heap();
        };
        for (const TimelineRun& one : lane.runs) {
            if (x(one.end_ns) - x(one.begin_ns) >= least_) {
                end_heap();
                run(one, y);
                continue;
            }
            if (narrow.runs && x(one.begin_ns) - x(narrow.end_ns) >= least_) {
                end_heap();
            }
            if (!narrow.runs) {
                narrow.begin_ns = one.begin_ns;
                only = &one;
            }
            narrow.end_ns = std::max(one.end_ns, narrow.begin_ns + 1);
            narrow.busy_ns += one.end_ns - one.begin_ns;
            narrow.runs++;
            narrow.tasks.insert(one.task);
        }
        end_heap();
    }

    void gap(const TimelineGap& gap, double y) {
        const std::string span =
            fmt::format("{} from {}", duration_text(gap.end_ns - gap.begin_ns), since(gap.begin_ns));
        if (gap.lost) {
            box(gap.begin_ns, gap.end_ns, y, "fill=\"url(#lost)\" stroke=\"#c00\" stroke-width=\"0.5\"",
                fmt::format("{} lost: {}", counted(gap.lost, "event"), span), "lost");
        } else {
            box(gap.begin_ns, gap.end_ns, y, "fill=\"url(#unknown)\"", fmt::format("not known: {}", span),
                "not known");
        }
    }

    // Of each pixel the deepest.
    std::vector<uint32_t> columns(const TimelineLane& lane) const {
        std::vector<uint32_t> deepest(static_cast<size_t>(plot) + 1);
        for (size_t i = 0; i < lane.depths.size(); i++) {
            const uint64_t until = i + 1 < lane.depths.size() ? lane.depths[i + 1].time_ns : timeline_.end_ns;
            const auto last = static_cast<size_t>(x(until) - left);
            for (auto at = static_cast<size_t>(x(lane.depths[i].time_ns) - left); at <= last; at++) {
                deepest[at] = std::max(deepest[at], lane.depths[i].tasks);
            }
        }
        return deepest;
    }

    // Steps upwards from the bottom of the lane.
    void depths(const TimelineLane& lane, double y) {
        if (lane.depths.empty() || !deepest_) {
            return;
        }
        const double bottom = y + lane_ - 2;
        const double unit = (lane_ - bar_ - 5) / deepest_;
        const std::vector<uint32_t> tasks = columns(lane);
        std::string path = fmt::format("M{} {}", left, bottom);
        uint32_t last = 0;
        for (size_t i = 0; i < tasks.size(); i++) {
            if (tasks[i] != last) {
                path += fmt::format("H{}V{:.1f}", left + static_cast<double>(i), bottom - unit * tasks[i]);
                last = tasks[i];
            }
        }
        put(fmt::format(
            "<path d=\"{}H{}V{}Z\" fill=\"#99a\"><title>run queue of CPU {}: at most {}</title></path>\n",
            path, left + plot, bottom, lane.cpu, counted(std::ranges::max(tasks), "task")));
    }

    void lane(const TimelineLane& lane, double y) {
        const uint64_t span = timeline_.end_ns - timeline_.begin_ns;
        put(fmt::format(
            "<g><text x=\"{}\" y=\"{}\" text-anchor=\"end\">CPU {}<title>{} busy, {} lost</title></text>"
            "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" fill=\"#f3f3f3\"/>\n",
            left - 8, y + bar_ / 2 + 4, lane.cpu, share_text(lane.busy_ns(), span),
            counted(lane.lost, "event"), left, y, plot, bar_));
        runs(lane, y);
        for (const TimelineGap& one : lane.gaps) {
            gap(one, y);
        }
        depths(lane, y);
        put("</g>\n");
    }

    void legend() {
        const uint64_t span = timeline_.end_ns - timeline_.begin_ns;
        const uint64_t all = span * std::max<uint64_t>(timeline_.lanes.size(), 1);
        put(fmt::format(
            "<text x=\"{}\" y=\"{}\" fill=\"#555\">below each lane: tasks on its run queue, up to {}; "
            "dark: runs too short to be told apart; empty: idle; striped red: events were lost. "
            "Those that ran longest, in % of all CPUs:</text>\n",
            left, foot() + 18, deepest_));
        for (size_t i = 0; i < shown(); i++) {
            const double at_x = left + plot / legend_columns * static_cast<double>(i % legend_columns);
            const double at_y = foot() + 28 + 18 * static_cast<double>(i / legend_columns);
            put(fmt::format(
                "<rect x=\"{0}\" y=\"{1}\" width=\"12\" height=\"12\" fill=\"{2}\"/>"
                "<text x=\"{3}\" y=\"{4}\">{5}: {6}</text>\n",
                at_x, at_y, tasks_[order_[i]].fill, at_x + 18, at_y + 10,
                xml(task_title(timeline_.tasks[order_[i]])), share_text(tasks_[order_[i]].busy_ns, all)));
        }
    }

    const Timeline& timeline_;
    const Sink& sink_;
    bool open_ = true;
    double lane_;
    double bar_;
    double least_;
    uint32_t deepest_ = 0;
    std::vector<Task> tasks_;
    std::vector<TaskIndex> order_;
};

}  // namespace

void write_timeline_svg(const Timeline& timeline, const Sink& sink) {
    Picture(timeline, sink).write();
}

}  // namespace ktwin::cli
