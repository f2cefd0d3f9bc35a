/* SPDX-License-Identifier: MIT */
/* Which row and lane everything stands in, and how high they are. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>

#include "layout.h"

#define LEFT 132.0
#define RIGHT 28.0
#define PACK_ABOVE 64 /* threads; above, threads that were not there at the same time share a row */
#define TURN_LANES_MOST 4
#define LANES_MOST 16 /* of spans in spans */
#define ROWS_MOST 150 /* more are folded, but for this many: */
#define ROWS_KEPT 100
#define FOLDED_HEIGHT 84

static bool visible(const struct layout *layout, const struct span *span)
{
	return span->end_ns >= layout->scale.begin_ns && span->begin_ns <= layout->scale.end_ns;
}

static int compare_threads(const void *a, const void *b, void *data)
{
	const struct model *model = data;
	const struct thread *left = &model->threads[*(const size_t *)a];
	const struct thread *right = &model->threads[*(const size_t *)b];
	bool left_main = left->tid == model->processes[left->process].pid;
	bool right_main = right->tid == model->processes[right->process].pid;

	if (left->process != right->process)
		return left->process < right->process ? -1 : 1;
	if (left_main != right_main)
		return left_main ? -1 : 1;
	if ((left->tid < 0) != (right->tid < 0))
		return left->tid < 0 ? 1 : -1;
	if (left->first_ns != right->first_ns)
		return left->first_ns < right->first_ns ? -1 : 1;
	return (left > right) - (left < right);
}

/* The threads that have something to show, in the order of their rows. The caller frees it. */
static size_t *sort_threads(const struct layout *layout, struct model *model, size_t *count)
{
	size_t *threads = NULL;

	*count = 0;
	for (size_t i = 0; i < model->thread_count; i++) {
		const struct thread *thread = &model->threads[i];
		bool any = false;

		for (size_t j = 0; j < thread->span_count && !any; j++)
			any = visible(layout, &model->spans[thread->spans[j]]);
		if (any)
			*APPEND(threads, *count) = i;
	}
	if (*count)
		qsort_r(threads, *count, sizeof(*threads), compare_threads, model);
	return threads;
}

/* The rows of one process as a heap: the one that is free first on top. */
struct heap {
	size_t *rows;
	size_t count;
	const uint64_t *row_end_ns;
};

static bool is_earlier(const struct heap *heap, size_t a, size_t b)
{
	return heap->row_end_ns[heap->rows[a]] < heap->row_end_ns[heap->rows[b]];
}

static void swap(struct heap *heap, size_t a, size_t b)
{
	size_t row = heap->rows[a];

	heap->rows[a] = heap->rows[b];
	heap->rows[b] = row;
}

static void heap_add(struct heap *heap, size_t row)
{
	size_t at = heap->count;

	*APPEND(heap->rows, heap->count) = row;
	for (; at && is_earlier(heap, at, (at - 1) / 2); at = (at - 1) / 2)
		swap(heap, at, (at - 1) / 2);
}

/* The row on top is free later now. */
static void heap_sink(struct heap *heap)
{
	for (size_t at = 0, child = 1; child < heap->count; at = child, child = 2 * at + 1) {
		if (child + 1 < heap->count && is_earlier(heap, child + 1, child))
			child++;
		if (!is_earlier(heap, child, at))
			return;
		swap(heap, at, child);
	}
}

/* Gives @thread a row: with @pack, the one of its process that is free first, if it is; else a new one. */
static size_t row_for(struct layout *layout, struct heap *heap, uint64_t *row_end_ns, const struct model *model,
		      size_t index, bool pack)
{
	const struct thread *thread = &model->threads[index];
	size_t row = layout->row_count;

	if (row && layout->rows[row - 1].process != thread->process)
		heap->count = 0;
	if (pack && heap->count && row_end_ns[heap->rows[0]] < thread->first_ns) {
		row = heap->rows[0];
		row_end_ns[row] = thread->last_ns;
		heap_sink(heap);
		return row;
	}
	*APPEND(layout->rows, layout->row_count) = (struct row){.process = thread->process, .first_thread = index};
	row_end_ns[row] = thread->last_ns;
	heap_add(heap, row);
	return row;
}

