// SPDX-License-Identifier: GPL-2.0-only
// The words for what the wire format says in numbers. A number without a word becomes one that shows it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ktwin {

std::string state_name(uint32_t state);            // "live"
std::string role_name(uint32_t type);              // "PGID"
std::string divergence_name(uint32_t kind);        // "only_kernel"
std::string divergence_sentence(uint32_t kind);    // "the kernel has it, the twin does not"
std::string event_name(uint32_t type);             // "pid_alloc"
std::string_view task_state_name(char letter);     // "sleeping"; "" when the letter is none of ps's
std::vector<std::string> why_names(uint32_t why);  // {"probe_missed"}
std::vector<std::string> why_sentences(uint32_t why);
std::vector<std::string> task_flag_names(uint32_t flags);  // {"leader", "exiting"}

std::string wait_kind_name(uint32_t kind);                   // "epoll_wait"
std::string sleep_kind_name(uint32_t kind);                  // "futex"
std::string sleep_kind_phrase(uint32_t kind);                // "for a child to end"
std::vector<std::string> waiter_flag_names(uint32_t flags);  // {"exclusive", "next"}
std::vector<std::string> poll_event_names(uint32_t events);  // {"in", "hup"}
std::string_view backend_name(uint32_t backend);             // "twin"

std::string sched_class_name(uint32_t sched_class);   // "fair"
std::string rq_generation_name(uint32_t generation);  // "eevdf"
std::string rq_difference_name(uint32_t difference);  // "missing"
std::vector<std::string> rq_why_names(uint32_t why);  // {"conflict"}

// Of labs. Backends, ways to allocate and types can be asked for by these names.
std::string lab_backend_name(uint32_t backend);  // "idr"
std::string_view lab_backend_sentence(uint32_t backend);
std::optional<uint32_t> lab_backend(std::string_view name);
std::vector<std::string> lab_has_names(uint32_t has);  // {"lowest", "pids"}
std::optional<uint32_t> lab_how(std::string_view name);
std::string lab_type_name(uint32_t type);  // "pgid"
std::optional<uint32_t> lab_type(std::string_view name);
std::string lab_verdict_name(uint32_t verdict);  // "leak"

std::string join(const std::vector<std::string>& parts, std::string_view separator);

}  // namespace ktwin
