// SPDX-License-Identifier: GPL-2.0-only
/*
 * The same random calls on a lab of each backend and on a plain model of them here: every number, every error, every
 * reader's answer is compared. The blocks hand out in an order of their own: there the model takes the numbers as they
 * are, and says whether each was free, and whether there was one.
 */
#include "lab.h"

#define LEVELS		6
#define SPACES		64
#define PIDS		65536
#define TASKS		65536
#define LABS		4
#define RESERVED_PIDS	300
#define NONE		(-1)

struct space {
	bool alive, dying;
	__u32 number;		/* in the labs; the same in all */
	int parent, level, pid_max, cursor, count, children;
	uint64_t *used;
	int *who;		/* the pid at each number */
};

struct pid {
	int space, level;
	int nr[LEVELS];		/* by level */
	int users[KTWIN_LAB_TYPES];
	__u64 serial[LABS];
	int place;		/* among the living */
};

struct task {
	int role[KTWIN_LAB_TYPES];
	__u32 id[LABS];
	int place;
};

/* Objects by index; which are in use, in no order, so that one can be drawn. */
struct set {
	int *members, *unused, count, room;
};

struct setting {
	int limit, pid_max, operations, spaces;
	int at;			/* allocations at wanted numbers, percent */
	int check;		/* operations between two looks through the readers */
	int bias;		/* operations between filling and draining */
	bool lasting;		/* the init of the first namespace does not end before the rest */
	__u32 pids;
	__u64 bytes;
};

static struct model {
	struct setting setting;
	struct space spaces[SPACES];
	struct pid pids[PIDS];
	struct task tasks[TASKS];
	struct set pid_set, task_set;
	__u32 spaces_made;
	int labs[LABS], lab_count;
	bool in_order;		/* numbers can be foretold */
	bool failed;
	uint64_t seed;
	uint64_t compared, full, taken, operations;
} model;

#define DIFFERS(format, ...)									\
	do {											\
		if (!model.failed)								\
			ksft_print_msg("operation %llu: " format "\n",				\
				       (unsigned long long)model.operations, __VA_ARGS__);	\
		model.failed = true;								\
	} while (0)

static void same(const char *what, int lab, long expected, long seen)
{
	model.compared++;
	if (expected != seen)
		DIFFERS("%s of lab %d is %ld, not %ld", what, lab, seen, expected);
}

static unsigned int below(unsigned int bound)
{
	model.seed = model.seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return (model.seed >> 33) % bound;
}

/* --- sets --- */

static void set_start(struct set *set, int room)
{
	int i;

	if (!set->members) {
		set->members = calloc(room, sizeof(int));
		set->unused = calloc(room, sizeof(int));
	}
	set->room = room;
	set->count = 0;
	for (i = 0; i < room; i++)
		set->unused[i] = room - 1 - i;
}

static int set_take(struct set *set, int *place)
{
	int index = set->unused[set->room - 1 - set->count];

	*place = set->count;
	set->members[set->count++] = index;
	return index;
}

static int set_draw(const struct set *set)
{
	return set->count ? set->members[below(set->count)] : NONE;
}

/* The first task made; others come and go. */
#define KEEPER	0

static int any_task(void)
{
	int task = set_draw(&model.task_set);

	return task == KEEPER && model.setting.lasting ? NONE : task;
}

/* --- numbers of a namespace --- */

static bool is_used(const struct space *space, int nr)
{
	return nr >= 0 && nr < model.setting.limit && (space->used[nr / 64] >> nr % 64 & 1);
}

static void mark(struct space *space, int nr, int pid)
{
	space->used[nr / 64] ^= 1ULL << nr % 64;
	space->who[nr] = pid;
	space->count += pid == NONE ? -1 : 1;
}

/* The first number from start on, below end, that is used, or is not. */
static int look(const struct space *space, int start, int end, bool used)
{
	uint64_t flip = used ? 0 : ~0ULL, word;
	int nr = start;

	while (nr < end) {
		word = (space->used[nr / 64] ^ flip) & ~0ULL << nr % 64;
		if (word) {
			nr = nr / 64 * 64 + __builtin_ctzll(word);
			return nr < end ? nr : NONE;
		}
		nr = (nr / 64 + 1) * 64;
	}
	return NONE;
}