static void fill_rows(struct layout *layout, struct model *model)
{
	size_t count;
	size_t *threads = sort_threads(layout, model, &count);
	uint64_t *row_end_ns = calloc(count + 1, sizeof(*row_end_ns));
	struct heap heap = {NULL, 0, row_end_ns};

	layout->row_of_thread = calloc(model->thread_count + 1, sizeof(size_t));
	if (!row_end_ns || !layout->row_of_thread)
		more(NULL, 0, SIZE_MAX); /* says that there is no memory */
	for (size_t i = 0; i < count; i++) {
		struct thread *thread = &model->threads[threads[i]];
		size_t number = row_for(layout, &heap, row_end_ns, model, threads[i], count > PACK_ABOVE);
		struct row *row = &layout->rows[number];

		thread->number = i && model->threads[threads[i - 1]].process == thread->process
					 ? model->threads[threads[i - 1]].number + 1
					 : 1;
		row->thread_count++;
		layout->row_of_thread[threads[i]] = number;
		for (size_t j = 0; j < thread->span_count; j++) {
			const struct span *span = &model->spans[thread->spans[j]];

			if (!visible(layout, span))
				continue;
			if (span->kind == SPAN_TURN)
				*APPEND(row->turns, row->turn_count) = thread->spans[j];
			else
				*APPEND(row->spans, row->span_count) = thread->spans[j];
		}
	}
	free(heap.rows);
	free(row_end_ns);
	free(threads);
}

/* ---- folding ---- */

static bool is_work(const struct span *span)
{
	return span->kind == SPAN_RUN || span->kind == SPAN_STEP || span->kind == SPAN_RETIRE;
}

/* What a row is worth: its longest call or step. What is on the critical path comes before all others. */
static double *score_rows(const struct layout *layout, const struct model *model)
{
	double *scores = calloc(layout->row_count + 1, sizeof(*scores));

	if (!scores)
		more(NULL, 0, SIZE_MAX); /* says that there is no memory */
	for (size_t i = 0; i < layout->row_count; i++)
		for (size_t j = 0; j < layout->rows[i].span_count; j++) {
			const struct span *span = &model->spans[layout->rows[i].spans[j]];
			double length_ns = (double)(span->end_ns - span->begin_ns);

			if (is_work(span) && length_ns > scores[i])
				scores[i] = length_ns;
		}
	for (size_t i = 0; i < model->chain_count; i++) {
		const struct link *link = &model->chain[i];

		scores[layout->row_of_thread[model->spans[link->span].thread]] +=
			(double)(model->end_ns - model->begin_ns) + (double)(link->end_ns - link->begin_ns);
	}
	return scores;
}

static int compare_scores(const void *a, const void *b, void *data)
{
	const double *scores = data;
	size_t left = *(const size_t *)a;
	size_t right = *(const size_t *)b;

	if (scores[left] != scores[right])
		return scores[left] > scores[right] ? -1 : 1;
	return left < right ? -1 : left > right;
}

/* Which rows stay. The caller frees it. */
static bool *choose_rows(const struct layout *layout, const struct model *model)
{
	double *scores = score_rows(layout, model);
	bool *kept = calloc(layout->row_count, sizeof(*kept));
	size_t *order = NULL;
	size_t count = 0;

	if (!kept)
		more(NULL, 0, SIZE_MAX); /* says that there is no memory */
	while (count < layout->row_count) {
		size_t row = count;

		*APPEND(order, count) = row;
	}
	qsort_r(order, count, sizeof(*order), compare_scores, scores);
	for (size_t i = 0; i < ROWS_KEPT; i++)
		kept[order[i]] = true;
	free(scores);
	free(order);
	return kept;
}

static void append(size_t **list, size_t *count, const size_t *others, size_t other_count)
{
	for (size_t i = 0; i < other_count; i++)
		*APPEND(*list, *count) = others[i];
}

static void join_row(struct row *folded, const struct row *row)
{
	folded->thread_count += row->thread_count;
	append(&folded->spans, &folded->span_count, row->spans, row->span_count);
	append(&folded->turns, &folded->turn_count, row->turns, row->turn_count);
	free(row->spans);
	free(row->turns);
}

