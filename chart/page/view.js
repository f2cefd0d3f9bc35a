// SPDX-License-Identifier: MIT
// The picture: what stands where, and how it is painted. Only what is seen is painted; what is narrower than a pixel
// is merged, and passed over by bisection, so a frame takes as long as the picture is wide, not as the trace is long.
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

// ---- bars ----

function paintBar(g, model, span, left, right, y, height, failed) {
	const {spans} = model;
	const kind = failed ? 'failed' : KINDS[spans.kind[span]];
	const width = Math.max(right - left, 1);
	const faint = view.matches && !view.matches.get(model).has(spans.name[span]);

	g.globalAlpha = faint ? 0.25 : 1;
	paintBox(g, width < NARROW || height <= THIN ? kind + '-edge' : kind, left, width, y, height);
	if (width >= NARROW && height > THIN) {
		g.strokeStyle = view.colors[kind + '-edge'];
		g.setLineDash(spans.unfinished[span] ? [4, 2] : []);
		g.strokeRect(left + 0.5, y + 0.5, width - 1, height - 1);
	}
	if (failed && width >= 8 && height > THIN)
		paintCross(g, right - 6, y + 6);
	g.globalAlpha = 1;
}

function paintBox(g, kind, left, width, y, height) {
	g.fillStyle = view.colors[kind];
	g.fillRect(left, y, width, height);
	if (kind === 'wait') {
		g.fillStyle = view.stripes;
		g.fillRect(left, y, width, height);
	}
}

// A failure shows without colour, too.
function paintCross(g, x, y) {
	g.setLineDash([]);
	g.strokeStyle = view.colors['bar-ink'];
	g.lineWidth = 2;
	g.beginPath();
	g.moveTo(x - 3, y - 3);
	g.lineTo(x + 3, y + 3);
	g.moveTo(x + 3, y - 3);
	g.lineTo(x - 3, y + 3);
	g.stroke();
	g.lineWidth = 1;
}

function labelOfSpan(model, span) {
	const name = nameOf(model, span);

	return model.spans.kind[span] === WAIT && name !== 'waits' ? 'waits for ' + name : name;
}

const beside = [];   // names that stand beside their bars: over the lines, on a ground of their own

function paintBeside(g) {
	g.lineWidth = 3;
	g.lineJoin = 'round';
	g.strokeStyle = view.colors.page;
	g.fillStyle = view.colors.ink;
	for (const name of beside)
		g.strokeText(...name);
	for (const name of beside)
		g.fillText(...name);
	g.lineWidth = 1;
	beside.length = 0;
}

// In the bar, else right of it, else left of it, else a part of it in the bar.
function paintNames(g, model, bars, y) {
	let taken = LEFT;

	bars.forEach(({span, left, right}, i) => {
		const next = i + 1 < bars.length ? bars[i + 1].left : view.width;
		const from = Math.max(left, LEFT), to = Math.min(right, view.width);

		if (span === NONE || to < LEFT || (view.matches && !view.matches.get(model).has(model.spans.name[span]))) {
			taken = Math.max(taken, right);
			return;
		}
		const room = Math.max(to - from - 8, next - to - 8, from - taken - 8);
		const name = room < 20 ? '' : labelOfSpan(model, span);
		const width = name ? g.measureText(name).width : Infinity;

		g.fillStyle = view.colors['bar-ink'];
		if (width <= to - from - 8) {
			g.fillText(name, from + 4, y);
		} else if (width <= next - to - 8) {
			beside.push([name, to + 4, y]);
			taken = to + 4 + width;
			return;
		} else if (width <= from - taken - 8) {
			beside.push([name, from - 4 - width, y]);
		} else if (to - from > 28) {
			g.fillText(fit(g, name, to - from - 8), from + 4, y);
		}
		taken = Math.max(taken, to);
	});
}

function fit(g, text, room) {
	let most = text.length;

	if (g.measureText(text).width <= room)
		return text;
	most = Math.min(most, Math.floor(room / 4));
	while (most > 3 && g.measureText(text.slice(0, most) + '…').width > room)
		most--;
	return most > 3 ? text.slice(0, most) + '…' : '';
}

