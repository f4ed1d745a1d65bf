/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What lib/idr.c, lib/xarray.c, lib/radix-tree.c and lib/sbitmap.c ask of the kernel, on the host, as near to it in cost
 * as can be: spinlocks that are one locked exchange and a store behind a call, allocation from a list of each CPU, nodes
 * given back to it a batch later (as RCU does), per-CPU data that is one of each thread. Included before everything.
 */
#ifndef KTWIN_BENCH_KERNEL_SHIM_H
#define KTWIN_BENCH_KERNEL_SHIM_H

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#define XA_CHUNK_SHIFT 6

typedef uint8_t u8, __u8;
typedef uint32_t u32, __u32;
typedef uint64_t u64, __u64;
typedef unsigned int gfp_t;
typedef struct { int counter; } atomic_t;
typedef struct { long counter; } atomic_long_t;

#define __user
#define __rcu
#define __percpu
#define __force
#define __bitwise
#undef __always_inline
#define __init
#define __must_check
#define __must_hold(x)
#define __acquires(x)
#define __releases(x)
#define __always_inline inline __attribute__((always_inline))
#define __maybe_unused __attribute__((unused))
#define noinline __attribute__((noinline))
#define __printf(a, b)
#define __read_mostly
#define __ro_after_init
#define fallthrough __attribute__((__fallthrough__))
#define ____cacheline_aligned_in_smp __attribute__((aligned(64)))
#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)
#define EXPORT_SYMBOL(x)
#define EXPORT_SYMBOL_GPL(x)
#define EXPORT_PER_CPU_SYMBOL_GPL(x)
#define IS_ENABLED(x) 0
#define barrier() __asm__ volatile("" ::: "memory")
#define READ_ONCE(x) (*(const volatile __typeof__(x) *)&(x))
#define WRITE_ONCE(x, v) (*(volatile __typeof__(x) *)&(x) = (v))
#define BUG_ON(x) do { if (unlikely(x)) abort(); } while (0)
#define BUILD_BUG_ON(x) _Static_assert(!(x), #x)
#define VM_BUG_ON(x) ((void)0)
#define WARN_ON_ONCE(x) WARN_ON(x)
#define WARN_ON(x) ({ int bad = !!(x); if (unlikely(bad)) abort(); unlikely(bad); })
#define WARN(x, ...) WARN_ON(x)
#define container_of(p, t, m) ((t *)((char *)(p) - offsetof(t, m)))
#define DIV_ROUND_UP(n, d) (((n) + (d) - 1) / (d))
#define min(a, b) ({ __typeof__(a) l = (a); __typeof__(b) r = (b); l < r ? l : r; })
#define max(a, b) ({ __typeof__(a) l = (a); __typeof__(b) r = (b); l > r ? l : r; })
#define min_t(t, a, b) ({ t l = (a); t r = (b); l < r ? l : r; })
#define max_t(t, a, b) ({ t l = (a); t r = (b); l > r ? l : r; })
#define clamp(v, l, h) min(max(v, l), h)
#define clamp_t(t, v, l, h) min_t(t, max_t(t, v, l), h)
#define clamp_val(v, l, h) clamp_t(__typeof__(v), v, l, h)
#define data_race(x) (x)
#define swap(a, b) do { __typeof__(a) c = (a); (a) = (b); (b) = c; } while (0)
#define do_div(n, d) ({ u32 rest = (n) % (d); (n) /= (d); rest; })
#define pr_err(...) ((void)0)
#define pr_cont(...) ((void)0)
#define pr_info(...) ((void)0)
#define pr_debug(...) ((void)0)
#define kmemleak_update_trace(p) ((void)0)
#define ilog2(x) (63 - __builtin_clzl(x))
#define roundup_pow_of_two(x) (1UL << (64 - __builtin_clzl((x) - 1)))
#define U32_MAX UINT32_MAX
#define MAX_ERRNO 4095
#define IS_ERR_VALUE(x) ((unsigned long)(x) >= (unsigned long)-MAX_ERRNO)

static inline void *ERR_PTR(long error) { return (void *)error; }
static inline long PTR_ERR(const void *p) { return (long)p; }
static inline bool IS_ERR(const void *p) { return IS_ERR_VALUE(p); }

