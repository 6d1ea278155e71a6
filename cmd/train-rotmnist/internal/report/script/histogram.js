// How the gains of a layer are distributed.

// histogram draws the current gains of layer i.
function histogram(parent, name, i) {
	const p = solver(name).parameters[i], all = solver(name).parameters.filter(q => q.counts.length);
	const first = Math.min(-4, ...all.map(q => q.first)), last = Math.max(4, ...all.map(q => q.first + q.counts.length));
	const total = p.counts.reduce((a, b) => a + b, 0), most = Math.max(...p.counts);
	const width = 300, height = 200, left = 12, bottom = height - 22, top = 6;
	const x = bin => left + (bin - first) / (last - first) * (width - 2 * left);
	const edge = bin => significant(Math.pow(2, bin / data.octave));
	const svg = makeSVG("svg", { class: "histogram", viewBox: `0 0 ${width} ${height}`, role: "img", preserveAspectRatio: "none" });
	svg.style.setProperty("--bar", layerStyle(i, solver(name).parameters.length).colour);
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
	const said = `${total} gains; most of them, ${percent(most / total)}, lie from ${edge(peak)} to ${edge(peak + 1)}`;
	svg.setAttribute("aria-label", `Histogram of the ${total} gains of ${named(p)}: ${said}`);
	const rows = () => [["from", "to", "gains"], ...p.counts.map((n, k) => [Math.pow(2, (p.first + k) / data.octave), Math.pow(2, (p.first + k + 1) / data.octave), n])];
	parent.append(make("figure", {},
		make("figcaption", {}, make("div", { className: "head" },
			make("div", { className: "title" }, "Gains now"),
			make("div", { className: "downloads" }, csvButton("Gains now", rows))), make("div", { className: "values" }, said)),
		svg, labels, make("div", { className: "axis", "aria-hidden": "true" }, "gain (log scale)")));
}

