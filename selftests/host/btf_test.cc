// SPDX-License-Identifier: GPL-2.0-only
//
// The BTF reader on what is right, and on everything that is not.
#include <gtest/gtest.h>

#include <memory>

#include "btf_builder.h"
#include "core/btf_reader.h"
#include "fake_host.h"

namespace ktwin {
namespace {

using Bytes = BtfBuilder::Bytes;

// A copy of its own, of exactly that size, so that ASan sees a byte too far.
class Opened {
  public:
    explicit Opened(const Bytes& bytes)
        : copy_(new u8[bytes.size()]), data_({copy_.get(), static_cast<u32>(bytes.size())}), reader_(data_) {
        std::copy(bytes.begin(), bytes.end(), copy_.get());
        error_ = data_.open().error();
    }
    Errno error() const { return error_; }
    const BtfData& data() const { return data_; }
    const BtfReader& reader() const { return reader_; }

    BtfSought locate(const char* name, BtfKind kind = BtfKind::kStruct) {
        BtfSought sought{BtfName(name), kind};
        located_ = data_.locate({&sought, 1}).error();
        return sought;
    }
    Errno located() const { return located_; }

  private:
    std::unique_ptr<u8[]> copy_;
    BtfData data_;
    BtfReader reader_;
    Errno error_ = Errno::kNone;
    Errno located_ = Errno::kNone;
};

Errno error_of(BtfBuilder& builder, u32 id, const char* path) {
    Opened btf(builder.build());
    EXPECT_EQ(btf.error(), Errno::kNone);
    return btf.reader().member(id, BtfName(path)).error();
}

void expect_field(const Opened& btf, u32 id, const char* path, u32 offset, u32 size, BtfShape shape,
                  const char* type = "") {
    const Expected<BtfField> field = btf.reader().member(id, BtfName(path));
    ASSERT_TRUE(field) << path << ": " << static_cast<int>(field.error());
    EXPECT_EQ(field.value().offset, offset) << path;
    EXPECT_EQ(field.value().size, size) << path;
    EXPECT_EQ(field.value().shape, shape) << path;
    EXPECT_TRUE(field.value().type == BtfName(type)) << path;
}

// --- what is right

TEST(Btf, EveryKindOfMember) {
    BtfBuilder b;
    const u32 word = b.integer("unsigned int", 4);
    const u32 forward = b.forward("task_struct");
    const u32 list = b.structure("list_head", 16, {{"next", b.next() + 1, 0}, {"prev", b.next() + 1, 64}});
    b.pointer(list);
    const u32 head = b.structure("wait_queue_head", 24, {{"lock", word, 0}, {"head", list, 64}});
    const u32 head_t = b.alias(BtfKind::kTypedef, "wait_queue_head_t", head);
    const u32 constant = b.alias(BtfKind::kConst, "", b.alias(BtfKind::kVolatile, "", head_t));
    const u32 tagged = b.alias(BtfKind::kTypeTag, "rcu", b.alias(BtfKind::kRestrict, "", forward));
    b.tag("about", list);
    const u32 ep = b.structure("eventpoll", 200,
                               {{"wq", constant, 0},
                                {"task", b.pointer(tagged), 192},
                                {"nothing", b.pointer(0), 256},
                                {"deep", b.pointer(b.pointer(list)), 320},
                                {"names", b.array(b.array(word, 3), 2), 384},
                                {"heads", b.array(head_t, 2), 576},
                                {"state", b.enumeration("state"), 960},
                                {"wide", b.enumeration64("wide"), 1024},
                                {"real", b.floating(8), 1088},
                                {"rest", b.array(word, 0), 1600}});
    Opened btf(b.build());
    ASSERT_EQ(btf.error(), Errno::kNone);
    EXPECT_EQ(btf.reader().size_of(ep).value(), 200u);
    expect_field(btf, ep, "wq", 0, 24, BtfShape::kStruct, "wait_queue_head");
    expect_field(btf, ep, "wq.lock", 0, 4, BtfShape::kInteger);
    expect_field(btf, ep, "wq.head", 8, 16, BtfShape::kStruct, "list_head");
    expect_field(btf, ep, "wq.head.prev", 16, 8, BtfShape::kPointer, "list_head");
    expect_field(btf, ep, "task", 24, 8, BtfShape::kPointer, "task_struct");
    expect_field(btf, ep, "nothing", 32, 8, BtfShape::kPointer);
    expect_field(btf, ep, "deep", 40, 8, BtfShape::kPointer);
    expect_field(btf, ep, "names", 48, 24, BtfShape::kArray);
    expect_field(btf, ep, "heads", 72, 48, BtfShape::kArray, "wait_queue_head");
    expect_field(btf, ep, "state", 120, 4, BtfShape::kInteger);
    expect_field(btf, ep, "wide", 128, 8, BtfShape::kInteger);
    expect_field(btf, ep, "real", 136, 8, BtfShape::kOther);
    expect_field(btf, ep, "rest", 200, 0, BtfShape::kArray);
    for (const char* path : {"", ".", ".wq", "w", "wqq", "wq.tail", "task.pid", "names.next", "wq.lock.x"}) {
        EXPECT_EQ(btf.reader().member(ep, BtfName(path)).error(), Errno::kNotFound) << path;
    }
}

TEST(Btf, AnonymousStructsAreSearchedThrough) {
    BtfBuilder b;
    const u32 word = b.integer("int", 4);
    const u32 inner = b.structure("", 8, {{"a", word, 0}, {"b", word, 32}});
    const u32 both = b.composite(BtfKind::kUnion, "", 12, {{"", inner, 32}, {"c", word, 0}});
    const u32 outer = b.structure("outer", 40, {{"x", word, 0}, {"", both, 64}, {"named", both, 160}});
    Opened btf(b.build());
    expect_field(btf, outer, "b", 16, 4, BtfShape::kInteger);
    expect_field(btf, outer, "c", 8, 4, BtfShape::kInteger);
    expect_field(btf, outer, "named.b", 28, 4, BtfShape::kInteger);
    EXPECT_EQ(btf.reader().member(outer, BtfName("d")).error(), Errno::kNotFound);
}

TEST(Btf, LongerHeaderAndOtherOrderOfSections) {
    BtfBuilder b;
    b.structure("s", 4, {{"m", b.next() + 1, 0}});
    b.integer("int", 4);
    b.header.length = 40;
    Opened btf(b.build());
    ASSERT_EQ(btf.error(), Errno::kNone);
    expect_field(btf, 1, "m", 0, 4, BtfShape::kInteger);
}

TEST(Btf, EmptyHasNoTypes) {
    BtfBuilder b;
    Opened btf(b.build());
    ASSERT_EQ(btf.error(), Errno::kNone);
    EXPECT_EQ(btf.locate("s").times, 0u);
    EXPECT_EQ(btf.data().record(1).error(), Errno::kInvalid);
}

TEST(Btf, LocateCountsByNameAndKind) {
    BtfBuilder b;
    b.forward("rq");
    const u32 rq = b.structure("rq", 4, {});
    b.composite(BtfKind::kUnion, "rq", 4, {});
    const u32 function = b.function("rq");
    b.structure("rq2", 4, {});
    b.structure("two", 4, {});
    b.structure("two", 8, {});
    Opened btf(b.build());
    EXPECT_EQ(btf.locate("rq").times, 1u);
    EXPECT_EQ(btf.locate("rq").id, rq);
    EXPECT_EQ(btf.locate("rq", BtfKind::kFunction).id, function);
    EXPECT_EQ(btf.locate("two").times, 2u);
    EXPECT_EQ(btf.locate("three").times, 0u);
    EXPECT_EQ(btf.located(), Errno::kNone);
}

TEST(Btf, VariablesOfASection) {
    BtfBuilder b;
    const u32 rq = b.structure("rq", 64, {});
    const u32 good = b.section(".data..percpu", 200, {{"runqueues", rq, 64, 64}, {"kstat", rq, 136, 64}});
    const u32 two = b.section("two", 200, {{"v", rq, 0, 64}, {"v", rq, 64, 64}});
    const u32 beyond = b.section("beyond", 100, {{"v", rq, 64, 64}});
    const u32 other_size = b.section("other", 200, {{"v", rq, 64, 63}});
    const u32 no_type = b.section("none", 200, {{"v", 0, 64, 64}});
    const u32 no_variable = b.record(b.string("no"), BtfBuilder::info(BtfKind::kSection, 1), 64, {rq, 0, 64});
    const u32 no_such = b.record(b.string("no"), BtfBuilder::info(BtfKind::kSection, 1), 64, {9999, 0, 64});
    const u32 bad_name = b.record(0x1000000, BtfBuilder::info(BtfKind::kVariable), rq, {1});
    const u32 nameless =
        b.record(b.string("no"), BtfBuilder::info(BtfKind::kSection, 1), 64, {bad_name, 0, 64});
    Opened btf(b.build());
    ASSERT_EQ(btf.error(), Errno::kNone);
    const Expected<BtfField> field = btf.reader().variable(good, BtfName("kstat"));
    ASSERT_TRUE(field);
    EXPECT_EQ(field.value().offset, 136u);
    EXPECT_EQ(field.value().size, 64u);
    EXPECT_TRUE(field.value().type == BtfName("rq"));
    EXPECT_EQ(btf.reader().variable(good, BtfName("v")).error(), Errno::kNotFound);
    EXPECT_EQ(btf.reader().variable(two, BtfName("v")).error(), Errno::kExists);
    for (const u32 wrong : {beyond, other_size, no_type, no_variable, no_such, nameless, rq, 0u, 9999u}) {
        EXPECT_EQ(btf.reader().variable(wrong, BtfName("v")).error(), Errno::kInvalid) << wrong;
    }
}

// --- what is not

TEST(BtfBad, Header) {
    BtfBuilder b;
    b.structure("s", 4, {});
    const Bytes good = b.build();
    ASSERT_EQ(Opened(good).error(), Errno::kNone);
    const auto with = [&good](auto change) {
        Bytes bytes = good;
        BtfHeader header{};
        std::memcpy(&header, bytes.data(), sizeof(header));
        change(header);
        std::memcpy(bytes.data(), &header, sizeof(header));
        return Opened(bytes).error();
    };
    EXPECT_EQ(with([](BtfHeader& h) { h.magic = 0x9feb; }), Errno::kNotSupported);
    EXPECT_EQ(with([](BtfHeader& h) { h.version = 2; }), Errno::kNotSupported);
    EXPECT_EQ(with([](BtfHeader& h) { h.flags = 1; }), Errno::kNotSupported);
    EXPECT_EQ(with([](BtfHeader& h) { h.length = 23; }), Errno::kInvalid);
    EXPECT_EQ(with([](BtfHeader& h) { h.length = 25; }), Errno::kInvalid);
    EXPECT_EQ(with([](BtfHeader& h) { h.length = ~0u; }), Errno::kInvalid);
    EXPECT_EQ(with([](BtfHeader& h) { h.types_offset = 4; }), Errno::kInvalid);
    EXPECT_EQ(with([](BtfHeader& h) { h.types_offset = ~0u; }), Errno::kInvalid);
    EXPECT_EQ(with([](BtfHeader& h) { h.types_length = ~0u; }), Errno::kInvalid);
    EXPECT_EQ(with([](BtfHeader& h) { h.strings_offset += 1; }), Errno::kInvalid);
    EXPECT_EQ(with([](BtfHeader& h) { h.strings_offset = ~0u; }), Errno::kInvalid);
    EXPECT_EQ(with([](BtfHeader& h) { h.strings_length = 0; }), Errno::kInvalid);
    EXPECT_EQ(with([](BtfHeader& h) { h.strings_length -= 1; }), Errno::kInvalid);
    EXPECT_EQ(with([](BtfHeader& h) { h.strings_length += 1; }), Errno::kInvalid);
    EXPECT_EQ(with([](BtfHeader& h) { h.strings_offset -= 1; }), Errno::kInvalid);
    EXPECT_EQ(with([](BtfHeader& h) { h.strings_offset += 1, h.strings_length -= 1; }), Errno::kInvalid);
}

TEST(BtfBad, EveryTruncation) {
    BtfBuilder b;
    b.section("sec", 64, {{"v", b.structure("s", 4, {{"m", b.integer("int", 4), 0}}), 0, 4}});
    const Bytes good = b.build();
    for (size_t size = 0; size < good.size(); ++size) {
        EXPECT_EQ(Opened(Bytes(good.begin(), good.begin() + static_cast<long>(size))).error(),
                  Errno::kInvalid)
            << size;
    }
}

TEST(BtfBad, RecordThatEndsBeyondTheTypes) {
    for (u32 kind = 1; kind < static_cast<u32>(BtfKind::kKinds); ++kind) {
        BtfBuilder b;
        b.record(0, kind << 24 | 0xffff, 4);
        const BtfType type = {0, kind << 24 | 0xffff, 4};
        const bool has_tail = btf_record_length(type) > sizeof(BtfType);
        EXPECT_EQ(Opened(b.build()).error(), has_tail ? Errno::kInvalid : Errno::kNone) << kind;
    }
}

TEST(BtfBad, UnknownKindsAndBits) {
    for (u32 kind = static_cast<u32>(BtfKind::kKinds); kind < 33; ++kind) {
        BtfBuilder b;
        b.record(0, (kind % 32) << 24, 4);
        EXPECT_EQ(Opened(b.build()).error(), Errno::kNotSupported) << kind % 32;
    }
    for (const u32 bit : {16u, 23u, 29u, 30u}) {
        BtfBuilder b;
        b.record(0, BtfBuilder::info(BtfKind::kPointer) | 1u << bit, 0);
        EXPECT_EQ(Opened(b.build()).error(), Errno::kInvalid) << bit;
    }
}

TEST(BtfBad, StringOffsetBeyond) {
    BtfBuilder b;
    const u32 word = b.integer("int", 4);
    const u32 structure =
        b.record(b.string("s"), BtfBuilder::info(BtfKind::kStruct, 1), 4, {0x7fffffff, word, 0});
    EXPECT_EQ(error_of(b, structure, "m"), Errno::kInvalid);
    b.record(0x7fffffff, BtfBuilder::info(BtfKind::kStruct), 4);
    Opened btf(b.build());
    btf.locate("s");
    EXPECT_EQ(btf.located(), Errno::kInvalid);
    btf.locate("s", BtfKind::kFunction);
    EXPECT_EQ(btf.located(), Errno::kNone) << "names of other kinds are not looked at";
}

TEST(BtfBad, Loops) {
    BtfBuilder b;
    const u32 self = b.alias(BtfKind::kTypedef, "t", b.next());
    const u32 two = b.alias(BtfKind::kConst, "", b.next() + 1);
    b.alias(BtfKind::kVolatile, "", two);
    const u32 array = b.array(b.next(), 1);
    const u32 none = b.array(b.next(), 0);
    const u32 itself = b.structure("itself", 8, {{"", b.next(), 0}});
    const u32 pointer = b.pointer(b.next());
    const u32 s = b.structure("s", 64,
                              {{"self", self, 0},
                               {"two", two, 0},
                               {"array", array, 0},
                               {"none", none, 0},
                               {"pointer", pointer, 0},
                               {"to_loop", b.pointer(two), 0}});
    for (const char* path : {"self", "two", "array", "none", "to_loop"}) {
        EXPECT_EQ(error_of(b, s, path), Errno::kInvalid) << path;
    }
    EXPECT_EQ(error_of(b, s, "pointer"), Errno::kNone) << "a pointer to itself is a pointer";
    EXPECT_EQ(error_of(b, itself, "m"), Errno::kInvalid);
}

// Eight levels of a thousand anonymous members each, all the same.
TEST(BtfBad, UnfoldsForEver) {
    BtfBuilder b;
    u32 type = b.structure("", 4, {{"m", b.integer("int", 4), 0}});
    for (int level = 0; level < 6; ++level) {
        type = b.structure("", 4, std::vector<BtfBuilder::Member>(1000, {"", type, 0}));
    }
    const u32 top = b.structure("top", 4, {{"", type, 0}});
    EXPECT_EQ(error_of(b, top, "m"), Errno::kNone);
    EXPECT_EQ(error_of(b, top, "n"), Errno::kInvalid);
}

TEST(BtfBad, NestedTooDeep) {
    BtfBuilder b;
    u32 type = b.structure("", 4, {{"m", b.integer("int", 4), 0}});
    std::vector<u32> deep;
    for (int level = 0; level < 10; ++level) {
        deep.push_back(type);
        type = b.structure("", 4, {{"", type, 0}});
    }
    EXPECT_EQ(error_of(b, deep[8], "m"), Errno::kNone);
    EXPECT_EQ(error_of(b, deep[9], "m"), Errno::kInvalid);
}

TEST(BtfBad, MembersWithoutASize) {
    BtfBuilder b;
    const u32 function = b.function("f");
    const u32 s = b.structure("s", 64,
                              {{"nothing", 0, 0},
                               {"function", function, 0},
                               {"forward", b.forward("t"), 0},
                               {"no_type", 9999, 0},
                               {"array", b.array(0, 3), 0},
                               {"to_none", b.pointer(9999), 0},
                               {"variable", b.record(0, BtfBuilder::info(BtfKind::kVariable), 1, {1}), 0}});
    for (const char* path : {"nothing", "function", "forward", "no_type", "array", "to_none", "variable"}) {
        EXPECT_EQ(error_of(b, s, path), Errno::kInvalid) << path;
    }
    EXPECT_EQ(error_of(b, 0, "m"), Errno::kInvalid);
    EXPECT_EQ(error_of(b, function, "m"), Errno::kInvalid);
    EXPECT_EQ(error_of(b, 9999, "m"), Errno::kInvalid);
}

TEST(BtfBad, MembersBeyondTheirStruct) {
    BtfBuilder b;
    const u32 word = b.integer("int", 4);
    const u32 eight = b.structure("", 8, {{"in", word, 32}, {"out", word, 40}});
    const u32 s = b.structure("s", 12,
                              {{"last", word, 64},
                               {"one", word, 72},
                               {"far", word, 0xfffffff8},
                               {"anonymous", eight, 32},
                               {"many", b.array(word, 4), 0},
                               {"huge", b.array(b.array(word, 0xffffffff), 0xffffffff), 0},
                               {"wraps", b.array(word, 0x40000000), 0}});
    const u32 around = b.structure("around", 12, {{"", eight, 40}});
    EXPECT_EQ(error_of(b, s, "last"), Errno::kNone);
    EXPECT_EQ(error_of(b, s, "anonymous.in"), Errno::kNone);
    for (const char* path : {"one", "far", "anonymous.out", "many", "huge", "wraps"}) {
        EXPECT_EQ(error_of(b, s, path), Errno::kInvalid) << path;
    }
    EXPECT_EQ(error_of(b, around, "in"), Errno::kInvalid);
}

TEST(BtfBad, Bitfields) {
    BtfBuilder b;
    const u32 word = b.integer("int", 4);
    const u32 three = b.partial_integer("int", 4, 3);
    const u32 shifted = b.partial_integer("int", 4, 32, 8);
    const u32 flagged =
        b.structure("flagged", 16, {{"bits", word, 0, 3}, {"plain", word, 32}, {"", word, 64, 5}});
    const u32 old = b.structure(
        "old", 16, {{"three", three, 0}, {"shifted", shifted, 0}, {"odd", word, 33}, {"plain", word, 64}});
    EXPECT_EQ(error_of(b, flagged, "bits"), Errno::kNotSupported);
    EXPECT_EQ(error_of(b, flagged, "plain"), Errno::kNone);
    EXPECT_EQ(error_of(b, flagged, "absent"), Errno::kNotFound);
    EXPECT_EQ(error_of(b, old, "three"), Errno::kNotSupported);
    EXPECT_EQ(error_of(b, old, "shifted"), Errno::kNotSupported);
    EXPECT_EQ(error_of(b, old, "odd"), Errno::kNotSupported);
    EXPECT_EQ(error_of(b, old, "plain"), Errno::kNone);
}

TEST(BtfBad, NoMemory) {
    FakeHost& host = FakeHost::get();
    host.reset();
    BtfBuilder b;
    b.structure("s", 4, {});
    host.fail_allocation(1);
    EXPECT_EQ(Opened(b.build()).error(), Errno::kNoMemory);
    host.fail_allocation(2);
    EXPECT_EQ(Opened(b.build()).error(), Errno::kNone) << "one allocation is all there is";
    host.reset();
}

}  // namespace
}  // namespace ktwin
