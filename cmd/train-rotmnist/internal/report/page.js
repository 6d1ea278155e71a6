"use strict";
(() => {

// Okabe and Ito's colours, which colour-blind readers can tell apart, those
// first that are seen best on white, or on black. What comes after the first
// seven is dashed, too. Empty is the colour of the ink.
const onWhite = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", ""];
const onBlack = ["#56b4e9", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#0072b2", ""];
const dashes = [[], [8, 4], [2, 3], [10, 3, 2, 3]];
const few = 4; // lines, above which their bands would hide each other
const smoothed = 10; // steps of a moving mean, as of the recovery

let data = null;         // the latest snapshot
let zoom = null;         // the steps shown; null for all
const off = new Set();   // solvers that are switched off
let chosen = null;       // the solver shown layer by layer
let charts = [];
let drawnFor = "";       // what the charts were made for

const dark = matchMedia("(prefers-color-scheme: dark)");
const byId = id => document.getElementById(id);

// make makes an element. Text from outside only ever becomes text.
function make(tag, properties = {}, ...children) {
	const e = document.createElement(tag);
	for (const [name, value] of Object.entries(properties)) {
		if (name in e) e[name] = value; else e.setAttribute(name, value);
	}
	e.append(...children);
	return e;
}

function makeSVG(tag, attributes, ...children) {
	const e = document.createElementNS("http://www.w3.org/2000/svg", tag);
	for (const [name, value] of Object.entries(attributes)) e.setAttribute(name, value);
	e.append(...children);
	return e;
}

// ---- numbers as text ----

const percent = x => (100 * x).toFixed(1) + "%";

function significant(x, digits = 3) {
	const size = Math.abs(x);
	if (size !== 0 && (size < 1e-3 || size >= 1e5)) {
		const [factor, power] = x.toExponential(digits - 1).split("e");
		const raised = String(Number(power)).replace(/./g, c => "⁰¹²³⁴⁵⁶⁷⁸⁹"[c] || "⁻");
		return (Number(factor) === 1 ? "" : Number(factor) + "·") + "10" + raised;
	}
	return String(Number(x.toPrecision(digits)));
}

const text = (x, format) => x == null || !isFinite(x) ? "–" : format(x);
const degrees = x => Number(x.toFixed(1)) + "°";
const steps = n => n + (n === 1 ? " step" : " steps");

function duration(seconds) {
	if (seconds < 60) return Math.round(seconds) + " s";
	if (seconds < 3600) return Math.round(seconds / 60) + " min";
	return Math.floor(seconds / 3600) + " h " + Math.round(seconds % 3600 / 60) + " min";
}

// ---- series ----

// positions are the steps in the middle of the points of a series, which has a
// value every so many steps.
function positions(series, every) {
	return series.x ||= series.mean.map((_, i) => {
		const from = i * series.width, to = Math.min(from + series.width, series.values) - 1;
		return 1 + every * (from + to) / 2;
	});
}

const lowest = series => series.min || series.mean;
const highest = series => series.max || series.mean;

// moving applies something to the last n of the numbers that there are.
function moving(numbers, n, apply) {
	if (n <= 1) return numbers;
	return numbers.map((x, i) => {
		if (x == null) return null;
		return apply(numbers.slice(Math.max(0, i + 1 - n), i + 1).filter(y => y != null));
	});
}

const least = xs => Math.min(...xs);
const greatest = xs => Math.max(...xs);
const mean = xs => xs.length ? xs.reduce((a, b) => a + b, 0) / xs.length : null;

// points are how many of a series make up a mean.
const points = series => Math.max(1, Math.round(smoothed / series.width));

// smooth is a line of the moving mean, with the band of what it is a mean of.
function smooth(series) {
	const n = points(series);
	return {
		x: positions(series, 1), y: moving(series.mean, n, mean),
		bands: shown().length > few ? [] : [[moving(lowest(series), n, least), moving(highest(series), n, greatest), 0.16]],
	};
}

// looked is a line of what was looked at every so many steps. Where a point is
// of more than one look, it has their band.
function looked(series, every = data.every) {
	const bands = series.width > 1 ? [[series.min, series.max, 0.16]] : [];
	return { x: positions(series, every), y: series.mean, bands };
}

const positive = xs => xs.map(x => x > 0 ? x : null); // for a logarithmic axis

function onLog(line) {
	return { ...line, y: positive(line.y), bands: line.bands.map(([low, high, alpha]) => [positive(low), positive(high), alpha]) };
}

const times = (xs, ys) => xs.map((x, i) => x == null || ys[i] == null ? null : x * ys[i]);

// rates are the learning rates at the points of a solver's scale.
const rates = s => s.scale.mean.map((_, i) => s.rates.length === 1 ? s.rates[0] : s.rates[i]);

// stepSizes are the quantiles of η·s·p, or only η·s if there are no gains.
function stepSizes(s, p) {
	const base = times(rates(s), p.scale.mean);
	return p.gains.length ? p.gains.map(g => times(base, g)) : [base];
}

function style(i) {
	const colours = dark.matches ? onBlack : onWhite;
	const colour = colours[i % colours.length] || css("--ink");
	return { colour, dash: dashes[Math.floor(i / colours.length) % dashes.length] };
}

// css is a property of the page's style, which is not asked for twice.
let properties = {};
const css = name => properties[name] ||= getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const faint = (colour, alpha) => colour + Math.round(255 * alpha * (dark.matches ? 1.6 : 1)).toString(16).padStart(2, "0");

const learns = s => s.parameters.length > 0;
const shown = () => data.solvers.filter(s => !off.has(s.name));
const styleOf = s => style(data.solvers.indexOf(s));
const named = p => p.name || "parameter " + p.shape;

// layerStyle is a colour for each layer; its biases are dashed.
const layerStyle = i => ({ colour: style(Math.floor(i / 2)).colour, dash: i % 2 ? [5, 4] : [] });

// ---- what the charts show ----

function comparisons() {
	const compare = (title, note, of, options) => ({
		title, note, ...options,
		lines: () => shown().map(s => ({ name: s.name, ...styleOf(s), ...of(s) })).filter(l => l.y.length),
	});
	const over = of => {
		const all = data.solvers.map(s => of(s)).filter(s => s.width);
		return "mean of " + Math.max(smoothed, ...all.map(s => points(s) * s.width)) + " steps";
	};
	const list = [
		compare("Accuracy", () => over(s => s.accuracy) + (shown().length > few ? "" : "; shaded, their lowest and highest"), s => smooth(s.accuracy),
			{ format: percent, range: () => [0, 1], height: 280, digits: true, percent: true }),
		compare("Loss", () => "cross-entropy, " + over(s => s.loss), s => onLog({ ...smooth(s.loss), bands: looked(s.loss, 1).bands }), { format: significant, log: true, height: 230 }),
	];
	if (data.solvers.some(learns)) {
		list.push(compare("Scale s", "geometric mean over the layers", s => onLog(looked(s.scale)), { format: significant, log: true, height: 230 }));
	}
	return list;
}

function scalesOf(name) {
	const one = () => new Set(solver(name).parameters.map(p => p.scale.mean.join())).size === 1;
	return {
		title: "Scale s of each layer", note: () => one() ? "one for all" : "biases dashed", format: significant, log: true, height: 240,
		lines: () => solver(name).parameters.slice(0, one() ? 1 : undefined).map((p, i) => (
			{ name: one() ? "all" : named(p), ...layerStyle(i), ...onLog(looked(p.scale)) })),
	};
}

// baseStepsOf is for a solver without gains.
function baseStepsOf(name) {
	return {
		...scalesOf(name), title: "Step size η·s of each layer",
		lines: () => scalesOf(name).lines().map((l, i) => {
			const [sizes] = stepSizes(solver(name), solver(name).parameters[i]);
			return { ...l, y: positive(sizes), bands: [] };
		}),
	};
}

// quantiled is the line of a median in the bands of the other quantiles.
function quantiled(x, qs) {
	return onLog({ x, y: qs[2], bands: [[qs[0], qs[4], 0.16], [qs[1], qs[3], 0.32]] });
}

const quantileNote = "median; shaded, 25–75% and 1–99%";

function gainsOf(name, i) {
	const p = () => solver(name).parameters[i];
	return {
		title: "Gains p", note: quantileNote, format: significant, log: true, height: 150,
		range: spread(() => solver(name).parameters.flatMap(q => q.gains)),
		lines: () => [{ name: "median", ...layerStyle(i), dash: [], quantiles: true, ...quantiled(positions(p().scale, data.every), p().gains) }],
	};
}

function stepSizesOf(name, i) {
	const p = () => solver(name).parameters[i];
	return {
		title: "Step size η·s·p", note: quantileNote, format: significant, log: true, height: 150,
		range: spread(() => solver(name).parameters.flatMap(q => stepSizes(solver(name), q))),
		lines: () => [{
			name: "median", ...layerStyle(i), dash: [], quantiles: true,
			...quantiled(positions(p().scale, data.every), stepSizes(solver(name), p())),
		}],
	};
}

// spread is the range that all layers share, so that they can be compared.
function spread(lists) {
	return () => {
		let low = Infinity, high = -Infinity;
		for (const list of lists()) {
			for (const x of list) {
				if (x > 0) { low = Math.min(low, x); high = Math.max(high, x); }
			}
		}
		return low <= high ? [low, high] : [1, 1];
	};
}

const solver = name => data.solvers.find(s => s.name === name);

// ---- axes ----

// ticks are round numbers for a logarithmic axis.
function ticks(low, high, room) {
	const decades = Math.log10(high / low);
	for (const steps of [[1, 1.1, 1.2, 1.3, 1.4, 1.5, 1.6, 1.8, 2, 2.2, 2.5, 3, 3.5, 4, 5, 6, 7, 8, 9], [1, 1.2, 1.5, 2, 3, 4, 5, 7], [1, 2, 5], [1, 3], [1]]) {
		if (steps.length * decades <= room || steps.length === 1) {
			const every = steps.length === 1 ? Math.max(1, Math.ceil(decades / room)) : 1;
			const found = [];
			for (let d = Math.floor(Math.log10(low)); d <= Math.ceil(Math.log10(high)); d++) {
				if (d % every === 0) found.push(...steps.map(s => Number((s + "e" + d))));
			}
			return found.filter(x => x >= low && x <= high);
		}
	}
}

// increments are distances between the ticks of the steps: parts and multiples
// of a phase, so that jumps have ticks.
function increments() {
	const round = [1, 2, 5].flatMap(f => [1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8].map(d => f * d)).sort((a, b) => a - b);
	const { phases } = data.about, length = phases[0].to;
	if (phases.length === 1) return round;
	return [...round.filter(n => n < length && length % n === 0), ...round.map(n => n * length)];
}

// rangeOf is for the vertical axis: a little more than what there is.
function rangeOf(spec) {
	return (u, low, high) => {
		if (spec.range) [low, high] = spec.range();
		if (!spec.log) return [low, high];
		if (!(low > 0)) return [0.1, 10];
		const margin = Math.max(Math.pow(high / low, 0.06), 1.06);
		return [low / margin, high * margin];
	};
}

const fullRange = () => {
	const last = Math.max(1, ...data.solvers.map(s => s.accuracy.values));
	return [1, Math.max(2, data.state === "running" ? data.about.steps : last)];
};

// ---- charts ----

// Chart is a figure: a title, values under the cursor, and lines.
class Chart {
	constructor(parent, spec) {
		this.spec = spec;
		this.values = make("div", { className: "values" });
		const caption = make("figcaption", {}, make("div", { className: "title" }, spec.title, " ", this.note = make("small")), this.values);
		this.plot = make("div", { className: "plot", tabIndex: 0 });
		this.plot.setAttribute("role", "img");
		this.figure = make("figure", {}, caption);
		if (spec.digits) this.figure.append(this.digits = make("div", { className: "digits", "aria-hidden": "true" }));
		this.figure.append(this.plot);
		parent.append(this.figure);
		this.plot.addEventListener("keydown", e => this.key(e));
		this.draw();
	}

	// draw makes the chart anew.
	draw() {
		if (this.u) this.u.destroy();
		this.lines = this.spec.lines();
		this.note.textContent = typeof this.spec.note === "function" ? this.spec.note() : this.spec.note;
		const { series, bands, columns } = this.layout();
		this.u = new uPlot({
			width: Math.max(200, this.plot.clientWidth), height: this.spec.height, series,
			scales: { x: { time: false, range: () => zoom || fullRange() }, y: { distr: this.spec.log ? 3 : 1, range: rangeOf(this.spec) } },
			axes: this.axes(), legend: { show: false }, padding: [8, 18, 0, 0],
			cursor: {
				y: false, drag: { x: true, y: false, setScale: false },
				points: { size: (u, i) => this.isLine(i) ? 7 : 0, width: (u, i) => this.isLine(i) ? 2 : 0 },
				bind: { dblclick: () => () => setZoom(null) },
			},
			hooks: {
				drawClear: [u => this.drawJumps(u)], drawAxes: [u => bands.forEach(b => drawBand(u, b))], draw: [u => this.placeDigits(u)],
				setCursor: [u => this.moved(u)], setSelect: [u => this.selected(u)],
			},
		}, columns, this.plot);
		this.legend();
		this.describe();
		touches(this);
	}

	// update shows new data in the chart that there is.
	update() {
		const before = this.lines.map(l => l.name + l.bands.length).join();
		this.lines = this.spec.lines();
		if (before !== this.lines.map(l => l.name + l.bands.length).join()) return this.draw();
		this.u.setData(this.layout().columns);
		this.show(this.u.cursor.idx);
		this.describe();
	}

	// layout is the lines as uPlot wants them: columns over one x, the edges of
	// bands being lines without a stroke.
	layout() {
		const series = [{}], bands = [], tables = [];
		for (const l of this.lines) {
			const columns = [l.x, l.y];
			series.push({ stroke: l.colour, width: this.lines.length > 8 ? 1 : 1.75, dash: l.dash, points: { show: l.x.length < 2 } });
			for (const [low, high, alpha] of l.bands) {
				series.push({ points: { show: false } }, { points: { show: false } });
				bands.push({ low: series.length - 2, high: series.length - 1, fill: faint(l.colour, alpha) });
				columns.push(low, high);
			}
			tables.push(columns);
		}
		this.at = []; // the place of each line among the series
		let next = 1;
		for (const t of tables) { this.at.push(next); next += t.length - 1; }
		const one = tables.every(t => t[0].length === tables[0][0].length && t[0][t[0].length - 1] === tables[0][0][tables[0][0].length - 1]);
		if (!tables.length) return { series, bands, columns: [[]] };
		return { series, bands, columns: one ? [tables[0][0], ...tables.flatMap(t => t.slice(1))] : uPlot.join(tables) };
	}

	isLine(i) { return this.at.includes(i); }

	axes() {
		const common = { stroke: css("--soft"), font: "12px system-ui, sans-serif", ticks: { show: false } };
		const grid = { stroke: css("--line"), width: 1 };
		const spec = this.spec;
		return [
			{ ...common, grid: { show: false }, ticks: { show: true, size: 4, stroke: css("--line"), width: 1 }, size: 28, space: 60,
				incrs: increments(),
				values: (u, xs) => xs.map(x => x == null ? "" : String(x)) },
			{ ...common, grid, size: 52, gap: 6,
				...(spec.log && { splits: (u, i, low, high) => ticks(low, high, spec.height / 26), filter: (u, xs) => xs }),
				...(spec.percent && { splits: () => [0, 0.25, 0.5, 0.75, 1] }),
				values: (u, xs) => xs.map(x => spec.percent ? Math.round(100 * x) + "%" : significant(x)) },
		];
	}

	// drawJumps draws a line wherever the angle jumps.
	drawJumps(u) {
		const { ctx, bbox } = u;
		ctx.save();
		ctx.strokeStyle = css("--jump");
		ctx.lineWidth = devicePixelRatio;
		ctx.setLineDash([3 * devicePixelRatio, 3 * devicePixelRatio]);
		for (const phase of jumps()) {
			const x = Math.round(u.valToPos(phase.from - 0.5, "x", true)) + 0.5;
			if (x < bbox.left || x > bbox.left + bbox.width) continue;
			ctx.beginPath();
			ctx.moveTo(x, bbox.top);
			ctx.lineTo(x, bbox.top + bbox.height);
			ctx.stroke();
		}
		ctx.restore();
	}

	// placeDigits puts a digit over the middle of what is seen of its phase.
	placeDigits(u) {
		if (!this.digits) return;
		const left = u.bbox.left / devicePixelRatio, [low, high] = [u.scales.x.min, u.scales.x.max];
		this.digits.replaceChildren();
		let free = -Infinity;
		for (const d of data.about.digits) {
			const from = Math.max(d.from, low), to = Math.min(d.to, high);
			if (from > to) continue;
			const x = left + u.valToPos((from + to) / 2, "x");
			if (x - 22 < free) continue;
			free = x + 22;
			const f = make("figure", {}, make("img", { className: "digit", src: d.image, alt: "" }), degrees(d.angle));
			f.style.left = x - 22 + "px";
			this.digits.append(f);
		}
	}

	legend() {
		this.outputs = this.lines.map(() => make("span", {}));
		this.values.replaceChildren(...this.lines.map((l, i) => {
			const item = make("span", {});
			if (!l.quantiles) item.append(swatch(l));
			item.append(l.name + " ", this.outputs[i]);
			return item;
		}));
		this.show(null);
	}

	// show shows the values at a point; the last ones if there is none.
	show(at) {
		this.lines.forEach((l, i) => {
			const column = this.u.data[this.at[i]];
			let k = at == null ? column.length - 1 : at;
			if (at == null) while (k > 0 && column[k] == null) k--;
			let value = text(column[k], this.spec.format);
			if (l.quantiles && value !== "–") {
				const q = j => text(this.u.data[this.at[i] + j][k], this.spec.format);
				value += ` (${q(3)} – ${q(4)}; ${q(1)} – ${q(2)})`;
			}
			this.outputs[i].textContent = value;
		});
	}

	moved(u) {
		if (following) return;
		const step = u.cursor.left < 0 ? null : u.posToVal(u.cursor.left, "x");
		follow(step, this);
	}

	// follow moves the cursor to a step that is pointed at in another chart.
	follow(step) {
		const left = step == null ? -10 : this.u.valToPos(step, "x");
		this.u.setCursor({ left, top: left < 0 ? -10 : 5 }, false);
		this.show(step == null ? null : this.u.cursor.idx);
	}

	selected(u) {
		if (u.select.width < 4) return;
		const low = u.posToVal(u.select.left, "x"), high = u.posToVal(u.select.left + u.select.width, "x");
		u.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false);
		setZoom([low, high]);
	}

	// key moves the cursor by a point, or zooms.
	key(e) {
		if (e.ctrlKey || e.metaKey || e.altKey) return;
		const xs = this.u.data[0], zooms = { "+": "in", "=": "in", "-": "out", "0": "all", Escape: "all" };
		const move = { ArrowLeft: -1, ArrowRight: 1, PageUp: -10, PageDown: 10, Home: -Infinity, End: Infinity }[e.key];
		if (zooms[e.key]) {
			zoomBy(zooms[e.key]);
		} else if (move && xs.length) {
			const [low, high] = zoom || fullRange();
			const first = Math.max(0, xs.findIndex(x => x >= low)), last = xs.findLastIndex(x => x <= high);
			const at = this.u.cursor.idx ?? (move > 0 ? first - 1 : last + 1);
			byId("cursor").setAttribute("aria-live", "polite");
			follow(xs[Math.max(first, Math.min(last, at + move * (e.shiftKey ? 10 : 1)))], null);
		} else {
			return;
		}
		e.preventDefault();
	}

	// describe says in words what the chart shows.
	describe() {
		const said = this.lines.map(l => {
			const ys = l.y.filter(y => y != null);
			if (!ys.length) return l.name + ": no numbers";
			let low = Infinity, high = -Infinity;
			for (const y of ys) { low = Math.min(low, y); high = Math.max(high, y); }
			const f = this.spec.format;
			return `${l.name}: first ${f(ys[0])}, last ${f(ys[ys.length - 1])}, between ${f(low)} and ${f(high)}`;
		});
		this.plot.setAttribute("aria-label", `${this.spec.title} over ${steps(data.step)}. ${said.join("; ")}. The tables below have the numbers.`);
	}

	resize() { this.u.setSize({ width: Math.max(200, this.plot.clientWidth), height: this.spec.height }); }
}

// drawBand fills what is between two series. It is a shape of its own, as
// uPlot's bands are clipped out of larger ones, and points that fall together
// are one: either takes seconds where there are many.
function drawBand(u, { low, high, fill }) {
	const xs = u.data[0], { ctx, bbox } = u;
	const first = Math.max(0, xs.findIndex(x => x >= u.scales.x.min) - 1);
	let last = xs.findIndex(x => x > u.scales.x.max);
	if (last < 0) last = xs.length - 1;
	ctx.save();
	ctx.beginPath();
	ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
	ctx.clip();
	ctx.beginPath();
	ctx.fillStyle = fill;
	let edge = []; // the points since the last gap
	const close = () => {
		edge.forEach((p, i) => i ? ctx.lineTo(p.x, p.high) : ctx.moveTo(p.x, p.high));
		for (const p of edge.reverse()) ctx.lineTo(p.x, p.low);
		edge = [];
	};
	for (let i = first; i <= last; i++) {
		if (u.data[low][i] == null || u.data[high][i] == null) {
			close();
			continue;
		}
		const x = u.valToPos(xs[i], "x", true), at = Math.round(x / (2 * devicePixelRatio)), before = edge[edge.length - 1];
		const [bottom, top] = [u.valToPos(u.data[low][i], "y", true), u.valToPos(u.data[high][i], "y", true)];
		if (before && before.at === at) {
			before.low = Math.max(before.low, bottom);
			before.high = Math.min(before.high, top);
		} else {
			edge.push({ x, at, low: bottom, high: top });
		}
	}
	close();
	ctx.fill();
	ctx.restore();
}

const jumps = () => data.about.phases.slice(1);

function swatch(l) {
	const line = makeSVG("line", { x1: 0, x2: 22, y1: 5, y2: 5, stroke: l.colour, "stroke-width": 2.5, "stroke-dasharray": l.dash.join(" ") });
	return makeSVG("svg", { class: "swatch", viewBox: "0 0 22 10", "aria-hidden": "true" }, line);
}

// ---- the cursor and the zoom, which all charts share ----

let following = false;

function follow(step, from) {
	following = true;
	for (const c of charts) {
		if (c === from) c.show(step == null ? null : c.u.cursor.idx); else c.follow(step);
	}
	following = false;
	byId("cursor").textContent = step == null ? "" : where(step);
}

function where(step) {
	const at = Math.max(1, Math.min(Math.round(step), data.about.steps));
	const phase = data.about.phases.find(p => at <= p.to) || data.about.phases[0];
	const digits = data.about.digits;
	let angle = phase.angle;
	if (data.about.phases.length === 1 && digits.length > 1) { // a drift
		const a = digits[0], b = digits[digits.length - 1];
		angle += (b.angle - a.angle) * (at - a.from) / (b.from - a.from);
	}
	return `step ${at} · ${degrees(angle)}`;
}

function setZoom(range) {
	const [first, last] = fullRange();
	if (range) {
		const width = Math.min(Math.max(range[1] - range[0], 4), last - first);
		const low = Math.max(first, Math.min(range[0], last - width));
		range = width < last - first ? [low, low + width] : null;
	}
	zoom = range;
	for (const c of charts) c.u.setData(c.u.data);
	document.documentElement.toggleAttribute("data-zoomed", zoom !== null);
}

function zoomBy(how) {
	const [low, high] = zoom || fullRange(), width = high - low;
	const u = charts[0].u;
	const pointed = u.cursor.left >= 0 ? u.posToVal(u.cursor.left, "x") : Math.min((low + high) / 2, Math.max(data.step, low));
	switch (how) {
	case "all": return setZoom(null);
	case "in": return setZoom([pointed - (pointed - low) / 2, pointed + (high - pointed) / 2]);
	case "out": return setZoom([pointed - (pointed - low) * 2, pointed + (high - pointed) * 2]);
	case "left": return setZoom([low - width / 2, high - width / 2]);
	case "right": return setZoom([low + width / 2, high + width / 2]);
	}
}

// touches lets a finger move the cursor, and two zoom.
function touches(chart) {
	const over = chart.u.over, fingers = new Map();
	let pinch = null;
	const at = e => e.clientX - over.getBoundingClientRect().left;
	over.addEventListener("pointerdown", e => {
		if (e.pointerType !== "touch") return;
		fingers.set(e.pointerId, at(e));
		if (fingers.size === 2) pinch = [...fingers.values()].sort((a, b) => a - b).map(x => chart.u.posToVal(x, "x"));
	});
	over.addEventListener("pointermove", e => {
		if (!fingers.has(e.pointerId)) return;
		fingers.set(e.pointerId, at(e));
		const [a, b] = [...fingers.values()].sort((x, y) => x - y);
		if (fingers.size === 1) return follow(chart.u.posToVal(a, "x"), null);
		if (!pinch || b - a < 10) return;
		const scale = (pinch[1] - pinch[0]) / (b - a), low = pinch[0] - a * scale;
		setZoom([low, low + over.clientWidth * scale]);
	});
	for (const end of ["pointerup", "pointercancel"]) over.addEventListener(end, e => { fingers.delete(e.pointerId); pinch = null; });
}

// ---- histogram ----

// histogram draws the gains' distribution now.
function histogram(parent, name, i) {
	const p = solver(name).parameters[i], all = solver(name).parameters.filter(q => q.counts.length);
	const first = Math.min(-4, ...all.map(q => q.first)), last = Math.max(4, ...all.map(q => q.first + q.counts.length));
	const total = p.counts.reduce((a, b) => a + b, 0), most = Math.max(...p.counts);
	const width = 300, height = 150, left = 12, bottom = height - 22, top = 6;
	const x = bin => left + (bin - first) / (last - first) * (width - 2 * left);
	const edge = bin => significant(Math.pow(2, bin / data.octave));
	const svg = makeSVG("svg", { class: "histogram", viewBox: `0 0 ${width} ${height}`, role: "img", preserveAspectRatio: "none" });
	svg.style.setProperty("--bar", layerStyle(i).colour);
	const one = makeSVG("path", { d: `M${left} ${bottom}H${width - left}M${x(0)} ${top}V${bottom + 4}` });
	svg.append(one);
	p.counts.forEach((n, k) => {
		if (!n) return;
		const h = Math.max(n / most * (bottom - top), 0.5), bin = p.first + k;
		svg.append(makeSVG("rect", { x: x(bin) + 0.5, y: bottom - h, width: Math.max(1, x(bin + 1) - x(bin) - 1), height: h },
			makeSVG("title", {}, `${edge(bin)} to ${edge(bin + 1)}: ${percent(n / total)} of the gains`)));
	});
	const low = Math.pow(2, first / data.octave), high = Math.pow(2, last / data.octave);
	const labels = make("div", { className: "ticks", "aria-hidden": "true" });
	for (const t of ticks(low, high, 7)) {
		const s = make("span", {}, significant(t));
		s.style.left = 100 * x(Math.log2(t) * data.octave) / width + "%";
		labels.append(s);
	}
	const peak = p.counts.indexOf(most) + p.first;
	const said = `most, ${percent(most / total)}, from ${edge(peak)} to ${edge(peak + 1)}`;
	svg.setAttribute("aria-label", `Histogram of the ${total} gains of ${named(p)}: ${said}`);
	parent.append(make("figure", {},
		make("figcaption", {}, make("div", { className: "title" }, "Gains now ", make("small", {}, `${total} of them`)), make("div", { className: "values" }, said)),
		svg, labels));
}

// ---- tables ----

function fill(table, lines) {
	if (!lines.length) return;
	const [titles, ...rows] = lines;
	table.replaceChildren(
		make("thead", {}, make("tr", {}, ...titles.map(t => make("th", { scope: "col" }, t)))),
		make("tbody", {}, ...rows.map(r => make("tr", {}, make("th", { scope: "row" }, r[0]), ...r.slice(1).map(c => make("td", {}, c))))));
}

// within are the points of a series from one step to another.
function within(series, every, from, to, numbers = series.mean) {
	const x = positions(series, every);
	return numbers.filter((y, i) => y != null && x[i] >= from && x[i] <= to);
}

function byPhase() {
	const lines = [["steps", "angle", ...data.solvers.flatMap(s => [s.name + ": accuracy", "lowest", "loss", ...(learns(s) ? ["s at the end"] : [])])]];
	for (const p of data.about.phases) {
		if (p.from > data.step) break;
		lines.push([`${p.from}–${p.to}`, degrees(p.angle), ...data.solvers.flatMap(s => {
			const low = within(s.accuracy, 1, p.from, p.to, lowest(s.accuracy));
			return [
				text(mean(within(s.accuracy, 1, p.from, p.to)), percent), text(low.length ? least(low) : null, percent),
				text(mean(within(s.loss, 1, p.from, p.to)), significant),
				...(learns(s) ? [text(within(s.scale, data.every, p.from, p.to).pop(), significant)] : []),
			];
		})]);
	}
	return lines;
}

function byLayer() {
	const lines = [["solver", "layer", "shape", "scale s", "gains p: 1%", "25%", "50%", "75%", "99%", "step size η·s·p: 1%", "50%", "99%"]];
	const last = xs => xs && text(xs[xs.length - 1], significant) || "–";
	for (const s of data.solvers) {
		for (const p of s.parameters) {
			const sizes = stepSizes(s, p), all = sizes.length > 1;
			lines.push([s.name, named(p), p.shape, last(p.scale.mean), ...[0, 1, 2, 3, 4].map(q => last(p.gains[q])),
				all ? last(sizes[0]) : "–", last(sizes[all ? 2 : 0]), all ? last(sizes[4]) : "–"]);
		}
	}
	return lines;
}

function fillTables() {
	fill(byId("table"), data.table);
	byId("notes").textContent = data.notes.join(" ");
	fillDetails();
	const about = data.about;
	const rows = [["command", about.command], ["seed", about.seed], ["data", about.data], ["stream", about.stream], ["network", about.model], ["version", about.version]];
	byId("about").replaceChildren(...rows.flatMap(([name, value]) => [make("dt", {}, name), make("dd", { className: name === "command" ? "code" : "" }, value)]));
	byId("stream").textContent = `${about.data} digits, ${about.stream}, seed ${about.seed}`;
}

// fillDetails fills the tables that are open: they are long.
function fillDetails() {
	if (byId("by-phase").closest("details").open) fill(byId("by-phase"), byPhase());
	if (byId("by-layer").closest("details").open) fill(byId("by-layer"), byLayer());
}

// ---- the page ----

// buildSwitches makes a checkbox for each solver, and a button for each that
// learns step sizes.
function buildSwitches() {
	const boxes = data.solvers.map(s => {
		const box = make("input", { type: "checkbox", checked: !off.has(s.name) });
		box.addEventListener("change", () => {
			if (box.checked) off.delete(s.name); else off.add(s.name);
			for (const c of charts) c.draw();
		});
		return make("label", {}, box, swatch(styleOf(s)), s.name);
	});
	byId("solvers").replaceChildren(byId("solvers").firstElementChild, ...boxes);
	const learning = data.solvers.filter(learns);
	if (!learning.some(s => s.name === chosen)) chosen = learning.length ? learning[0].name : null;
	byId("chosen").replaceChildren(byId("chosen").firstElementChild, ...learning.map(s => {
		const button = make("input", { type: "radio", name: "chosen", checked: s.name === chosen });
		button.addEventListener("change", () => { chosen = s.name; buildLayers(); });
		return make("label", {}, button, s.name);
	}));
}

function buildLayers() {
	charts = charts.filter(c => c.compares || c.u.destroy());
	byId("layers").hidden = chosen === null;
	byId("scales").replaceChildren();
	byId("parameters").replaceChildren();
	if (chosen === null) return;
	charts.push(new Chart(byId("scales"), scalesOf(chosen)));
	if (!solver(chosen).parameters[0].gains.length) {
		charts.push(new Chart(byId("scales"), baseStepsOf(chosen)));
		return;
	}
	solver(chosen).parameters.forEach((p, i) => {
		const grid = byId("parameters");
		grid.append(make("h3", {}, `${named(p)} `, make("small", {}, p.shape)));
		charts.push(new Chart(grid, gainsOf(chosen, i)));
		histogram(grid, chosen, i);
		charts.push(new Chart(grid, stepSizesOf(chosen, i)));
	});
}

function buildAll() {
	for (const c of charts) c.u.destroy();
	charts = [];
	byId("compared").replaceChildren();
	buildSwitches();
	for (const spec of comparisons()) {
		const c = new Chart(byId("compared"), spec);
		c.compares = true;
		charts.push(c);
	}
	buildLayers();
}

// structure is what must be the same for charts to be filled again.
const structure = () => JSON.stringify(data.solvers.map(s => [s.name, s.parameters.map(p => [p.name, p.gains.length])]));

function refreshHistograms() {
	const figures = [...document.querySelectorAll(".histogram")].map(h => h.parentElement);
	const holder = document.createDocumentFragment();
	let next = 0;
	if (chosen) solver(chosen).parameters.forEach((p, i) => {
		if (!p.gains.length) return;
		histogram(holder, chosen, i);
		figures[next++].replaceWith(holder.firstElementChild);
	});
}

function showData(snapshot) {
	data = snapshot;
	byId("solvers").hidden = byId("where").hidden = byId("main").hidden = false;
	fillTables();
	if (structure() !== drawnFor) {
		drawnFor = structure();
		buildAll();
	} else {
		for (const c of charts) c.update();
		refreshHistograms();
	}
	showState();
}

function showState() {
	const { step, state, left, about } = data, status = byId("status");
	status.className = "";
	if (state === "finished") {
		status.replaceChildren();
		status.textContent = document.documentElement.hasAttribute("data-live") ? `finished: ${steps(step)}` : "";
	} else if (state === "stopped") {
		status.textContent = `stopped after ${step} of ${steps(about.steps)}`;
	} else {
		const bar = make("progress", { max: about.steps, value: step });
		bar.setAttribute("aria-label", "steps done");
		status.replaceChildren(bar, `step ${step} of ${about.steps}` + (left >= 0 ? `, ${duration(left)} left` : ""));
	}
	document.title = state === "running" ? `${Math.floor(100 * step / about.steps)}% · train-rotmnist` : "train-rotmnist";
}

// listen shows what a server sends, and says so when it is gone.
function listen() {
	const status = byId("status"), source = new EventSource("events");
	let waiting = null; // a snapshot for when the page is seen
	status.textContent = "waiting for the run";
	source.onmessage = e => {
		const snapshot = JSON.parse(e.data);
		if (snapshot.state !== "running") source.close();
		if (document.hidden && data) waiting = snapshot; else showData(snapshot);
	};
	source.onerror = () => {
		if (data && data.state !== "running") return;
		status.className = "lost";
		const gone = source.readyState === EventSource.CLOSED;
		status.textContent = (gone ? "The connection was refused; load the page again to try once more."
			: "The connection was lost; the run may have ended. Trying again.") + (data ? ` What is shown is of step ${data.step}.` : "");
	};
	document.addEventListener("visibilitychange", () => {
		if (document.hidden || !waiting) return;
		showData(waiting);
		waiting = null;
	});
}

document.querySelectorAll("[data-zoom]").forEach(b => b.addEventListener("click", () => zoomBy(b.dataset.zoom)));
dark.addEventListener("change", () => {
	properties = {};
	if (data) buildAll();
});
document.querySelectorAll("details").forEach(d => d.addEventListener("toggle", fillDetails));
let seen = innerWidth;
addEventListener("resize", () => {
	if (innerWidth === seen) return; // a phone's bars come and go
	seen = innerWidth;
	for (const c of charts) c.resize();
});

if (document.documentElement.hasAttribute("data-live")) listen(); else showData(JSON.parse(byId("data").textContent));

})();
