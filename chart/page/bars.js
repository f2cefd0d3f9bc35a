// SPDX-License-Identifier: MIT
// Rows of bars. Only what is seen is painted; what is narrower than a pixel is merged, and passed over by bisection, so a
// frame takes as long as the picture is wide, not as the trace is long.
'use strict';

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