#define __GFP_DIRECT_RECLAIM 0x400u
#define __GFP_NOWARN 0x2000u
#define __GFP_ZERO 0x100u
#define __GFP_ACCOUNT 0x400000u
#define __GFP_BITS_SHIFT 26
#define __GFP_BITS_MASK ((1u << __GFP_BITS_SHIFT) - 1)
#define GFP_ZONEMASK 0x0fu
#define GFP_NOWAIT 0u
#define GFP_ATOMIC 0x20u
#define GFP_KERNEL 0xcc0u
static inline bool gfpflags_allow_blocking(gfp_t gfp) { return gfp & __GFP_DIRECT_RECLAIM; }
#define might_alloc(gfp) ((void)(gfp))
#define might_sleep() ((void)0)
#define might_sleep_if(x) ((void)0)

/* --- locks: out of line, as _raw_spin_lock is ---------------------------------------------------------------- */

typedef struct { int held; } spinlock_t, raw_spinlock_t;
#define __SPIN_LOCK_UNLOCKED(x) { 0 }
#define DEFINE_SPINLOCK(x) spinlock_t x = { 0 }
void shim_lock(spinlock_t *lock);
void shim_unlock(spinlock_t *lock);
#define spin_lock_init(l) ((void)((l)->held = 0))
#define raw_spin_lock_init(l) spin_lock_init(l)
#define spin_lock(l) shim_lock(l)
#define spin_unlock(l) shim_unlock(l)
#define spin_lock_irq(l) shim_lock(l)
#define spin_unlock_irq(l) shim_unlock(l)
#define spin_lock_bh(l) shim_lock(l)
#define spin_unlock_bh(l) shim_unlock(l)
#define spin_lock_irqsave(l, f) ((void)((f) = 0), shim_lock(l))
#define spin_unlock_irqrestore(l, f) ((void)(f), shim_unlock(l))
#define spin_lock_nested(l, n) shim_lock(l)
#define spin_lock_irqsave_nested(l, f, n) spin_lock_irqsave(l, f)
static inline raw_spinlock_t *shim_hold(raw_spinlock_t *lock) { shim_lock(lock); return lock; }
static inline void shim_let_go(raw_spinlock_t **lock) { shim_unlock(*lock); }
#define guard(name) shim_guard_##name
#define shim_guard_raw_spinlock_irqsave(l) \
	raw_spinlock_t *shim_held __attribute__((cleanup(shim_let_go), unused)) = shim_hold(l)
struct lock_class_key { int none; };
#define lockdep_set_class(l, k) ((void)0)
#define lockdep_is_held(l) 1
#define lockdep_assert_held(l) ((void)0)
struct lockdep_map { int none; };
typedef struct { int none; } local_lock_t;
#define INIT_LOCAL_LOCK(x) { 0 }
#define local_lock(l) barrier()
#define local_unlock(l) barrier()
#define preempt_disable() barrier()
#define preempt_enable() barrier()
#define in_interrupt() 0

/* --- RCU ------------------------------------------------------------------------------------------------------- */

struct rcu_head { struct rcu_head *next; void (*func)(struct rcu_head *head); };
void rcu_barrier(void);
void call_rcu(struct rcu_head *head, void (*func)(struct rcu_head *head));
#define rcu_read_lock() barrier()
#define rcu_read_unlock() barrier()
#define rcu_read_lock_held() 1
#define rcu_dereference_raw(p) READ_ONCE(p)
#define rcu_dereference(p) READ_ONCE(p)
#define rcu_dereference_check(p, c) READ_ONCE(p)
#define rcu_dereference_protected(p, c) (p)
#define rcu_assign_pointer(p, v) __atomic_store_n(&(p), (v), __ATOMIC_RELEASE)
#define RCU_INIT_POINTER(p, v) WRITE_ONCE(p, v)

/* --- memory ---------------------------------------------------------------------------------------------------- */

struct kmem_cache;
struct list_lru;
struct kmem_cache *kmem_cache_create(const char *name, unsigned int size, unsigned int align, unsigned int flags,
				     void (*ctor)(void *object));
void *kmem_cache_alloc(struct kmem_cache *cache, gfp_t gfp);
#define kmem_cache_alloc_lru(c, l, g) kmem_cache_alloc(c, g)
void kmem_cache_free(struct kmem_cache *cache, void *object);
extern __thread unsigned long shim_nodes;	/* that are not free */
#define SLAB_PANIC 0
#define SLAB_RECLAIM_ACCOUNT 0
#define kzalloc(size, gfp) calloc(1, size)
#define kmalloc(size, gfp) malloc(size)
#define kfree(p) free((void *)(p))
#define kvzalloc_node(size, gfp, node) aligned_zalloc(size)
#define kzalloc_node(size, gfp, node) aligned_zalloc(size)
#define kvfree(p) free(p)
static inline void *aligned_zalloc(size_t size)
{
	void *p = aligned_alloc(64, (size + 63) & ~63UL);

	return p ? memset(p, 0, size) : NULL;
}

