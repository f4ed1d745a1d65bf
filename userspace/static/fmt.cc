// SPDX-License-Identifier: GPL-2.0-only
//
// What libfmt.so has, as an object: the client is static, to run in the root of any container, and Debian has no libfmt.a.
// With FMT_HEADER_ONLY each object would have it, and the compiler take twice as long.
#include <fmt/format-inl.h>

FMT_BEGIN_NAMESPACE
namespace detail {

// Declared extern in fmt/format.h.
template FMT_API auto thousands_sep_impl<char>(locale_ref) -> thousands_sep_result<char>;
template FMT_API auto decimal_point_impl(locale_ref) -> char;

}  // namespace detail
FMT_END_NAMESPACE
