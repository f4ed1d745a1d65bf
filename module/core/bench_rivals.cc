// SPDX-License-Identifier: GPL-2.0-only
#include "core/bench_rivals.h"

#include "core/blocks_backend.h"
#include "core/pidmap_backend.h"
#include "core/tree_backend.h"

#include "base/enforce.h"  // last

namespace ktwin {

namespace {

int number_of(Expected<u32> id) {
    return id ? static_cast<int>(id.value()) : -static_cast<int>(id.error());
}

template <typename Backend>
Backend& as(void* self) {
    return *static_cast<Backend*>(self);
}

// Objects enough for each id of the limit and for what may wait for a grace period at the end of a round, or of a window
// of two CPUs. It is a bound; memory is taken as it is needed.
constexpr u32 kWaiting = 1048576;
template <typename Backend>
void* create(const kt_rival_config* config) {
    const IdBackendConfig own = {config->limit, config->cpus, config->limit + config->operations + kWaiting};
    const Expected<void*> made = Backend::create(own);
    if (!made) {
        return nullptr;
    }
    as<Backend>(made.value()).maintain();
    return made.value();
}

template <typename Backend>
void destroy(void* self) {
    as<Backend>(self).teardown();
    kt_host_free(self);
}

// A backend holds its own limit: one that is above every id is none.
constexpr u32 kNoMaximum = kIds;

template <typename Backend>
constexpr kt_rival own_rival() {
    kt_rival rival = {};
    rival.create = create<Backend>;
    rival.destroy = destroy<Backend>;
    rival.at = [](void* self, __u32 nr, void* object) {
        return to_c(as<Backend>(self).alloc_at(nr, object));
    };
    rival.put = [](void* self, __u32 nr) { (void)as<Backend>(self).erase(nr); };
    rival.find = [](void* self, __u32 nr) { return as<Backend>(self).find(nr); };
    rival.next = [](void* self, __u32* nr) {
        const IdTree::Found found = as<Backend>(self).next(*nr);
        *nr = found.id;
        return found.pointer;
    };
    rival.bytes = [](void* self, kt_rival_bytes* bytes) {
        const u64 in_use = as<Backend>(self).bytes_in_use();
        *bytes = {in_use, as<Backend>(self).bytes() - in_use};
    };
    rival.rest = [](void* self) { as<Backend>(self).maintain(); };
    return rival;
}

template <typename Backend>
constexpr kt_rival ordered_rival() {
    kt_rival rival = own_rival<Backend>();
    rival.cyclic = [](void* self, void* object) {
        return number_of(as<Backend>(self).alloc_cyclic(1, kNoMaximum, object));
    };
    rival.lowest = [](void* self, void* object) {
        return number_of(as<Backend>(self).alloc_lowest(1, kNoMaximum, object));
    };
    return rival;
}

constexpr kt_rival blocks_rival() {
    kt_rival rival = own_rival<BlocksBackend>();
    rival.cyclic = [](void* self, void* object) {
        return number_of(as<BlocksBackend>(self).alloc_any(1, kNoMaximum, object));
    };
    return rival;
}

// What a call costs that does nothing. It has any number, and finds its object at each.
constexpr kt_rival no_rival() {
    kt_rival rival = {};
    rival.create = [](const kt_rival_config*) { return kt_host_alloc(sizeof(u64)); };
    rival.destroy = kt_host_free;
    rival.cyclic = rival.lowest = [](void*, void*) { return 1; };
    rival.at = [](void*, __u32, void*) { return 0; };
    rival.put = [](void*, __u32) {};
    rival.find = [](void* self, __u32) { return self; };
    rival.next = [](void* self, __u32*) { return self; };
    rival.rest = [](void*) {};
    return rival;
}

constexpr kt_rival kNobody = no_rival();
constexpr kt_rival kTree = ordered_rival<TreeBackend>();
constexpr kt_rival kBlocksOfCpus = blocks_rival();
constexpr kt_rival kPidmap = ordered_rival<PidmapBackend>();

}  // namespace

const kt_rival* rival_of(u32 who) {
    switch (who) {
        case KTWIN_IDS_NONE:
            return &kNobody;
        case KTWIN_IDS_TWIN:
            return &kTree;
        case KTWIN_IDS_BLOCKS:
            return &kBlocksOfCpus;
        case KTWIN_IDS_PIDMAP:
            return &kPidmap;
        case KTWIN_IDS_TWIN_PIDS:
            return rival_of_pids();
        default:
            return kt_host_rival(who);
    }
}

}  // namespace ktwin
