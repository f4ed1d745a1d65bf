// SPDX-License-Identifier: GPL-2.0-only
// Commands of a lab script that concern tasks and their roles.
#include "lab_asked.h"

namespace ktwin::cli {
namespace {

LabDone play_role(LabSession& session, const Asked& asked, const LabRole& role) {
    if (asked.complaint()) {
        return senseless(asked);
    }
    const Result<uint32_t> task = session.lab().role(role);
    if (!task) {
        return refused(task.error());
    }
    const std::string type = lab_type_name(role.type);
    const std::string number = fmt::format("number {} of namespace {}", role.nr, role.ns);
    std::string text;
    switch (role.op) {
        case KTWIN_LAB_ATTACH:
            text = fmt::format("task {} has {} as {}", *task, number, type);
            break;
        case KTWIN_LAB_DETACH:
            text = fmt::format("task {} has no {} any more", *task, type);
            break;
        case KTWIN_LAB_CHANGE:
            text = fmt::format("task {} has {} as {} now", *task, number, type);
            break;
        case KTWIN_LAB_TRANSFER:
            text = fmt::format("task {} has the {} of task {} now", role.other, type, role.task);
            break;
        default:
            text = fmt::format("tasks {} and {} have swapped their {}s", role.task, role.other, type);
    }
    return LabOutcome{text, {{"task", *task}, {"type", type}}, {*task}};
}

}  // namespace

LabDone attach_lab_task(LabSession& session, const Arguments& arguments) {
    Asked asked(arguments);
    return play_role(session, asked,
                     {.op = KTWIN_LAB_ATTACH,
                      .type = asked.type(1),
                      .task = asked.task(0),
                      .ns = asked.ns(2),
                      .nr = asked.nr(3)});
}

LabDone detach_lab_task(LabSession& session, const Arguments& arguments) {
    Asked asked(arguments);
    return play_role(session, asked, {.op = KTWIN_LAB_DETACH, .type = asked.type(1), .task = asked.task(0)});
}

LabDone change_lab_task(LabSession& session, const Arguments& arguments) {
    Asked asked(arguments);
    return play_role(session, asked,
                     {.op = KTWIN_LAB_CHANGE,
                      .type = asked.type(1),
                      .task = asked.task(0),
                      .ns = asked.ns(2),
                      .nr = asked.nr(3)});
}

LabDone transfer_lab_task(LabSession& session, const Arguments& arguments) {
    Asked asked(arguments);
    return play_role(
        session, asked,
        {.op = KTWIN_LAB_TRANSFER, .type = asked.type(2), .task = asked.task(0), .other = asked.task(1)});
}

LabDone exchange_lab_tasks(LabSession& session, const Arguments& arguments) {
    Asked asked(arguments);
    return play_role(
        session, asked,
        {.op = KTWIN_LAB_EXCHANGE, .type = KTWIN_LAB_PID, .task = asked.task(0), .other = asked.task(1)});
}

LabDone list_lab_tasks(LabSession& session, const Arguments&) {
    const Result<std::vector<LabTask>> tasks = session.lab().tasks();
    if (!tasks) {
        return refused(tasks.error());
    }
    Table table({{"TASK", Align::right},
                 {"PID", Align::right},
                 {"TGID", Align::right},
                 {"PGID", Align::right},
                 {"SID", Align::right}});
    Json array = Json::array();
    for (const LabTask& task : *tasks) {
        std::vector<std::string> cells = {std::to_string(task.task)};
        Json object = {{"task", task.task}};
        for (uint32_t type = 0; type < KTWIN_LAB_TYPES; type++) {
            cells.push_back(cell_text(json_of(task.roles[type])));
            object[lab_type_name(type)] = json_of(task.roles[type]);
        }
        table.add(std::move(cells));
        array.push_back(std::move(object));
    }
    return LabOutcome{tasks->empty() ? "there is no task" : without_end(table.str({})),
                      {{"tasks", std::move(array)}}};
}

}  // namespace ktwin::cli
