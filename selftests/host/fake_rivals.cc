// SPDX-License-Identifier: GPL-2.0-only
//
// The kernel's allocators as the bench calls them: on the host the slow model of fake_ids.cc, and its two threads.
#include <cerrno>
#include <thread>

#include "fake_host.h"

namespace {

struct Rival {
    void* ids;
    uint32_t limit;
};

Rival& rival_of(void* self) {
    return *static_cast<Rival*>(self);
}

template <kt_ids_kind kKind>
void* create(const kt_rival_config* config) {
    void* ids = kt_host_ids_create(kKind, config->limit);
    void* memory = ids != nullptr ? kt_host_alloc(sizeof(Rival)) : nullptr;
    if (memory == nullptr) {
        kt_host_ids_destroy(ids);
        return nullptr;
    }
    return new (memory) Rival{ids, config->limit};
}

template <kt_ids_kind kKind>
constexpr kt_rival rival() {
    kt_rival calls = {};
    calls.create = create<kKind>;
    calls.destroy = [](void* self) {
        kt_host_ids_destroy(rival_of(self).ids);
        kt_host_free(self);
    };
    calls.put = [](void* self, __u32 nr) { kt_host_ids_erase(rival_of(self).ids, nr); };
    calls.rest = [](void*) {};
    if (kKind == KT_IDS_SBITMAP) {
        calls.cyclic = [](void* self, void*) { return kt_host_ids_alloc_any(rival_of(self).ids); };
        return calls;
    }
    calls.at = [](void* self, __u32 nr, void* object) {
        const int got = kt_host_ids_alloc_at(rival_of(self).ids, nr, object);
        return got < 0 ? got : 0;
    };
    calls.lowest = [](void* self, void* object) {
        return kt_host_ids_alloc_lowest(rival_of(self).ids, 1, rival_of(self).limit, object);
    };
    if (kKind == KT_IDS_IDA) {
        return calls;
    }
    calls.cyclic = [](void* self, void* object) {
        return kt_host_ids_alloc_cyclic(rival_of(self).ids, 1, rival_of(self).limit, object);
    };
    calls.find = [](void* self, __u32 nr) { return kt_host_ids_find(rival_of(self).ids, nr); };
    calls.next = [](void* self, __u32* nr) { return kt_host_ids_next(rival_of(self).ids, nr); };
    return calls;
}

constexpr kt_rival kIdr = rival<KT_IDS_IDR>();
constexpr kt_rival kXarray = rival<KT_IDS_XARRAY>();
constexpr kt_rival kIda = rival<KT_IDS_IDA>();
constexpr kt_rival kSbitmap = rival<KT_IDS_SBITMAP>();

}  // namespace

extern "C" {

const kt_rival* kt_host_rival(__u32 who) {
    switch (who) {
        case KTWIN_IDS_KPID:
        case KTWIN_IDS_IDR:
            return &kIdr;
        case KTWIN_IDS_XARRAY:
            return &kXarray;
        case KTWIN_IDS_IDA:
            return &kIda;
        case KTWIN_IDS_SBITMAP:
            return &kSbitmap;
        default:
            return nullptr;
    }
}

int kt_host_run_pair(void (*work)(void*, __u32), void* arg) {
    std::thread other([=] {
        fake_run_on_cpu(2);
        work(arg, 1);
    });
    work(arg, 0);
    other.join();
    return 0;
}

}  // extern "C"
