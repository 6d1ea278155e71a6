// Charts of lines over the steps.

// Chart is a figure: a title, values under the cursor, and lines.
class Chart {
	constructor(parent, spec) {
		this.spec = spec;
		this.values = make("div", { className: "values" });
		const caption = make("figcaption", {},
			make("div", { className: "head" }, make("div", { className: "title" }, spec.title, " ", this.note = make("small")), downloadsOf(this)), this.values);
		this.plot = make("div", { className: "plot", tabIndex: 0 });
		this.plot.setAttribute("role", "img");
		this.figure = make("figure", {}, caption);
		if (spec.digits) this.figure.append(this.digits = make("div", { className: "digits", "aria-hidden": "true" }));
		this.figure.append(this.plot);
		parent.append(this.figure);
		this.plot.addEventListener("keydown", e => this.key(e));
		this.draw();
	}

	// draw builds the chart, again if there is one.
	draw() {
		if (this.u) this.u.destroy();
		this.lines = this.spec.lines();
		this.note.textContent = typeof this.spec.note === "function" ? this.spec.note() : this.spec.note;
		const { series, columns } = this.layout();
		this.u = new uPlot({
			width: Math.max(200, this.plot.clientWidth), height: this.spec.height, series,
			scales: { x: { time: false, range: () => zoom || fullRange() }, y: { distr: this.spec.log ? 3 : 1, range: rangeOf(this.spec) } },
			axes: this.axes(), legend: { show: false }, padding: [8, 18, 0, 0],
			cursor: {
				y: false, drag: { x: true, y: false, setScale: false },
				points: { size: 7, width: 2 },
				bind: { dblclick: () => () => setZoom(null) },
			},
			hooks: {
				drawClear: [u => this.drawJumps(u)], drawAxes: [() => this.drawBands()], draw: [u => this.placeDigits(u)],
				setCursor: [u => this.moved(u)], setSelect: [u => this.selected(u)],
			},
		}, columns, this.plot);
		this.legend();
		this.describe();
		touches(this);
	}

	// update shows new data in the existing chart.
	update() {
		const before = this.lines.map(l => l.name).join();
		this.lines = this.spec.lines();
		if (before !== this.lines.map(l => l.name).join()) return this.draw();
		this.u.setData(this.layout().columns);
		this.show(this.u.cursor.idx);
		this.describe();
	}

	// layout returns uPlot's series and columns, which share one x.
	layout() {
		const series = [{}, ...this.lines.map(l => (
			{ gaps: (u, i, from, to, gaps) => [...gaps, ...breaksOf(u, this.lines[i - 1])].sort((a, b) => a[0] - b[0]), stroke: l.colour, width: this.lines.length > 8 ? 1 : 1.75, dash: l.dash, points: { show: l.x.length < 2 } }))];
		const tables = this.lines.map(l => [l.x, l.y]);
		if (!tables.length) return { series, columns: [[]] };
		const one = tables.every(t => t[0].length === tables[0][0].length && t[0][t[0].length - 1] === tables[0][0][tables[0][0].length - 1]);
		return { series, columns: one ? [tables[0][0], ...tables.map(t => t[1])] : uPlot.join(tables) };
	}

	// emphasize makes the line under the pointer stand out, if it is in this chart.
	emphasize() {
		const among = this.lines.some(l => l.name === pointed);
		this.lines.forEach((l, i) => { this.u.series[i + 1].alpha = among && l.name !== pointed ? 0.25 : 1; });
		this.u.redraw(false);
	}

	// drawBands draws the bands of the line under the pointer, or of the only line.
	drawBands() {
		for (const l of this.lines) {
			if (this.lines.length > 1 && l.name !== pointed) continue;
			for (const b of l.bands()) drawBand(this.u, l, b);
		}
	}

