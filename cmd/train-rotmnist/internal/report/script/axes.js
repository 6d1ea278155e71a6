// Ticks and ranges of the axes.

// ticks returns round numbers for a logarithmic axis.
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

// increments returns distances between the ticks of the steps: parts and multiples
// of a phase, so that jumps have ticks.
function increments() {
	const round = [1, 2, 5].flatMap(f => [1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8].map(d => f * d)).sort((a, b) => a - b);
	if (!jumps().length) return round;
	const length = phases()[0].to;
	return [...round.filter(n => n < length && length % n === 0), ...round.map(n => n * length)];
}

// rangeOf is the vertical axis's range, with a margin if it is logarithmic.
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
	return [1, Math.max(2, data.state === "running" ? longest() : last)];
};