static int higher(int a, int b)
{
	return a > b ? a : b;
}

/* As alloc_pid() has it from the idr. */
static int next_cyclic(struct space *space)
{
	int from = space->cursor > RESERVED_PIDS ? RESERVED_PIDS : 1;
	int start = higher(space->cursor, from), nr = look(space, start, space->pid_max, false);

	if (nr == NONE && start > from)
		nr = look(space, from, space->pid_max, false);
	if (nr != NONE)
		space->cursor = nr + 1;
	return nr;
}

/* --- the life of pids and namespaces --- */

static int new_space(int parent, int pid_max)
{
	struct space *space;
	int i;

	for (i = 0; i < SPACES && model.spaces[i].alive; i++)
		;
	if (i == SPACES)
		return NONE;
	space = &model.spaces[i];
	*space = (struct space) {
		.alive = true, .number = ++model.spaces_made, .parent = parent, .pid_max = pid_max,
		.level = parent == NONE ? 0 : model.spaces[parent].level + 1,
		.used = calloc(model.setting.limit / 64 + 1, sizeof(uint64_t)),
		.who = calloc(model.setting.limit, sizeof(int)),
	};
	if (parent != NONE)
		model.spaces[parent].children++;
	return i;
}

static void end_space(struct space *space)
{
	space->alive = false;
	if (space->parent != NONE)
		model.spaces[space->parent].children--;
	free(space->used);
	free(space->who);
}

static void reap(void)
{
	bool any = true;
	int i;

	while (any) {
		any = false;
		for (i = 0; i < SPACES; i++) {
			struct space *space = &model.spaces[i];

			if (space->alive && space->dying && !space->count && !space->children) {
				end_space(space);
				any = true;
			}
		}
	}
}

static void end_pid(int index)
{
	struct pid *pid = &model.pids[index];
	struct set *set = &model.pid_set;
	int at = pid->space;

	while (at != NONE) {
		struct space *space = &model.spaces[at];
		int nr = pid->nr[space->level];

		mark(space, nr, NONE);
		if (nr == 1 || !space->count)
			space->dying = true;
		at = space->parent;
	}
	set->members[pid->place] = set->members[--set->count];
	model.pids[set->members[pid->place]].place = pid->place;
	set->unused[set->room - 1 - set->count] = index;
}

static bool in_use(const struct pid *pid)
{
	return pid->users[0] || pid->users[1] || pid->users[2] || pid->users[3];
}

static void leave(struct task *task, int type)
{
	int pid = task->role[type];

	task->role[type] = NONE;
	if (pid != NONE && --model.pids[pid].users[type] == 0 && !in_use(&model.pids[pid]))
		end_pid(pid);
}

static void end_task_if_idle(int index)
{
	struct task *task = &model.tasks[index];
	struct set *set = &model.task_set;
	int type;

	for (type = 0; type < KTWIN_LAB_TYPES; type++) {
		if (task->role[type] != NONE)
			return;
	}
	set->members[task->place] = set->members[--set->count];
	model.tasks[set->members[task->place]].place = task->place;
	set->unused[set->room - 1 - set->count] = index;
}

static int new_task(void)
{
	int place, index = set_take(&model.task_set, &place), type;

	model.tasks[index].place = place;
	for (type = 0; type < KTWIN_LAB_TYPES; type++)
		model.tasks[index].role[type] = NONE;
	return index;
}

static void join(int task, int type, int pid)
{
	model.tasks[task].role[type] = pid;
	model.pids[pid].users[type]++;
}

static bool is_below(int space, int top)
{
	while (space != NONE && space != top)
		space = model.spaces[space].parent;
	return space == top;
}

static int pid_at(int space, int nr)
{
	return space != NONE && is_used(&model.spaces[space], nr) ? model.spaces[space].who[nr] : NONE;
}

/* Most often one that is there. */
static int any_space(void)
{
	int i, tries;

	if (below(200) == 0)
		return NONE;
	for (tries = 0; tries < 100; tries++) {
		i = below(SPACES);
		if (model.spaces[i].alive)
			return i;
	}
	return NONE;
}

static __u32 number_of(int space)
{
	return space == NONE ? model.spaces_made + 1000 : model.spaces[space].number;
}

