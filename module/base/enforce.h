// SPDX-License-Identifier: GPL-2.0-only
//
// Last include of every source file of the core: from here on these names do not compile. What a name stood
// for before (a template, a macro of a header) keeps its meaning.
#ifndef KTWIN_BASE_ENFORCE_H
#define KTWIN_BASE_ENFORCE_H

// Hidden allocation, and construction that does not look at the result: use construct_at().
#pragma GCC poison new delete malloc calloc realloc free kmalloc kfree
// A C++ run time that is not there.
#pragma GCC poison throw try catch dynamic_cast typeid thread_local virtual
// The FPU belongs to user space.
#pragma GCC poison float double
// The C library, and the kernel's own names.
#pragma GCC poison printf printk sprintf snprintf strlen strcpy strcmp abort exit assert
#pragma GCC poison rcu_read_lock rcu_read_unlock spin_lock spin_unlock synchronize_rcu call_rcu \
    kmem_cache_alloc

#endif
