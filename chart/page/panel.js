// SPDX-License-Identifier: MIT
// What is said in words: the tip under the pointer, the path as a list, the table of what moved.
'use strict';

const NAMES_MOST = 5;
const ALL_LISTED = 100;  // as many parts of a path each have an entry, the longest ones
const SHORT = 0.001;     // of the path; of more parts, shorter ones share entries

function make(name, attributes, ...children) {
	const element = document.createElement(name);

	for (const [key, value] of Object.entries(attributes))
		element[key] = value;
	element.append(...children);
	return element;
}

// ---- the tip ----

function someNames(names) {
	const more = names.length - NAMES_MOST;

	return names.slice(0, NAMES_MOST).join(', ') + (more > 0 ? ` and ${more} more` : '');
}

function callStory(calls, call) {
	const lines = [];
	const {scheduled_ns: scheduled, started_ns: started, returned_ns: returned, retiring_ns: retiring,
		completed_ns: completed} = calls;
	const say = (words, from, to) => from[call] <= to[call] && lines.push(words + ' ' + duration(to[call] - from[call]));

	if (!isNaN(scheduled[call]))
		lines.push('scheduled at ' + moment(scheduled[call]));
	if (calls.how[call] !== 'inline')
		say('waited for a thread', scheduled, started);
	say('ran', started, isNaN(returned[call]) ? completed : returned);
	say('waited for its turn', returned, isNaN(retiring[call]) ? completed : retiring);
	say('retired', retiring, completed);
	if (!isNaN(completed[call]))
		lines.push('completed at ' + moment(completed[call]));
	return lines;
}

function callLines(model, call) {
	const {calls, spans, names} = model;
	const waits = waitsOf(model);
	const within = (waits.within.get(call) || []).filter(wait => spans.awaited[wait] !== NONE);
	const ended = waits.ended.get(call) || [];
	const lines = [`cookie ${calls.cookie[call]}${calls.domain[call] ? ', domain ' + calls.domain[call] : ''}`];

	if (calls.function[call] && calls.function[call] !== names.texts[calls.name[call]])
		lines.push('function ' + calls.function[call]);
	if (calls.by[call])
		lines.push(`scheduled by the call ${calls.by[call]}`);
	if (calls.how[call])
		lines.push({inline: 'run inline by its scheduler', helped: 'run by a thread that waited for it',
			cancelled: 'cancelled'}[calls.how[call]]);
	lines.push(...callStory(calls, call));
	if (within.length)
		lines.push('waited for ' + someNames(within.map(wait => nameOf(model, wait))));
	if (ended.length)
		lines.push('ended the wait of ' + someNames(ended.map(wait => rowOfSpan(model, wait).label)));
	if (calls.error[call])
		lines.push(`error ${calls.error[call]}`);
	return lines;
}

function tipLines({model, span}) {
	const {spans} = model;
	const [begin, end] = [spans.begin_ns[span], spans.end_ns[span]];
	const length = end - begin;
	const lines = [`${WORDS[spans.kind[span]]} ${duration(length)}, from ${moment(begin, length)} to ${moment(end, length)}`];

	if (spans.unfinished[span])
		lines.push('its end is not in the trace');
	if (spans.kind[span] === WAIT) {
		lines.push(spans.wait_for[span] ? `for the calls before ${spans.wait_for[span]}` : 'for all calls');
		if (spans.awaited[span] !== NONE)
			lines.push(`ended with ${nameOf(model, span)}`);
	} else if (spans.call[span] !== NONE) {
		lines.push(...callLines(model, spans.call[span]));
	}
	if (spans.error[span])
		lines.push(`returned ${spans.error[span]}`);
	lines.push(rowOfSpan(model, span).label);
	return lines;
}

function showTip(tip, found, x, y) {
	tip.hidden = !found;
	if (!found)
		return;
	tip.replaceChildren(make('b', {textContent: nameOf(found.model, found.span)}), tipLines(found).join('\n'));
	tip.style.left = Math.max(0, Math.min(x + 14, view.width - tip.offsetWidth - 4)) + 'px';
	tip.style.top = Math.max(0, Math.min(y + 16, view.height - tip.offsetHeight - 4)) + 'px';
}

// ---- lists ----

function pressable(element, act) {
	element.tabIndex = 0;
	element.addEventListener('click', () => {
		document.querySelectorAll('#panel .chosen').forEach(one => one.classList.remove('chosen'));
		element.classList.add('chosen');
		act();
	});
	element.addEventListener('keydown', event => {
		if (event.key === 'Enter') {
			event.stopPropagation();
			element.click();
		}
	});
	return element;
}

