// Downloads: the numbers of a chart or a table in CSV, a chart as PNG.

// save downloads a blob as a file.
function save(name, blob) {
	const link = make("a", { href: URL.createObjectURL(blob), download: name });
	link.click();
	setTimeout(() => URL.revokeObjectURL(link.href), 60000);
}

const fileName = (title, ending) => title.toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-|-$/g, "") + ending;

function csvOf(rows) {
	const cell = x => x == null ? "" : /[",\n\r]/.test(x) ? `"${String(x).replaceAll('"', '""')}"` : String(x);
	return rows.map(r => r.map(cell).join(",") + "\r\n").join("");
}

function button(label, about, action) {
	const b = make("button", { type: "button", title: about, "aria-label": about }, label);
	b.addEventListener("click", action);
	return b;
}

const csvButton = (title, rows) => button("CSV", `Download the numbers of ${title} as CSV`,
	() => save(fileName(title, ".csv"), new Blob([csvOf(rows())], { type: "text/csv" })));

// rowsOf returns a row for each line and point of a chart.
function rowsOf(chart) {
	const tables = chart.lines.map(l => [l.name, l.x, l.columns()]);
	const names = [...new Set(tables.flatMap(([, , columns]) => Object.keys(columns)))];
	return [["step", chart.spec.of, ...names], ...tables.flatMap(([name, xs, columns]) => xs.map((x, i) => [x, name, ...names.map(n => columns[n]?.[i])]))];
}

// picture returns the chart on a canvas, with its title and the names of its lines.
function picture(chart) {
	const plot = chart.u.ctx.canvas, scale = devicePixelRatio, head = 52 * scale;
	const canvas = make("canvas", { width: plot.width, height: plot.height + head }), ctx = canvas.getContext("2d");
	ctx.fillStyle = css("--paper");
	ctx.fillRect(0, 0, canvas.width, canvas.height);
	ctx.drawImage(plot, 0, head);
	ctx.scale(scale, scale);
	ctx.fillStyle = css("--ink");
	ctx.font = "600 15px system-ui, sans-serif";
	ctx.fillText(chart.spec.title, 8, 20);
	ctx.font = "12px system-ui, sans-serif";
	let x = 8;
	for (const l of chart.lines) {
		ctx.fillStyle = ctx.strokeStyle = l.colour;
		ctx.lineWidth = 2.5;
		ctx.setLineDash(l.dash);
		ctx.beginPath();
		ctx.moveTo(x, 38);
		ctx.lineTo(x + 22, 38);
		ctx.stroke();
		ctx.fillStyle = css("--ink");
		ctx.fillText(l.name, x + 27, 42);
		x += 42 + ctx.measureText(l.name).width;
	}
	return canvas;
}

function downloadsOf(chart) {
	const { title } = chart.spec;
	return make("div", { className: "downloads" }, csvButton(title, () => rowsOf(chart)),
		button("PNG", `Download the chart ${title} as PNG`, () => picture(chart).toBlob(b => save(fileName(title, ".png"), b))));
}