/* A pid that is there, by one of its numbers; or some number. */
static int any_pid(int *space, int *nr)
{
	int index = set_draw(&model.pid_set), level;

	if (index == NONE || below(8) == 0) {
		*space = any_space();
		*nr = (int)below(model.setting.limit + 10) - 3;
		return pid_at(*space, *nr);
	}
	level = below(model.pids[index].level + 1);
	*space = model.pids[index].space;
	while (model.spaces[*space].level > level)
		*space = model.spaces[*space].parent;
	*nr = model.pids[index].nr[level];
	return index;
}

/* --- the calls --- */

struct made {
	int error;
	int nr[LEVELS];		/* deepest first; NONE: any that is free */
};

static int choose(struct space *space, __u32 how, bool is_wanted, int wanted)
{
	if (!is_wanted && how == KTWIN_LAB_ANY && !is_used(space, 1))
		return 1;
	if (!is_wanted && how == KTWIN_LAB_ANY)
		return look(space, 1, space->pid_max, false) == NONE ? -EAGAIN : 0;
	if (!is_wanted) {
		int nr = how == KTWIN_LAB_CYCLIC ? next_cyclic(space) : look(space, 1, space->pid_max, false);

		return nr == NONE ? -EAGAIN : nr;
	}
	if (wanted < 1 || wanted >= space->pid_max || (wanted != 1 && !is_used(space, 1) && !space->dying))
		return -EINVAL;
	return is_used(space, wanted) ? -EEXIST : wanted;
}

/* What alloc is to say; the cursors have moved. */
static struct made foretell(int deepest, const struct ktwin_lab_alloc *alloc)
{
	struct space *space = &model.spaces[deepest];
	struct made made = {};
	__u32 i = 0;
	int at;

	if (alloc->wanted > (__u32)space->level + 1) {
		made.error = -EINVAL;
		return made;
	}
	for (at = deepest; at != NONE && !made.error; at = model.spaces[at].parent, i++) {
		int nr = choose(&model.spaces[at], alloc->how, i < alloc->wanted,
				i < alloc->wanted ? alloc->numbers[i] : 0);

		made.nr[i] = nr;
		made.error = nr < 0 ? nr : 0;
	}
	if (!made.error && space->dying)
		made.error = -ENOMEM;
	if (made.error && !space->count && !space->dying)
		space->cursor = 0;
	return made;
}

/* The pid as the first lab made it; each has it so. */
static int adopt(int deepest, const struct ktwin_lab_alloc *alloc, const struct made *made, int lab)
{
	int place, index = set_take(&model.pid_set, &place), at, i = 0;
	struct pid *pid = &model.pids[index];

	*pid = (struct pid) { .space = deepest, .level = model.spaces[deepest].level, .place = place };
	for (at = deepest; at != NONE; at = model.spaces[at].parent, i++) {
		struct space *space = &model.spaces[at];
		int nr = alloc->numbers[i];

		if (made->nr[i] ? nr != made->nr[i] : nr < 1 || nr >= space->pid_max || is_used(space, nr)) {
			DIFFERS("lab %d gave %d in %u, not %d", lab, nr, space->number, made->nr[i]);
			nr = look(space, 1, model.setting.limit, false);
		}
		pid->nr[space->level] = nr;
		mark(space, nr, index);
	}
	same("depth", lab, i, alloc->depth);
	return index;
}

static void want(int space, struct ktwin_lab_alloc *alloc)
{
	int levels = space == NONE ? 1 : model.spaces[space].level + 1, i;

	alloc->wanted = 1 + below(levels);
	if (below(50) == 0)
		alloc->wanted = levels + 1;
	for (i = 0; i < (int)alloc->wanted; i++) {
		int range = below(20) ? model.setting.pid_max : model.setting.limit;

		alloc->numbers[i] = below(10) ? 1 + (int)below(range) : (int)below(range + 10) - 2;
		if (below(10) == 0)
			alloc->numbers[i] = 1;
	}
}

