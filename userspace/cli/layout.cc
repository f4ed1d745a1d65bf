// SPDX-License-Identifier: GPL-2.0-only
// ktwin status --layout: every field of the kernel's structs that the module knows by offset, and where that came from.
#include <array>

#include "command.h"

namespace ktwin::cli {
namespace {

std::string_view group_name(uint32_t group) {
    constexpr std::array<std::string_view, 4> names = {"wait", "task", "epoll", "run_queue"};
    return group < names.size() ? names[group] : "?";
}

std::string_view source(const LayoutField& field) {
    if (!field.offset) {
        return field.missing.empty() ? "absent" : "unknown";
    }
    return field.compared ? "btf+headers" : "btf";
}

Json text_or_null(const std::string& text) {
    return text.empty() ? Json(nullptr) : Json(text);
}

constexpr Column<LayoutField> columns[] = {
    {"GROUP", Align::left, true, "known as a whole or not at all: wait, task, epoll, run_queue",
     [](const LayoutField& f) { return Json(group_name(f.group)); }},
    {"FIELD", Align::left, true, "struct.member, or percpu.variable",
     [](const LayoutField& f) { return Json(f.name); }},
    {"OFFSET", Align::right, true, "in bytes", [](const LayoutField& f) { return json_of(f.offset); }},
    {"SIZE", Align::right, true, "in bytes",
     [](const LayoutField& f) { return f.offset ? Json(f.length) : Json(nullptr); }},
    {"SOURCE", Align::left, true, "btf, btf+headers (both say so), absent (this kernel has none), unknown",
     [](const LayoutField& f) { return Json(source(f)); }},
    {"MISSING", Align::left, false, "the field for want of which the group is not known",
     [](const LayoutField& f) { return text_or_null(f.missing); }},
    {"WHY", Align::left, false, "what is wrong with that",
     [](const LayoutField& f) { return text_or_null(f.why); }},
};

int show(Device& device, const Format& format, const Selection<LayoutField>& selection) {
    const Result<std::vector<LayoutField>> fields = device.layout();
    if (!fields) {
        return report(fields.error());
    }
    bool known = true;
    Table table(selection.headings());
    Json array = Json::array();
    for (const LayoutField& field : *fields) {
        table.add(selection.cells(field));
        array.push_back(selection.object(field));
        known &= field.missing.empty();
    }
    emit(format.json ? dump(Json{{"layout", array}}) + "\n" : table.str(style(format)));
    return known ? fine : different;
}

}  // namespace

int show_layout(const std::string& device, const Format& asked) {
    Format format = asked;
    // An object says why as well.
    format.output_all |= format.json && !format.chosen();
    const auto selection = choose(columns, format);
    if (!selection) {
        return selection.error();
    }
    return with_device(device, [&](Device& open) { return show(open, format, *selection); });
}

}  // namespace ktwin::cli