/* --- per-CPU: two, one for each thread ---------------------------------------------------------------------------- */

#define SHIM_CPUS 2
extern __thread unsigned int shim_cpu;
#define NUMA_NO_NODE (-1)
#define DECLARE_PER_CPU(type, name) extern __thread type name
#define DEFINE_PER_CPU(type, name) __thread type name
#define this_cpu_ptr(p) (p)
#define per_cpu(v, cpu) (v)
#define alloc_percpu_gfp(type, gfp) ((type *)aligned_zalloc(SHIM_CPUS * 64))
#define free_percpu(p) free(p)
#define per_cpu_ptr(p, cpu) ((__typeof__(p))((char *)(p) + (cpu) * 64))
#define raw_cpu_ptr(p) per_cpu_ptr(p, shim_cpu)
#define this_cpu_read(v) (*raw_cpu_ptr(&(v)))
#define this_cpu_write(v, x) (*raw_cpu_ptr(&(v)) = (x))
#define for_each_possible_cpu(i) for ((i) = 0; (i) < SHIM_CPUS; (i)++)
#define cpuhp_setup_state_nocalls(a, b, c, d) 0
#define raw_smp_processor_id() shim_cpu
#define get_cpu() shim_cpu
#define put_cpu() barrier()
static inline u32 get_random_u32_below(u32 bound) { return (u32)rand() % bound; }

/* --- atomics ------------------------------------------------------------------------------------------------------ */

#define atomic_read(a) READ_ONCE((a)->counter)
#define atomic_set(a, v) WRITE_ONCE((a)->counter, v)
#define atomic_inc(a) ((void)__atomic_fetch_add(&(a)->counter, 1, __ATOMIC_SEQ_CST))
#define atomic_dec(a) ((void)__atomic_fetch_sub(&(a)->counter, 1, __ATOMIC_SEQ_CST))
#define atomic_add(v, a) ((void)__atomic_fetch_add(&(a)->counter, v, __ATOMIC_SEQ_CST))
#define atomic_try_cmpxchg(a, o, n) \
	__atomic_compare_exchange_n(&(a)->counter, o, n, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)
#define atomic_cmpxchg(a, o, n) cmpxchg(&(a)->counter, o, n)
#define atomic_long_andnot(m, a) ((void)__atomic_fetch_and(&(a)->counter, ~(m), __ATOMIC_SEQ_CST))
#define atomic_long_try_cmpxchg(a, o, n) \
	__atomic_compare_exchange_n(&(a)->counter, (long *)(o), (long)(n), 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)
#define xchg(p, v) __atomic_exchange_n(p, v, __ATOMIC_SEQ_CST)
#define cmpxchg(p, o, n) ({ __typeof__(*(p)) was = (o); \
	__atomic_compare_exchange_n(p, &was, n, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST); was; })
#define smp_mb__before_atomic() barrier()
#define smp_mb__after_atomic() barrier()
#define smp_mb() __atomic_thread_fence(__ATOMIC_SEQ_CST)

/* --- bits --------------------------------------------------------------------------------------------------------- */

