// SPDX-License-Identifier: MIT
// The picture: what stands where. bars.js and paint.js paint it.
'use strict';

// Names have less room on a telephone.
const LEFT = window.innerWidth > 760 ? 132 : 92, RIGHT = 16, AXIS = 24, LANE = 20, GAP = 2, ROW_GAP = 6, THIN = 5, TURN_HEIGHT = 4;
const NARROW = 2.5, LOAD = 40, PHASES = 20, HEADING = 24;
const MANY_ROWS = 200;
const LINES_MOST = 200;
const COLORS = ['page', 'ink', 'quiet', 'line', 'mark', 'phase0', 'phase1', 'load', 'path', 'waits', 'bar-ink', 'failed',
	'failed-edge'].concat(KINDS, KINDS.map(kind => kind + '-edge'));

const view = {models: [], zero: 0, from: 0, to: 1, length: 1, scroll: 0, width: 0, height: 0, items: [], bottom: 0, colors: {},
	hovered: null, chosen: null, matches: null, stripes: null};

function readColors() {
	const style = getComputedStyle(document.documentElement);

	for (const name of COLORS)
		view.colors[name] = style.getPropertyValue('--' + name).trim();
	view.stripes = makeStripes();
}

// Waits show without colours, too.
function makeStripes() {
	const tile = document.createElement('canvas');

	tile.width = tile.height = 8;
	const g = tile.getContext('2d');

	g.globalAlpha = 0.45;
	g.strokeStyle = view.colors['wait-edge'];
	for (const x of [-8, 0, 8])
		line(g, x - 1, 9, x + 9, -1);
	return g.createPattern(tile, 'repeat');
}

function xOf(t) {
	return LEFT + (t - view.from) / (view.to - view.from) * (view.width - LEFT - RIGHT);
}

function timeAt(x) {
	return view.from + (x - LEFT) / (view.width - LEFT - RIGHT) * (view.to - view.from);
}

// @fine: what the last decimal must tell.
function duration(ns, fine) {
	const size = Math.abs(ns);
	const [unit, word, least] = size >= 1e9 ? [1e9, 's', 3] : size >= 1e6 ? [1e6, 'ms', 0] : size >= 1e3 ? [1e3, 'µs', 0] :
		[1, 'ns', 0];
	const whole = size / unit;
	const decimals = Math.max(least, whole < 10 ? 2 : whole < 100 ? 1 : 0, fine ? Math.ceil(Math.log10(unit / fine)) : 0);

	return (ns / unit).toFixed(Math.min(decimals, Math.log10(unit))) + ' ' + word;
}

// Of what lasts @length: so many decimals that its end is another moment than its begin.
function moment(t, length) {
	return duration(t - view.zero, length / 10);
}

// ---- what stands where ----

function place(model, type, height, rest) {
	const item = {model, type, height, y: view.bottom, ...rest};

	view.items.push(item);
	view.bottom += height;
	return item;
}

function rowHeight(row) {
	if (row.folded)
		return THIN;
	return row.lanes.length * (LANE + GAP) - GAP + row.turns.length * TURN_HEIGHT;
}

function placeModel(model) {
	let process = NONE;

	if (view.models.length > 1)
		place(model, 'heading', HEADING + 4);
	model.processes.forEach((_, i) => {
		const phases = model.phases.filter(phase => phase.process === i);

		if (phases.length)
			place(model, 'phases', PHASES + 2, {phases, process: i});
	});
	place(model, 'path', PHASES + 6, {parts: model.path.concat(model.gaps).sort((a, b) => a.begin_ns - b.begin_ns)});
	place(model, 'load', LOAD + 8);
	for (const row of model.rows) {
		if (row.process !== process && model.processes.length > 1)
			place(model, 'process', HEADING, {process: row.process});
		process = row.process;
		row.y = place(model, 'row', rowHeight(row), {row}).y;
		view.bottom += row.folded ? 1 : ROW_GAP;
	}
	view.bottom += 12;
}

function placeAll() {
	view.items = [];
	view.bottom = AXIS + 4;
	view.models.forEach(placeModel);
}

function laneY(row, lane) {
	return row.y - view.scroll + (row.folded ? 0 : lane * (LANE + GAP));
}

function turnY(row, lane) {
	return row.y - view.scroll + (row.folded ? 0 : row.lanes.length * (LANE + GAP) - GAP + lane * TURN_HEIGHT + 1);
}

function rowOfSpan(model, span) {
	return model.rows[model.rowOf[model.spans.thread[span]]];
}

// What is drawn at a point: {model, span}, or null.
function spanAt(x, y) {
	const at = y + view.scroll;
	const item = view.items.find(one => (one.type === 'row' || one.type === 'path') && at >= one.y && at < one.y + one.height);

	if (!item || x < LEFT)
		return null;
	if (item.type === 'path') {
		const part = item.parts[firstPart(item.parts, timeAt(x))];

		return part && 'span' in part && part.begin_ns <= timeAt(x) ? {model: item.model, span: part.span} : null;
	}
	const {model, row} = item;
	const lane = row.folded ? 0 : Math.floor((y + view.scroll - row.y) / (LANE + GAP));
	const turns = lane < row.lanes.length ? null : row.turns[Math.floor((y - turnY(row, 0)) / TURN_HEIGHT)];
	const lanes = turns ? [turns] : lane < row.lanes.length ? [row.overlays[lane], row.lanes[lane]] : [];

	for (const one of lanes) {
		const span = nearest(model.spans, one, x);

		if (span !== NONE)
			return {model, span};
	}
	return null;
}

// Of those within a pixel of @x the longest.
function nearest(spans, lane, x) {
	let found = NONE, longest = -1;
	const to = timeAt(x + 1);

	for (let i = bisect(lane.latest, timeAt(x - 1)), looked = 0; i < lane.spans.length && looked < 5000; i++, looked++) {
		const span = lane.spans[i], length = spans.end_ns[span] - spans.begin_ns[span];

		if (spans.begin_ns[span] > to)
			break;
		if (spans.end_ns[span] >= timeAt(x - 1) && length > longest)
			[found, longest] = [span, length];
	}
	return found;
}
