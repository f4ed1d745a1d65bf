// SPDX-License-Identifier: GPL-2.0-only
//
// The core's own: the twin, the twin with a block a CPU, pidmap of 3.9; and the host they run on here.
#include <cstdlib>
#include <cstring>

#include "core/blocks_backend.h"
#include "core/pidmap_backend.h"
#include "core/tree_backend.h"
#include "rival.h"

extern "C" __thread unsigned int shim_cpu;

namespace {

using namespace ktwin;

struct Own {
    void* backend;
    u32 limit;
};

template <typename Backend>
Backend& backend_of(void* self) {
    return *static_cast<Backend*>(static_cast<Own*>(self)->backend);
}

int number(const Expected<u32>& id) {
    return id ? static_cast<int>(id.value()) : -static_cast<int>(id.error());
}

template <typename Backend>
void* create(unsigned int limit) {
    const Expected<void*> made = Backend::create({limit, 2, 1 << 23});
    return made ? new Own{made.value(), limit} : nullptr;
}

template <typename Backend>
void destroy(void* self) {
    backend_of<Backend>(self).teardown();
    kt_host_free(static_cast<Own*>(self)->backend);
    delete static_cast<Own*>(self);
}

template <typename Backend>
int cyclic(void* self, void* object) {
    return number(backend_of<Backend>(self).alloc_cyclic(1, static_cast<Own*>(self)->limit, object));
}
template <typename Backend>
int any(void* self, void* object) {
    return number(backend_of<Backend>(self).alloc_any(1, static_cast<Own*>(self)->limit, object));
}
template <typename Backend>
int lowest(void* self, void* object) {
    return number(backend_of<Backend>(self).alloc_lowest(1, static_cast<Own*>(self)->limit, object));
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
constexpr struct rival locked(const char* name) {
    return {name,         create<Backend>, destroy<Backend>, cyclic<Backend>, lowest<Backend>,
            put<Backend>, find<Backend>,   next<Backend>,    rest<Backend>};
}

}  // namespace

extern "C" {

const struct rival rival_twin = locked<TreeBackend>("twin");
const struct rival rival_pidmap = locked<PidmapBackend>("pidmap");
const struct rival rival_blocks = {
    "blocks",           create<BlocksBackend>, destroy<BlocksBackend>, any<BlocksBackend>, nullptr,
    put<BlocksBackend>, find<BlocksBackend>,   next<BlocksBackend>,    rest<BlocksBackend>};

// --- the host: the same locks as kernel_shim.c gives the others, out of line as well ---

void* kt_host_alloc(unsigned long size) {
    void* memory = aligned_alloc(64, (size + 63) & ~63UL);
    return memory != nullptr ? memset(memory, 0, size) : nullptr;
}
void* kt_host_alloc_atomic(unsigned long size) {
    return kt_host_alloc(size);
}
void kt_host_free(void* memory) {
    free(memory);
}
void kt_host_lock_init(struct kt_host_lock* lock, enum kt_lock_class) {
    lock->opaque[0] = 0;
}
[[gnu::noinline]] unsigned long kt_host_lock(struct kt_host_lock* lock) {
    while (__atomic_exchange_n(reinterpret_cast<int*>(lock->opaque), 1, __ATOMIC_ACQUIRE) != 0) {
        while (__atomic_load_n(reinterpret_cast<int*>(lock->opaque), __ATOMIC_RELAXED) != 0) {
            __builtin_ia32_pause();
        }
    }
    return 0;
}
[[gnu::noinline]] void kt_host_unlock(struct kt_host_lock* lock, unsigned long) {
    __atomic_store_n(reinterpret_cast<int*>(lock->opaque), 0, __ATOMIC_RELEASE);
}
[[gnu::noinline]] void kt_host_preempt_disable(void) {
    asm volatile("" ::: "memory");
}
[[gnu::noinline]] void kt_host_preempt_enable(void) {
    asm volatile("" ::: "memory");
}
[[gnu::noinline]] __u32 kt_host_cpu(void) {
    return shim_cpu;
}
void kt_host_rcu_read_lock(void) {}
void kt_host_rcu_read_unlock(void) {}
// Nobody reads while a grace period is waited for: the rows call rest() when they do not measure.
void kt_host_synchronize(void) {}
void kt_host_kick(void) {}

}  // extern "C"