// All of a lane that is seen. Spans of less than a pixel that touch are one bar, whose end is found by bisection; such
// bars that touch, of one colour, are painted as one. Into @bars goes what a name may stand in or beside.
function paintLane(g, model, lane, y, height, bars) {
	const {spans} = model;
	const pixel = (view.to - view.from) / (view.width - LEFT - RIGHT);
	let i = bisect(lane.latest, view.from);
	let thin = null;   // what of thin bars is not painted yet

	while (i < lane.spans.length && spans.begin_ns[lane.spans[i]] <= view.to) {
		const first = i, span = lane.spans[i];
		let end = Math.max(spans.end_ns[span], lane.latest[i]);

		i++;
		if (end - spans.begin_ns[span] < pixel) {
			const until = spans.begin_ns[span] + pixel;

			i = Math.min(firstFrom(spans, lane, i, until), bisect(lane.latest, until, i));   // a long one begins there
			end = Math.max(end, lane.latest[i - 1]);
		}
		const left = xOf(spans.begin_ns[span]), right = xOf(i - first > 1 ? end : spans.end_ns[span]);

		thin = paintOrJoin(g, model, span, left, right, y, height, lane.failed[i] > lane.failed[first], thin);
		if (bars)
			bars.push({span: i - first > 1 ? NONE : span, left, right});
	}
	paintThin(g, thin, y, height);
}

function paintThin(g, thin, y, height) {
	if (!thin)
		return;
	g.fillStyle = view.colors[thin.color];
	g.fillRect(thin.left, y, thin.right - thin.left, height);
}

// Returns the thin bars that are not painted yet.
function paintOrJoin(g, model, span, left, right, y, height, failed, thin) {
	if (right - left >= NARROW || view.matches) {
		paintThin(g, thin, y, height);
		paintBar(g, model, span, left, right, y, height, failed);
		return null;
	}
	const color = (failed ? 'failed' : KINDS[model.spans.kind[span]]) + '-edge';

	right = Math.max(right, left + 1);
	if (thin && thin.color === color && left <= thin.right + 0.5) {
		thin.right = Math.max(thin.right, right);
		return thin;
	}
	paintThin(g, thin, y, height);
	return {color, left, right};
}