static void do_alloc_in(int space, __u32 flags)
{
	struct ktwin_lab_alloc alloc = { .flags = flags }, call;
	int lab, pid = NONE, task = NONE;
	struct made made = { .error = -ESRCH };

	if (model.pid_set.count >= (int)model.setting.pids - 1 || model.task_set.count >= TASKS - 2)
		return;
	alloc.ns = number_of(space);
	alloc.how = !model.in_order ? KTWIN_LAB_ANY : below(4) ? KTWIN_LAB_CYCLIC : KTWIN_LAB_LOWEST;
	if (model.pid_set.count && (int)below(100) < model.setting.at)
		want(space, &alloc);
	if (space != NONE)
		made = foretell(space, &alloc);
	model.full += made.error == -EAGAIN;
	model.taken += made.error == -EEXIST;
	if (!made.error && alloc.flags)
		task = new_task();
	for (lab = 0; lab < model.lab_count; lab++) {
		call = alloc;
		same("result of alloc", lab, made.error, kt_lab_alloc_call(model.labs[lab], &call));
		if (made.error || model.failed)
			continue;
		if (lab == 0)
			pid = adopt(space, &call, &made, lab);
		else
			same("number", lab, model.pids[pid].nr[model.spaces[space].level], call.numbers[0]);
		same("number at level 0", lab, model.pids[pid].nr[0], call.numbers[model.spaces[space].level]);
		model.pids[pid].serial[lab] = call.serial;
		same("task", lab, task != NONE, call.task != 0);
		if (task != NONE)
			model.tasks[task].id[lab] = call.task;
	}
	if (pid != NONE && task != NONE) {
		join(task, KTWIN_LAB_PID, pid);
		join(task, KTWIN_LAB_TGID, pid);
	}
}

static void do_alloc(void)
{
	do_alloc_in(any_space(), below(2) ? KTWIN_LAB_WITH_TASK : 0);
}

static void do_free(void)
{
	int space, nr, pid = any_pid(&space, &nr), lab;
	int result = pid == NONE ? -ESRCH : in_use(&model.pids[pid]) ? -EBUSY : 0;

	for (lab = 0; lab < model.lab_count; lab++)
		same("result of free", lab, result, kt_lab_free(model.labs[lab], number_of(space), nr));
	if (!result)
		end_pid(pid);
	reap();
}

static void same_pid(int lab, int pid, const struct ktwin_lab_pid *seen)
{
	const struct pid *mine = &model.pids[pid];
	int at, type;

	same("serial", lab, mine->serial[lab], seen->serial);
	same("depth found", lab, mine->level + 1, seen->depth);
	for (at = mine->space; at != NONE; at = model.spaces[at].parent) {
		int level = model.spaces[at].level;

		same("namespace found", lab, model.spaces[at].number, seen->upids[level].ns);
		same("number found", lab, mine->nr[level], seen->upids[level].nr);
	}
	for (type = 0; type < KTWIN_LAB_TYPES; type++)
		same("users", lab, mine->users[type], seen->tasks[type]);
}

static void do_find(void)
{
	int space, nr, pid = any_pid(&space, &nr), lab;
	struct ktwin_lab_pid seen;

	for (lab = 0; lab < model.lab_count; lab++) {
		same("result of find", lab, pid == NONE ? -ESRCH : 0,
		     kt_lab_find(model.labs[lab], number_of(space), nr, &seen));
		if (pid != NONE && !model.failed)
			same_pid(lab, pid, &seen);
	}
}

static void do_next(void)
{
	int space, nr, found = NONE, lab;
	struct ktwin_lab_pid seen;

	any_pid(&space, &nr);
	nr += below(3);
	if (space != NONE)
		found = look(&model.spaces[space], higher(nr, 1), model.setting.limit, true);
	for (lab = 0; lab < model.lab_count; lab++) {
		same("result of next", lab, found == NONE ? -ESRCH : found,
		     kt_lab_next(model.labs[lab], number_of(space), nr, &seen));
		if (found != NONE && !model.failed)
			same_pid(lab, pid_at(space, found), &seen);
	}
}

/* A number is the number of one task, though a group's or a session's of many. */
static bool has_its_task(int pid, int type)
{
	return type == KTWIN_LAB_PID && model.pids[pid].users[KTWIN_LAB_PID];
}

/* What a role call is to say, and what it then does here. */
static int attach(int *task, int type, int pid)
{
	if (pid == NONE)
		return -ESRCH;
	if ((*task != NONE && model.tasks[*task].role[type] != NONE) || has_its_task(pid, type))
		return -EBUSY;
	if (*task == NONE)
		*task = new_task();
	join(*task, type, pid);
	return 0;
}

