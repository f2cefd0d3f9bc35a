// SPDX-License-Identifier: MIT
// Reads the data, listens to the reader: zoom, pan, search, fold, jump, dark, print.
'use strict';

const byId = id => document.getElementById(id);
const canvas = byId('chart'), stage = byId('stage'), tip = byId('tip');
const PRINT_MOST = 12000; // pixels; browsers paint no higher canvas

let pending = false, dragged = null, foldMode = 0;
let found = [], foundAt = NONE;

function repaint() {
	if (pending)
		return;
	pending = true;
	requestAnimationFrame(() => {
		pending = false;
		paint(canvas);
	});
}

function resize(width, height, ratio) {
	view.ratio = ratio;
	view.width = width;
	view.height = height;
	canvas.width = Math.round(width * view.ratio);
	canvas.height = Math.round(height * view.ratio);
	canvas.style.width = width + 'px';
	canvas.style.height = height + 'px';
	scrollTo(view.scroll);
}

function fitStage() {
	resize(Math.max(stage.clientWidth, 320), Math.max(stage.clientHeight, 100), window.devicePixelRatio || 1);
}

// ---- what is seen ----

function show(from, to) {
	const least = Math.min(100, view.length);
	const length = Math.min(Math.max(to - from, least), view.length);

	from = Math.max(0, Math.min((from + to - length) / 2, view.length - length));
	view.from = from;
	view.to = from + length;
	repaint();
}

function zoom(factor, at) {
	const length = Math.min(Math.max((view.to - view.from) * factor, Math.min(100, view.length)), view.length);
	const part = (at - view.from) / (view.to - view.from);
	const from = Math.max(0, Math.min(at - part * length, view.length - length));

	show(from, from + length);
}

function pan(part) {
	const length = view.to - view.from;
	const from = Math.max(0, Math.min(view.from + part * length, view.length - length));

	show(from, from + length);
}

function scrollTo(y) {
	view.scroll = Math.max(0, Math.min(y, view.bottom - view.height));
	repaint();
}

function scrollToRow(row) {
	if (row.y - view.scroll < AXIS + 8 || row.y - view.scroll > view.height - 60)
		scrollTo(row.y - view.height / 3);
}

// To a span, with room around it; @span may be NONE.
function jump(model, span, begin, end) {
	const room = Math.max((end - begin) * 0.5, view.length / 1e6, 1);

	show(begin - room, end + room);
	view.chosen = span === NONE ? null : {model, span};
	if (span !== NONE)
		scrollToRow(rowOfSpan(model, span));
	repaint();
}

// ---- folding ----

function refold() {
	placeAll();
	scrollTo(view.scroll);
}

function setFold(mode) {
	foldMode = mode % 3;
	for (const model of view.models)
		for (const row of model.rows)
			row.folded = foldMode === 1 || (foldMode === 2 && !row.onPath);
	byId('fold').textContent = ['fold', 'fold: all', 'fold: not on the path'][foldMode];
	refold();
}

function foldAt(y) {
	const item = view.items.find(one => one.type === 'row' && y + view.scroll >= one.y && y + view.scroll <= one.y + one.height);

	if (!item)
		return;
	item.row.folded = !item.row.folded;
	refold();
}

// ---- search ----

// The spans whose name contains @text, the models in turn, each in order of time.
function findSpans(text) {
	const all = [];

	for (const model of view.models) {
		const names = view.matches.get(model);
		const {spans} = model;
		const own = [];

		for (let i = 0; i < spans.count; i++)
			if (names.has(spans.name[i]) && spans.kind[i] !== TURN && spans.kind[i] !== WAIT)
				own.push(i);
		own.sort((a, b) => spans.begin_ns[a] - spans.begin_ns[b]);
		for (const span of own)
			all.push({model, span});
	}
	return all;
}

function search(text) {
	const wanted = text.trim().toLowerCase();

	found = [];
	foundAt = NONE;
	view.matches = null;
	if (wanted) {
		view.matches = new Map(view.models.map(model => [model, new Set(model.names.texts.map((name, i) =>
			name.toLowerCase().includes(wanted) ? i : NONE).filter(i => i !== NONE))]));
		found = findSpans(wanted);
	}
	byId('found').textContent = wanted ? `${found.length} found` : '';
	repaint();
}

function goFound(step) {
	if (!found.length)
		return;
	foundAt = foundAt === NONE ? (step > 0 ? 0 : found.length - 1) : (foundAt + step + found.length) % found.length;
	const {model, span} = found[foundAt];

	byId('found').textContent = `${foundAt + 1} of ${found.length}`;
	jump(model, span, model.spans.begin_ns[span], model.spans.end_ns[span]);
}

// ---- light, dark, print ----

function setTheme(dark) {
	document.documentElement.classList.toggle('dark', dark);
	byId('theme').textContent = dark ? 'light' : 'dark';
	readColors();
	repaint();
}

const isDark = () => document.documentElement.classList.contains('dark');
let darkBefore = false, scrollBefore = 0;

function beforePrint() {
	darkBefore = isDark();
	scrollBefore = view.scroll;
	setTheme(false);
	view.scroll = 0;
	const height = Math.min(Math.max(view.bottom, 100), PRINT_MOST);

	resize(view.width, height, 2 * height <= PRINT_MOST ? 2 : 1);   // paper is finer than a screen
	paint(canvas);
}

function afterPrint() {
	setTheme(darkBefore);
	fitStage();
	scrollTo(scrollBefore);
}

// ---- keys and pointer ----

function clear() {
	byId('search').value = '';
	search('');
	view.chosen = null;
	showTip(tip, null);
	byId('help-text').hidden = true;
}

