// SPDX-License-Identifier: GPL-2.0-only
//
// The core under libFuzzer: bytes are a history of a kernel (forks, exits, namespaces, reused numbers and addresses,
// failed forks, missed probes, memory running out) mixed with everything the kernel side may call. Judged by ASan,
// the fake host's rules (lock order, contexts, leaks), and the twin's own promise: when it says LIVE and nothing was
// made wrong on purpose, it is equal to the kernel and the audit finds nothing.
#include <cstdio>
#include <cstdlib>

#include "fake_kernel.h"

namespace {

class Bytes {
  public:
    Bytes(const uint8_t* data, size_t size) : data_(data), left_(size) {}
    bool empty() const { return left_ == 0; }
    unsigned next() {
        if (left_ == 0) {
            return 0;
        }
        --left_;
        return *data_++;
    }

  private:
    const uint8_t* data_;
    size_t left_;
};

void require(bool holds, const char* what) {
    if (!holds) {
        std::fprintf(stderr, "core_fuzz: %s\n", what);
        std::abort();
    }
}

class History {
  public:
    explicit History(Bytes bytes) : bytes_(bytes) {
        kernel_.pid_max = 700;
        namespaces_.push_back(kernel_.root());
        kernel_.alloc(kernel_.root());
    }

    void play() {
        while (!bytes_.empty()) {
            step(bytes_.next());
        }
        FakeHost::get().no_failures();
        check();
    }

  private:
    void step(unsigned op) {
        switch (op % 16) {
            case 0:
            case 1:
            case 2:
                fork(namespaces_[bytes_.next() % namespaces_.size()]);
                break;
            case 3:
            case 4:
                exit_one();
                break;
            case 5:
                if (namespaces_.size() < 12) {
                    namespaces_.push_back(kernel_.create_ns(namespaces_[bytes_.next() % namespaces_.size()]));
                }
                break;
            case 6:
                kernel_.fail_fork(namespaces_[bytes_.next() % namespaces_.size()]);
                break;
            case 7:
                wrong_ = kt_core_mirror(bytes_.next() % 3) == 0 ? !kernel_.hooks : wrong_;
                break;
            case 8:
                FakeHost::get().advance(bytes_.next() * 100000000ULL);
                kt_core_maintain();
                break;
            case 9:
                inject();
                break;
            case 10:
                FakeHost::get().fail_allocation(bytes_.next());
                FakeHost::get().set_rt(bytes_.next() % 2 != 0);
                break;
            case 11:
                kernel_.hooks = !kernel_.hooks;
                wrong_ = wrong_ || !kernel_.hooks;
                break;
            case 12:
                look();
                break;
            default:
                check();
        }
    }

    void fork(FakeNs* ns) {
        if (kernel_.live() < 600) {
            kernel_.alloc(ns);
        }
    }

    void exit_one() {
        if (kernel_.live() > 1) {
            kernel_.free(kernel_.any(bytes_.next() * 256 + bytes_.next()));
        }
    }

    void inject() {
        ktwin_inject request = {};
        request.kind = bytes_.next() % 7;
        request.nr = static_cast<int>(bytes_.next() * 3) - 2;
        request.ns = bytes_.next() % 2 != 0 ? namespaces_[bytes_.next() % namespaces_.size()]->inode : 0;
        wrong_ = kt_core_inject(kt_host_init_ns(), &request) == 0 || wrong_;
    }

    void look() {
        const kt_key viewer = kernel_.key(namespaces_[bytes_.next() % namespaces_.size()]);
        const unsigned ns =
            bytes_.next() % 2 != 0 ? namespaces_[bytes_.next() % namespaces_.size()]->inode : 0;
        __u64 cursor = bytes_.next();
        bool more = false;
        ktwin_pid pids[3];
        (void)kt_core_read_pids(viewer, ns, &cursor, pids, 1 + bytes_.next() % 3, &more);
        cursor = bytes_.next();
        ktwin_ns namespaces[3];
        (void)kt_core_read_namespaces(viewer, ns, &cursor, namespaces, 1 + bytes_.next() % 3, &more);
        cursor = bytes_.next();
        ktwin_divergence divergences[3];
        (void)kt_core_read_divergences(viewer, &cursor, divergences, 3, &more);
        kt_resolved resolved;
        (void)kt_core_resolve(viewer, ns, static_cast<int>(bytes_.next()), &resolved);
        ktwin_status status = {};
        (void)kt_core_status(viewer, &status);
    }

    void check() {
        ktwin_audit report = {};
        const kt_audit_budget budget = {64, 50};
        (void)kt_core_audit(kt_host_init_ns(), &budget, &report);
        ktwin_status status = {};
        (void)kt_core_status(kt_host_init_ns(), &status);
        if (status.state == KTWIN_LIVE && !wrong_) {
            require(report.complete == 1, "live and not complete");
            require(report.differences == 0, "a difference where there is none");
            require(report.checked == kernel_.entries(), "not everything was checked");
            require(status.pids == kernel_.live(), "another number of pids");
        }
    }

    Bytes bytes_;
    FakeKernel& kernel_ = FakeKernel::get();
    std::vector<FakeNs*> namespaces_;
    bool wrong_ = false;  // on purpose
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    CoreRun run(20000);
    History(Bytes(data, size)).play();
    return 0;
}
