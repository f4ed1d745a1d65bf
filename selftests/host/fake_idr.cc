// SPDX-License-Identifier: GPL-2.0-only
//
// lib/idr.c as far as kernel/pid.c uses it: the reference that kt_core_compare() is tried against on the host.
#include <cerrno>

#include "../model/free_runs.h"
#include "fake_host.h"

static IdrModel* model_of(void* idr) {
    return static_cast<IdrModel*>(idr);
}

static bool skew = false;

void fake_idr_skew(bool on) {
    skew = on;
}

extern "C" {

void* kt_host_idr_create() {
    if (void* memory = FakeHost::get().allocate(sizeof(IdrModel), false)) {
        return new (memory) IdrModel;
    }
    return nullptr;
}
void kt_host_idr_destroy(void* idr) {
    model_of(idr)->~IdrModel();
    FakeHost::get().release(idr);
}
int kt_host_idr_alloc_cyclic(void* idr, int min, int max) {
    if (skew) {
        ++model_of(idr)->cursor;
    }
    const int64_t nr = model_of(idr)->alloc_cyclic(min, max);
    return nr >= 0 ? static_cast<int>(nr) : -ENOSPC;
}
int kt_host_idr_alloc_at(void* idr, int nr) {
    return model_of(idr)->alloc(nr, nr + 1) >= 0 ? nr : -ENOSPC;
}
bool kt_host_idr_remove(void* idr, int nr) {
    return model_of(idr)->remove(nr);
}
bool kt_host_idr_find(void* idr, int nr) {
    return model_of(idr)->used().count(nr) != 0;
}
int kt_host_idr_next(void* idr, int nr) {
    const auto at = model_of(idr)->used().lower_bound(nr);
    return at != model_of(idr)->used().end() ? static_cast<int>(at->first) : -1;
}
__u32 kt_host_idr_cursor(void* idr) {
    return static_cast<__u32>(model_of(idr)->cursor);
}

}  // extern "C"