// The first place from @low on whose span begins at @t or later.
function firstFrom(spans, lane, low, t) {
	let step = 1;

	while (low + step < lane.spans.length && spans.begin_ns[lane.spans[low + step]] < t)
		step *= 2;   // it is near
	let high = Math.min(low + step, lane.spans.length);

	while (low < high) {
		const middle = (low + high) >> 1;

		if (spans.begin_ns[lane.spans[middle]] < t)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

function paintRow(g, item) {
	const {row, model} = item;
	const height = row.folded ? THIN : LANE;

	row.turns.forEach((lane, i) => row.folded || paintLane(g, model, lane, turnY(row, i), TURN_HEIGHT - 1, null));
	row.lanes.forEach((lane, i) => {
		const bars = row.folded ? null : [];

		paintLane(g, model, lane, laneY(row, i), height, bars);
		paintLane(g, model, row.overlays[i], laneY(row, i), height, null);
		if (bars)
			paintNames(g, model, bars, laneY(row, i) + LANE - 6);
	});
}

// ---- lines ----

function line(g, x1, y1, x2, y2) {
	g.beginPath();
	g.moveTo(x1, y1);
	g.lineTo(x2, y2);
	g.stroke();
}

function middleOf(model, span) {
	const row = rowOfSpan(model, span);

	return laneY(row, model.lane[span]) + (row.folded ? THIN : LANE) / 2;
}

// From the end of the call to the wait that it ended: of the longest waits, and of what is hovered over.
function paintWaits(g, model) {
	const {spans, calls} = model;

	model.longWaits = model.longWaits || [...waitsOf(model).ended.values()].flat()
		.sort((a, b) => spans.end_ns[b] - spans.begin_ns[b] - spans.end_ns[a] + spans.begin_ns[a]).slice(0, LINES_MOST);
	g.strokeStyle = view.colors.waits;
	g.setLineDash([]);
	for (const wait of model.longWaits) {
		const from = lastSpan(model, spans.awaited[wait]);

		if (from !== NONE && spans.thread[from] !== spans.thread[wait])
			line(g, xOf(calls.completed_ns[spans.awaited[wait]]), middleOf(model, from), xOf(spans.end_ns[wait]),
				middleOf(model, wait));
	}
}

// The path runs along the lower edges of its bars; a dashed line leads on where nothing that is traced was done.
function paintPath(g, model) {
	let last = null;

	g.strokeStyle = view.colors.path;
	for (const link of model.path) {
		const row = rowOfSpan(model, link.span);
		const y = laneY(row, model.lane[link.span]) + (row.folded ? THIN : LANE) - 1.2;
		const [left, right] = [xOf(link.begin_ns), xOf(link.end_ns)];

		if (right < LEFT || left > view.width || (right - left < 0.3 && model.path.length > 2000))
			continue;
		g.setLineDash(link.what !== 'span' ? [3, 3] : []);
		g.lineWidth = 2.4;
		line(g, left, y, right, y);
		if (last) {
			g.lineWidth = 1;
			line(g, left, last.y, left, y);
			g.setLineDash([3, 3]);
			if (left - last.x > 1)
				line(g, last.x, last.y, left, last.y);
		}
		last = {x: right, y};
	}
	g.lineWidth = 1;
	g.setLineDash([]);
}

// ---- the rest ----

function stepOf(most) {
	const least = (view.to - view.from) / most;
	const power = 10 ** Math.floor(Math.log10(least));

	return [1, 2, 5, 10].map(factor => factor * power).find(step => step >= least);
}

// Where the path ends, if more is in sight.
function paintEnd(g, model) {
	const x = xOf(model.pathEnd);

	if (!model.pathEndName || x < LEFT || model.pathEnd >= view.to)
		return;
	g.strokeStyle = g.fillStyle = view.colors.ink;
	line(g, x, 0, x, AXIS);
	g.fillText(fit(g, model.pathEndName, view.width - RIGHT - x - 4), x + 4, 9);
}

// How much begins after what is in sight, and after the end of the path.
function paintLate(g) {
	const late = view.models.flatMap(model => {
		const first = bisect(model.late, view.to);

		return first < model.late.length ? [[model.late.length - first, model.late[first]]] : [];
	});
	const count = late.reduce((sum, [number]) => sum + number, 0);
	const text = count ? `${count} later, from ${moment(Math.min(...late.map(([, first]) => first)))} ▸` : '';

	view.late = text;
	if (!text)
		return;
	const width = g.measureText(text).width;

	g.fillStyle = view.colors.page;
	g.fillRect(view.width - RIGHT - width - 6, 0, width + 6 + RIGHT, AXIS);
	g.fillStyle = view.colors.ink;
	g.fillText(text, view.width - RIGHT - width, 15);
}

function paintAxis(g) {
	const step = Math.max(stepOf(Math.max((view.width - LEFT - RIGHT) / 110, 2)), 1);
	const [unit, word] = step >= 1e8 ? [1e9, 's'] : step >= 1e5 ? [1e6, 'ms'] : step >= 100 ? [1e3, 'µs'] : [1, 'ns'];
	const decimals = Math.max(0, Math.ceil(Math.log10(unit / step) - 1e-9));

	g.fillStyle = view.colors.page;
	g.fillRect(0, 0, view.width, AXIS);
	g.fillStyle = view.colors.quiet;
	g.strokeStyle = view.colors.line;
	g.textAlign = 'center';
	for (let t = view.zero + Math.ceil((view.from - view.zero) / step) * step; t <= view.to; t += step) {
		g.fillText(((t - view.zero) / unit).toFixed(decimals) + ' ' + word, xOf(t), 15);
		line(g, xOf(t), AXIS - 5, xOf(t), AXIS);
	}
	g.textAlign = 'left';
	view.models.forEach(model => paintEnd(g, model));
	paintLate(g);
}

function paintPhases(g, item) {
	item.phases.forEach((phase, i) => {
		const [left, right] = [Math.max(xOf(phase.begin_ns), LEFT), Math.min(xOf(phase.end_ns), view.width)];

		if (right <= left)
			return;
		g.fillStyle = view.colors[i % 2 ? 'phase1' : 'phase0'];
		g.fillRect(left, item.y - view.scroll, right - left, PHASES);
		g.fillStyle = view.colors.ink;
		g.fillText(fit(g, `${phase.name}  ${duration(phase.end_ns - phase.begin_ns)}`, right - left - 8), left + 4,
			item.y - view.scroll + 14);
	});
}

function paintLoad(g, item) {
	const {load, rows} = item.model;
	const pixel = (view.to - view.from) / (view.width - LEFT - RIGHT);
	const columns = [];
	let most = 1;

	for (let x = LEFT; x < view.width - RIGHT; x++) {
		columns.push(Math.max(0, loadBetween(load, timeAt(x), timeAt(x) + pixel)));
		most = Math.max(most, columns[columns.length - 1]);
	}
	most = Math.min(Math.ceil(most - 1e-6), rows.length || 1);
	g.fillStyle = view.colors.load;
	columns.forEach((value, i) => {
		const height = Math.min(value / most, 1) * LOAD;

		g.fillRect(LEFT + i, item.y - view.scroll + LOAD - height, 1, height);
	});
	item.most = most;
}

// What the total consists of, one part after the other.
function paintStrip(g, item) {
	const {model, parts} = item;
	const y = item.y - view.scroll;
	let painted = -1;

	for (let i = firstPart(parts, view.from); i < parts.length && parts[i].begin_ns <= view.to; i++) {
		const part = parts[i];
		const left = xOf(part.begin_ns), right = xOf(part.end_ns);

		if (right - left < 1 && left < painted)
			continue;
		paintPart(g, model, part, left, Math.max(right - left, 1), y);
		painted = left + 1;
	}
}

function firstPart(parts, t) {
	let low = 0, high = parts.length;

	while (low < high) {
		const middle = (low + high) >> 1;

		if (parts[middle].end_ns <= t)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

function paintPart(g, model, part, left, width, y) {
	const gap = !('span' in part);
	const kind = gap ? 'page' : part.what !== 'span' ? 'load' :
		model.spans.failed[part.span] ? 'failed' : KINDS[model.spans.kind[part.span]];
	const from = Math.max(left, LEFT), room = Math.min(left + width, view.width) - from - 8;

	if (width < NARROW) {
		paintBox(g, gap ? 'line' : kind + (kind === 'load' ? '' : '-edge'), left, width, y, PHASES);
		return;
	}
	paintBox(g, kind, left, width, y, PHASES);
	g.strokeStyle = view.colors[gap ? 'quiet' : kind === 'load' ? 'quiet' : kind + '-edge'];
	g.setLineDash(gap || part.what !== 'span' ? [2, 2] : []);
	g.strokeRect(left + 0.5, y + 0.5, width - 1, PHASES - 1);
	g.setLineDash([]);
	if (room < 20)
		return;
	const name = gap ? part.text || 'nothing traced' : labelOfSpan(model, part.span) + (part.what === 'queued' ? ', queued' : '');
	const long = `${name}  ${duration(part.end_ns - part.begin_ns)}`;

	g.fillStyle = view.colors[gap ? 'quiet' : 'bar-ink'];
	g.fillText(g.measureText(long).width <= room ? long : fit(g, name, room), from + 4, y + 14);
}

function labelOf(item) {
	const {model} = item;

	switch (item.type) {
	case 'row':
		return item.row.folded ? '' : item.row.label;
	case 'path':
		return 'critical path';
	case 'load':
		return `at work, of ${item.most}`;
	case 'phases':
		return model.processes.length > 1 ? `phases of ${model.processes[item.process].pid || 'Linux'}` : 'phases';
	case 'heading':
		return model.label;
	default:
		return model.processes[item.process].program || (model.processes[item.process].pid ? 'process' : 'kernel log');
	}
}

function paintLabel(g, item) {
	const wide = item.type === 'heading' || item.type === 'process';
	const text = labelOf(item);

	g.fillStyle = view.colors[wide || item.type === 'row' ? 'ink' : 'quiet'];
	g.font = (item.type === 'heading' ? 'bold 13px ' : '11px ') + view.font;
	g.textAlign = wide ? 'left' : 'right';
	g.fillText(item.type === 'heading' ? `${text}: ${item.model.title}` : fit(g, text, wide ? view.width : LEFT - 12),
		wide ? 8 : LEFT - 8, item.y - view.scroll + 15);
	g.textAlign = 'left';
	g.font = '11px ' + view.font;
}

function paintChosen(g) {
	const {model, span} = view.chosen;
	const row = rowOfSpan(model, span);
	const turn = model.spans.kind[span] === TURN;
	const y = turn ? turnY(row, 0) : laneY(row, model.lane[span]);

	g.lineWidth = 2;
	g.strokeStyle = view.colors.ink;
	g.strokeRect(xOf(model.spans.begin_ns[span]) - 1, y - 1,
		Math.max(xOf(model.spans.end_ns[span]) - xOf(model.spans.begin_ns[span]), 1) + 2, (row.folded ? THIN : LANE) + 2);
	g.lineWidth = 1;
}

const PAINTERS = {row: paintRow, phases: paintPhases, path: paintStrip, load: paintLoad};

function paint(canvas) {
	const g = canvas.getContext('2d');
	const seen = view.items.filter(item => item.y + item.height >= view.scroll && item.y <= view.scroll + view.height);

	g.setTransform(view.ratio, 0, 0, view.ratio, 0, 0);
	g.fillStyle = view.colors.page;
	g.fillRect(0, 0, view.width, view.height);
	g.font = '11px ' + view.font;
	g.save();
	g.beginPath();
	g.rect(LEFT, 0, view.width - LEFT, view.height);
	g.clip();
	for (const item of seen)
		(PAINTERS[item.type] || (() => {}))(g, item);
	for (const model of view.models) {
		paintWaits(g, model);
		paintPath(g, model);
	}
	paintBeside(g);
	if (view.chosen)
		paintChosen(g);
	g.restore();
	for (const item of seen)
		paintLabel(g, item);
	paintAxis(g);
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
