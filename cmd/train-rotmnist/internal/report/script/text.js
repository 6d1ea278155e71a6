// The page's elements, and numbers as text.

const dark = matchMedia("(prefers-color-scheme: dark)");
const byId = id => document.getElementById(id);

// make makes an element. Strings become text, never HTML.
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

// listed joins words with commas and "and".
const listed = words => words.length < 2 ? words.join() : words.slice(0, -1).join(", ") + " and " + words[words.length - 1];

function duration(seconds) {
	if (seconds < 60) return Math.round(seconds) + " s";
	if (seconds < 3600) return Math.round(seconds / 60) + " min";
	return Math.floor(seconds / 3600) + " h " + Math.round(seconds % 3600 / 60) + " min";
}