static int change(int task, int type, int pid)
{
	int old;

	if (pid == NONE || model.tasks[task].role[type] == NONE)
		return -ESRCH;
	old = model.tasks[task].role[type];
	if (old == pid)
		return 0;
	if (has_its_task(pid, type))
		return -EBUSY;
	join(task, type, pid);
	if (--model.pids[old].users[type] == 0 && !in_use(&model.pids[old]))
		end_pid(old);
	return 0;
}

static int transfer(int task, int other, int type)
{
	if (type == KTWIN_LAB_PID || task == other)
		return -EINVAL;
	if (model.tasks[task].role[type] == NONE)
		return -ESRCH;
	if (model.tasks[other].role[type] != NONE)
		return -EBUSY;
	model.tasks[other].role[type] = model.tasks[task].role[type];
	model.tasks[task].role[type] = NONE;
	return 0;
}

static int exchange(int task, int other, int type)
{
	int *one = &model.tasks[task].role[KTWIN_LAB_PID], *two = &model.tasks[other].role[KTWIN_LAB_PID], was = *one;

	if (type != KTWIN_LAB_PID || task == other)
		return -EINVAL;
	if (*one == NONE || *two == NONE)
		return -ESRCH;
	*one = *two;
	*two = was;
	return 0;
}

static int detach(int task, int type)
{
	if (model.tasks[task].role[type] == NONE)
		return -ESRCH;
	leave(&model.tasks[task], type);
	return 0;
}

static void do_role(__u32 op)
{
	struct ktwin_lab_role role = { .op = op, .type = below(KTWIN_LAB_TYPES) };
	int task = any_task(), other = any_task(), space, nr, pid, result, lab;
	bool is_new = op == KTWIN_LAB_ATTACH && below(4) == 0, two = op == KTWIN_LAB_TRANSFER || op == KTWIN_LAB_EXCHANGE;

	if (op == KTWIN_LAB_EXCHANGE && below(8))
		role.type = KTWIN_LAB_PID;
	if (task == NONE || other == NONE || model.task_set.count >= TASKS - 2)
		return;
	pid = any_pid(&space, &nr);
	if (op == KTWIN_LAB_ATTACH || op == KTWIN_LAB_CHANGE) {
		role.ns = number_of(space);
		role.nr = nr;
	}
	if (is_new)
		task = NONE;
	result = op == KTWIN_LAB_ATTACH ? attach(&task, role.type, pid) :
		 op == KTWIN_LAB_DETACH ? detach(task, role.type) :
		 op == KTWIN_LAB_CHANGE ? change(task, role.type, pid) :
		 op == KTWIN_LAB_TRANSFER ? transfer(task, other, role.type) : exchange(task, other, role.type);
	for (lab = 0; lab < model.lab_count; lab++) {
		int seen;

		role.task = is_new ? 0 : model.tasks[task].id[lab];
		role.other = two ? model.tasks[other].id[lab] : 0;
		seen = kt_lab_role(model.labs[lab], role);
		same("result of a role", lab, result, seen < 0 ? seen : 0);
		if (is_new && !result)
			model.tasks[task].id[lab] = seen;
	}
	if (!result)
		end_task_if_idle(task);
	reap();
}

static void do_pid_max(void)
{
	int space = any_space(), pid_max = 2 + below(model.setting.pid_max - 1), lab;

	if (below(2) || model.setting.pid_max > 1000)
		pid_max = model.setting.pid_max - below(2);
	for (lab = 0; lab < model.lab_count; lab++) {
		same("result of pid_max", lab, space == NONE ? -ESRCH : model.spaces[space].pid_max,
		     kt_lab_pid_max(model.labs[lab], number_of(space), pid_max));
	}
	if (space != NONE)
		model.spaces[space].pid_max = pid_max;
}

