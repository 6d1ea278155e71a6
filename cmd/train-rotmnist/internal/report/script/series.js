// The page's data, and what is computed from it.

const smoothed = 10; // steps of a moving mean, as many as recovery is defined by

let data = null;         // the latest snapshot
let zoom = null;         // the steps shown; null for all
const off = new Set();   // solvers that are switched off
let chosen = null;       // the solver shown layer by layer
let layer = 0;           // the index of the layer shown
let pointed = null;      // the name of the line under the pointer

// positions returns the steps in the middle of the points of a series, which has a
// value every so many steps.
function positions(series, every) {
	return series.x ||= series.mean.map((_, i) => {
		const from = i * series.width, to = Math.min(from + series.width, series.values) - 1;
		return 1 + every * (from + to) / 2;
	});
}

const lowest = series => series.min || series.mean;
const highest = series => series.max || series.mean;

// starts returns the points where a series' moving mean begins anew: the first in
// each phase of its run.
function starts(series, phases) {
	if (series.starts) return series.starts;
	const found = new Set();
	let at = -1;
	positions(series, 1).forEach((x, i) => {
		const before = at;
		while (at < 0 || at + 1 < phases.length && x >= phases[at + 1].from) at++;
		if (at !== before) found.add(i);
	});
	return series.starts = found;
}

// moving applies a function to the last n numbers at each point, as far back as the
// last start.
function moving(numbers, n, begins, apply) {
	let start = 0;
	return numbers.map((x, i) => {
		if (begins.has(i)) start = i;
		return x == null ? null : apply(numbers.slice(Math.max(start, i + 1 - n), i + 1).filter(y => y != null));
	});
}

const least = xs => Math.min(...xs);
const greatest = xs => Math.max(...xs);
const mean = xs => xs.length ? xs.reduce((a, b) => a + b, 0) / xs.length : null;

// points returns how many points of a series make up a mean.
const points = series => Math.max(1, Math.round(smoothed / series.width));

const positive = xs => xs.map(x => x > 0 ? x : null); // for a logarithmic axis
const times = (xs, ys) => xs.map((x, i) => x == null || ys[i] == null ? null : x * ys[i]);

// rates returns the learning rates at the points of a solver's scale.
const rates = s => s.scale.mean.map((_, i) => s.rates.length === 1 ? s.rates[0] : s.rates[i]);

// stepSizes returns the quantiles of η·s·p, or only η·s if there are no gains.
function stepSizes(s, p) {
	const base = times(rates(s), p.scale.mean);
	return p.gains.length ? p.gains.map(g => times(base, g)) : [base];
}

const learns = s => s.parameters.length > 0;
const named = p => p.name || "parameter " + p.shape;
const shown = () => data.solvers.filter(s => !off.has(s.name));
const solver = name => data.solvers.find(s => s.name === name);
const runOf = s => data.runs[s.run];

// phases returns the phases that all runs have in common; null if the runs differ.
function phases() {
	const [first, ...others] = data.runs.map(r => JSON.stringify(r.phases));
	return others.every(o => o === first) ? data.runs[0].phases : null;
}

const jumps = () => (phases() || []).slice(1);
const longest = () => Math.max(...data.runs.map(r => r.steps));