const KEYS = {
	'+': () => zoom(1 / 1.5, (view.from + view.to) / 2), '=': () => zoom(1 / 1.5, (view.from + view.to) / 2),
	'-': () => zoom(1.5, (view.from + view.to) / 2), '0': () => show(0, view.shown), Home: () => show(0, view.shown),
	ArrowLeft: () => pan(-0.2), ArrowRight: () => pan(0.2),
	ArrowUp: () => scrollTo(view.scroll - 60), ArrowDown: () => scrollTo(view.scroll + 60),
	PageUp: () => scrollTo(view.scroll - view.height * 0.9), PageDown: () => scrollTo(view.scroll + view.height * 0.9),
	'/': () => byId('search').select(), n: () => goFound(1), N: () => goFound(-1), f: () => setFold(foldMode + 1),
	p: () => togglePanel(), d: () => setTheme(!isDark()), '?': () => toggleHelp(), Escape: clear,
};

function onKey(event) {
	if (event.ctrlKey || event.altKey || event.metaKey || event.target.tagName === 'INPUT' || !KEYS[event.key])
		return;
	event.preventDefault();
	KEYS[event.key]();
	repaint();
}

function onWheel(event) {
	const delta = event.deltaMode ? event.deltaY * 20 : event.deltaY;

	event.preventDefault();
	showTip(tip, null);
	if (event.offsetX < LEFT)
		scrollTo(view.scroll + delta);
	else if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY))
		pan((event.deltaX || delta) / 1000);
	else
		zoom(Math.exp(delta / 400), timeAt(event.offsetX));
}

function onMove(event) {
	if (!dragged) {
		const over = spanAt(event.offsetX, event.offsetY);

		view.hovered = over;
		showTip(tip, over, event.offsetX, event.offsetY);
		return;
	}
	const by = (dragged.x - event.offsetX) / (view.width - LEFT - RIGHT) * (dragged.to - dragged.from);
	const from = Math.max(0, Math.min(dragged.from + by, view.length - (dragged.to - dragged.from)));

	dragged.far = dragged.far || Math.hypot(dragged.x - event.offsetX, dragged.y - event.offsetY) > 3;
	show(from, from + dragged.to - dragged.from);
	scrollTo(dragged.scroll + dragged.y - event.offsetY);
}

function onDown(event) {
	if (event.button !== 0)
		return;
	dragged = {x: event.offsetX, y: event.offsetY, from: view.from, to: view.to, scroll: view.scroll, far: false};
	canvas.setPointerCapture(event.pointerId);
	canvas.classList.add('dragged');
	showTip(tip, null);
}

function onUp(event) {
	const drag = dragged;

	dragged = null;
	canvas.classList.remove('dragged');
	if (!drag || drag.far)
		return;
	if (event.offsetX < LEFT)
		foldAt(event.offsetY);
	else
		view.chosen = spanAt(event.offsetX, event.offsetY);
	repaint();
}

function onDoubleClick(event) {
	const over = spanAt(event.offsetX, event.offsetY);

	if (over)
		jump(over.model, over.span, over.model.spans.begin_ns[over.span], over.model.spans.end_ns[over.span]);
}

function togglePanel() {
	byId('panel').hidden = !byId('panel').hidden;
	fitStage();
}

function toggleHelp() {
	byId('help-text').hidden = !byId('help-text').hidden;
	fitStage();
}

function listen() {
	const presses = {'zoom-in': KEYS['+'], 'zoom-out': KEYS['-'], all: KEYS['0'], fold: KEYS.f, side: KEYS.p, theme: KEYS.d,
		help: KEYS['?']};

	for (const [id, act] of Object.entries(presses))
		byId(id).addEventListener('click', act);
	byId('search').addEventListener('input', event => search(event.target.value));
	byId('search').addEventListener('keydown', event => {
		if (event.key === 'Enter')
			goFound(event.shiftKey ? -1 : 1);
		if (event.key === 'Escape')
			clear(), canvas.focus();
	});
	document.addEventListener('keydown', onKey);
	canvas.addEventListener('wheel', onWheel, {passive: false});
	canvas.addEventListener('pointermove', onMove);
	canvas.addEventListener('pointerdown', onDown);
	canvas.addEventListener('pointerup', onUp);
	canvas.addEventListener('pointerleave', () => showTip(tip, null));
	canvas.addEventListener('dblclick', onDoubleClick);
	window.addEventListener('resize', fitStage);
	window.addEventListener('beforeprint', beforePrint);
	window.addEventListener('afterprint', afterPrint);
}

// ---- start ----

function readData() {
	const scripts = [...document.querySelectorAll('script.model')];
	const moves = byId('moves-data');

	view.models = scripts.map(script => {
		const model = readModel(JSON.parse(script.textContent), script.dataset.label);

		script.remove();
		return model;
	});
	view.length = Math.max(...view.models.map(model => model.length));
	view.shown = Math.max(...view.models.map(model => model.shown));
	view.to = view.shown;
	view.zero = Math.max(...view.models.map(model => model.zero));
	return moves ? rowsOf(JSON.parse(moves.textContent)) : [];
}

function begin() {
	const moves = readData();
	const dark = window.matchMedia('(prefers-color-scheme: dark)');
	const rows = view.models.reduce((sum, model) => sum + model.rows.length, 0);

	view.font = getComputedStyle(document.body).fontFamily;
	document.title = view.models.map(model => model.title).join(' → ');
	byId('title').textContent = document.title;
	fillPanel(byId('panel'), moves, jump);
	fillLegend(byId('legend'));
	setTheme(dark.matches);
	dark.addEventListener('change', event => setTheme(event.matches));
	setFold(rows > MANY_ROWS ? 1 : 0);
	fitStage();
	listen();
	document.documentElement.dataset.ready = 'yes';
}

begin();
