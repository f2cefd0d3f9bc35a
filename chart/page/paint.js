// SPDX-License-Identifier: MIT
// Everything but the bars: what waits for what, the path, axis, phases, load, labels; and a whole frame.
'use strict';

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

// ---- axis, phases, load, path, labels ----

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
