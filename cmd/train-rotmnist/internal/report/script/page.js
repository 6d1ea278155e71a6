// The page as a whole, from a file or live.

// buildSwitches makes a checkbox for each solver, and a button for each that
// learns step sizes.
function buildSwitches() {
	const boxes = data.solvers.map(s => {
		const box = make("input", { type: "checkbox", checked: !off.has(s.name) });
		box.addEventListener("change", () => {
			if (box.checked) off.delete(s.name); else off.add(s.name);
			for (const c of charts) c.draw();
		});
		const label = make("label", {}, box, swatch(styleOf(s)), s.name);
		for (const begin of ["pointerenter", "focusin"]) label.addEventListener(begin, () => point(s.name));
		for (const end of ["pointerleave", "focusout"]) label.addEventListener(end, () => point(null));
		return label;
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
	if (chosen === null) return;
	charts.push(new Chart(byId("scales"), scalesOf(chosen)));
	const all = solver(chosen).parameters;
	byId("gains").hidden = !all[0].gains.length;
	if (!all[0].gains.length) {
		charts.push(new Chart(byId("scales"), baseStepsOf(chosen)));
		return;
	}
	if (layer >= all.length) layer = 0;
	byId("layer").replaceChildren(byId("layer").firstElementChild, ...all.map((p, i) => {
		const button = make("input", { type: "radio", name: "layer", checked: i === layer });
		button.addEventListener("change", () => { layer = i; buildLayer(); });
		return make("label", {}, button, named(p), make("small", {}, p.shape));
	}));
	buildLayer();
}

// buildLayer shows what was learned about one layer.
function buildLayer() {
	charts = charts.filter(c => !c.ofLayer || c.u.destroy());
	const grid = byId("parameters");
	grid.replaceChildren();
	const add = spec => {
		const c = new Chart(grid, spec);
		c.ofLayer = true;
		charts.push(c);
	};
	add(gainsOf(chosen, layer));
	histogram(grid, chosen, layer);
	add(stepSizesOf(chosen, layer));
}

function buildAll() {
	for (const c of charts) c.u.destroy();
	charts = [];
	byId("compared").replaceChildren();
	buildSwitches();
	for (const spec of data.solvers.length ? comparisons() : []) {
		const c = new Chart(byId("compared"), spec);
		c.compares = true;
		charts.push(c);
	}
	buildLayers();
}

// structure changes when the charts must be built anew for new data.
const structure = () => JSON.stringify(data.solvers.map(s => [s.name, s.parameters.map(p => [p.name, p.gains.length])]));

function refreshHistogram() {
	const svg = document.querySelector(".histogram");
	if (!svg || !chosen || !solver(chosen).parameters[layer].counts.length) return;
	const holder = document.createDocumentFragment();
	histogram(holder, chosen, layer);
	svg.closest("figure").replaceWith(holder.firstElementChild);
}

// withoutRun removes the run's name from a solver's.
function withoutRun(name) {
	const run = data.runs.find(r => r.run && name.endsWith(" · " + r.run));
	return run ? name.slice(0, -run.run.length - 3) : name;
}

// showTitle writes what is compared, on which digits, and what to look at.
function showTitle() {
	const names = [...new Set(data.table.length > 1 ? data.table.slice(1).map(r => withoutRun(r[0])) : data.solvers.map(s => withoutRun(s.name)))], [first, ...others] = data.runs;
	const seeds = new Set(data.runs.map(r => r.seed)), seed = seeds.size === 1 ? `seed ${first.seed}` : `${seeds.size} seeds`;
	const several = others.length ? `${data.runs.length} runs, ` : "";
	const short = names.length <= 5 ? names : [...new Set(names.map(n => n.split(":")[0]))];
	byId("title").textContent = (short.length <= 5 ? listed(short) : `${names.length} solvers`) + ` · ${several}${seed}`;
	const streams = new Set(data.runs.map(r => `${r.data} digits, ${r.stream}`));
	byId("stream").textContent = streams.size === 1 ? [...streams][0] : `${streams.size} different streams`;
	const lines = others.length ? "Each line is one solver in one run, on digits that turn" : "Each line is one solver; all train the same network on the same batches of digits, which turn";
	byId("shown").textContent = !data.solvers.length ? "" : lines + (jumps().length
		? " to a new angle at every dashed line: look how far accuracy falls there, and how soon it is back."
		: " while they are learned: look which lines stay high, and which fall behind.");
}

function showData(snapshot) {
	data = snapshot;
	byId("main").hidden = false;
	showTitle();
	fillTables();
	const drawable = data.solvers.length > 0;
	byId("compared").hidden = byId("in-numbers").hidden = !drawable;
	byId("solvers").hidden = byId("where").hidden = byId("hint").hidden = byId("keys").hidden = !drawable;
	if (structure() !== drawnFor) {
		drawnFor = structure();
		buildAll();
	} else {
		for (const c of charts) c.update();
		refreshHistogram();
	}
	showState();
}

function showState() {
	const { step, state, left } = data, last = data.runs[0].steps, status = byId("status");
	status.className = "";
	if (state === "finished") {
		status.replaceChildren();
		status.textContent = document.documentElement.hasAttribute("data-live") ? `finished: ${steps(step)}` : "";
	} else if (state === "stopped") {
		status.textContent = `stopped after ${step} of ${steps(last)}`;
	} else {
		const bar = make("progress", { max: last, value: step });
		bar.setAttribute("aria-label", "steps done");
		status.replaceChildren(bar, `step ${step} of ${last}` + (left >= 0 ? `, ${duration(left)} left` : ""));
	}
	document.title = (state === "running" ? `${Math.floor(100 * step / last)}% · ` : "") + byId("title").textContent + " · train-rotmnist";
}

// listen shows what a server sends, and tells when the connection is lost.
function listen() {
	const status = byId("status"), source = new EventSource("events");
	let waiting = null; // the snapshot to show when the page becomes visible
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

let charts = [];
let drawnFor = ""; // the structure that the charts were made for

byId("table-head").append(make("div", { className: "downloads" }, csvButton("Summary", () => data.table)));
document.querySelectorAll("[data-zoom]").forEach(b => b.addEventListener("click", () => zoomBy(b.dataset.zoom)));
dark.addEventListener("change", () => {
	properties = {};
	if (data) buildAll();
});
document.querySelectorAll("details").forEach(d => d.addEventListener("toggle", fillDetails));
let seen = innerWidth;
addEventListener("resize", () => {
	if (innerWidth === seen) return; // only the height changed, as a phone's bars come and go
	seen = innerWidth;
	for (const c of charts) c.resize();
});

if (document.documentElement.hasAttribute("data-live")) listen(); else showData(JSON.parse(byId("data").textContent));

