// SPDX-License-Identifier: MIT
// From the model's JSON (docs/CHART.md) to arrays and rows that can be drawn fast, however many spans there are.
'use strict';

const KINDS = ['run', 'step', 'retire', 'wait', 'turn'];
const [RUN, STEP, RETIRE, WAIT, TURN] = [0, 1, 2, 3, 4];
const WORDS = ['running', 'synchronous step', 'retiring, in order', 'waiting for calls', 'returned, waiting for its turn'];
const NONE = -1;
const TURN_LANES_MOST = 4;

// One column of a table, each value made by @read.
function column(table, name, into, read) {
	const at = table.columns.indexOf(name);

	for (let i = 0; i < table.rows.length; i++)
		into[i] = read(at < 0 ? null : table.rows[i][at]);
	return into;
}

const time = value => value === null ? NaN : value;
const index = value => value === null ? NONE : value;
const count = value => Number(value) || 0;
const times = (table, name) => column(table, name, new Float64Array(table.rows.length), time);
const indices = (table, name) => column(table, name, new Int32Array(table.rows.length), index);
const counts = (table, name) => column(table, name, new Float64Array(table.rows.length), count);
const values = (table, name) => column(table, name, new Array(table.rows.length), value => value);

// Equal texts share one number, so that a search compares each text once.
class Names {
	constructor() {
		this.texts = [];
		this.numbers = new Map();
	}

	number(text) {
		let number = this.numbers.get(text);

		if (number === undefined) {
			number = this.texts.length;
			this.texts.push(text);
			this.numbers.set(text, number);
		}
		return number;
	}
}

function readCalls(table, names) {
	const calls = {count: table.rows.length};

	for (const name of ['scheduled_ns', 'started_ns', 'returned_ns', 'retiring_ns', 'completed_ns'])
		calls[name] = times(table, name);
	for (const name of ['run', 'retire', 'scheduler'])
		calls[name] = indices(table, name);
	for (const name of ['cookie', 'by', 'error'])
		calls[name] = counts(table, name);
	for (const name of ['how', 'function', 'domain'])
		calls[name] = values(table, name);
	calls.name = column(table, 'name', new Int32Array(calls.count), text => names.number(text || ''));
	return calls;
}

function readSpans(table, names) {
	const size = table.rows.length;
	const spans = {count: size, kind: column(table, 'kind', new Uint8Array(size), word => KINDS.indexOf(word))};

	for (const name of ['begin_ns', 'end_ns'])
		spans[name] = times(table, name);
	for (const name of ['thread', 'call', 'parent', 'awaited'])
		spans[name] = indices(table, name);
	for (const name of ['wait_for', 'error', 'failed', 'unfinished'])
		spans[name] = counts(table, name);
	spans.name = column(table, 'name', new Int32Array(size), text => text === null ? NONE : names.number(text));
	return spans;
}

// Spans without a name of their own have that of their call; a wait has that of the call which ended it.
function nameSpans(model) {
	const {spans, calls} = model;
	const unnamed = model.names.number('waits');

	for (let i = 0; i < spans.count; i++) {
		const call = spans.kind[i] === WAIT ? spans.awaited[i] : spans.call[i];

		if (spans.name[i] === NONE)
			spans.name[i] = call === NONE ? unnamed : calls.name[call];
	}
}

function rowsOf(table) {
	return table ? table.rows.map(row => Object.fromEntries(row.map((value, i) => [table.columns[i], value]))) : [];
}

// When what comes after the end of the path begins, in order.
function lateOf(spans, end) {
	return spans.begin_ns.filter(begin => begin > end).sort();
}

// What came soon after the end of a boot is shown; what came much later would leave no room for the boot itself.
function shownOf(model) {
	return model.length < model.pathEnd + model.pathLength / 4 ? model.length : model.pathEnd;
}

function readModel(data, label) {
	const names = new Names();
	const model = {label, names, title: data.title, zero: data.zero_ns, length: Math.max(data.length_ns, 1),
		pathLength: Math.max(data.path_end_ns - data.path_begin_ns, 1),
		pathEnd: data.path_end_ns, pathEndName: data.path_end,
		processes: rowsOf(data.processes), threads: rowsOf(data.threads), phases: rowsOf(data.phases),
		path: rowsOf(data.path), gaps: rowsOf(data.gaps), notes: data.notes || [],
		sentence: data.sentence || ''};

	model.calls = readCalls(data.calls, names);
	model.spans = readSpans(data.spans, names);
	nameSpans(model);
	model.late = lateOf(model.spans, model.pathEnd);
	model.shown = shownOf(model);
	model.rows = makeRows(model);
	model.load = makeLoad(model);
	return model;
}

// ---- rows and lanes ----

// What stands in one lane, in order of its begin. latest[i] is the latest end of the first i + 1, so what ends after a
// moment begins at a place that can be bisected, even where spans overlap. failed[i] counts failures before i.
function makeLane(spans, list) {
	const lane = {spans: Int32Array.from(list), latest: new Float64Array(list.length),
		failed: new Int32Array(list.length + 1)};
	let latest = 0;

	for (let i = 0; i < list.length; i++) {
		latest = Math.max(latest, spans.end_ns[list[i]]);
		lane.latest[i] = latest;
		lane.failed[i + 1] = lane.failed[i] + spans.failed[list[i]];
	}
	return lane;
}

// The lowest lane that is free when @span begins; at most @most lanes, of which the last takes the rest.
function freeLane(lanes, spans, span, most) {
	let i = 0;

	while (i < lanes.length && i < most - 1 && lanes[i].until > spans.begin_ns[span])
		i++;
	if (i === lanes.length)
		lanes.push({until: 0, list: [], overlays: []});
	lanes[i].until = Math.max(lanes[i].until, spans.end_ns[span]);
	return i;
}