static void do_create(void)
{
	int parent = any_space(), pid_max = below(2) ? 0 : 2 + (int)below(model.setting.pid_max - 1), result, i, alive = 0;
	int lab, space = NONE;

	for (i = 0; i < SPACES; i++)
		alive += model.spaces[i].alive;
	if (alive >= model.setting.spaces || (parent != NONE && model.spaces[parent].level + 1 >= LEVELS))
		return;
	result = parent == NONE ? -ESRCH : model.spaces[parent].dying ? -ENOMEM : 0;
	if (!result) {
		space = new_space(parent, pid_max ? pid_max : model.spaces[parent].pid_max);
		result = model.spaces[space].number;
	}
	for (lab = 0; lab < model.lab_count; lab++)
		same("namespace made", lab, result, kt_lab_ns(model.labs[lab], number_of(parent), pid_max));
}

/* Every task whose PID is in it ends; then every pid in it that nobody uses. */
static void kill_space(int top, struct ktwin_lab_kill *kill)
{
	struct space *space = &model.spaces[top];
	int before = model.pid_set.count, i, type, nr;

	for (i = 0; i < SPACES; i++)
		model.spaces[i].dying |= model.spaces[i].alive && is_below(i, top);
	for (i = model.task_set.count; i-- > 0;) {
		int index = model.task_set.members[i], pid = model.tasks[index].role[KTWIN_LAB_PID];

		if (pid == NONE || !is_below(model.pids[pid].space, top))
			continue;
		for (type = 0; type < KTWIN_LAB_TYPES; type++)
			leave(&model.tasks[index], type);
		end_task_if_idle(index);
		kill->tasks++;
	}
	for (nr = look(space, 1, model.setting.limit, true); nr != NONE;
	     nr = look(space, nr + 1, model.setting.limit, true)) {
		if (!in_use(&model.pids[space->who[nr]]))
			end_pid(space->who[nr]);
	}
	kill->pids = before - model.pid_set.count;
	kill->left = space->count;
	reap();
}

static void do_kill(int space)
{
	struct ktwin_lab_kill kill = {}, seen;
	__u32 number = number_of(space);
	int lab;

	if (space != NONE)
		kill_space(space, &kill);
	for (lab = 0; lab < model.lab_count; lab++) {
		same("result of kill", lab, space == NONE ? -ESRCH : 0, kt_lab_kill(model.labs[lab], number, &seen));
		if (space == NONE)
			continue;
		same("tasks killed", lab, kill.tasks, seen.tasks);
		same("pids killed", lab, kill.pids, seen.pids);
		same("pids left", lab, kill.left, seen.left);
	}
}

/* --- readers --- */

static void check_space(int lab, const struct space *space, const struct ktwin_lab_ns *seen)
{
	struct ktwin_lab_pid *pids;
	long count = kt_lab_pids(model.labs[lab], space->number, &pids), i;
	int nr = 0;

	same("ns", lab, space->number, seen->ns);
	same("parent", lab, space->parent == NONE ? 0 : model.spaces[space->parent].number, seen->parent);
	same("level", lab, space->level, seen->level);
	same("dying", lab, space->dying, seen->flags & KTWIN_LAB_NS_DYING);
	same("count", lab, space->count, seen->count);
	same("pid_max", lab, space->pid_max, seen->pid_max);
	same("children", lab, space->children, seen->children);
	if (model.in_order)
		same("cursor", lab, space->cursor, seen->cursor);
	same("pids read", lab, space->count, count);
	for (i = 0; i < count && !model.failed; i++) {
		nr = look(space, nr + 1, model.setting.limit, true);
		if (nr == NONE)
			DIFFERS("lab %d has a pid more", lab);
		else
			same_pid(lab, space->who[nr], &pids[i]);
	}
	free(pids);
}

static void check_tasks(int lab)
{
	struct ktwin_lab_task *tasks;
	long count = kt_lab_tasks(model.labs[lab], &tasks), i;
	int type, at;

	same("tasks read", lab, model.task_set.count, count);
	for (at = 0; at < model.task_set.count && at < 50 && !model.failed; at++) {
		const struct task *task = &model.tasks[model.task_set.members[at]];

		for (i = 0; i < count && tasks[i].task != task->id[lab]; i++)
			;
		if (i == count) {
			DIFFERS("lab %d lacks task %u", lab, task->id[lab]);
			break;
		}
		for (type = 0; type < KTWIN_LAB_TYPES; type++) {
			same("role", lab, task->role[type] == NONE ? 0 : model.pids[task->role[type]].nr[0],
			     tasks[i].roles[type]);
		}
	}
	free(tasks);
}