function linkEntry(model, link, jump) {
	const words = link.what !== 'span' ? link.what + ': ' : '';
	const length = link.end_ns - link.begin_ns;
	const entry = make('li', {title: `from ${moment(link.begin_ns, length)} to ${moment(link.end_ns, length)}`},
		make('span', {className: 'length', textContent: duration(length)}),
		make('span', {className: 'name', textContent: words + labelOfSpan(model, link.span)}));

	return pressable(entry, () => jump(model, link.span, link.begin_ns, link.end_ns));
}

function gapEntry(model, gap, jump) {
	const entry = make('li', {className: 'gap'},
		make('span', {className: 'length', textContent: duration(gap.end_ns - gap.begin_ns)}),
		make('span', {className: 'name', textContent: gap.text || 'nothing that is traced'}));

	return pressable(entry, () => jump(model, NONE, gap.begin_ns, gap.end_ns));
}

function fewEntry(model, parts, jump) {
	const entry = make('li', {className: 'short'},
		make('span', {className: 'length', textContent: duration(sumOf(parts))}),
		make('span', {className: 'name', textContent: `${parts.length} short parts`}));

	return pressable(entry, () => jump(model, NONE, parts[0].begin_ns, parts.at(-1).end_ns));
}

function sumOf(parts) {
	return parts.reduce((total, part) => total + part.end_ns - part.begin_ns, 0);
}

function partEntries(model, parts, jump) {
	const one = part => 'span' in part ? linkEntry(model, part, jump) : gapEntry(model, part, jump);

	return parts.length > 1 ? [fewEntry(model, parts, jump)] : parts.map(one);
}

// The path in order of time. In one of many parts, short ones beside each other share an entry.
function pathEntries(model, jump) {
	const parts = model.path.concat(model.gaps).sort((a, b) => a.begin_ns - b.begin_ns);
	const lengths = parts.map(part => part.end_ns - part.begin_ns).sort((a, b) => b - a);
	const least = parts.length > ALL_LISTED ? Math.min(SHORT * model.pathLength, lengths[ALL_LISTED - 1]) : 0;
	const entries = [];
	let few = [];

	for (const part of parts) {
		if (part.end_ns - part.begin_ns < least) {
			few.push(part);
			continue;
		}
		entries.push(...partEntries(model, few, jump), ...partEntries(model, [part], jump));
		few = [];
	}
	return entries.concat(partEntries(model, few, jump));
}

function pathList(model, jump) {
	const sum = sumOf(model.path);

	return [make('h2', {textContent: 'critical path' + (view.models.length > 1 ? ', ' + model.label : '')}),
		make('p', {textContent: `explains ${duration(sum)} of ${duration(model.pathLength)} ` +
			`(${(100 * sum / model.pathLength).toFixed(1)} %); ${model.sentence}`}),
		...model.notes.map(textContent => make('p', {className: 'note', textContent})),
		make('ol', {}, ...pathEntries(model, jump))];
}

function moveRow(move, jump) {
	const [before, after] = view.models;
	const cells = [move.name, move.before_ns === null ? '–' : duration(move.before_ns),
		move.after_ns === null ? '–' : duration(move.after_ns), (move.took_ns > 0 ? '+' : '') + duration(move.took_ns),
		move.begins_ns === null ? '–' : (move.begins_ns > 0 ? '+' : '') + duration(move.begins_ns)];
	const row = make('tr', {title: move.what}, ...cells.map(textContent => make('td', {textContent})));

	row.cells[3].className = move.took_ns > 0 ? 'worse' : 'better';
	return pressable(row, () => {
		const [model, begin, length] = move.after_ns === null ? [before, move.before_begin_ns, move.before_ns] :
			[after, move.after_begin_ns, move.after_ns];

		jump(model, NONE, begin, begin + length);
	});
}

function moveTable(moves, jump) {
	const head = ['what moved', 'before', 'after', 'took', 'begins'];

	return [make('h2', {textContent: 'what moved, without waits'}), make('table', {id: 'moves'},
		make('thead', {}, make('tr', {}, ...head.map(textContent => make('th', {textContent})))),
		make('tbody', {}, ...moves.map(move => moveRow(move, jump))))];
}

function fillPanel(panel, moves, jump) {
	const parts = view.models.flatMap(model => pathList(model, jump));

	panel.replaceChildren(...(moves.length ? moveTable(moves, jump) : []), ...parts);
}

function fillLegend(legend) {
	const kinds = KINDS.map((kind, i) => [kind, WORDS[i]]).concat([['failed', 'failed (with a cross)']]);

	legend.replaceChildren(...kinds.map(([kind, words]) => {
		const key = make('i', {});

		key.style.background = `var(--${kind})`;
		key.style.borderColor = `var(--${kind}-edge)`;
		return make('span', {}, key, words);
	}));
}