#define BITS_PER_LONG 64
#define BITS_PER_BYTE 8
#define BITS_PER_XA_VALUE (BITS_PER_LONG - 1)
#define BITS_TO_LONGS(n) DIV_ROUND_UP(n, 64)
#define BIT(n) (1UL << (n))
#define DECLARE_BITMAP(name, bits) unsigned long name[BITS_TO_LONGS(bits)]
#define BITMAP_LAST_WORD_MASK(n) (~0UL >> (-(n) & 63))
#define __ffs(x) ((unsigned long)__builtin_ctzl(x))
#define hweight_long(x) ((unsigned int)__builtin_popcountl(x))
static inline bool test_bit(unsigned long n, const volatile unsigned long *p) { return p[n / 64] >> n % 64 & 1; }
static inline void __set_bit(unsigned long n, unsigned long *p) { p[n / 64] |= BIT(n % 64); }
static inline void __clear_bit(unsigned long n, unsigned long *p) { p[n / 64] &= ~BIT(n % 64); }
static inline bool __test_and_set_bit(unsigned long n, unsigned long *p)
{
	bool was = test_bit(n, p);

	__set_bit(n, p);
	return was;
}
static inline bool __test_and_clear_bit(unsigned long n, unsigned long *p)
{
	bool was = test_bit(n, p);

	__clear_bit(n, p);
	return was;
}
static inline void set_bit(unsigned long n, unsigned long *p)
{
	__atomic_fetch_or(&p[n / 64], BIT(n % 64), __ATOMIC_SEQ_CST);
}
static inline void clear_bit(unsigned long n, unsigned long *p)
{
	__atomic_fetch_and(&p[n / 64], ~BIT(n % 64), __ATOMIC_SEQ_CST);
}
#define clear_bit_unlock clear_bit
static inline bool test_and_set_bit_lock(unsigned long n, unsigned long *p)
{
	return __atomic_fetch_or(&p[n / 64], BIT(n % 64), __ATOMIC_SEQ_CST) & BIT(n % 64);
}
static __always_inline unsigned long shim_find(const unsigned long *p, unsigned long size, unsigned long at,
					       unsigned long flip)
{
	unsigned long w, word;

	if (unlikely(at >= size))
		return size;
	word = (READ_ONCE(p[at / 64]) ^ flip) & ~0UL << at % 64;
	for (w = at / 64; !word;) {
		if (++w * 64 >= size)
			return size;
		word = READ_ONCE(p[w]) ^ flip;
	}
	return min(w * 64 + __ffs(word), size);
}
#define find_next_bit(p, size, at) shim_find(p, size, at, 0)
#define find_first_bit(p, size) shim_find(p, size, 0, 0)
#define find_next_zero_bit(p, size, at) shim_find(p, size, at, ~0UL)
#define find_first_zero_bit(p, size) shim_find(p, size, 0, ~0UL)
#define bitmap_empty(p, n) (find_first_bit(p, n) == (n))
#define bitmap_full(p, n) (find_first_zero_bit(p, n) == (n))
#define bitmap_fill(p, n) ((void)memset(p, 0xff, BITS_TO_LONGS(n) * 8))
#define bitmap_zero(p, n) ((void)memset(p, 0, BITS_TO_LONGS(n) * 8))
static inline void bitmap_clear(unsigned long *p, unsigned int start, unsigned int n)
{
	while (n--)
		__clear_bit(start++, p);
}
static inline unsigned int bitmap_weight(const unsigned long *p, unsigned int n)
{
	return hweight_long(*p & BITMAP_LAST_WORD_MASK(n));
}

/* --- lists, and what only sbitmap's sleepers and printers need -------------------------------------------------------- */

struct list_head { struct list_head *next, *prev; };
#define LIST_HEAD_INIT(n) { &(n), &(n) }
static inline void INIT_LIST_HEAD(struct list_head *l) { l->next = l->prev = l; }
static inline bool list_empty(const struct list_head *l) { return l->next == l; }
static inline void list_del_init(struct list_head *l)
{
	l->next->prev = l->prev;
	l->prev->next = l->next;
	INIT_LIST_HEAD(l);
}
typedef struct { int none; } wait_queue_head_t;
typedef struct wait_queue_entry { int none; struct list_head entry; void *private;
	int (*func)(struct wait_queue_entry *wq, unsigned int mode, int flags, void *key); } wait_queue_entry_t;
#define current NULL
#define DEFINE_WAIT(n) wait_queue_entry_t n
#define init_waitqueue_head(w) ((void)(w))
#define init_wait(w) ((void)(w))
#define waitqueue_active(w) 0
#define wake_up_nr(w, n) ((void)(n), 0)
#define wake_up(w) ((void)(w))
#define add_wait_queue(w, e) ((void)(w), (void)(e))
#define prepare_to_wait_exclusive(w, e, s) ((void)(w), (void)(e), (void)(s))
#define finish_wait(w, e) ((void)(w), (void)(e))
#define list_empty_careful list_empty
static inline int autoremove_wake_function(wait_queue_entry_t *e, unsigned int m, int f, void *k) { return 0; }
struct seq_file;
#define seq_printf(m, ...) ((void)(m))
#define seq_puts(m, s) ((void)(m))
#define seq_putc(m, c) ((void)(m))

#endif