static void check(void)
{
	struct ktwin_lab_stats stats;
	struct ktwin_lab_ns *seen;
	long count, at;
	int lab, i, alive = 0;

	for (i = 0; i < SPACES; i++)
		alive += model.spaces[i].alive;
	for (lab = 0; lab < model.lab_count && !model.failed; lab++) {
		count = kt_lab_namespaces(model.labs[lab], &seen);
		same("namespaces", lab, alive, count);
		for (at = 0; at < count; at++) {
			for (i = 0; i < SPACES; i++) {
				if (model.spaces[i].alive && model.spaces[i].number == seen[at].ns)
					check_space(lab, &model.spaces[i], &seen[at]);
			}
		}
		free(seen);
		check_tasks(lab);
		stats = kt_lab_stats(model.labs[lab]);
		same("pids", lab, model.pid_set.count, stats.pids);
		same("tasks", lab, model.task_set.count, stats.tasks);
		same("times full", lab, model.full, stats.no_number);
		same("times taken", lab, model.taken, stats.taken);
	}
}

/* --- the run --- */

/* Not the first. */
static int other_space(void)
{
	int space = any_space();

	return space == 0 ? NONE : space;
}

static void operate(bool filling)
{
	unsigned int kind = below(1000);

	if (kind < (filling ? 500 : 200))
		do_alloc();
	else if (kind < (filling ? 560 : 450))
		do_free();
	else if (kind < 650)
		do_find();
	else if (kind < 720)
		do_next();
	else if (kind < 780)
		do_role(KTWIN_LAB_ATTACH);
	else if (kind < (filling ? 820 : 900))
		do_role(KTWIN_LAB_DETACH);
	else if (kind < 930)
		do_role(KTWIN_LAB_CHANGE);
	else if (kind < 955)
		do_role(KTWIN_LAB_TRANSFER);
	else if (kind < 970)
		do_role(KTWIN_LAB_EXCHANGE);
	else if (kind < 980)
		do_pid_max();
	else if (kind < 997)
		do_create();
	else if (below(5) == 0)
		do_kill(model.setting.lasting ? other_space() : any_space());
}

static void start(struct __test_metadata *_metadata, int device, const __u32 *backends)
{
	struct ktwin_lab lab = {
		.pid_max = model.setting.pid_max, .limit = model.setting.limit, .pids = model.setting.pids,
		.tasks = TASKS, .bytes = model.setting.bytes,
	};
	int i;

	for (i = 0; i < SPACES; i++) {
		if (model.spaces[i].alive)
			end_space(&model.spaces[i]);
	}
	memset(model.spaces, 0, sizeof(model.spaces));
	model.spaces_made = 0;
	model.full = 0;
	model.taken = 0;
	set_start(&model.pid_set, PIDS);
	set_start(&model.task_set, TASKS);
	new_space(NONE, model.setting.pid_max);
	for (i = 0; i < model.lab_count; i++) {
		lab.backend = backends[i];
		lab.limit = lab.backend == KTWIN_LAB_BLOCKS ? KT_LAB_LIMIT * 4 : model.setting.limit;
		model.labs[i] = kt_lab_open(device, lab);
		ASSERT_LE(0, model.labs[i]);
	}
	if (model.setting.lasting)
		do_alloc_in(0, KTWIN_LAB_WITH_TASK);
}

/* Ends everything, twice where somebody of no namespace still uses a number: then those go first. */
static void finish(struct __test_metadata *_metadata)
{
	int i;

	check();
	while (model.task_set.count && model.spaces[0].alive && !model.failed) {
		int task = model.task_set.members[0], type, lab;

		for (type = 0; type < KTWIN_LAB_TYPES; type++) {
			if (model.tasks[task].role[type] == NONE)
				continue;
			for (lab = 0; lab < model.lab_count; lab++) {
				int seen = kt_lab_detach(model.labs[lab], model.tasks[task].id[lab], type);

				same("last detach", lab, 0, seen < 0 ? seen : 0);
			}
			detach(task, type);
		}
		end_task_if_idle(task);
		reap();
	}
	if (model.spaces[0].alive)
		do_kill(0);
	for (i = 0; i < model.lab_count; i++) {
		kt_expect_lab_empty(_metadata, model.labs[i]);
		close(model.labs[i]);
	}
}