/* The rows that stay keep their order; below those of a process stands what is left of it, in one row. */
static void fold_rows(struct layout *layout, const struct model *model)
{
	bool *kept = choose_rows(layout, model);
	size_t *place = calloc(layout->row_count, sizeof(*place));
	struct row *rows = NULL;
	size_t count = 0;

	if (!place)
		more(NULL, 0, SIZE_MAX); /* says that there is no memory */
	for (size_t begin = 0, end; begin < layout->row_count; begin = end) {
		struct row folded = {.process = layout->rows[begin].process, .folded = true};

		for (end = begin; end < layout->row_count && layout->rows[end].process == folded.process; end++)
			if (kept[end]) {
				place[end] = count;
				*APPEND(rows, count) = layout->rows[end];
			}
		for (size_t i = begin; i < end; i++)
			if (!kept[i]) {
				place[i] = count;
				join_row(&folded, &layout->rows[i]);
			}
		if (folded.thread_count)
			*APPEND(rows, count) = folded;
		layout->folded_threads += folded.thread_count;
	}
	for (size_t i = 0; i < model->thread_count; i++)
		layout->row_of_thread[i] = place[layout->row_of_thread[i]];
	free(layout->rows);
	free(place);
	free(kept);
	layout->rows = rows;
	layout->row_count = count;
}

/* ---- lanes ---- */

/* The lowest lane that is free when @span begins, or @most; lanes in use end at @ends_ns. */
static unsigned int lane_free(uint64_t **ends_ns, size_t *lanes, const struct span *span, size_t most)
{
	for (size_t i = 0; i < *lanes; i++)
		if ((*ends_ns)[i] <= span->begin_ns) {
			(*ends_ns)[i] = span->end_ns;
			return (unsigned int)i;
		}
	if (*lanes == most)
		return (unsigned int)most;
	*APPEND(*ends_ns, *lanes) = span->end_ns;
	return (unsigned int)*lanes - 1;
}

/* Nested spans stand below each other; a wait stands on the span that it interrupts. */
static void assign_lanes(struct model *model, struct row *row)
{
	uint64_t *ends_ns = NULL;
	size_t lanes = 0;

	for (size_t i = 0; i < row->span_count; i++) {
		struct span *span = &model->spans[row->spans[i]];

		if (span->kind == SPAN_WAIT && span->parent != NONE)
			span->lane = model->spans[span->parent].lane;
		else
			span->lane = lane_free(&ends_ns, &lanes, span, LANES_MOST);
		if (span->lane < LANES_MOST)
			continue;
		span->lane = LANES_MOST - 1;
		row->deep++;
	}
	free(ends_ns);
	row->lanes = lanes ? (unsigned int)lanes : 1;
	ends_ns = NULL;
	lanes = 0;
	for (size_t i = 0; i < row->turn_count; i++) {
		struct span *span = &model->spans[row->turns[i]];

		span->lane = lane_free(&ends_ns, &lanes, span, TURN_LANES_MOST);
		if (span->lane == TURN_LANES_MOST)
			span->lane = TURN_LANES_MOST - 1;
	}
	free(ends_ns);
	row->turn_lanes = (unsigned int)lanes;
}

static void choose_heights(struct layout *layout)
{
	static const struct {
		unsigned int most;
		double lane_height, lane_gap, row_gap, font;
	} sizes[] = {
		{30, 22, 2, 8, 11.5}, {60, 18, 1, 5, 10.5}, {120, 14, 1, 3, 9}, {200, 11, 1, 2, 8}, {~0u, 8, 0.5, 1, 0},
	};
	unsigned int lanes = 0;
	size_t size = 0;

	for (size_t i = 0; i < layout->row_count; i++)
		lanes += layout->rows[i].lanes;
	while (lanes > sizes[size].most)
		size++;
	layout->lane_height = sizes[size].lane_height;
	layout->lane_gap = sizes[size].lane_gap;
	layout->row_gap = sizes[size].row_gap;
	layout->font = sizes[size].font;
	layout->turn_height = sizes[size].lane_height >= 14 ? 4 : 2;
}

