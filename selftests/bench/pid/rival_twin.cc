// SPDX-License-Identifier: GPL-2.0-only
//
// The core's own: the twin, the twin with a block a CPU, pidmap of 3.9.
#include "core/blocks_backend.h"
#include "core/pidmap_backend.h"
#include "core/tree_backend.h"
#include "rival.h"

namespace {

using namespace ktwin;

// The backends keep to the limit they were made with.
constexpr u32 kNoMax = ~u32{0};

template <typename Backend>
Backend& backend_of(void* self) {
    return *static_cast<Backend*>(self);
}

int number(const Expected<u32>& id) {
    return id ? static_cast<int>(id.value()) : -static_cast<int>(id.error());
}

template <typename Backend>
void* create(unsigned int limit) {
    const Expected<void*> made = Backend::create({limit, 2, 1 << 23});
    return made ? made.value() : nullptr;
}

template <typename Backend>
void destroy(void* self) {
    backend_of<Backend>(self).teardown();
    kt_host_free(self);
}

template <typename Backend>
int cyclic(void* self, void* object) {
    return number(backend_of<Backend>(self).alloc_cyclic(1, kNoMax, object));
}
template <typename Backend>
int any(void* self, void* object) {
    return number(backend_of<Backend>(self).alloc_any(1, kNoMax, object));
}
template <typename Backend>
int lowest(void* self, void* object) {
    return number(backend_of<Backend>(self).alloc_lowest(1, kNoMax, object));
}
template <typename Backend>
void put(void* self, int nr) {
    backend_of<Backend>(self).erase(static_cast<u32>(nr));
}
template <typename Backend>
void* find(void* self, int nr) {
    return backend_of<Backend>(self).find(static_cast<u32>(nr));
}
template <typename Backend>
void* next(void* self, int* nr) {
    const IdTree::Found found = backend_of<Backend>(self).next(static_cast<u32>(*nr));
    *nr = static_cast<int>(found.id);
    return found.pointer;
}
template <typename Backend>
void rest(void* self) {
    backend_of<Backend>(self).maintain();
}

template <typename Backend>
unsigned long bytes(void* self) {
    return backend_of<Backend>(self).bytes_in_use();
}

template <typename Backend>
constexpr struct rival kind(const char* name) {
    struct rival row = {};
    row.name = name;
    row.create = create<Backend>;
    row.destroy = destroy<Backend>;
    row.put = put<Backend>;
    row.find = find<Backend>;
    row.next = next<Backend>;
    row.rest = rest<Backend>;
    return row;
}

template <typename Backend>
constexpr struct rival ordered(const char* name) {
    struct rival row = kind<Backend>(name);
    row.cyclic = cyclic<Backend>;
    row.lowest = lowest<Backend>;
    return row;
}

constexpr struct rival twin() {
    struct rival row = ordered<TreeBackend>("twin");
    row.any = any<TreeBackend>;
    row.bytes = bytes<TreeBackend>;
    return row;
}

constexpr struct rival blocks() {
    struct rival row = kind<BlocksBackend>("blocks");
    row.cyclic = row.any = any<BlocksBackend>;
    return row;
}

}  // namespace

extern "C" {
constinit const struct rival rival_twin = twin();
constinit const struct rival rival_pidmap = ordered<PidmapBackend>("pidmap");
constinit const struct rival rival_blocks = blocks();
}
