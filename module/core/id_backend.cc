// SPDX-License-Identifier: GPL-2.0-only
#include "core/id_backend.h"

#include "core/blocks_backend.h"
#include "core/host_backend.h"
#include "core/id_backend_row.h"
#include "core/pidmap_backend.h"
#include "core/tree_backend.h"

#include "base/enforce.h"  // last

namespace ktwin {

namespace {

constexpr u32 kMap = kHasAt | kHasFind | kHasNext | kHasCursor;
constexpr u32 kOrdered = kHasLowest | kHasCyclic | kMap;

struct Row {
    IdBackendOps ops;
    Expected<void*> (*create)(const IdBackendConfig& config);
};

// In the order of IdBackendKind.
constexpr Row kRows[kIdBackendKinds] = {
    {id_backend_row<TreeBackend>("twin", kOrdered | kHasAny | kHasCount | kChecksErase), TreeBackend::create},
    {id_backend_row<BlocksBackend>("blocks",
                                   kHasAny | kHasAt | kHasFind | kHasNext | kHasCount | kChecksErase),
     BlocksBackend::create},
    {id_backend_row<PidmapBackend>("pidmap", kOrdered | kHasCount | kChecksErase), PidmapBackend::create},
    {id_backend_row<HostBackend>("idr", kOrdered | kChecksErase), HostBackend::create<KT_IDS_IDR>},
    {id_backend_row<HostBackend>("xarray", kOrdered | kChecksErase), HostBackend::create<KT_IDS_XARRAY>},
    {id_backend_row<HostBackend>("ida", kHasLowest | kHasAt), HostBackend::create<KT_IDS_IDA>},
    {id_backend_row<HostBackend>("sbitmap", kHasAny | kHasCount), HostBackend::create<KT_IDS_SBITMAP>},
};

}  // namespace

const IdBackendOps& IdBackend::describe(IdBackendKind kind) {
    return kRows[static_cast<u32>(kind)].ops;
}

Expected<IdBackend> IdBackend::create(IdBackendKind kind, const IdBackendConfig& config) {
    if (config.limit < 2 || config.limit > kIds) {
        return Errno::kInvalid;
    }
    const Row& row = kRows[static_cast<u32>(kind)];
    const Expected<void*> self = row.create(config);
    return self ? Expected<IdBackend>(IdBackend(&row.ops, self.value())) : self.error();
}

}  // namespace ktwin