static void place_rows(struct layout *layout, const struct model *model)
{
	double y = layout->rows_y;

	for (size_t i = 0; i < layout->row_count; i++) {
		struct row *row = &layout->rows[i];

		if (model->process_count > 1 && (i == 0 || layout->rows[i - 1].process != row->process))
			y += 22; /* for the process' name */
		row->y = y;
		row->height = row->lanes * layout->lane_height + (row->lanes - 1) * layout->lane_gap +
			      row->turn_lanes * layout->turn_height + (row->turn_lanes ? 1 : 0);
		if (row->folded)
			row->height = FOLDED_HEIGHT;
		y += row->height + layout->row_gap;
	}
	layout->rows_bottom = y;
}

/* Whether a call was kept waiting for a worker for so long that it would be seen. */
static bool has_pending(const struct model *model)
{
	uint64_t least_ns = (model->end_ns - model->begin_ns) / 200;

	for (size_t i = 0; i < model->call_count; i++) {
		const struct call *call = &model->calls[i];

		if (call->scheduled_ns && call->started_ns > call->scheduled_ns &&
		    call->started_ns - call->scheduled_ns > least_ns)
			return true;
	}
	return false;
}

/* What came soon after the end of a boot is shown; what came much later would leave no room for the boot itself. */
static uint64_t shown_end_ns(const struct model *model)
{
	uint64_t most_ns = model->path.end_ns + (model->path.end_ns - model->path.begin_ns) / 4;

	return model->end_ns < most_ns ? model->end_ns : model->path.end_ns;
}

uint64_t layout_length_ns(const struct model *model, const struct selection *selection)
{
	uint64_t end_ns = selection->has_to || selection->end ? model->path.end_ns : shown_end_ns(model);

	return end_ns > model->path.begin_ns ? end_ns - model->path.begin_ns : 1;
}

/* Of what stands above the rows. */
static void place_head(struct layout *layout, const struct model *model)
{
	size_t with_phases = 0;

	for (size_t i = 0; i < model->process_count; i++)
		with_phases += model->processes[i].has_phases;
	layout->phases_y = 0;
	layout->phases_height = 20;
	layout->strip_y = (double)with_phases * (layout->phases_height + 2) + (with_phases ? 4 : 0);
	layout->strip_height = 22;
	for (size_t i = 0; i < layout->strip.callouts.count; i++)
		layout->strip.callouts.items[i].y = layout->strip_y + layout->strip_height;
	layout->load_y = layout->strip_y + layout->strip_height + callouts_height(&layout->strip.callouts) + 26;
	layout->load_height = 44;
	layout->pending_height = has_pending(model) ? 28 : 0;
	layout->rows_y =
		layout->load_y + layout->load_height + layout->pending_height + (layout->pending_height > 0 ? 20 : 14);
}

void layout_build(struct layout *layout, struct model *model, uint64_t length_ns, double width)
{
	*layout = (struct layout){.width = width};
	layout->scale.left = LEFT;
	layout->scale.width = width - LEFT - RIGHT;
	layout->scale.begin_ns = model->path.begin_ns;
	layout->scale.end_ns = model->path.begin_ns + length_ns;
	fill_rows(layout, model);
	if (layout->row_count > ROWS_MOST)
		fold_rows(layout, model);
	for (size_t i = 0; i < layout->row_count; i++)
		if (layout->rows[i].folded)
			layout->rows[i].lanes = 1;
		else
			assign_lanes(model, &layout->rows[i]);
	choose_heights(layout);
	strip_build(&layout->strip, model, &layout->scale);
	place_head(layout, model);
	place_rows(layout, model);
	bars_build(layout, model);
	layout->axis_y = layout->rows_bottom + callouts_height(&layout->callouts);
	layout->late = model->path.late_count && model->path.late_first_ns > layout->scale.end_ns;
	layout->height = layout->axis_y + 34 + (layout->late ? LATE_LINE : 0);
}

void layout_free(struct layout *layout)
{
	bars_free(layout);
	strip_free(&layout->strip);
	for (size_t i = 0; i < layout->row_count; i++) {
		free(layout->rows[i].spans);
		free(layout->rows[i].turns);
	}
	free(layout->rows);
	free(layout->row_of_thread);
	*layout = (struct layout){0};
}
