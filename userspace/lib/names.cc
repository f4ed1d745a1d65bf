// SPDX-License-Identifier: GPL-2.0-only
#include "names.h"

#include <poll.h>
#include <uapi/ktwin.h>

#include <optional>
#include <span>

namespace ktwin {
namespace {

struct Word {
    uint32_t value;
    std::string_view name;
    std::string_view sentence;
};

constexpr Word states[] = {
    {KTWIN_OFF, "off", ""},
    {KTWIN_POPULATING, "populating", ""},
    {KTWIN_LIVE, "live", ""},
    {KTWIN_INCOMPLETE, "incomplete", ""},
};

constexpr Word roles[] = {
    {KTWIN_ROLE_PID, "PID", ""},
    {KTWIN_ROLE_TGID, "TGID", ""},
    {KTWIN_ROLE_PGID, "PGID", ""},
    {KTWIN_ROLE_SID, "SID", ""},
};

constexpr Word divergences[] = {
    {KTWIN_ONLY_KERNEL, "only_kernel", "the kernel has it, the twin does not"},
    {KTWIN_ONLY_TWIN, "only_twin", "the twin has it, the kernel does not"},
    {KTWIN_OTHER_PID, "other_pid", "kernel and twin have it for different struct pids"},
    {KTWIN_TWIN_BROKEN, "twin_broken", "the twin contradicts itself"},
    {KTWIN_MISPREDICTED, "mispredicted", "for the same request the twin's allocator gave another result"},
};

constexpr Word events[] = {
    {KTWIN_EV_PID_ALLOC, "pid_alloc", ""},   {KTWIN_EV_PID_FREE, "pid_free", ""},
    {KTWIN_EV_NS_NEW, "ns_new", ""},         {KTWIN_EV_NS_GONE, "ns_gone", ""},
    {KTWIN_EV_DIVERGENCE, "divergence", ""}, {KTWIN_EV_POPULATED, "populated", ""},
    {KTWIN_EV_INCOMPLETE, "incomplete", ""},
};

constexpr Word whys[] = {
    {KTWIN_WHY_OFF, "off", "the mirror is off"},
    {KTWIN_WHY_POPULATING, "populating", "the population is not done"},
    {KTWIN_WHY_PROBE_MISSED, "probe_missed", "the kernel skipped a probe hit"},
    {KTWIN_WHY_PROBE_DISARMED, "probe_disarmed", "the probes are registered but do not fire"},
    {KTWIN_WHY_NO_MEMORY, "no_memory", "the twin had no memory for an event"},
    {KTWIN_WHY_CONFLICT, "conflict", "an event contradicted the twin"},
    {KTWIN_WHY_INTERRUPTED, "interrupted", "the pass was stopped before its end"},
    {KTWIN_WHY_CHANGED, "changed", "the mirror was switched or resynchronised during the pass"},
    {KTWIN_WHY_UNSETTLED, "unsettled", "some candidates kept moving, neither confirmed nor cleared"},
};

constexpr Word task_flags[] = {
    {KTWIN_TASK_LEADER, "leader", ""},   {KTWIN_TASK_EXITING, "exiting", ""},
    {KTWIN_TASK_KTHREAD, "kthread", ""}, {KTWIN_TASK_REAPER, "reaper", ""},
    {KTWIN_TASK_HIDDEN, "hidden", ""},   {KTWIN_TASK_THREADS, "threads", ""},
};

constexpr Word wait_kinds[] = {
    {KTWIN_KIND_UNKNOWN, "unknown", ""},
    {KTWIN_KIND_BLOCKED, "blocked", ""},
    {KTWIN_KIND_POLL, "poll", ""},
    {KTWIN_KIND_EPOLL, "epoll", ""},
    {KTWIN_KIND_EPOLL_WAIT, "epoll_wait", ""},
    {KTWIN_KIND_CHILD, "child", ""},
    {KTWIN_KIND_LAB, "lab", ""},
    {KTWIN_KIND_KERNEL, "kernel", ""},
};

constexpr Word sleep_kinds[] = {
    {KTWIN_SLEEP_AWAKE, "awake", "for nothing"},        {KTWIN_SLEEP_FD, "fd", "on a file"},
    {KTWIN_SLEEP_CHILD, "child", "for a child to end"}, {KTWIN_SLEEP_FUTEX, "futex", "on a futex"},
    {KTWIN_SLEEP_TIME, "time", "for a time to pass"},   {KTWIN_SLEEP_OTHER, "other", "on something else"},
};

constexpr Word waiter_flags[] = {
    {KTWIN_WAITER_EXCLUSIVE, "exclusive", ""}, {KTWIN_WAITER_PRIORITY, "priority", ""},
    {KTWIN_WAITER_TASK, "task", ""},           {KTWIN_WAITER_NEXT, "next", ""},
    {KTWIN_WAITER_HIDDEN, "hidden", ""},       {KTWIN_WAITER_CLAIMED, "claimed", ""},
    {KTWIN_WAITER_WOKEN, "woken", ""},         {KTWIN_WAITER_AWAKE, "awake", ""},
};

// POLLRDNORM and POLLWRNORM say again what POLLIN and POLLOUT say.
constexpr uint32_t poll_echoes = POLLRDNORM | POLLWRNORM;
constexpr Word poll_events[] = {
    {POLLIN, "in", ""},   {POLLPRI, "pri", ""},     {POLLOUT, "out", ""},       {POLLERR, "err", ""},
    {POLLHUP, "hup", ""}, {POLLNVAL, "nval", ""},   {POLLRDBAND, "rdband", ""}, {POLLWRBAND, "wrband", ""},
    {POLLMSG, "msg", ""}, {POLLRDHUP, "rdhup", ""},
};

constexpr Word sched_classes[] = {
    {KTWIN_SCHED_STOP, "stop", ""}, {KTWIN_SCHED_DEADLINE, "deadline", ""}, {KTWIN_SCHED_RT, "rt", ""},
    {KTWIN_SCHED_FAIR, "fair", ""}, {KTWIN_SCHED_IDLE, "idle", ""},
};

constexpr Word rq_generations[] = {
    {KTWIN_GENERATION_SCAN, "scan", ""},
    {KTWIN_GENERATION_PRIO_ARRAY, "prio_array", ""},
    {KTWIN_GENERATION_CFS, "cfs", ""},
    {KTWIN_GENERATION_EEVDF, "eevdf", ""},
};

constexpr Word rq_differences[] = {
    {KTWIN_RQ_MISSING, "missing", ""},
    {KTWIN_RQ_SURPLUS, "surplus", ""},
};

constexpr Word rq_whys[] = {
    {KTWIN_RQ_STARTING, "starting", ""},
    {KTWIN_RQ_NO_MEMORY, "no_memory", ""},
    {KTWIN_RQ_CONFLICT, "conflict", ""},
    {KTWIN_RQ_LOST_EVENTS, "lost_events", ""},
};

constexpr Word lab_backends[] = {
    {KTWIN_LAB_TWIN, "twin", "ktwin's tree, one lock for all levels of an allocation"},
    {KTWIN_LAB_BLOCKS, "blocks", "the same, with a block of numbers for each CPU"},
    {KTWIN_LAB_PIDMAP, "pidmap", "bitmap pages and pid_hash of Linux 3.9"},
    {KTWIN_LAB_IDR, "idr", "the kernel's idr, as kernel/pid.c uses it"},
    {KTWIN_LAB_XARRAY, "xarray", "the kernel's xarray"},
    {KTWIN_LAB_IDA, "ida", "the kernel's ida: numbers alone"},
    {KTWIN_LAB_SBITMAP, "sbitmap", "the kernel's sbitmap_queue: numbers alone"},
};

constexpr Word lab_has[] = {
    {KTWIN_LAB_HAS_LOWEST, "lowest", ""}, {KTWIN_LAB_HAS_CYCLIC, "cyclic", ""},
    {KTWIN_LAB_HAS_ANY, "any", ""},       {KTWIN_LAB_HAS_AT, "wanted", ""},
    {KTWIN_LAB_HAS_PIDS, "pids", ""},
};

constexpr Word lab_hows[] = {
    {KTWIN_LAB_CYCLIC, "cyclic", ""},
    {KTWIN_LAB_LOWEST, "lowest", ""},
    {KTWIN_LAB_ANY, "any", ""},
};

constexpr Word lab_types[] = {
    {KTWIN_LAB_PID, "pid", ""},
    {KTWIN_LAB_TGID, "tgid", ""},
    {KTWIN_LAB_PGID, "pgid", ""},
    {KTWIN_LAB_SID, "sid", ""},
};

constexpr Word lab_verdicts[] = {
    {KTWIN_LAB_ROOM, "room", ""},
    {KTWIN_LAB_ESTIMATE, "estimate", ""},
    {KTWIN_LAB_LEAK, "leak", ""},
};

std::optional<uint32_t> value_of(std::span<const Word> words, std::string_view name) {
    for (const Word& word : words) {
        if (word.name == name) {
            return word.value;
        }
    }
    return std::nullopt;
}

const Word* find(std::span<const Word> words, uint32_t value) {
    for (const Word& word : words) {
        if (word.value == value) {
            return &word;
        }
    }
    return nullptr;
}

std::string name_of(std::span<const Word> words, uint32_t value, std::string_view kind) {
    const Word* word = find(words, value);
    return word ? std::string(word->name) : std::string(kind) + "_" + std::to_string(value);
}

std::vector<std::string> bits(std::span<const Word> words, uint32_t mask, std::string_view Word::*text) {
    std::vector<std::string> found;
    for (uint32_t bit = 0; bit < 32; bit++) {
        if (mask >> bit & 1) {
            const Word* word = find(words, 1U << bit);
            found.push_back(word ? std::string(word->*text) : "bit_" + std::to_string(bit));
        }
    }
    return found;
}

}  // namespace

std::string state_name(uint32_t state) {
    return name_of(states, state, "state");
}

std::string role_name(uint32_t type) {
    return name_of(roles, type, "role");
}

std::string divergence_name(uint32_t kind) {
    return name_of(divergences, kind, "kind");
}

std::string divergence_sentence(uint32_t kind) {
    const Word* word = find(divergences, kind);
    return word ? std::string(word->sentence) : "a difference of unknown kind " + std::to_string(kind);
}

std::string event_name(uint32_t type) {
    return name_of(events, type, "type");
}

std::string_view task_state_name(char letter) {
    switch (letter) {
        case 'R':
            return "running or ready";
        case 'S':
            return "sleeping";
        case 'D':
            return "in uninterruptible sleep";
        case 'T':
            return "stopped";
        case 't':
            return "stopped by a tracer";
        case 'X':
            return "dead";
        case 'Z':
            return "a zombie";
        case 'P':
            return "parked";
        case 'I':
            return "idle";
        default:
            return "";
    }
}

std::vector<std::string> why_names(uint32_t why) {
    return bits(whys, why, &Word::name);
}

std::vector<std::string> why_sentences(uint32_t why) {
    return bits(whys, why, &Word::sentence);
}

std::vector<std::string> task_flag_names(uint32_t flags) {
    return bits(task_flags, flags, &Word::name);
}

std::string wait_kind_name(uint32_t kind) {
    return name_of(wait_kinds, kind, "kind");
}

std::string sleep_kind_name(uint32_t kind) {
    return name_of(sleep_kinds, kind, "kind");
}

std::string sleep_kind_phrase(uint32_t kind) {
    const Word* word = find(sleep_kinds, kind);
    return word ? std::string(word->sentence) : "on something of unknown kind " + std::to_string(kind);
}

std::vector<std::string> waiter_flag_names(uint32_t flags) {
    return bits(waiter_flags, flags, &Word::name);
}

std::vector<std::string> poll_event_names(uint32_t events) {
    return bits(poll_events, events & ~poll_echoes, &Word::name);
}

std::string_view backend_name(uint32_t backend) {
    return backend == KTWIN_BACKEND_TWIN ? "twin" : "kernel";
}

std::string sched_class_name(uint32_t sched_class) {
    return name_of(sched_classes, sched_class, "class");
}

std::string rq_generation_name(uint32_t generation) {
    return name_of(rq_generations, generation, "generation");
}

std::string rq_difference_name(uint32_t difference) {
    return name_of(rq_differences, difference, "difference");
}

std::vector<std::string> rq_why_names(uint32_t why) {
    return bits(rq_whys, why, &Word::name);
}

std::string lab_backend_name(uint32_t backend) {
    return name_of(lab_backends, backend, "backend");
}

std::string_view lab_backend_sentence(uint32_t backend) {
    const Word* word = find(lab_backends, backend);
    return word ? word->sentence : "";
}

std::optional<uint32_t> lab_backend(std::string_view name) {
    return value_of(lab_backends, name);
}

std::vector<std::string> lab_has_names(uint32_t has) {
    return bits(lab_has, has, &Word::name);
}

std::optional<uint32_t> lab_how(std::string_view name) {
    return value_of(lab_hows, name);
}

std::string lab_type_name(uint32_t type) {
    return name_of(lab_types, type, "type");
}

std::optional<uint32_t> lab_type(std::string_view name) {
    return value_of(lab_types, name);
}

std::string lab_verdict_name(uint32_t verdict) {
    return name_of(lab_verdicts, verdict, "verdict");
}

std::string join(const std::vector<std::string>& parts, std::string_view separator) {
    std::string all;
    for (const std::string& part : parts) {
        if (!all.empty()) {
            all += separator;
        }
        all += part;
    }
    return all;
}

}  // namespace ktwin
