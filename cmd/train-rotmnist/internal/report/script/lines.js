// The lines of the charts, with their bands and colours.

// Okabe and Ito's colours, which colour-blind readers can tell apart, the most
// visible on white, or on black, first. "" is the colour of the text. Lines after
// the first seven are dashed.
const onWhite = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", ""];
const onBlack = ["#56b4e9", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#0072b2", ""];
const dashes = [[], [8, 4], [2, 3], [10, 3, 2, 3]];

function style(i) {
	const colours = dark.matches ? onBlack : onWhite;
	const colour = colours[i % colours.length] || css("--ink");
	return { colour, dash: dashes[Math.floor(i / colours.length) % dashes.length] };
}

const styleOf = s => style(data.solvers.indexOf(s));

// layerStyle returns a shade of a hue that no solver has, stronger from the input to
// the output; biases are dashed.
function layerStyle(i, count) {
	const pairs = Math.ceil(count / 2), share = pairs > 1 ? Math.floor(i / 2) / (pairs - 1) : 1;
	const lightness = dark.matches ? 52 + 34 * share : 64 - 38 * share;
	return { colour: `hsl(280 ${dark.matches ? 75 : 55}% ${lightness}%)`, dash: i % 2 ? [5, 4] : [] };
}

// css returns a property of the page's style, from a cache.
let properties = {};
const css = name => properties[name] ||= getComputedStyle(document.documentElement).getPropertyValue(name).trim();

// A band lies between two columns. It is computed only when it is drawn: for the
// line under the pointer, or the only line.
const band = (low, high, alpha) => ({ low, high, alpha });

// smooth returns a line of moving means, with the band of the numbers in each.
function smooth(s, series) {
	const n = points(series), begins = starts(series, runOf(s).phases);
	return {
		x: positions(series, 1), breaks: runOf(s).phases.slice(1).map(p => p.from), y: n > 1 ? moving(series.mean, n, begins, mean) : series.mean,
		bands: () => [band(moving(lowest(series), n, begins, least), moving(highest(series), n, begins, greatest), 0.16)],
		columns: () => ({ mean: series.mean, ...(series.min && { lowest: series.min, highest: series.max }) }),
	};
}

// looked returns a line of numbers that were sampled every data.every steps. Points
// that merge several have a band.
function looked(series) {
	return {
		x: positions(series, data.every), y: series.mean,
		bands: () => series.width > 1 ? [band(series.min, series.max, 0.16)] : [],
		columns: () => ({ mean: series.mean, ...(series.min && { lowest: series.min, highest: series.max }) }),
	};
}

function onLog(line) {
	return { ...line, y: positive(line.y), bands: () => line.bands().map(b => band(positive(b.low), positive(b.high), b.alpha)) };
}

// quantiled returns the line of a median with the bands of the other quantiles.
function quantiled(x, qs) {
	return onLog({
		x, y: qs[2], quantiles: qs, bands: () => [band(qs[0], qs[4], 0.16), band(qs[1], qs[3], 0.32)],
		columns: () => ({ "1%": qs[0], "25%": qs[1], "50%": qs[2], "75%": qs[3], "99%": qs[4] }),
	});
}

function comparisons() {
	const compare = (title, note, of, options) => ({
		title, note, ...options, of: "solver",
		lines: () => shown().map(s => ({ name: s.name, ...styleOf(s), ...of(s) })).filter(l => l.y.length),
	});
	const over = of => {
		const all = data.solvers.map(s => of(s)).filter(s => s.width);
		return `mean of up to ${Math.max(smoothed, ...all.map(s => points(s) * s.width))} steps since the last jump`;
	};
	const list = [
		compare("Accuracy", () => over(s => s.accuracy), s => smooth(s, s.accuracy),
			{ axis: "digits read right", format: percent, range: () => [0, 1], height: 300, digits: true, percent: true }),
		compare("Loss", () => over(s => s.loss), s => onLog(smooth(s, s.loss)), { axis: "cross-entropy", format: significant, log: true, height: 250 }),
	];
	if (data.solvers.some(learns)) {
		list.push(compare("Scale s", "mean over the layers", s => onLog(looked(s.scale)), { axis: "scale", format: significant, log: true, height: 250 }));
	}
	return list;
}

function scalesOf(name) {
	const one = () => new Set(solver(name).parameters.map(p => p.scale.mean.join())).size === 1;
	return {
		title: "Scale s of each layer", note: () => one() ? "one for all layers" : "stronger from the first layer to the last; biases dashed",
		axis: "scale", format: significant, log: true, height: 260, of: "layer",
		lines: () => {
			const all = solver(name).parameters;
			return all.slice(0, one() ? 1 : undefined).map((p, i) => (
				{ name: one() ? "all layers" : named(p), ...layerStyle(i, one() ? 1 : all.length), ...onLog(looked(p.scale)) }));
		},
	};
}

// baseStepsOf is the step sizes of a solver without gains.
function baseStepsOf(name) {
	return {
		...scalesOf(name), title: "Step size η·s of each layer", axis: "step size",
		lines: () => scalesOf(name).lines().map((l, i) => {
			const [sizes] = stepSizes(solver(name), solver(name).parameters[i]);
			return { ...l, y: positive(sizes), bands: () => [], columns: () => ({ "step size": sizes }) };
		}),
	};
}

// layered is a chart of one layer's quantiles.
function layered(name, i, options, quantiles) {
	const all = () => solver(name).parameters, p = () => all()[i];
	return {
		note: "the line is the median", format: significant, log: true, height: 230, of: "layer", ...options,
		range: spread(() => all().flatMap(q => quantiles(q))),
		lines: () => [{ name: named(p()), ...layerStyle(i, all().length), dash: [], ...quantiled(positions(p().scale, data.every), quantiles(p())) }],
	};
}

const gainsOf = (name, i) => layered(name, i, { title: "Gains p", axis: "gain", plural: "gains" }, p => p.gains);
const stepSizesOf = (name, i) => layered(name, i, { title: "Step sizes η·s·p", axis: "step size", plural: "step sizes" }, p => stepSizes(solver(name), p));

// spread returns a range that all layers share, so that they can be compared.
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

