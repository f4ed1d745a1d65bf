// SPDX-License-Identifier: GPL-2.0-only
//
// How a kind of IdBackend gets its row: what its class does not define is answered here.
#ifndef KTWIN_CORE_ID_BACKEND_ROW_H
#define KTWIN_CORE_ID_BACKEND_ROW_H

#include "core/id_backend.h"

namespace ktwin {

// NOLINTBEGIN(readability-convert-member-functions-to-static): a kind's own ones have state
struct IdBackendDefaults {
    Expected<u32> alloc_lowest(u32, u32, void*) { return Errno::kNotSupported; }
    Expected<u32> alloc_cyclic(u32, u32, void*) { return Errno::kNotSupported; }
    Expected<u32> alloc_any(u32, u32, void*) { return Errno::kNotSupported; }
    Result alloc_at(u32, void*) { return Errno::kNotSupported; }
    void publish(u32, void*) {}
    void* find(u32) { return nullptr; }
    IdTree::Found next(u32) { return {}; }
    u32 count() { return 0; }
    u32 cursor() { return 0; }
    void set_cursor(u32) {}
    u64 bytes() { return 0; }
    void maintain() {}
    void begin_reclaim() {}
    void end_reclaim() {}
};
// NOLINTEND(readability-convert-member-functions-to-static)

// The class: a static create(config), erase(id), teardown(), and of the others what it has. Its own hide the defaults.
template <typename Backend>
constexpr IdBackendOps id_backend_row(const char* name, u32 has) {
    return {
        name,
        has,
        [](void* self, u32 min, u32 max, void* pointer) {
            return static_cast<Backend*>(self)->alloc_lowest(min, max, pointer);
        },
        [](void* self, u32 min, u32 max, void* pointer) {
            return static_cast<Backend*>(self)->alloc_cyclic(min, max, pointer);
        },
        [](void* self, u32 min, u32 max, void* pointer) {
            return static_cast<Backend*>(self)->alloc_any(min, max, pointer);
        },
        [](void* self, u32 id, void* pointer) { return static_cast<Backend*>(self)->alloc_at(id, pointer); },
        [](void* self, u32 id, void* pointer) { static_cast<Backend*>(self)->publish(id, pointer); },
        [](void* self, u32 id) { return static_cast<Backend*>(self)->erase(id); },
        [](void* self, u32 id) { return static_cast<Backend*>(self)->find(id); },
        [](void* self, u32 id) { return static_cast<Backend*>(self)->next(id); },
        [](void* self) { return static_cast<Backend*>(self)->count(); },
        [](void* self) { return static_cast<Backend*>(self)->cursor(); },
        [](void* self, u32 cursor) { static_cast<Backend*>(self)->set_cursor(cursor); },
        [](void* self) { return static_cast<Backend*>(self)->bytes(); },
        [](void* self) { static_cast<Backend*>(self)->maintain(); },
        [](void* self) { static_cast<Backend*>(self)->begin_reclaim(); },
        [](void* self) { static_cast<Backend*>(self)->end_reclaim(); },
        [](void* self) {
            static_cast<Backend*>(self)->teardown();
            kt_host_free(self);
        },
    };
}

}  // namespace ktwin

#endif
