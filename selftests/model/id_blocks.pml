/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * module/core/id_blocks.h for spin: two CPUs, two blocks of two ids each. A CPU claims in its own block without the
 * lock, frees anywhere without the lock, changes its block, steals and detaches under it. Every step that is one memory
 * operation there is one here, in sequentially consistent order, as the operations it rests on are.
 *
 * Checked in every interleaving:
 *  - a number is held by one CPU at a time
 *  - nobody touches the bits of a block that is not attached (a claim, or a free of what is held)
 *  - a block goes only without an owner and empty, and once
 *  - the slot of a number that was claimed is empty, and what is published there is not overwritten by the free before
 *  - who is told that nothing is free: there was an instant of the call at which all four were used
 *  - at the end no block without an owner and without ids is left attached
 *
 * It begins with nothing, or nearly full: a sleeping task has two ids, CPU 1 a third one and the block of the last. Only
 * so few rounds are enough for a free and a claim on both sides of a search.
 *
 * What makes it fail, each tried by itself:
 *  - release() that empties the slot after the bit: "slot[got] == 0"
 *  - a search that believes one look, without the second frees_settled(): "was_full"
 *  - detach_if_empty() that does not ask for the owner; a last free that calls it without the lock: "attached"
 *  - a last free that does not look at the block any more: the last claim of init
 * Not seen here: frees_settled() that does not wait for an even count. While one CPU's free is under way the whole search
 * long, it needs a third one to claim what it frees.
 */
#define CPUS 2
#define BLOCKS 2
#define SIZE 2
#define IDS 4
#define NONE 255
#define ROUNDS 3

bool nearly_full;
bool lock_held;
bool attached[BLOCKS];
bool used[IDS];
byte slot[IDS];		/* CPU + 1 */
byte owner[BLOCKS];	/* CPU + 1 */
byte mine[CPUS];	/* block, NONE */
byte frees[CPUS];	/* odd: one is under way */
byte turn;

/* For the claims only. */
byte holder[IDS];	/* CPU + 1 */
byte held;		/* bits that are set */
bool was_full[CPUS];	/* since this CPU's search began */

inline note_full() {
	if
	:: held == IDS -> was_full[0] = true; was_full[1] = true
	:: else
	fi
}

inline lock() { atomic { !lock_held -> lock_held = true } }
inline unlock() { lock_held = false }

/* "lock or": first id of the block that it finds free; the look and the claim are two steps. */
inline claim(block) {
	k = 0; got = NONE;
	do
	:: k < SIZE && got == NONE ->
		if
		:: used[block * SIZE + k] -> k++
		:: else ->
			atomic {
				assert(attached[block]);
				if
				:: !used[block * SIZE + k] ->
					used[block * SIZE + k] = true;
					held++;
					note_full();
					got = block * SIZE + k
				:: else	/* lost it: look again */
				fi
			}
		fi
	:: else -> break
	od
}

/* Under the lock. The words are looked at one after the other. */
inline detach_if_empty(block) {
	if
	:: attached[block] && owner[block] == 0 ->
		k = 0;
		do
		:: k < SIZE && !used[block * SIZE + k] -> k++
		:: else -> break
		od;
		if
		:: k == SIZE ->
			d_step {
				assert(attached[block] && owner[block] == 0);
				assert(!used[block * SIZE] && !used[block * SIZE + 1]);
				attached[block] = false
			}
		:: else
		fi
	:: else
	fi
}

inline frees_settled(sum) {
	sum = 0; k = 0;
	do
	:: k < CPUS -> atomic { frees[k] % 2 == 0 -> sum = sum + frees[k]; k++ }
	:: else -> break
	od
}

inline reserve_slowly() {
	lock();
	/* leave() */
	if
	:: mine[me] != NONE ->
		b = mine[me];
		owner[b] = 0;
		mine[me] = NONE;
		detach_if_empty(b)
	:: else
	fi;
	/* adopt() */
	got = NONE; i = 0;
	do
	:: i < BLOCKS && got == NONE ->
		b = (turn + i) % BLOCKS;
		if
		:: !attached[b] -> attached[b] = true; claim(b)
		:: attached[b] && owner[b] == 0 -> claim(b)
		:: else
		fi;
		if
		:: got != NONE -> owner[b] = me + 1; mine[me] = b; turn = (b + 1) % BLOCKS
		:: else
		fi;
		i++
	:: else -> break
	od;
	/* steal() */
	do
	:: got != NONE -> break
	:: else ->
		frees_settled(before);
		i = 0;
		do
		:: i < BLOCKS && got == NONE -> b = i; claim(b); i++
		:: else -> break
		od;
		frees_settled(after);
		if
		:: got == NONE && before == after ->
			assert(was_full[me]);	/* told the truth */
			break
		:: else
		fi
	od;
	unlock()
}

inline alloc() {
	d_step { was_full[me] = (held == IDS) };
	got = NONE;
	if
	:: mine[me] != NONE -> b = mine[me]; claim(b)
	:: else
	fi;
	if
	:: got == NONE -> reserve_slowly()
	:: else
	fi;
	if
	:: got != NONE ->
		atomic { assert(holder[got] == 0); holder[got] = me + 1; assert(slot[got] == 0) };
		slot[got] = me + 1;	/* publish */
		kept[nr_kept] = got; nr_kept++
	:: else
	fi
}

inline release(id) {
	assert(slot[id] == me + 1 && attached[id / SIZE]);
	d_step { holder[id] = 0; slot[id] = 0 };
	frees[me]++;
	d_step {
		assert(attached[id / SIZE] && used[id]);
		used[id] = false;
		held--
	};
	frees[me]++;
	d_step { last = !used[id / SIZE * SIZE] && !used[id / SIZE * SIZE + 1] };	/* one word */
	if
	:: last && owner[id / SIZE] == 0 ->
		lock();
		detach_if_empty(id / SIZE);
		unlock()
	:: else
	fi
}

proctype Cpu(byte me) {
	byte kept[IDS];
	byte nr_kept = 0, round = 0, got, k, i, b, before, after, id;
	bool last;

	if
	:: nearly_full && me == 1 -> nr_kept = 1	/* id 0 */
	:: else
	fi;
	do
	:: round < ROUNDS && nr_kept < 3 -> round++; alloc()
	:: nr_kept > 0 -> nr_kept--; id = kept[nr_kept]; release(id)
	:: round == ROUNDS && nr_kept == 0 -> break
	od
}

init {
	byte b;

	mine[0] = NONE; mine[1] = NONE;
	if
	:: true
	:: d_step {
		nearly_full = true;
		attached[0] = true; attached[1] = true;
		used[0] = true; holder[0] = 2; slot[0] = 2;
		used[1] = true; holder[1] = 9; slot[1] = 9;
		used[2] = true; holder[2] = 9; slot[2] = 9;
		held = 3;
		owner[1] = 2; mine[1] = 1
	}
	fi;
	atomic { run Cpu(0); run Cpu(1) };
	_nr_pr == 1 ->
	assert(held == (nearly_full -> 2 : 0));
	for (b : 0 .. BLOCKS - 1) {
		assert(!attached[b] || owner[b] != 0 || used[b * SIZE] || used[b * SIZE + 1])
	}
}
