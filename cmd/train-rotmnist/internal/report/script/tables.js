// The tables.

function fill(table, lines) {
	if (!lines.length) return;
	const [titles, ...rows] = lines;
	table.replaceChildren(
		make("thead", {}, make("tr", {}, ...titles.map(t => make("th", { scope: "col" }, t)))),
		make("tbody", {}, ...rows.map(r => make("tr", {}, make("th", { scope: "row" }, r[0]), ...r.slice(1).map(c => make("td", {}, c))))));
}

// within returns the numbers of a series from one step to another.
function within(series, every, from, to, numbers = series.mean) {
	const x = positions(series, every);
	return numbers.filter((y, i) => y != null && x[i] >= from && x[i] <= to);
}

function byPhase() {
	const lines = [["solver", "steps", "angle", "accuracy", "lowest", "loss", "s at the end"]];
	for (const s of data.solvers) {
		for (const p of runOf(s).phases) {
			if (p.from > s.accuracy.values) break;
			const low = within(s.accuracy, 1, p.from, p.to, lowest(s.accuracy));
			lines.push([s.name, `${p.from}–${p.to}`, degrees(p.angle),
				text(mean(within(s.accuracy, 1, p.from, p.to)), percent), text(low.length ? least(low) : null, percent),
				text(mean(within(s.loss, 1, p.from, p.to)), significant), text(within(s.scale, data.every, p.from, p.to).pop(), significant)]);
		}
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

// Columns in which more is better, and in which less is.
const higher = ["accuracy", "after shift", "plateau", "held-out"], lower = ["recovery", "ms/step", "solver ms"];

// markBest marks the best cells of the summary's columns.
function markBest(table, [titles, ...rows]) {
	titles.forEach((title, column) => {
		const sign = higher.includes(title) ? 1 : lower.includes(title) ? -1 : 0;
		const values = rows.map((r, i) => !data.partial[i] && /^[\d.]+%?$/.test(r[column]) ? sign * parseFloat(r[column]) : NaN);
		const known = values.filter(v => !isNaN(v));
		if (!sign || new Set(known).size < 2) return; // nothing to choose from
		values.forEach((v, row) => {
			if (v === greatest(known)) table.tBodies[0].rows[row].cells[column].className = "best";
		});
	});
}

function fillTables() {
	fill(byId("table"), data.table);
	if (data.table.length > 1) markBest(byId("table"), data.table);
	byId("definitions").replaceChildren(...data.definitions.flatMap(([title, about]) => [make("dt", {}, title), make("dd", {}, about)]));
	byId("notes").textContent = data.notes.join(" ");
	fillDetails();
	byId("about").replaceChildren(...data.runs.flatMap(run => {
		const rows = [["run", run.run], ["command", run.command], ["seed", run.seed], ["data", run.data], ["SHA-256 of the data", run.sha256],
			["stream", run.stream], ["network", run.model], ["version", run.version]].filter(r => r[1]);
		return rows.flatMap(([name, value]) => [make("dt", {}, name), make("dd", { className: name === "command" ? "code" : "" }, value)]);
	}));
}

// fillDetails fills the long tables, if they are open.
function fillDetails() {
	if (byId("by-phase").closest("details").open) fill(byId("by-phase"), byPhase());
	if (byId("by-layer").closest("details").open) fill(byId("by-layer"), byLayer());
}

