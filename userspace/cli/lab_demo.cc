// SPDX-License-Identifier: GPL-2.0-only
#include "lab_demo.h"

#include <uapi/ktwin.h>

namespace ktwin::cli {
namespace {

constexpr Chapter all[] = {
    {"Namespaces: one pid, a number at each level", KTWIN_LAB_HAS_PIDS, 0, R"(
say A fresh world has one namespace, 1, and nothing in it. Its first pid gets number 1: that is its init.
alloc 1 --task
alloc 1 --task
say A container, and another one in it. A pid is seen by its own namespace and by each above, with a number of its own.
$c = ns create 1
alloc $c --task
$d = ns create $c
$nr = alloc $d --task
ns list
say Number $nr of namespace $d is what the process itself reads; its numbers above are how it is killed from there.
find $d $nr
list 1
)"},
    {"The cursor: what was freed is not the next to be given", KTWIN_LAB_HAS_CYCLIC, 0, R"(
say Numbers are given in a circle, so that a number seldom means another process soon after it was freed.
pid-max 1 12
alloc 1 --count 11
say All of 1 to 11 are out. The next one is refused, as fork() is then.
expect EAGAIN alloc 1
free 1 3 7
say The search wraps to the beginning.
alloc 1
say Now 2 is freed. The cursor is behind 3, so 7 comes before it.
free 1 2
alloc 1
alloc 1
expect EAGAIN alloc 1
)"},
    {"The wrap leaves out the first 300", KTWIN_LAB_HAS_CYCLIC, 0, R"(
say Once the cursor was beyond 300 (RESERVED_PIDS), a search that wraps begins at 300: those below are the daemons'.
pid-max 1 310
alloc 1 --count 309
free 1 5 302
alloc 1
say 5 is free, and yet there is no number for a fork.
expect EAGAIN alloc 1
)"},
    {"Lowest first", KTWIN_LAB_HAS_LOWEST, 0, R"(
say Without a cursor the same number comes again at once.
alloc 1 --how lowest --count 6
free 1 2 4
alloc 1 --how lowest
alloc 1 --how lowest
alloc 1 --how lowest
)"},
    {"Any number", KTWIN_LAB_HAS_ANY, 0, R"(
say Who does not care which number it gets is given one near at hand: of the leaf used last, or of a block of the CPU's own.
alloc 1 --how any --count 8
alloc 1 --how any --count 8
)"},
    {"A number that is asked for", KTWIN_LAB_HAS_AT, 0, R"(
say To restore a process from a checkpoint its number must be the old one (clone3() with set_tid).
alloc 1
alloc 1 --wanted 100
expect EEXIST alloc 1 --wanted 100
say Below pid_max it has to be, and above 0.
expect EINVAL alloc 1 --wanted 0
)"},
    {"A session keeps a number", KTWIN_LAB_HAS_PIDS, 0, R"(
say A shell: a process that leads a group and a session. Both are named by its number.
alloc 1 --task
$nr $shell = alloc 1 --task
attach $shell pgid 1 $nr
attach $shell sid 1 $nr
say Its child is a process of its own, in the same group and session.
$other $child = alloc 1 --task
attach $child pgid 1 $nr
attach $child sid 1 $nr
tasks
say The shell ends.
detach $shell pid
detach $shell tgid
detach $shell pgid
detach $shell sid
say Nobody has the number $nr as its PID, and still it is not free: the child's group and session have that name.
find 1 $nr
expect EBUSY free 1 $nr
say The child leaves them, as setsid() does. With its last use the number goes.
change $child pgid 1 $other
change $child sid 1 $other
expect ESRCH find 1 $nr
)"},
    {"The end of a namespace", KTWIN_LAB_HAS_PIDS, 0, R"(
alloc 1 --task
$c = ns create 1
$init = alloc $c --task
alloc $c --task --count 3
say One of outside joins a session of inside.
$nr $guest = alloc 1 --task
attach $guest sid $c $init
say The init of the container ends, and so does everybody in it. What stays is the number that the guest's session has.
kill $c
ns list
say It takes no more: this is the ENOMEM that a fork into a container sees whose init is gone.
expect ENOMEM alloc $c
say With its last number the namespace is gone.
detach $guest sid
expect ESRCH alloc $c
)"},
    {"A pool that is empty: a leak, or an estimate", KTWIN_LAB_HAS_PIDS, 8, R"(
say This lab may have 8 pids at a time. Somebody allocates and forgets to free.
expect ENOMEM alloc 1 --count 9
say A higher limit would help for a while only, and the lab can tell: no task uses them.
stats
)"},
};

}  // namespace

std::span<const Chapter> chapters() {
    return all;
}

}  // namespace ktwin::cli
