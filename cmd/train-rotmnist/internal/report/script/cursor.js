// The cursor and the zoom, which all charts share.

let following = false;

// point shows the bands of the line of this name, and makes the others fainter.
function point(name) {
	if (name === pointed) return;
	const before = pointed;
	pointed = name;
	for (const c of charts) {
		if (c.lines.length > 1 && c.lines.some(l => l.name === name || l.name === before)) c.emphasize();
	}
}

function follow(step, from) {
	following = true;
	for (const c of charts) {
		if (c === from) c.show(step == null ? null : c.u.cursor.idx); else c.follow(step);
	}
	following = false;
	byId("cursor").textContent = step == null ? "" : where(step);
}

function where(step) {
	const at = Math.max(1, Math.min(Math.round(step), longest()));
	if (!phases()) return `step ${at}`;
	const phase = phases().find(p => at <= p.to) || phases()[0];
	const { digits } = data.runs[0];
	let angle = phase.angle;
	if (phases().length === 1 && digits.length > 1) { // a drift
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

// touches lets one finger move the cursor, and two fingers zoom.
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
		if (fingers.size === 1) {
			follow(chart.u.posToVal(a, "x"), null);
			chart.u.cursor.top = e.clientY - over.getBoundingClientRect().top;
			return point(chart.nearest(chart.u));
		}
		if (!pinch || b - a < 10) return;
		const scale = (pinch[1] - pinch[0]) / (b - a), low = pinch[0] - a * scale;
		setZoom([low, low + over.clientWidth * scale]);
	});
	for (const end of ["pointerup", "pointercancel"]) over.addEventListener(end, e => { fingers.delete(e.pointerId); pinch = null; });
}