/* Those who are asked the same, at once. */
struct group {
	bool in_order;
	int count;
	__u32 backends[4];
};

static const struct group in_order = { true, 4, { KTWIN_LAB_TWIN, KTWIN_LAB_PIDMAP, KTWIN_LAB_IDR, KTWIN_LAB_XARRAY } };
/* Any number that is free is right. */
static const struct group blocks = { false, 1, { KTWIN_LAB_BLOCKS } };
static const struct group twin_any = { false, 1, { KTWIN_LAB_TWIN } };

static void run(struct __test_metadata *_metadata, struct setting setting, const struct group *group)
{
	uint64_t full = 0;
	int device, i, since = 0;

	KT_OPEN_LIVE(device);
	/* one of each kind at once */
	kt_lab_all_bytes(4ULL << 30);
	model.setting = setting;
	model.in_order = group->in_order;
	model.lab_count = group->count;
	model.seed = 0x9e3779b97f4a7c15ULL + setting.pid_max;
	start(_metadata, device, group->backends);
	for (i = 0; i < setting.operations && !model.failed; i++, since++) {
		/* the first namespace is gone: nothing more happens in these */
		if (!model.spaces[0].alive || model.spaces[0].dying) {
			full += model.full;
			finish(_metadata);
			start(_metadata, device, group->backends);
		}
		operate(i / setting.bias % 2 == 0);
		model.operations++;
		if (since >= setting.check) {
			check();
			since = 0;
		}
	}
	full += model.full;
	finish(_metadata);
	kt_lab_all_bytes(0);
	EXPECT_FALSE(model.failed);
	ksft_print_msg("%llu operations, %llu results compared, %llu times no number was left\n",
		       (unsigned long long)model.operations, (unsigned long long)model.compared,
		       (unsigned long long)full);
	close(device);
}

/* Full and wrapping all the time. */
static const struct setting small = {
	.limit = 512, .pid_max = 400, .operations = 60000, .spaces = 12, .at = 10, .check = 2000, .bias = 3000,
	.pids = 8192, .lasting = true,
};
/* Where the first init may end, and all with it. */
static const struct setting mortal = {
	.limit = 512, .pid_max = 400, .operations = 20000, .spaces = 12, .at = 10, .check = 1000, .bias = 1000,
	.pids = 8192,
};
/* As most systems are. */
static const struct setting usual = {
	.limit = 32768, .pid_max = 32768, .operations = 80000, .spaces = 10, .at = 3, .check = 20000, .bias = 50000,
	.pids = 65536, .bytes = 256 << 20, .lasting = true,
};
/* Few numbers far apart. */
static const struct setting sparse = {
	.limit = 4194304, .pid_max = 4194304, .operations = 15000, .spaces = 4, .at = 80, .check = 5000, .bias = 4000,
	.pids = 3000, .bytes = 512 << 20, .lasting = true,
};

FIXTURE(agree) {
};

FIXTURE_VARIANT(agree) {
	const struct setting *setting;
	const struct group *group;
};

FIXTURE_VARIANT_ADD(agree, small_in_order) { &small, &in_order };
FIXTURE_VARIANT_ADD(agree, small_blocks) { &small, &blocks };
FIXTURE_VARIANT_ADD(agree, small_any) { &small, &twin_any };
FIXTURE_VARIANT_ADD(agree, mortal_in_order) { &mortal, &in_order };
FIXTURE_VARIANT_ADD(agree, mortal_blocks) { &mortal, &blocks };
FIXTURE_VARIANT_ADD(agree, usual_in_order) { &usual, &in_order };
FIXTURE_VARIANT_ADD(agree, usual_blocks) { &usual, &blocks };
FIXTURE_VARIANT_ADD(agree, usual_any) { &usual, &twin_any };
FIXTURE_VARIANT_ADD(agree, sparse_in_order) { &sparse, &in_order };
FIXTURE_VARIANT_ADD(agree, sparse_blocks) { &sparse, &blocks };

FIXTURE_SETUP(agree)
{
}

FIXTURE_TEARDOWN(agree)
{
}

/* Where every access is checked, the harness's half a minute is not enough. */
TEST_F_TIMEOUT(agree, on_all, 600)
{
	run(_metadata, *variant->setting, variant->group);
}

TEST_HARNESS_MAIN
