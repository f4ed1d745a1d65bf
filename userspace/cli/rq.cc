// SPDX-License-Identifier: GPL-2.0-only
// ktwin rq: what each CPU runs next; who is ahead of a task.
#include <fmt/format.h>

#include "command.h"
#include "lib/text.h"
#include "rq_view.h"

namespace ktwin::cli {
namespace {

struct Options {
    Format format;
    std::optional<uint32_t> cpu;
    int32_t task = 0;
};

const RqTask* find(const RunQueue& queue, int32_t tid) {
    const auto at = std::ranges::find(queue.tasks, tid, &RqTask::tid);
    return at == queue.tasks.end() ? nullptr : &*at;
}

Json ahead_json(const std::vector<const RqTask*>& ahead) {
    Json array = Json::array();
    for (const RqTask* other : ahead) {
        array.push_back({{"tid", other->tid},
                         {"pid", other->tgid},
                         {"comm", other->comm.empty() ? Json(nullptr) : Json(other->comm)},
                         {"class", sched_class_name(other->task_class)}});
    }
    return array;
}

std::string place_text(const RqTask& task, size_t ahead) {
    if (task.is(KTWIN_RQ_TASK_RUNNING)) {
        return "runs";
    }
    if (task.is(KTWIN_RQ_TASK_THROTTLED)) {
        return "is throttled, and not picked before that ends";
    }
    if (task.is(KTWIN_RQ_TASK_DELAYED)) {
        return "sleeps, and is left on the queue until its lag is gone";
    }
    return fmt::format("waits, {} ahead", ahead);
}

void print_task(const RunQueue& queue, const RqTask& task, const Format& format) {
    const std::vector<const RqTask*> ahead = ahead_of(queue, task);
    if (format.json) {
        Json object = {{"tid", task.tid}, {"pid", task.tgid}, {"cpu", queue.cpu}};
        for (const auto& column : rq_columns()) {
            object[lower(column.name)] = column.value(task);
        }
        object["ahead"] = ahead_json(ahead);
        emit_line(dump(object));
        return;
    }
    emit_line(fmt::format("{} ({}) on CPU {}, class {}, position {}: {}", task.tid,
                          task.comm.empty() ? "?" : printable(task.comm), queue.cpu,
                          sched_class_name(task.task_class), task.position, place_text(task, ahead.size())));
    if (ahead.empty() || task.is(KTWIN_RQ_TASK_DELAYED) || task.is(KTWIN_RQ_TASK_THROTTLED)) {
        return;
    }
    Table table({{"CLASS", Align::left}, {"TID", Align::right}, {"COMM", Align::left}});
    for (const RqTask* other : ahead) {
        table.add({std::string(sched_class_name(other->task_class)), std::to_string(other->tid),
                   other->comm.empty() ? "-" : printable(other->comm)});
    }
    emit(table.str(style(format)));
}

int show_task(const RunQueues& queues, const Options& options) {
    for (const RunQueue& queue : queues.cpus) {
        if (const RqTask* task = find(queue, options.task)) {
            print_task(queue, *task, options.format);
            return fine;
        }
    }
    return report(
        {ESRCH, fmt::format("task {} is on no run queue: it sleeps, has ended, or is not visible from here",
                            options.task)});
}

int show_queues(const RunQueues& queues, const Format& format, const Selection<RqTask>& selection) {
    if (format.json) {
        Json cpus = Json::array();
        for (const RunQueue& queue : queues.cpus) {
            cpus.push_back(rq_json(queue, format.chosen() ? &selection : nullptr));
        }
        emit_line(
            dump({{"cpus", cpus}, {"longest_hold_ns", queues.longest_ns}, {"complete", queues.complete}}));
        return fine;
    }
    if (format.raw) {
        Table table(selection.headings());
        for (const RunQueue& queue : queues.cpus) {
            for (const RqTask& task : queue.tasks) {
                table.add(selection.cells(task));
            }
        }
        emit(table.str(style(format)));
        return fine;
    }
    for (const RunQueue& queue : queues.cpus) {
        emit(rq_text(queue, selection, style(format)));
    }
    return fine;
}

int show(Device& device, const Options& options, const Selection<RqTask>& selection) {
    const Result<RunQueues> queues = device.run_queues(options.cpu ? static_cast<int32_t>(*options.cpu) : -1);
    if (!queues) {
        const int status = report(queues.error());
        return queues.error().code == ENODATA ? failed : status;
    }
    return options.task ? show_task(*queues, options) : show_queues(*queues, options.format, selection);
}

}  // namespace

void add_rq(Command& ktwin) {
    Command command = ktwin.add(
        "rq", "what each CPU runs next, class by class, in the order it would be picked; who is ahead");
    auto options = std::make_shared<Options>();
    command.option("cpu", "CPU", options->cpu, "that CPU alone; else each that is online");
    command.number("--task", options->task, false, "where this task (thread) stands, and who is ahead of it");
    command.format(options->format);
    command.run([options, &device = command.device()] {
        const auto selection = choose(rq_columns(), options->format);
        if (!selection) {
            return selection.error();
        }
        return with_device(device, [&](Device& open) { return show(open, *options, *selection); });
    });
}

}  // namespace ktwin::cli