	axes() {
		const named = { labelSize: 18, labelGap: 0, labelFont: "12px system-ui, sans-serif" };
		const common = { ...named, stroke: css("--soft"), font: "12px system-ui, sans-serif", ticks: { show: false } };
		const grid = { stroke: css("--line"), width: 1 };
		const spec = this.spec;
		return [
			{ ...common, label: "step", grid: { show: false }, ticks: { show: true, size: 4, stroke: css("--line"), width: 1 }, size: 28, space: 60,
				incrs: increments(),
				values: (u, xs) => xs.map(x => x == null ? "" : String(x)) },
			{ ...common, label: spec.axis + (spec.log ? " (log scale)" : ""), grid, size: 52, gap: 6,
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

	// placeDigits puts a digit over the middle of the visible part of its phase.
	placeDigits(u) {
		if (!this.digits) return;
		const left = u.bbox.left / devicePixelRatio, [low, high] = [u.scales.x.min, u.scales.x.max];
		this.digits.replaceChildren();
		let free = -Infinity;
		for (const d of phases() ? data.runs[0].digits : []) {
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
			if (l.quantiles) return this.outputs[i];
			const item = make("span", {}, swatch(l), l.name + " ", this.outputs[i]);
			item.addEventListener("pointerenter", () => point(l.name));
			item.addEventListener("pointerleave", () => point(null));
			return item;
		}));
		this.show(null);
	}

	// show shows the values at a point; the last ones if there is none.
	show(at) {
		this.lines.forEach((l, i) => {
			const column = this.u.data[i + 1];
			let k = at == null ? column.length - 1 : at;
			if (at == null) while (k > 0 && column[k] == null) k--;
			this.outputs[i].textContent = l.quantiles ? this.spread(l.quantiles, k) : text(column[k], this.spec.format);
		});
	}

	// spread says in words how the quantiles lie at a point.
	spread(quantiles, k) {
		if (quantiles.length < 5) return "";
		const q = i => text(quantiles[i][k], this.spec.format);
		return `half of the ${this.spec.plural} lie between ${q(1)} and ${q(3)}, 98% between ${q(0)} and ${q(4)}`;
	}

	// nearest returns the name of the line closest to the pointer, if one is close.
	nearest(u) {
		const { left, top, idx } = u.cursor;
		let name = null, distance = 30; // pixels
		if (left < 0 || idx == null) return null;
		this.lines.forEach((l, i) => {
			const y = u.data[i + 1][idx];
			const away = y == null ? Infinity : Math.abs(u.valToPos(y, "y") - top);
			if (away < distance) [name, distance] = [l.name, away];
		});
		return name;
	}

	moved(u) {
		if (following) return;
		point(this.nearest(u));
		const step = u.cursor.left < 0 ? null : u.posToVal(u.cursor.left, "x");
		follow(step, this);
	}

	// follow moves the cursor to the step under the pointer in another chart.
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

// breaksOf returns the stretches of pixels, around jumps, where a line has a gap
// because its moving mean begins anew.
function breaksOf(u, line) {
	const half = 1.5 * devicePixelRatio;
	return (line?.breaks || []).map(step => {
		const x = u.valToPos(step - 0.5, "x", true), next = u.valToPos(step, "x", true);
		return [Math.min(x - half, 2 * x - next), Math.max(x + half, next)];
	}).filter(([from, to]) => to > u.bbox.left && from < u.bbox.left + u.bbox.width);
}

// drawBand fills a band as a shape of its own, in which points that fall together
// are merged. uPlot's bands, clipped out of larger shapes, take seconds where there
// are many points, and so do points that are not merged.
function drawBand(u, { x: xs, colour }, { low, high, alpha }) {
	const { ctx, bbox } = u;
	const first = Math.max(0, xs.findIndex(x => x >= u.scales.x.min) - 1);
	let last = xs.findIndex(x => x > u.scales.x.max);
	if (last < 0) last = xs.length - 1;
	ctx.save();
	ctx.beginPath();
	ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
	ctx.clip();
	ctx.beginPath();
	ctx.fillStyle = colour;
	ctx.globalAlpha = alpha * (dark.matches ? 1.6 : 1);
	let edge = []; // the points since the last gap
	const close = () => {
		edge.forEach((p, i) => i ? ctx.lineTo(p.x, p.high) : ctx.moveTo(p.x, p.high));
		for (const p of edge.reverse()) ctx.lineTo(p.x, p.low);
		edge = [];
	};
	for (let i = first; i <= last; i++) {
		if (low[i] == null || high[i] == null) {
			close();
			continue;
		}
		const x = u.valToPos(xs[i], "x", true), at = Math.round(x / (2 * devicePixelRatio)), before = edge[edge.length - 1];
		const [bottom, top] = [u.valToPos(low[i], "y", true), u.valToPos(high[i], "y", true)];
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

function swatch(l) {
	const line = makeSVG("line", { x1: 0, x2: 22, y1: 5, y2: 5, stroke: l.colour, "stroke-width": 2.5, "stroke-dasharray": l.dash.join(" ") });
	return makeSVG("svg", { class: "swatch", viewBox: "0 0 22 10", "aria-hidden": "true" }, line);
}