function fillRow(model, row, list) {
	const {spans} = model;
	const lanes = [], turns = [];

	for (const span of list) {
		const parent = spans.parent[span];

		if (spans.kind[span] === TURN) {
			turns[freeLane(turns, spans, span, TURN_LANES_MOST)].list.push(span);
		} else if (spans.kind[span] === WAIT && parent !== NONE) {
			model.lane[span] = model.lane[parent];
			lanes[model.lane[span]].overlays.push(span);
		} else {
			model.lane[span] = freeLane(lanes, spans, span, Infinity);
			lanes[model.lane[span]].list.push(span);
		}
	}
	row.lanes = lanes.map(lane => makeLane(spans, lane.list));
	row.overlays = lanes.map(lane => makeLane(spans, lane.overlays));
	row.turns = turns.map(lane => makeLane(spans, lane.list));
}

function threadLabel(model, thread) {
	const {tid, process} = model.threads[thread];
	const {pid, units} = model.processes[process];

	return tid < 0 ? (units ? 'units' : 'probes') : pid === 0 ? `thread ${tid}` : tid === pid ? `main · ${tid}` : `thread · ${tid}`;
}

function compareThreads(model, first, a, b) {
	const [left, right] = [model.threads[a], model.threads[b]];
	const main = thread => thread.tid === model.processes[thread.process].pid ? 0 : thread.tid < 0 ? 2 : 1;

	return left.process - right.process || main(left) - main(right) || first[a] - first[b] || a - b;
}

function makeRows(model) {
	const {spans, threads} = model;
	const lists = threads.map(() => []);
	const first = new Float64Array(threads.length).fill(Infinity);
	const rowOf = new Int32Array(threads.length).fill(NONE);

	for (let i = 0; i < spans.count; i++) {
		lists[spans.thread[i]].push(i);
		first[spans.thread[i]] = Math.min(first[spans.thread[i]], spans.begin_ns[i]);
	}
	model.lane = new Int32Array(spans.count);
	const order = threads.map((_, i) => i).filter(i => lists[i].length);
	order.sort((a, b) => compareThreads(model, first, a, b));
	const rows = order.map(thread => ({thread, process: threads[thread].process, label: threadLabel(model, thread),
		folded: false, onPath: false}));
	rows.forEach((row, i) => {
		const list = lists[row.thread];

		rowOf[row.thread] = i;
		list.sort((a, b) => spans.begin_ns[a] - spans.begin_ns[b] || spans.end_ns[b] - spans.end_ns[a] || a - b);
		fillRow(model, row, list);
	});
	for (const link of model.path)
		rows[rowOf[spans.thread[link.span]]].onPath = true;
	model.rowOf = rowOf;
	return rows;
}

// ---- how many threads are at work ----

// The integral of "how many of @sorted are at most t", so that the mean over a pixel takes two bisections.
function makeSteps(sorted) {
	const sums = new Float64Array(sorted.length + 1);

	for (let i = 0; i < sorted.length; i++)
		sums[i + 1] = sums[i] + sorted[i];
	return {sorted, sums};
}

function integral(steps, t) {
	const before = bisect(steps.sorted, t);

	return before * t - steps.sums[before];
}

// A thread is at work in a span, but not while that span waits; a call that is run in a wait is work again.
function makeLoad(model) {
	const {spans} = model;
	const up = [], down = [];

	for (let i = 0; i < spans.count; i++) {
		const kind = spans.kind[i];
		const inWait = spans.parent[i] === NONE || spans.kind[spans.parent[i]] === WAIT;

		if (kind === TURN || (kind === WAIT) === inWait)
			continue;
		up.push(kind === WAIT ? spans.end_ns[i] : spans.begin_ns[i]);
		down.push(kind === WAIT ? spans.begin_ns[i] : spans.end_ns[i]);
	}
	return {up: makeSteps(Float64Array.from(up).sort()), down: makeSteps(Float64Array.from(down).sort())};
}

function loadBetween(load, from, to) {
	return (integral(load.up, to) - integral(load.up, from) - integral(load.down, to) + integral(load.down, from)) /
		(to - from);
}

// How many values of @sorted are at most @value; those before @low are.
function bisect(sorted, value, low = 0) {
	let high = sorted.length;

	while (low < high) {
		const middle = (low + high) >> 1;

		if (sorted[middle] <= value)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

// ---- who waited for whom ----

// For each call: the waits that it ended, and the waits in it. Made when first asked for.
function waitsOf(model) {
	if (model.waits)
		return model.waits;
	const {spans} = model;
	const waits = {ended: new Map(), within: new Map()};
	const add = (map, key, span) => map.has(key) ? map.get(key).push(span) : map.set(key, [span]);

	for (let i = 0; i < spans.count; i++) {
		if (spans.kind[i] !== WAIT)
			continue;
		if (spans.awaited[i] !== NONE)
			add(waits.ended, spans.awaited[i], i);
		for (let j = spans.parent[i]; j !== NONE; j = spans.parent[j])
			if (spans.call[j] !== NONE) {
				add(waits.within, spans.call[j], i);
				break;
			}
	}
	return model.waits = waits;
}

function nameOf(model, span) {
	return model.names.texts[model.spans.name[span]];
}

// The span whose end was the call's completion, or NONE.
function lastSpan(model, call) {
	return model.calls.retire[call] !== NONE ? model.calls.retire[call] : model.calls.run[call];
}
