// SPDX-License-Identifier: GPL-2.0-only
//
// BtfName: a name, or a path of names with dots between them, that stands in memory of somebody else.
#ifndef KTWIN_CORE_BTF_NAME_H
#define KTWIN_CORE_BTF_NAME_H

#include "base/types.h"

namespace ktwin {

class BtfName {
  public:
    constexpr BtfName() = default;
    constexpr BtfName(const char* text, u32 size) : text_(text), size_(size) {}
    // text is ended by a NUL.
    constexpr explicit BtfName(const char* text) : text_(text) {
        while (text[size_] != '\0') {
            ++size_;
        }
    }

    constexpr bool empty() const { return size_ == 0; }
    constexpr const char* text() const { return text_; }
    constexpr u32 size() const { return size_; }

    constexpr bool operator==(const BtfName& other) const {
        if (size_ != other.size_) {
            return false;
        }
        for (u32 i = 0; i < size_; ++i) {
            if (text_[i] != other.text_[i]) {
                return false;
            }
        }
        return true;
    }

    // What stands before the first dot, and what stands behind it.
    constexpr BtfName head() const { return {text_, dot()}; }
    constexpr BtfName rest() const {
        const u32 at = dot();
        return at == size_ ? BtfName() : BtfName(text_ + at + 1, size_ - at - 1);
    }

  private:
    constexpr u32 dot() const {
        u32 at = 0;
        while (at < size_ && text_[at] != '.') {
            ++at;
        }
        return at;
    }

    const char* text_ = nullptr;
    u32 size_ = 0;
};

static_assert(BtfName("ep.wq.head").head() == BtfName("ep") &&
              BtfName("ep.wq.head").rest() == BtfName("wq.head"));
static_assert(BtfName("ep").head() == BtfName("ep") && BtfName("ep").rest().empty());

}  // namespace ktwin

#endif
